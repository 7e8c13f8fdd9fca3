from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import TensorType
from int8rt.schema.builder import TensorSpec
from int8rt.schema.options import (
    ExpandDimsOptions,
    PackOptions,
    RankOptions,
    ReshapeOptions,
    ShapeOptions,
    SqueezeOptions,
    TransposeOptions,
    UnpackOptions,
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


@st.composite
def reshapes(draw: st.DrawFn) -> Case:
    type, shape = draw(types(*ANY)), draw(shapes((0, 4)))
    rest, new = math.prod(shape), []
    for _ in range(draw(st.integers(0, 3))):
        new.append(draw(st.sampled_from([n for n in range(1, rest + 1) if rest % n == 0])))
        rest //= new[-1]
    new = draw(st.permutations([*new, rest]))
    if draw(st.booleans()):
        new[draw(st.integers(0, len(new) - 1))] = -1
    if draw(st.integers(0, 9)) == 0:
        new[0] = draw(st.integers(-2, 7))  # mostly refused
    options, inputs = ReshapeOptions((9,)), [TensorSpec(type, shape, draw(quantizations(type))), vector(new)]
    if draw(st.booleans()):
        options, inputs = ReshapeOptions(tuple(new)), inputs[:1]
    output = TensorSpec(type, (), draw(quantizations(type)))
    return case(draw(generators), "RESHAPE", inputs, [output], options, at_run_time=draw(at_run_time))


@examples
def test_reshape(examples: int) -> None:
    check_cases(reshapes(), examples)


@pytest.mark.parametrize(
    ("shape", "new"),
    [((0, 3), (-1, 5)), ((0, 3), (0, -1)), ((2, 0), (0,)), ((0,), (-1,)), ((), ()), ((1,), (0,)), ((2, 3), (-1, -1))],
)
def test_reshape_of_nothing(shape: tuple[int, ...], new: tuple[int, ...]) -> None:
    spec = TensorSpec(TensorType.INT8, shape)
    for inputs, options in (([spec], ReshapeOptions(new)), ([spec, vector(new)], ReshapeOptions())):
        output = TensorSpec(TensorType.INT8, ())
        check_cases(st.just(case(np.random.default_rng(0), "RESHAPE", inputs, [output], options)), 1)


@st.composite
def squeezes(draw: st.DrawFn) -> Case:
    type, shape = draw(types(*ANY)), draw(shapes((1, 8), 2))
    ones = [d for i, n in enumerate(shape) if n == 1 for d in (i, i - len(shape))]
    if draw(st.integers(0, 9)) == 0:
        ones = list(range(len(shape)))  # mostly refused
    dimensions = draw(st.lists(st.sampled_from(ones), max_size=4)) if ones else []
    output = TensorSpec(type, (), draw(quantizations(type)))
    inputs = [TensorSpec(type, shape, draw(quantizations(type)))]
    return case(draw(generators), "SQUEEZE", inputs, [output], SqueezeOptions(tuple(dimensions)))


@examples
def test_squeeze(examples: int) -> None:
    check_cases(squeezes(), examples)


@st.composite
def expansions(draw: st.DrawFn) -> Case:
    type, shape = draw(types(*ANY)), draw(shapes((0, 5)))
    axis = np.array(draw(st.integers(-len(shape) - 2, len(shape) + 1)), draw(st.sampled_from(["int32", "int64"])))
    axis = axis.reshape(draw(st.sampled_from([(), (1,)])))
    input = output = draw(quantizations(type))
    if draw(st.integers(0, 9)) == 0:
        output = draw(quantizations(type))  # mostly refused
    return case(
        draw(generators),
        "EXPAND_DIMS",
        [TensorSpec(type, shape, input), TensorSpec.constant(axis)],
        [TensorSpec(type, (), output)],
        ExpandDimsOptions(),
        at_run_time=draw(at_run_time),
    )


@examples
def test_expand_dims(examples: int) -> None:
    check_cases(expansions(), examples)


@st.composite
def sizes(draw: st.DrawFn, name: str) -> Case:
    type, shape = draw(types(*ANY)), draw(shapes((1, 6), smallest=0))
    out_type = TensorType.INT32 if name == "RANK" else draw(types("int32", "int64"))
    options = RankOptions() if name == "RANK" else ShapeOptions(out_type)
    output = TensorSpec(out_type, ())
    return case(draw(generators), name, [TensorSpec(type, shape, draw(quantizations(type)))], [output], options)


@examples
@pytest.mark.parametrize("name", ["SHAPE", "RANK"])
def test_sizes(name: str, examples: int) -> None:
    check_cases(sizes(name), examples)


@st.composite
def packs(draw: st.DrawFn) -> Case:
    type, shape = draw(types("int8", "uint8", "int16", "int32", "int64", "float32", "uint32")), draw(shapes((0, 4)))
    count = draw(st.integers(1, 5))
    input = output = draw(quantizations(type))
    if draw(st.integers(0, 9)) == 0:
        output = draw(quantizations(type))  # mostly refused
    options = PackOptions(count, draw(st.integers(-len(shape) - 1, len(shape))))
    inputs = [TensorSpec(type, shape, input)] * count
    inputs = [TensorSpec(type, shape, input, name=f"x{i}") for i in range(count)]
    return case(draw(generators), "PACK", inputs, [TensorSpec(type, (), output)], options, draw(st.integers(1, 4)))


@examples
def test_pack(examples: int) -> None:
    check_cases(packs(), examples)


@st.composite
def unpacks(draw: st.DrawFn) -> Case:
    type = draw(types("int8", "uint8", "int16", "int32", "float32", "bool", "float16"))
    shape = draw(shapes((1, 4)))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    input = output = draw(quantizations(type))
    if draw(st.integers(0, 9)) == 0:
        output = draw(quantizations(type))  # mostly refused
    outputs = [TensorSpec(type, (), output)] * shape[axis]
    options = UnpackOptions(shape[axis], axis)
    inputs = [TensorSpec(type, shape, input)]
    return case(draw(generators), "UNPACK", inputs, outputs, options, draw(st.integers(1, 4)))


@examples
def test_unpack(examples: int) -> None:
    check_cases(unpacks(), examples)


@st.composite
def transpositions(draw: st.DrawFn) -> Case:
    type, shape = draw(types(*ANY)), draw(shapes((1, 8), 3))
    rank = len(shape)
    order = [p - rank if draw(st.booleans()) else p for p in draw(st.permutations(range(rank)))]
    output = TensorSpec(type, (), draw(quantizations(type)))
    inputs = [TensorSpec(type, shape, draw(quantizations(type))), vector(order)]
    version, late = draw(st.integers(1, 6)), draw(at_run_time)
    return case(draw(generators), "TRANSPOSE", inputs, [output], TransposeOptions(), version, at_run_time=late)


@examples
def test_transpose(examples: int) -> None:
    check_cases(transpositions(), examples)
