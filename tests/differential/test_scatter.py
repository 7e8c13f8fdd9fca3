"""SCATTER_ND, SPARSE_TO_DENSE, DYNAMIC_UPDATE_SLICE, UNSORTED_SEGMENT_*, ONE_HOT: elements put where indices say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import strategies as st

from int8rt.model import Shape, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import OneHotOptions
from tests.differential.cases import Case, check_cases, examples, generators, random_data, shapes, types

pytestmark = pytest.mark.litert

Array = npt.NDArray[Any]

seldom = st.integers(0, 9).map(lambda n: n == 0)
index_types = types("int32", "int64")


def model_of(
    draw: st.DrawFn, name: str, type: TensorType, inputs: Sequence[Array], options: Any = None, version: int = 1
) -> Case:
    """Each integer input is a constant or one of the model's; others are the model's, of the given type."""
    specs, data = [], []
    for array in inputs:
        if array.dtype.kind == "i" and array.dtype.itemsize >= 4 and draw(st.integers(0, 2)):
            specs.append(TensorSpec.constant(array))
        else:
            own = array.dtype == type.dtype
            specs.append(TensorSpec(type if own else TensorType[array.dtype.name.upper()], array.shape))
            data.append(array)
    return Case(single_operator_model(name, specs, [TensorSpec(type, ())], options, version), data)


def places(draw: st.DrawFn, rng: np.random.Generator, shape: Shape, outer: Shape, dtype: npt.DTypeLike) -> Array:
    """Indices [*outer, len(shape)] within a shape; now and then one that is outside."""
    indices = np.zeros((*outer, len(shape)), dtype)
    for position, size in enumerate(shape):
        indices[..., position] = rng.integers(0, size, outer)
    if indices.size and draw(seldom):
        indices.flat[0] = rng.choice([-1, 7])
    return indices


@st.composite
def scatters(draw: st.DrawFn) -> Case:
    type, shape = draw(types("int8", "uint8", "int32", "int64", "float32", "bool")), draw(shapes((1, 4)))
    rng, outer = draw(generators), draw(shapes((0, 2), 4))
    depth = draw(st.integers(0, len(shape)))
    indices = places(draw, rng, shape[:depth], outer, np.int32)
    more = (1,) if draw(seldom) else ()
    updates = random_data(rng, TensorSpec(type, (*outer, *shape[depth:], *more)))
    return model_of(draw, "SCATTER_ND", type, [indices, updates, np.array(shape, np.int32)])


@examples
def test_scatter_nd(examples: int) -> None:
    check_cases(scatters(), examples)


@st.composite
def sparse(draw: st.DrawFn) -> Case:
    type, shape, rng = draw(types("int8", "uint8", "int32", "int64", "float32")), draw(shapes((1, 4))), draw(generators)
    count = draw(st.integers(1, 5))
    indices = places(draw, rng, shape, (count,), draw(index_types).dtype)
    if len(shape) == 1:
        indices = [indices, indices[:, 0], indices[0, 0]][draw(st.integers(0, 2))]
    count = len(indices) if indices.ndim else 1
    values = random_data(rng, TensorSpec(type, () if draw(st.booleans()) else (count + draw(seldom),)))
    default = random_data(rng, TensorSpec(type, (1,) * draw(st.integers(0, 1))))
    sizes = np.array(shape, draw(index_types).dtype)
    return model_of(draw, "SPARSE_TO_DENSE", type, [np.asarray(indices), sizes, values, default], version=3)


@examples
def test_sparse_to_dense(examples: int) -> None:
    check_cases(sparse(), examples)


@st.composite
def updates_of_slices(draw: st.DrawFn) -> Case:
    names = ("int8", "int4", "uint8", "int16", "int32", "int64", "float32", "bool", "float16", "float64", "complex128")
    type, shape, rng = draw(types(*names)), draw(shapes((0, 5))), draw(generators)
    update = tuple(draw(st.integers(0 if draw(seldom) else 1, size)) for size in shape)
    if type == TensorType.INT4:
        data = [rng.integers(-8, 8, size).astype(np.int8) for size in (shape, update)]
    else:
        data = [random_data(rng, TensorSpec(type, size)) for size in (shape, update)]
    start = rng.integers(-2, 7, len(shape)).astype(draw(index_types).dtype)
    specs = [TensorSpec(type, values.shape) for values in data]
    if draw(st.booleans()):
        specs.append(TensorSpec.constant(start))
    else:
        specs.append(TensorSpec(TensorType[start.dtype.name.upper()], start.shape))
        data.append(start)
    model = single_operator_model("DYNAMIC_UPDATE_SLICE", specs, [TensorSpec(type, ())], version=6)
    return Case(model, data)


@examples
def test_dynamic_update_slice(examples: int) -> None:
    check_cases(updates_of_slices(), examples)


@st.composite
def segments(draw: st.DrawFn) -> Case:
    type, shape, rng = draw(types("int32", "float32")), draw(shapes((1, 4), 7)), draw(generators)
    count, name = draw(st.integers(1, 5)), draw(st.sampled_from(["SUM", "PROD", "MAX", "MIN"]))
    numbers = rng.integers(-1, count + draw(seldom), shape[: draw(st.integers(0, len(shape)))]).astype(np.int32)
    data = random_data(rng, TensorSpec(type, shape))
    total = np.array(count, np.int32).reshape((1,) * draw(st.integers(0, 1)))
    return model_of(draw, f"UNSORTED_SEGMENT_{name}", type, [data, numbers, total])


@examples
def test_unsorted_segments(examples: int) -> None:
    check_cases(segments(), examples)


@st.composite
def one_hots(draw: st.DrawFn) -> Case:
    """The low 32 bits of an index and of a depth count."""
    type, shape = draw(types("int8", "uint8", "int32", "int64", "float32", "bool")), draw(shapes((0, 3)))
    rng = draw(generators)
    indices = rng.integers(-1, 5, shape).astype(draw(index_types).dtype)
    if indices.dtype == np.int64 and draw(st.booleans()):
        indices = np.asarray(indices + 2**32)
    depth = np.array(-1 if draw(seldom) else draw(st.integers(1, 5)), draw(index_types).dtype)
    if depth.dtype == np.int64 and draw(st.booleans()):
        depth = np.asarray(depth + 2**32)
    values = [random_data(rng, TensorSpec(type, (1,) * draw(st.integers(0, 1)))) for _ in range(2)]
    options = OneHotOptions(axis=draw(st.integers(-1, len(shape) + draw(seldom))))
    return model_of(draw, "ONE_HOT", type, [indices, depth, *values], options)


@examples
def test_one_hot(examples: int) -> None:
    check_cases(one_hots(), examples)
