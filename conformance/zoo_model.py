"""One model of `zoo`, in this process.

`python -m conformance.zoo_model MODEL KINDS BACKENDS [PROFILE]` prints a row as JSON.
"""

from __future__ import annotations

import contextlib
import json
import sys
import traceback
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from int8rt.errors import Int8rtError, UnsupportedError
from int8rt.interpreter import Backend, Interpreter
from int8rt.model import Model, shown
from int8rt.schema import read_model
from int8rt.verify.compare import RunComparison, compare_with, run_int8rt, run_reference
from int8rt.verify.inputs import KINDS, Kind, make_inputs
from int8rt.verify.oracle import Oracle, OracleError, Resolver

BACKENDS: tuple[Backend, ...] = ("numpy", "jit")

# The kernels of LiteRT that a profile stands for.
RESOLVERS: dict[str, Resolver] = {"tflite-ref": "ref", "tflite-opt": "opt", "xnnpack": "xnnpack"}

# Address space of the process; a model that needs more has escaped int8rt's own limits.
_MEMORY_BYTES = 12 << 30


def main() -> None:
    path, kinds, backends, *profile = sys.argv[1:]
    with contextlib.suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    row = examine(
        Path(path),
        [kind for kind in KINDS if kind in kinds.split(",")],
        [backend for backend in BACKENDS if backend in backends.split(",")],
        *profile,
    )
    print(json.dumps(row))


def examine(
    path: Path,
    kinds: Sequence[Kind] = KINDS,
    backends: Sequence[Backend] = BACKENDS,
    profile: str = "tflite-ref",
) -> dict[str, Any]:
    """Status of one model, what there is to say about it, and its runs; see `zoo` for the meaning of the status.

    profile: a key of `RESOLVERS`.
    """
    content = path.read_bytes()
    try:
        # `zoo` ends this process in time.
        with Oracle(timeout=3600) as oracle, Oracle(timeout=3600) as second:
            return _examine(content, kinds, backends, profile, oracle, second)
    except Exception:
        return {"status": "crashed", "detail": traceback.format_exc(limit=-3), "runs": []}


def _examine(
    content: bytes, kinds: Sequence[Kind], backends: Sequence[Backend], profile: str, oracle: Oracle, second: Oracle
) -> dict[str, Any]:
    try:
        model = read_model(content)
        Interpreter(model_content=model, profile=profile).allocate_tensors()
    except UnsupportedError as error:
        refusal = _refusal(content, oracle, RESOLVERS[profile])
        if refusal:
            return {"status": "refused", "detail": f"LiteRT: {refusal}; int8rt: {error}", "runs": []}
        return {"status": "unsupported", "detail": str(error), "runs": []}
    except Int8rtError as error:
        refusal = _refusal(content, oracle, RESOLVERS[profile])
        status = "refused" if refusal else "differ"
        return {"status": status, "detail": f"LiteRT: {refusal or 'runs'}; int8rt: {error}", "runs": []}
    row: dict[str, Any] = {
        "status": "exact",
        "detail": "",
        "operators": dict(Counter(operator.label for operator in model.subgraphs[0].operators)),
        "runs": [],
    }
    for kind in kinds:
        inputs = make_inputs(model, kind)
        try:
            reference = run_reference(model, content, inputs, oracle, second, resolver=RESOLVERS[profile])
        except OracleError as error:
            detail = f"{kind} inputs: LiteRT: {error}; int8rt: {_outcome(model, inputs, profile)}"
            return row | {"status": "refused", "detail": detail}
        for backend in backends:
            where = f"{kind} inputs, {backend}"
            try:
                run = compare_with(reference, model, inputs, label=kind, profile=profile, backend=backend)
            except UnsupportedError as error:
                return row | {"status": "unsupported", "detail": str(error)}
            except Int8rtError as error:
                return row | {"status": "differ", "detail": f"{where}: LiteRT: runs; int8rt: {error}"}
            row["runs"].append(_summary(run) | {"backend": backend})
            if run.first is not None and row["status"] == "exact":
                first = run.first
                what = f"operator {first.position} ({first.operator}), tensor {first.index} {shown(first.name)!r}"
                row |= {"status": "differ", "detail": f"{where}: {what}: {first.difference}"}
    return row


def _refusal(content: bytes, oracle: Oracle, resolver: Resolver) -> str:
    try:
        oracle.run(content, None, resolver=resolver)
    except OracleError as error:
        return str(error)
    return ""


def _outcome(model: Model, inputs: Sequence[Any], profile: str) -> str:
    try:
        run_int8rt(model, inputs, profile, keep=False)
    except Int8rtError as error:
        return str(error)
    return "runs"


def _summary(run: RunComparison) -> dict[str, Any]:
    return {
        "inputs": run.label,
        "equal": run.equal,
        "outputs": len(run.outputs),
        "different_outputs": sum(bool(item.difference) for item in run.outputs),
        "tensors": len(run.tensors),
        "different_tensors": sum(bool(item.difference) for item in run.tensors),
        "elements": sum(item.difference.elements for item in run.tensors),
        "unrepeatable_elements": sum(item.difference.unrepeatable for item in run.tensors),
        "seconds": run.seconds,
        "litert_seconds": run.oracle_seconds,
    }


if __name__ == "__main__":
    main()
