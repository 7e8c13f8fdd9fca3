"""int8rt beside LiteRT's reference kernels: the same model, the same inputs, every tensor compared bit by bit."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.executor import Observer
from int8rt.interpreter import Backend, Interpreter
from int8rt.model import Model, Subgraph, TensorType
from int8rt.verify.difference import Difference, compare_arrays, unrepeatable
from int8rt.verify.oracle import Oracle, OracleResult, Resolver
from int8rt.verify.unwritten import left_to_chance

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

# Handles: LiteRT has no memory to read for them, and reading may crash it.
_WITHOUT_DATA = (TensorType.RESOURCE, TensorType.VARIANT)


@dataclass(frozen=True, slots=True)
class TensorComparison:
    """One tensor. operator, position: what writes it, and where in the subgraph; "" and -1 for an input or constant."""

    index: int
    name: str
    operator: str
    position: int
    difference: Difference


@dataclass(frozen=True, slots=True)
class RunComparison:
    """One run. tensors: what operators write, in that order, all kept in memory; outputs: from a run that keeps none.

    seconds, oracle_seconds: of the run without intermediate tensors.
    """

    label: str
    outputs: tuple[TensorComparison, ...]
    tensors: tuple[TensorComparison, ...]
    seconds: float
    oracle_seconds: float

    @property
    def equal(self) -> bool:
        """Whether every output and every intermediate tensor has the same bits."""
        return not any(item.difference for item in (*self.outputs, *self.tensors))

    @property
    def first(self) -> TensorComparison | None:
        """The first tensor that differs, in the order of execution."""
        return next((item for item in (*self.tensors, *self.outputs) if item.difference), None)


@dataclass(frozen=True, slots=True)
class Reference:
    """What LiteRT makes of some inputs: `kept` with all tensors preserved, `alone` without.

    chance: tensor index to the elements that LiteRT does not write, or that another instance gave another value;
    chance_alone: the same of outputs.
    """

    kept: OracleResult
    alone: OracleResult
    chance: Mapping[int, Mask | None]
    chance_alone: Sequence[Mask | None]


def run_reference(
    model: Model,
    content: bytes,
    inputs: Sequence[Array],
    oracle: Oracle,
    second_oracle: Oracle | None = None,
    *,
    resolver: Resolver = "ref",
) -> Reference:
    """Run LiteRT with and without keeping intermediate tensors, on the first subgraph; see `compare_run`."""
    read = sorted({index for _, index in _written(model.subgraphs[0])})
    kept = oracle.run(content, inputs, resolver=resolver, read=read)
    alone = oracle.run(content, inputs, resolver=resolver)
    unwritten = left_to_chance(model, kept.tensors, reference=resolver == "ref", delegated=resolver == "xnnpack")
    if second_oracle is None:
        outputs = [unwritten.get(index) for index in model.subgraphs[0].outputs]
        return Reference(kept, alone, {index: unwritten.get(index) for index in kept.tensors}, outputs)
    again = second_oracle.run(content, inputs, resolver=resolver, read=read)
    both = kept.tensors.keys() & again.tensors.keys()
    chance = {
        index: _either(unwritten.get(index), unrepeatable(kept.tensors[index], again.tensors[index])) for index in both
    }
    again = second_oracle.run(content, inputs, resolver=resolver)
    chance_alone = [
        _either(unwritten.get(index), unrepeatable(*pair))
        for index, *pair in zip(model.subgraphs[0].outputs, alone.outputs, again.outputs, strict=True)
    ]
    return Reference(kept, alone, chance, chance_alone)


def compare_run(
    model: Model,
    content: bytes,
    inputs: Sequence[Array],
    oracle: Oracle,
    *,
    label: str = "given",
    profile: str = "tflite-ref",
    backend: Backend = "auto",
    second_oracle: Oracle | None = None,
) -> RunComparison:
    """Run both once with and once without keeping intermediate tensors, on the first subgraph.

    content: the file that `model` was read from. second_oracle: another instance, to find out which elements LiteRT
    itself leaves to chance (memory that it never writes); they are counted apart and not compared.
    Raises `OracleError` where LiteRT refuses the model, and whatever int8rt raises.
    """
    reference = run_reference(model, content, inputs, oracle, second_oracle)
    return compare_with(reference, model, inputs, label=label, profile=profile, backend=backend)


def compare_with(
    reference: Reference,
    model: Model,
    inputs: Sequence[Array],
    *,
    label: str = "given",
    profile: str = "tflite-ref",
    backend: Backend = "auto",
) -> RunComparison:
    """Run int8rt on the inputs that `reference` was made of, and compare."""
    subgraph = model.subgraphs[0]
    found, _ = run_int8rt(model, inputs, profile, backend, keep=True)
    found_alone, seconds = run_int8rt(model, inputs, profile, backend, keep=False)

    written = _written(subgraph)
    tensors = [
        _compare(subgraph, position, index, found[index], reference.kept.tensors[index], reference.chance[index])
        for position, index in written
        if index in reference.chance
    ]
    positions = {index: position for position, index in written}
    outputs = [
        _compare(
            subgraph,
            positions.get(index, -1),
            index,
            found_alone[index],
            reference.alone.outputs[place],
            reference.chance_alone[place],
        )
        for place, index in enumerate(subgraph.outputs)
        if subgraph.tensors[index].type not in _WITHOUT_DATA
    ]
    return RunComparison(label, tuple(outputs), tuple(tensors), seconds, reference.alone.seconds)


def run_int8rt(
    model: Model, inputs: Sequence[Array], profile: str = "tflite-ref", backend: Backend = "auto", *, keep: bool
) -> tuple[dict[int, Array], float]:
    """Index to value of the outputs, and with `keep` of all that operators write; and the seconds that running took.

    inputs: in the order of the subgraph's inputs, which are resized where shapes differ.
    """
    interpreter = Interpreter(
        model_content=model, experimental_preserve_all_tensors=keep, profile=profile, backend=backend
    )
    subgraph = model.subgraphs[0]
    for index, value in zip(subgraph.inputs, inputs, strict=True):
        interpreter.resize_tensor_input(index, value.shape)
    interpreter.allocate_tensors()
    for index, value in zip(subgraph.inputs, inputs, strict=True):
        interpreter.set_tensor(index, value)
    values: dict[int, Array] = {}
    observer: Observer | None = (lambda _, index, value: values.__setitem__(index, value)) if keep else None
    start = time.perf_counter()
    interpreter.invoke(observer)
    seconds = time.perf_counter() - start
    # Operators that give a variable its first value have not been seen.
    variables = [index for _, index in _written(subgraph) if keep and subgraph.tensors[index].is_variable]
    return values | {i: np.asarray(interpreter.get_tensor(i)) for i in (*variables, *subgraph.outputs)}, seconds


def _either(first: Mask | None, second: Mask | None) -> Mask | None:
    return first if second is None else second if first is None else first | second


def _written(subgraph: Subgraph) -> list[tuple[int, int]]:
    """(position of the operator, index) of every tensor that an operator writes, if it has data to be read."""
    return [
        (position, index)
        for position, operator in enumerate(subgraph.operators)
        for index in operator.outputs
        if subgraph.tensors[index].type not in _WITHOUT_DATA
    ]


def _compare(
    subgraph: Subgraph, position: int, index: int, found: Array, expected: Array, chance: Mask | None
) -> TensorComparison:
    difference = compare_arrays(found, expected, chance)
    operator = subgraph.operators[position].label if position >= 0 else ""
    return TensorComparison(index, subgraph.tensors[index].name, operator, position, difference)
