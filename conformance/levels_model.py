"""One model of `levels`, in this process: `python -m conformance.levels_model MODEL LEVELS THREADS` prints a row."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from int8rt.errors import Int8rtError, UnsupportedError
from int8rt.interpreter import Backend, Interpreter
from int8rt.kernels.base import Array
from int8rt.kernels.jit.isa.levels import available_levels
from int8rt.model import Model
from int8rt.schema import read_model
from int8rt.verify.inputs import make_inputs


def main() -> None:
    path, levels, threads = sys.argv[1:]
    names = levels.split(",") if levels else [level.name for level in available_levels()]
    print(json.dumps(examine(Path(path), names, [int(number) for number in threads.split(",")])))


def examine(path: Path, levels: Sequence[str], threads: Sequence[int]) -> dict[str, Any]:
    """Status, detail, and `ran`: names of what ran."""
    model = read_model(path.read_bytes())
    try:
        Interpreter(model_content=model, backend="numpy").allocate_tensors()
    except UnsupportedError as error:
        return {"status": "unsupported", "detail": str(error).splitlines()[-1].strip()}
    except Int8rtError as error:
        return {"status": "unsupported", "detail": str(error).splitlines()[0]}
    inputs = make_inputs(model, "random")
    expected = outcome(model, inputs, "numpy", 1)
    ran = []
    for level in levels:
        for number in threads:
            name = f"{level} with {number} thread{'s' * (number > 1)}"
            # As on a machine of that many processors: an interpreter starts no more threads than there are.
            with (
                mock.patch.dict(os.environ, INT8RT_ISA=level),
                mock.patch("int8rt.kernels.jit.pool.processors", return_value=number),
            ):
                found = outcome(model, inputs, "jit", number)
            different = first_difference(expected, found)
            if different:
                return {"status": "differ", "detail": f"{name}: {different}", "ran": ran}
            ran.append(name)
    return {"status": "same", "detail": expected if isinstance(expected, str) else "", "ran": ran}


def outcome(model: Model, inputs: Sequence[Array], backend: Backend, threads: int) -> list[tuple[str, Array]] | str:
    """Name and value of each tensor that an operator of the first subgraph writes; or the error."""
    interpreter = Interpreter(model_content=model, backend=backend, num_threads=threads)
    written: list[tuple[str, Array]] = []
    try:
        interpreter.allocate_tensors()
        for index, value in zip(model.subgraphs[0].inputs, inputs, strict=True):
            interpreter.set_tensor(index, value)
        interpreter.invoke(
            lambda position, index, value: written.append((f"operator {position}, tensor {index}", np.array(value)))
        )
    except Int8rtError as error:
        return str(error)
    return written


def first_difference(expected: list[tuple[str, Array]] | str, found: list[tuple[str, Array]] | str) -> str:
    """What differs, or ""."""
    if isinstance(expected, str) or isinstance(found, str):
        return "" if expected == found else f"NumPy: {_said(expected)}; compiled: {_said(found)}"
    if [name for name, _ in expected] != [name for name, _ in found]:
        return f"{len(expected)} tensors written by NumPy, {len(found)} compiled"
    for (name, a), (_, b) in zip(expected, found, strict=True):
        if a.dtype != b.dtype or a.shape != b.shape:
            return f"{name}: {a.dtype}{list(a.shape)}, compiled {b.dtype}{list(b.shape)}"
        # Bytes, for not-a-numbers and signs of zeros count too; strings as they are.
        same = a.tolist() == b.tolist() if a.dtype == object else a.tobytes() == b.tobytes()
        if not same:
            return f"{name}: {np.count_nonzero(a != b)} of {a.size} elements"
    return ""


def _said(result: list[tuple[str, Array]] | str) -> str:
    return result if isinstance(result, str) else "runs"


if __name__ == "__main__":
    main()
