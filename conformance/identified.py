"""What `int8rt identify` says of LiteRT's own kernels, and of deliberate mistakes: `python -m conformance.identified`.

With --write the tables go into docs/identify.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from conformance.pages import DOCS, page_command
from int8rt.model import TensorType
from int8rt.schema import write_model
from int8rt.verify.identify import Finding, identify
from int8rt.verify.identify.kinds import GROUPED, KINDS, candidates
from int8rt.verify.identify.mutants import mutations_of
from int8rt.verify.identify.piece import Piece
from int8rt.verify.identify.probe_table import probes
from int8rt.verify.runtimes.base import Runtime
from int8rt.verify.runtimes.choose import open_runtime
from int8rt.verify.teacher import Teacher

PAGE = DOCS / "identify.md"
RESOLVERS = ("ref", "opt", "xnnpack")
_TEXT = """# What `int8rt identify` says

`int8rt identify` names the arithmetic that explains every element a runtime computes. For each operator it tries all
arithmetics that it knows on probes: small models and inputs, chosen so that these arithmetics give different numbers.

## LiteRT's own kernels

{version} on x86-64, by resolver: `litert:ref` is BUILTIN_REF, `litert:opt` BUILTIN_WITHOUT_DEFAULT_DELEGATES,
`litert:xnnpack` BUILTIN. A name stands for zero wrong elements; names after "or" explain all of them as well, and no
probe tells them apart. Elements: how many were looked at. Parting: on how many of them the known arithmetics disagree.

"""
_MISTAKES = """
## Deliberate mistakes

The mistakes of [mutations.md](mutations.md), made by an operator that is right otherwise, in int8; in uint8 where only
that shows them. For {alone} of {all} `identify` has a name that alone explains the probes. The others:

| operator | mistake | names that explain it too |
|---|---|---|
"""


def says(runtime: Runtime, kind: str, type: TensorType) -> Finding:
    """What `identify` finds on the probes of an operator."""
    _, model, inputs = next(iter(probes(kind, type)))
    (finding,) = identify(model, write_model(model), runtime, [("first probe", inputs)]).findings
    return finding


@cache
def outputs_by_name(kind: str, type: TensorType) -> dict[str, npt.NDArray[Any]]:
    """Every known arithmetic's outputs over all probes, one after the other."""
    collected: dict[str, list[npt.NDArray[Any]]] = {}
    for name, model, inputs in probes(kind, type):
        teacher = Teacher(model, inputs, "tflite-ref")
        values = teacher.inputs(0, dict(zip(model.subgraphs[0].inputs, inputs, strict=True)))
        assert values is not None
        right = teacher.outputs(0, values)[model.subgraphs[0].outputs[0]]
        for arithmetic, value in candidates(Piece.make(name, teacher, 0, values, right)):
            collected.setdefault(arithmetic, []).append(value.ravel())
    most = max(len(values) for values in collected.values())
    return {name: np.concatenate(values) for name, values in collected.items() if len(values) == most}


def mistakes() -> Iterator[tuple[str, str, str, list[str]]]:
    """(operator, mistake, what `identify` calls it, the other names that give the same on all probes)."""
    for kind, known in KINDS.items():
        for mutation in mutations_of(kind):
            for type in known.types:
                name = mutation.wrong if mutation.whole else f"{known.name(type)}; {mutation.wrong}"
                same = _same(kind, type, name)
                if known.name(type) not in same:  # only unsigned filters have a zero point; biases of 64 bits: int16
                    break
            yield kind, mutation.wrong, name, same


def _same(kind: str, type: TensorType, name: str) -> list[str]:
    outputs = outputs_by_name(kind, type)
    return [other for other, value in outputs.items() if other != name and np.array_equal(value, outputs[name])]


def findings() -> str:
    """The tables of LiteRT's resolvers."""
    lines = []
    for resolver in RESOLVERS:
        lines.append(f"### litert:{resolver}\n\n| operator | type | arithmetic | elements | parting |\n")
        lines.append("|---|---|---|---:|---:|\n")
        runtime = open_runtime(f"litert:{resolver}")
        try:
            for kind in (*KINDS, GROUPED):
                for type in KINDS["CONV_2D" if kind == GROUPED else kind].types:
                    found = says(runtime, kind, type)
                    name = str(found).replace(" | ", ", or ")
                    lines.append(f"| {kind} | {type.label} | {name} | {found.elements} | {found.parting} |\n")
        finally:
            runtime.close()
        lines.append("\n")
    return "".join(lines).rstrip("\n") + "\n"


def page() -> str:
    """docs/identify.md."""
    from importlib.metadata import version

    found = list(mistakes())
    shared = [f"| {kind} | {wrong} | {'; or '.join(others)} |\n" for kind, wrong, _, others in found if others]
    text = _TEXT.format(version=f"ai-edge-litert {version('ai-edge-litert')}") + findings()
    text += _MISTAKES.format(alone=len(found) - len(shared), all=len(found)) + "".join(shared)
    return text + "\nWritten by `python -m conformance.identified --write`; a test keeps it in step.\n"


if __name__ == "__main__":
    page_command("conformance.identified", PAGE, page)
