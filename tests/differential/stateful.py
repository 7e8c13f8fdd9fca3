"""Runs a model with variables several times in a row, in int8rt and in LiteRT, and demands the same bits each time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from int8rt.errors import Int8rtError
from int8rt.executor import SubgraphExecutor
from int8rt.kernels.jit.executor import JitExecutor
from int8rt.kernels.jit.isa.levels import Level, available_levels
from int8rt.memory import MemoryLimits
from int8rt.model import Model
from int8rt.quantization.profiles import TFLITE_REF
from int8rt.schema import write_model
from int8rt.verify.oracle import OracleError, OracleResult
from tests.differential.cases import Case
from tests.differential.harness import assert_equal, oracle

Array = npt.NDArray[Any]


class Rounds(Case):
    """A model and the inputs of each of its runs."""

    def __init__(self, model: Model, rounds: Sequence[Sequence[Array]]) -> None:
        super().__init__(model, rounds[0])
        self.rounds = rounds

    def __repr__(self) -> str:
        return f"{super().__repr__()}; {len(self.rounds)} rounds"


def check_rounds(cases: st.SearchStrategy[Rounds], examples: int) -> None:
    """Every drawn case gives the bits of LiteRT's BUILTIN_REF in every round, or is refused by both."""

    @settings(max_examples=examples)
    @given(cases)
    def check(case: Rounds) -> None:
        assert_same_bits_in_a_row(case.model, case.rounds)

    check()


def assert_same_bits_in_a_row(model: Model, rounds: Sequence[Sequence[Array]]) -> None:
    """After each round all outputs and all variables are equal; or both refuse the model."""
    graph = model.subgraphs[0]
    variables = [index for index, tensor in enumerate(graph.tensors) if tensor.is_variable]
    expected: list[OracleResult] | OracleError
    try:
        expected = oracle().run_in_a_row(write_model(model), rounds, read=variables)
    except OracleError as error:
        expected = error
    for level in (None, *available_levels()[:1]):
        _assert_one_backend(model, rounds, variables, level, expected)


def _assert_one_backend(
    model: Model,
    rounds: Sequence[Sequence[Array]],
    variables: Sequence[int],
    level: Level | None,
    expected: list[OracleResult] | OracleError,
) -> None:
    backend, graph = level.name if level else "numpy", model.subgraphs[0]
    arguments = model, 0, TFLITE_REF, MemoryLimits(), True
    executor = JitExecutor(*arguments, level=level) if level else SubgraphExecutor(*arguments)
    refusal = None
    try:
        executor.allocate()
    except Int8rtError as error:
        refusal = error
    if refusal is not None:
        assert isinstance(expected, OracleError), f"LiteRT runs this model, int8rt ({backend}) refuses: {refusal}"
        return
    assert not isinstance(expected, OracleError), f"int8rt ({backend}) runs this model, LiteRT refuses: {expected}"
    for round, (inputs, result) in enumerate(zip(rounds, expected, strict=True)):
        for index, value in zip(graph.inputs, inputs, strict=True):
            executor.set(index, value)
        executor.invoke()
        for index, value in zip(graph.outputs, result.outputs, strict=True):
            assert_equal(executor.get(index), value, f"{backend}, round {round}: {graph.tensors[index].name!r}")
        for index in variables:
            name = f"{backend}, round {round}: variable {graph.tensors[index].name!r}"
            assert_equal(executor.get(index), result.tensors[index], name)
    executor.reset_variables()
    executor.invoke()
    if variables and len(rounds) > 1 and all(np.array_equal(a, b) for a, b in zip(rounds[0], rounds[-1], strict=True)):
        for index, value in zip(graph.outputs, expected[0].outputs, strict=True):
            assert_equal(executor.get(index), value, f"{backend}, after a reset: {graph.tensors[index].name!r}")
