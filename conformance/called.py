"""Tensors inside called subgraphs beside LiteRT: `python -m conformance.called FILE...`.

The bodies of WHILE and IF and decompositions, after a run with all tensors preserved: what the operators there wrote
last. A subgraph that did not run, or that CALL_ONCE ran, is left out. LiteRT runs in this process.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from int8rt.executor import SubgraphExecutor
from int8rt.memory import MemoryLimits
from int8rt.model import Model
from int8rt.quantization.profiles import TFLITE_REF
from int8rt.schema import read_model, write_model
from int8rt.verify.inputs import make_inputs


@dataclass
class Called:
    """compared: how many tensors. unread: those that LiteRT gives no value of. different: "subgraph 2, tensor 5"."""

    compared: int = 0
    unread: int = 0
    different: list[str] = field(default_factory=list)


def compare_called(model: Model, inputs: Sequence[Any]) -> Called:
    """Run `model` in both. Raises whatever either of them raises."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    reference = Interpreter(
        model_content=write_model(model),
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    reference.allocate_tensors()
    executor = SubgraphExecutor(model, 0, TFLITE_REF, MemoryLimits(), True)
    executor.allocate()
    for index, value in zip(model.subgraphs[0].inputs, inputs, strict=True):
        reference.set_tensor(index, value)
        executor.set(index, value)
    reference.invoke()
    ran: set[int] = set()
    call = executor.subgraphs.call

    def noted(index: int, values: Sequence[Any]) -> tuple[Any, ...]:
        ran.add(index)
        return call(index, values)

    executor.subgraphs.call = noted  # type: ignore[method-assign]
    executor.invoke()
    result = Called()
    for other in executor.subgraphs.executors():
        if other.subgraph_index not in ran:
            continue
        for index in (index for operator in other.subgraph.operators for index in operator.outputs):
            try:
                expected = np.array(reference.get_tensor(index, other.subgraph_index))
            except ValueError:  # no memory, or no longer
                result.unread += 1
                continue
            found = np.asarray(other.get(index))
            result.compared += 1
            same = (found.dtype, found.shape) == (expected.dtype, expected.shape)
            if not (same and np.array_equal(found, expected, equal_nan=found.dtype.kind in "fc")):
                result.different.append(f"subgraph {other.subgraph_index}, tensor {index}")
    return result


def main() -> int:
    """Print a line a model; the exit status is 1 where something differs."""
    different = False
    for path in map(Path, sys.argv[1:]):
        model = read_model(path.read_bytes())
        result = compare_called(model, make_inputs(model, "random"))
        print(f"{result.compared} compared, {result.unread} not readable, {len(result.different)} different: {path}")
        print("".join(f"    {place}\n" for place in result.different), end="")
        different |= bool(result.different)
    return int(different)


if __name__ == "__main__":
    sys.exit(main())
