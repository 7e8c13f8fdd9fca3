from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.schema.builder import TensorSpec
from int8rt.schema.options import (
    BroadcastToOptions,
    FillOptions,
    RangeOptions,
    TileOptions,
    ZerosLikeOptions,
)
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

pytestmark = pytest.mark.litert

ANY = ("int8", "uint8", "int16", "int32", "int64", "float32", "bool", "float16", "float64", "complex64", "uint32")

seldom = st.integers(0, 29).map(lambda n: n == 0)
sizes = st.sampled_from(["int32", "int64"])


@st.composite
def tiles(draw: st.DrawFn) -> Case:
    type, shape = draw(types(*ANY)), draw(shapes((0, 4), 5))
    multipliers = vector([draw(st.integers(1, 3)) for _ in shape], draw(sizes))
    inputs, version = [TensorSpec(type, shape, draw(quantizations(type))), multipliers], draw(st.integers(1, 2))
    output, late = TensorSpec(type, (), draw(quantizations(type))), draw(at_run_time)
    return case(draw(generators), "TILE", inputs, [output], TileOptions(), version, at_run_time=late)


@examples
def test_tile(examples: int) -> None:
    check_cases(tiles(), examples)


@st.composite
def fills(draw: st.DrawFn) -> Case:
    type = draw(types(*ANY))
    input = output = draw(quantizations(type))
    if draw(seldom):
        output = draw(quantizations(type))  # mostly refused
    inputs = [vector(draw(shapes((0, 4))), draw(sizes)), TensorSpec(type, (), input)]
    late = draw(at_run_time)
    return case(draw(generators), "FILL", inputs, [TensorSpec(type, (), output)], FillOptions(), at_run_time=late)


@examples
def test_fill(examples: int) -> None:
    check_cases(fills(), examples)


@st.composite
def zeros(draw: st.DrawFn) -> Case:
    type = draw(types("int32", "int64", "float32"))
    inputs = [TensorSpec(type, draw(shapes((0, 4))))]
    return case(draw(generators), "ZEROS_LIKE", inputs, [TensorSpec(type, ())], ZerosLikeOptions())


@examples
def test_zeros_like(examples: int) -> None:
    check_cases(zeros(), examples)


@st.composite
def broadcasts(draw: st.DrawFn) -> Case:
    type, shape = draw(types(*ANY)), draw(shapes((1, 6), 4))
    given = [1 if draw(st.integers(0, 2)) == 0 else n for n in shape][draw(st.integers(0, len(shape))) :]
    if given and draw(seldom):
        given[0] += 1  # refused
    inputs = [TensorSpec(type, tuple(given), draw(quantizations(type))), vector(shape, draw(sizes))]
    output, late = TensorSpec(type, (), draw(quantizations(type))), draw(at_run_time)
    return case(draw(generators), "BROADCAST_TO", inputs, [output], BroadcastToOptions(), 2, at_run_time=late)


@examples
def test_broadcast_to(examples: int) -> None:
    check_cases(broadcasts(), examples)


@st.composite
def ranges(draw: st.DrawFn) -> Case:
    type = draw(types("int32", "int64", "float32"))
    if type.dtype.kind == "f":
        number, step = st.floats(-50, 50, width=32), st.floats(0.125, 20, width=32)
    else:
        number, step = st.integers(-50, 50), st.integers(1, 20)
    start, limit, delta = draw(number), draw(number), draw(step)
    if (limit < start) != draw(seldom):
        delta = -delta
    if start == limit:
        limit = limit + 1  # the interpreter cannot show an empty result
    inputs = [TensorSpec.constant(np.array(value, type.dtype)) for value in (start, limit, delta)]
    output, late = [TensorSpec(type, ())], draw(at_run_time)
    return case(draw(generators), "RANGE", inputs, output, RangeOptions(), at_run_time=late)


@examples
def test_range(examples: int) -> None:
    check_cases(ranges(), examples)
