"""One runtime on real models: whether its outputs are exact, and if not, which operators do it by what arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from conformance.matrix.alone import Alone
from conformance.matrix.suite import OTHERS, words
from int8rt.errors import Int8rtError
from int8rt.model import Model
from int8rt.schema import read_model, write_model
from int8rt.verify.compare import run_int8rt
from int8rt.verify.cut import cut_operators
from int8rt.verify.identify import identify
from int8rt.verify.identify.kinds import kind_of
from int8rt.verify.inputs import Kind, make_inputs
from int8rt.verify.judge import judge
from int8rt.verify.runtimes.base import Runtime
from int8rt.verify.teacher import Teacher
from int8rt.verify.verdict import Judgement, Verdict

# Kinds of inputs and their seeds.
RUNS: tuple[tuple[Kind, int], ...] = (("random", 0), ("random", 1), ("natural", 0))
# What may stand behind the SOFTMAX that closes a model.
_CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")
_FAULTS = {"refused": "REFUSED", "crashed": "CRASHED", "timeout": "TIMEOUT", "answer": "NO ANSWER"}


def chosen(folders: Sequence[Path], largest: int, operators: int) -> Iterator[tuple[str, bytes, Model]]:
    """(name, file, model) of those that int8rt runs, with at most so many bytes and operators; the same file once.

    A SOFTMAX that closes a model is left off: it saturates, and hides what differs before it.
    """
    seen: set[bytes] = set()
    for folder in folders:
        for path in sorted(folder.rglob("*.tflite")):
            content = path.read_bytes() if path.stat().st_size <= largest else b""
            if not content or content in seen:
                continue
            seen.add(content)
            try:
                model = read_model(content)
                if len(model.subgraphs[0].operators) <= operators:
                    yield path.relative_to(folder).as_posix(), *without_softmax(model, content)
            except Int8rtError:
                continue


def without_softmax(model: Model, content: bytes) -> tuple[bytes, Model]:
    """(file, model) up to a closing SOFTMAX, or whole. Raises what int8rt raises for the model."""
    inputs = make_inputs(model, *RUNS[0])
    values, _ = run_int8rt(model, inputs, keep=True)
    names = [operator.name for operator in model.subgraphs[0].operators]
    while len(names) > 2 and names[-1] in _CONVERSIONS:
        names.pop()
    if len(names) < 2 or names[-1] != "SOFTMAX" or len(model.subgraphs) > 1:
        return content, model
    constants = Teacher(model, inputs, "tflite-ref").plan.constants
    cut = cut_operators(model, range(len(names) - 1), values, constants)
    if cut is None or cut[1] != model.subgraphs[0].inputs:
        return content, model
    shorter = write_model(cut[0])
    return shorter, read_model(shorter)


def examine(model: Model, content: bytes, runtime: Runtime) -> dict[str, Any]:
    """The row of one model. Raises `UnavailableError`.

    status: "EXACT", "DIFFERENT", "REFUSED", "CRASHED", "TIMEOUT" or "NO ANSWER". Of what differs: how much,
    "explained", and "operators", those that differ by themselves, each with what explains it, or "".
    """
    runs = [(f"{kind} {seed}", make_inputs(model, kind, seed)) for kind, seed in RUNS]
    quick = judge(model, content, runtime, runs, operators=False)
    if quick.faults:
        fault = quick.faults[0]
        return {"status": _FAULTS[fault.kind], "message": words(fault.message)}
    if any(output.statistics.mismatch for output in quick.outputs):
        mismatch = next(output.statistics.mismatch for output in quick.outputs if output.statistics.mismatch)
        return {"status": "NO ANSWER", "message": words(mismatch)}
    if quick.conformant:
        return {"status": "EXACT"}
    statistics = [output.statistics for output in quick.outputs]
    row: dict[str, Any] = {
        "status": "DIFFERENT",
        "elements": sum(s.elements for s in statistics),
        "different": sum(s.different for s in statistics),
        "largest": max(s.largest for s in statistics),
        "top1": [sum(o.agreeing for o in quick.outputs), sum(o.rows for o in quick.outputs)],
    }
    for profile in OTHERS:
        if _exact_in(profile, model, content, runtime, runs):
            return row | {"explained": True, "profile": profile, "operators": {}}
    operators, whole = _operators(model, content, runtime, runs)
    return row | {"explained": whole, "profile": "", "operators": operators}


def _exact_in(profile: str, model: Model, content: bytes, runtime: Runtime, runs: Sequence[Any]) -> bool:
    try:
        return judge(model, content, runtime, runs, profile=profile, operators=False).conformant
    except Int8rtError:
        return False


def _operators(
    model: Model, content: bytes, runtime: Runtime, runs: Sequence[Any]
) -> tuple[dict[str, dict[str, Any]], bool]:
    """Kinds of operators that differ by themselves, and whether all is known: each operator's verdict, and a name for
    the arithmetic of those that differ.
    """
    judged: Judgement = judge(model, content, runtime, runs[:1])
    found = {f"{f.operator} {f.type}": f for f in identify(model, content, runtime, runs[:1], probing=False).findings}
    tensors = model.subgraphs[0].tensors
    differing: dict[str, dict[str, Any]] = {}
    alone = None if runtime.capabilities().intermediates else Alone(model, runs[0][1], runtime)
    for report, operator in zip(judged.operators, model.subgraphs[0].operators, strict=True):
        if report.verdict is Verdict.EXACT or not operator.outputs:
            continue
        kind = f"{kind_of(operator, tensors)} {tensors[operator.outputs[0]].type.label}"
        finding = found.get(kind)
        row = differing.setdefault(kind, {"count": 0, "unknown": 0, "unseen": 0, "largest": 0, "explained": ""})
        row["count"] += 1
        if report.local is not None:
            row["largest"] = max(row["largest"], report.local.largest)
        else:
            row["unseen"] += 1
            continue
        if report.verdict is Verdict.OTHER_PROFILE:
            row["explained"] = row["explained"] or f"profile {report.profiles[0]}"
        elif finding is not None and finding.arithmetic is not None:
            row["explained"] = finding.arithmetic
        elif alone is not None and (name := alone.explained(report.position)):
            row["explained"] = name
        else:
            row["unknown"] += 1
    return differing, bool(differing) and not any(row["unknown"] or row["unseen"] for row in differing.values())
