"""Types of tensors that LiteRT's reference kernels take, beside int8rt: `python -m conformance.dtypes ROWS.json`.

From a small model of each operator (those of the hostile tests) tensors are given other types: first those that int8rt
takes, then each alone, all of one type together, pairs, triples; what LiteRT runs is changed once more. Each model is
run in both and compared. ROWS.json keeps what was found, operator by operator; --operators measures some anew, --write
makes the page of it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from conformance.dtypes_model import SCALES, retyped, values
from conformance.dtypes_page import Row, page
from conformance.dtypes_worker import Child
from int8rt.errors import Int8rtError
from int8rt.executor import SubgraphExecutor
from int8rt.kernels.custom.table import find_kernel
from int8rt.memory import MemoryLimits
from int8rt.model import Model, Operator, TensorType
from int8rt.quantization.profiles import TFLITE_REF
from int8rt.schema import write_model
from int8rt.verify.unwritten import unwritten_elements

Types = tuple[TensorType, ...]

_TYPES = [type for type in TensorType if type not in (TensorType.RESOURCE, TensorType.VARIANT)]
_PLACES = (TensorType.INT32, TensorType.INT64)
_MOST_CRASHES = 25


def sweep(model: Model, child: Child, seconds: float) -> Iterator[tuple[str, Row]]:
    """("int8,int8 -> int8", row) of the combinations of types that either of the two runs."""
    graph = model.subgraphs[0]
    (operator,) = graph.operators
    slots = [index for index in dict.fromkeys((*operator.inputs, *operator.outputs)) if index >= 0]
    first = tuple(graph.tensors[index].type for index in slots)
    groups = [tuple(i for i, type in enumerate(first) if type == one) for one in dict.fromkeys(first)]
    subsets = groups + [(i,) for i in range(len(slots))]
    if len(slots) <= 6:
        subsets += [places for size in (2, 3) for places in itertools.combinations(range(len(slots)), size)]
    seen, start = {first}, time.monotonic()
    queue: deque[tuple[int, Types]] = deque([(0, first)])
    yield _label(operator, slots, first), _measure(model, slots, first, child)
    for other in accepted(operator, slots):
        if other not in seen and time.monotonic() - start < seconds:
            seen.add(other)
            row = _measure(model, slots, other, child)
            if "runs" in (row["litert"], row["int8rt"]) or row["litert"] == "retyped":
                yield _label(operator, slots, other), row
            if row["litert"] == "runs":
                queue.append((1, other))
    start, crashes = time.monotonic(), child.crashes
    while queue:
        changes, types = queue.popleft()
        for places, type in itertools.product(dict.fromkeys(subsets), _TYPES):
            other = tuple(type if i in places else old for i, old in enumerate(types))
            if other in seen:
                continue
            if time.monotonic() - start > seconds or child.crashes - crashes > _MOST_CRASHES:
                return
            seen.add(other)
            row = _measure(model, slots, other, child)
            if "runs" in (row["litert"], row["int8rt"]) or row["litert"] == "retyped":
                yield _label(operator, slots, other), row
            if row["litert"] == "runs" and not changes:
                queue.append((1, other))


def accepted(operator: Operator, slots: Sequence[int]) -> Iterator[Types]:
    """The types of the operator's tensors that int8rt's table of operators has."""
    kernel = find_kernel(operator)
    for signature in kernel.signatures if kernel else ():
        possible: dict[int, frozenset[TensorType]] = dict.fromkeys(slots, frozenset(_TYPES))
        for indices, parts in ((operator.inputs, signature.inputs), (operator.outputs, signature.outputs)):
            several = max(0, len(indices) - len(parts))
            places = [part for part in parts for _ in range(1 + several * part.repeated)]
            for index, part in zip(indices, places, strict=False):
                if index >= 0:
                    possible[index] &= part.types
        yield from itertools.product(*(sorted(possible[index]) for index in slots))


def _label(operator: Operator, slots: Sequence[int], types: Types) -> str:
    names = dict(zip(slots, (type.label for type in types), strict=True)) | {-1: "none"}
    return ",".join(names[i] for i in operator.inputs) + " -> " + ",".join(names[i] for i in operator.outputs)


def _measure(model: Model, slots: Sequence[int], types: Types, child: Child) -> Row:
    """What both make of it, with the first kind of scales that LiteRT runs, or else that int8rt runs."""
    rows = []
    for scales in SCALES:
        other = retyped(model, dict(zip(slots, types, strict=True)), scales)
        if other is None:
            continue
        rows.append(_run(model, other, child))
        if rows[-1]["litert"] == "runs" and rows[-1]["int8rt"] == "runs":
            return rows[-1]
    status = ("runs", "retyped", "crashes", "refused")
    refused: Row = {"litert": "refused", "int8rt": "refused", "detail": "a sparse tensor"}
    return min(rows, key=lambda row: (status.index(row["litert"]), row["int8rt"] != "runs"), default=refused)


def _run(before: Model, model: Model, child: Child) -> Row:
    old, graph = before.subgraphs[0], model.subgraphs[0]
    inputs = []
    for index in graph.inputs:
        tensor = graph.tensors[index]
        inputs.append((index, values(tensor.shape, tensor.type, old.tensors[index].type in _PLACES)))
    read = graph.operators[0].outputs
    status, expected = child.run(write_model(model), inputs, read)
    row: Row = {"litert": status, "int8rt": "runs", "detail": ""}
    try:
        executor = SubgraphExecutor(model, 0, TFLITE_REF, MemoryLimits(), True)
        executor.allocate()
        for index, value in inputs:
            executor.set(index, value)
        executor.invoke()
        found = [executor.get(index) for index in read]
    except Int8rtError as error:
        return row | {"int8rt": "refused", "detail": str(error)[:400]}
    if status == "runs" and expected is not None:
        masks = unwritten_elements(model, {i: v for i, v in zip(read, expected, strict=True) if v is not None})
        pairs = zip(read, found, expected, strict=True)
        row["detail"] = "; ".join(filter(None, (_difference(a, b, masks.get(i)) for i, a, b in pairs)))
    return row


def _difference(found: Any, expected: Any, unwritten: Any) -> str:
    if expected is None:
        return ""
    if (found.dtype, found.shape) != (expected.dtype, expected.shape):
        return f"{found.dtype}{list(found.shape)}, LiteRT {expected.dtype}{list(expected.shape)}"
    if unwritten is not None:
        found, expected = found[~unwritten], expected[~unwritten]
    if found.dtype == object:
        return "" if found.tolist() == expected.tolist() else "other strings"
    same = np.array_equal(found, expected, equal_nan=found.dtype.kind in "fc")
    return "" if same else "other numbers"


def measured(seconds: float, operators: Sequence[str]) -> Iterator[tuple[str, dict[str, Row]]]:
    """(name of the model, its rows) of the operators, all where none are named."""
    from tests.hostile.operators import MODELS

    child, seen = Child(), set()
    for name, model in MODELS.items():
        graph = model.subgraphs[0]
        operator, *others = graph.operators
        if others or name.startswith(_LEFT_OUT) or (operators and name.split(".")[0] not in operators):
            continue
        key = name.split(".")[0], tuple(graph.tensors[i].type if i >= 0 else None for i in operator.inputs)
        if key not in seen:
            seen.add(key)
            yield name, dict(sweep(model, child, seconds))
    child.close()


_LEFT_OUT = ("LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_", "IF", "WHILE", "STABLEHLO_C")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m conformance.dtypes", description=__doc__.splitlines()[0])
    parser.add_argument("rows", type=Path, help="file of what was found; it is read, where there is one, and written")
    parser.add_argument("--operators", help="measure these only, comma-separated; none of them: ''")
    parser.add_argument("--seconds", type=float, default=9, help="at most, for each model (9)")
    parser.add_argument("--write", type=Path, help="write the page into this file")
    options = parser.parse_args()
    rows = json.loads(options.rows.read_text()) if options.rows.exists() else {}
    if options.operators != "":
        for name, found in measured(options.seconds, (options.operators or "").split(",") if options.operators else ()):
            rows[name] = found
            options.rows.write_text(json.dumps(rows, indent=0, sort_keys=True))
            print(name, len(found), flush=True)
    if options.write is not None:
        options.write.write_text(page(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
