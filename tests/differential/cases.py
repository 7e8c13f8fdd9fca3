"""Drawn single-operator models: what differential tests of many operators share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from int8rt.model import Model, Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from tests.differential.harness import assert_same_bits

Array = npt.NDArray[Any]

# How many models a test draws: some in every run, hundreds with `-m slow`.
examples = pytest.mark.parametrize("examples", [60, pytest.param(600, marks=pytest.mark.slow)])

SCALES = (0.5, 1.0, 0.0625, 0.1, 0.007874016, 0.0235, 3.7, 1e-4, 100.0)


class Case:
    """A model and its inputs, shown as one line."""

    def __init__(self, model: Model, inputs: Sequence[Array]) -> None:
        self.model = model
        self.inputs = inputs

    def __repr__(self) -> str:
        graph = self.model.subgraphs[0]
        (operator,) = graph.operators
        tensors = ", ".join(
            f"{t.name}: {t.type.label}{list(t.shape)}"
            + (f" {t.quantization.scale}/{t.quantization.zero_point}" if t.quantization else "")
            for t in graph.tensors
        )
        constants = [np.frombuffer(b, np.int32).tolist() for b in self.model.buffers if b and len(b) % 4 == 0]
        return f"{operator.name} v{operator.version} {operator.options} {tensors}; int32 constants: {constants}"


def check_cases(cases: st.SearchStrategy[Case], examples: int, profile: str = "tflite-ref") -> None:
    """Every drawn case gives the bits of LiteRT's BUILTIN_REF (or of another profile's), or is refused by both."""

    @settings(max_examples=examples)
    @given(cases)
    def check(case: Case) -> None:
        assert_same_bits(case.model, case.inputs, profile)

    check()


def case(
    rng: np.random.Generator,
    name: str,
    inputs: Sequence[TensorSpec | None],
    outputs: Sequence[TensorSpec],
    options: Any = None,
    version: int = 1,
    at_run_time: bool = False,
) -> Case:
    """A single-operator model with random data for the inputs that are not constant.

    at_run_time: the constants become inputs of the model, which get the same data.
    """
    data = [
        random_data(rng, spec) if spec.data is None else spec.data
        for spec in inputs
        if spec is not None and (at_run_time or not spec.is_constant)
    ]
    if at_run_time:
        inputs = [None if spec is None else replace(spec, data=None) for spec in inputs]
    return Case(single_operator_model(name, inputs, outputs, options, version), data)


# Whether a shape, axis or index is known only while running: once in five models.
at_run_time = st.integers(0, 4).map(lambda n: n == 0)

generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def random_data(rng: np.random.Generator, spec: TensorSpec) -> Array:
    """Every code of the type; sometimes all of them at one end. Floats: some special values among normal ones."""
    dtype, shape = spec.type.dtype, spec.shape
    if spec.type == TensorType.BOOL:
        return rng.random(shape) < 0.5
    if dtype.kind == "c":
        return np.asarray(rng.normal(0, 10, shape) + 1j * rng.normal(0, 10, shape), dtype)
    if dtype.kind == "f":
        values = np.asarray(rng.normal(0, 10, shape), dtype)
        special = np.array([0.0, -0.0, np.nan, np.inf, -np.inf], np.float32).astype(dtype)
        chosen = rng.choice(special, shape)
        return np.where(rng.random(shape) < 0.2, chosen, values).astype(dtype)
    info = np.iinfo(dtype)
    corner = rng.random()
    if corner < 0.1:
        return np.full(shape, info.min if corner < 0.05 else info.max, dtype)
    return rng.integers(info.min, info.max, shape, dtype, endpoint=True)


def shapes(rank: int | tuple[int, int], largest: int = 6, smallest: int = 1) -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes of one rank, or of ranks in a range; small, with 1 among the dimensions."""
    low, high = (rank, rank) if isinstance(rank, int) else rank
    return st.lists(st.integers(smallest, largest), min_size=low, max_size=high).map(tuple)


@st.composite
def quantizations(draw: st.DrawFn, type: TensorType) -> Quantization | None:
    """A scale and a zero point for int8, uint8 and int16 (0 there), nothing for other types."""
    if type not in (TensorType.INT8, TensorType.UINT8, TensorType.INT16):
        return None
    info = np.iinfo(type.dtype)
    zero_points = st.sampled_from([info.min, info.max, 0, 3]) | st.integers(info.min, info.max)
    zero_point = 0 if type == TensorType.INT16 else draw(zero_points)
    return Quantization.per_tensor(draw(st.sampled_from(SCALES)), int(zero_point))


def types(*names: str) -> st.SearchStrategy[TensorType]:
    """One of these types, by the names users write."""
    return st.sampled_from([TensorType[name.upper()] for name in names])


def vector(values: Sequence[int], dtype: npt.DTypeLike = np.int32) -> TensorSpec:
    """A constant vector: a shape, axes, indices."""
    return TensorSpec.constant(np.array(values, dtype).reshape(len(values)))
