from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import TensorType
from int8rt.schema.builder import TensorSpec
from int8rt.schema.options import SliceOptions, StridedSliceOptions
from tests.differential.cases import (
    Case,
    at_run_time,
    case,
    check_cases,
    examples,
    generators,
    quantizations,
    shapes,
    types,
    vector,
)
from tests.differential.harness import assert_same_bits

pytestmark = pytest.mark.litert

ANY = ("int8", "uint8", "int16", "int32", "int64", "float32", "bool", "float16", "float64", "complex64", "uint32")


@st.composite
def slices(draw: st.DrawFn) -> Case:
    type, shape = draw(types(*ANY)), draw(shapes((1, 6), 5))
    begin = [draw(st.integers(0, n - 1)) for n in shape]
    size = [draw(st.just(-1) | st.integers(1, n - b)) for n, b in zip(shape, begin, strict=True)]
    if draw(st.integers(0, 19)) == 0:
        size[0] += 3  # mostly refused
    dtype = draw(st.sampled_from(["int32", "int64"]))
    output = TensorSpec(type, (), draw(quantizations(type)))
    inputs = [TensorSpec(type, shape, draw(quantizations(type))), vector(begin, dtype), vector(size, dtype)]
    version, late = draw(st.integers(1, 6)), draw(at_run_time)
    return case(draw(generators), "SLICE", inputs, [output], SliceOptions(), version, at_run_time=late)


@examples
def test_slice(examples: int) -> None:
    check_cases(slices(), examples)


@st.composite
def strided_slices(draw: st.DrawFn) -> Case:
    """Any bounds, strides and masks; but an axis that is shrunk names an element that is there."""
    type, shape = draw(types(*ANY)), draw(shapes((1, 5), 5))
    new_axes = draw(st.sampled_from([0, 0, 0, 1, 2, 5]))
    count = draw(st.integers(1, len(shape)))
    ellipsis = draw(st.integers(0, count - 1)) if draw(st.integers(0, 3)) == 0 else None
    bounds = st.integers(-7, 7)
    begin, end = ([draw(bounds) for _ in range(count)] for _ in range(2))
    strides = [draw(st.integers(1, 3)) * draw(st.sampled_from([1, 1, -1])) for _ in range(count)]
    masks = {name: draw(st.integers(0, 2**count - 1)) for name in ("begin_mask", "end_mask", "shrink_axis_mask")}
    if ellipsis is None and draw(st.booleans()):
        masks["shrink_axis_mask"] = 0
    for i in range(count):
        if masks["shrink_axis_mask"] >> i & 1:
            strides[i] = abs(strides[i])
            begin[i] = draw(st.integers(-7, 0))
    options = StridedSliceOptions(
        ellipsis_mask=0 if ellipsis is None else 1 << ellipsis, new_axis_mask=new_axes, **masks
    )
    output = TensorSpec(type, (), draw(quantizations(type)))
    inputs = [TensorSpec(type, shape, draw(quantizations(type))), *map(vector, (begin, end, strides))]
    return case(draw(generators), "STRIDED_SLICE", inputs, [output], options, draw(st.integers(1, 4)))


@examples
def test_strided_slice(examples: int) -> None:
    check_cases(strided_slices(), examples)


@st.composite
def strided_slices_at_run_time(draw: st.DrawFn) -> Case:
    """Bounds known only while running (and then some elements for the interpreter to show)."""
    type, shape = draw(types(*ANY)), draw(shapes((1, 4), 5))
    begin = [draw(st.integers(0, n - 1)) for n in shape]
    offset = draw(st.booleans())
    end = [draw(st.integers(1, n - b)) + (0 if offset else b) for n, b in zip(shape, begin, strict=True)]
    strides = [draw(st.integers(1, 2)) for _ in shape]
    inputs = [TensorSpec(type, shape), vector(begin), vector(end), vector(strides)]
    options = StridedSliceOptions(offset=offset)
    late = not offset and draw(st.booleans())  # LiteRT reads `end` too early where it has an offset
    return case(draw(generators), "STRIDED_SLICE", inputs, [TensorSpec(type, ())], options, 4, at_run_time=late)


@examples
def test_strided_slice_at_run_time(examples: int) -> None:
    check_cases(strided_slices_at_run_time(), examples)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("signature", [None, (-1, 3), (2, 3)])
@pytest.mark.parametrize("declared", [(), (2, 3), (3, 3), (2, 3, 1), (6,)])
def test_slice_of_a_shape_that_the_file_says(
    declared: tuple[int, ...], signature: tuple[int, ...] | None, late: bool
) -> None:
    """It must be that of the box, unless it is open."""
    signature = signature if len(declared) == 2 else None
    output = TensorSpec(TensorType.INT32, declared, shape_signature=signature)
    inputs = [TensorSpec(TensorType.INT32, (4, 5)), vector([1, 2]), vector([2, -1])]
    drawn = case(np.random.default_rng(0), "SLICE", inputs, [output], SliceOptions(), at_run_time=late)
    assert_same_bits(drawn.model, drawn.inputs)


@pytest.mark.parametrize("new_axes", [2, 3, 4, 5, 6, 8, 12, 0b11110])
@pytest.mark.parametrize("shape", [(3,), (4, 3), (4, 3, 2)])
def test_new_axes_behind_the_indices(shape: tuple[int, ...], new_axes: int) -> None:
    """LiteRT counts no dimension for them, but puts a 1 in the place of one."""
    for count, ellipsis in itertools.product(range(1, len(shape) + 1), (0, 1, 2)):
        vectors = [vector([value] * count) for value in (1, 3, 1)]
        options = StridedSliceOptions(new_axis_mask=new_axes, ellipsis_mask=ellipsis & (2**count - 1))
        inputs = [TensorSpec(TensorType.INT32, shape), *vectors]
        drawn = case(np.random.default_rng(0), "STRIDED_SLICE", inputs, [TensorSpec(TensorType.INT32, ())], options)
        assert_same_bits(drawn.model, drawn.inputs)
