"""CUMSUM, UNIQUE, WHERE, REVERSE_SEQUENCE, BUCKETIZE, MATRIX_DIAG, MATRIX_SET_DIAG, BROADCAST_ARGS."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import TensorType
from int8rt.schema.builder import ModelBuilder, TensorSpec, single_operator_model
from int8rt.schema.options import (
    BucketizeOptions,
    CumsumOptions,
    ReducerOptions,
    ReverseSequenceOptions,
    ShapeOptions,
    UniqueOptions,
)
from tests.differential.cases import Case, case, check_cases, examples, generators, random_data, shapes, types
from tests.differential.harness import assert_same_bits
from tests.differential.test_scatter import model_of, seldom

pytestmark = pytest.mark.litert

INTEGERS = ("int8", "uint8", "int16", "int32", "int64")
BOUNDARIES = [-5, 0, 1, 1.5, 2, 3, 16777216, 1e9, 3e38, np.inf, -np.inf]


@st.composite
def running_sums(draw: st.DrawFn) -> Case:
    type, shape = draw(types("int32", "int64", "float32")), draw(shapes((0 if draw(seldom) else 1, 4), 9))
    data = random_data(draw(generators), TensorSpec(type, shape))
    axis = np.array(draw(st.integers(-len(shape) - draw(seldom), max(0, len(shape) - 1))), np.int32)
    options = CumsumOptions(exclusive=draw(st.booleans()), reverse=draw(st.booleans()))
    return model_of(draw, "CUMSUM", type, [data, axis], options)


@examples
def test_cumsum(examples: int) -> None:
    check_cases(running_sums(), examples)


@st.composite
def vectors_with_repetitions(draw: st.DrawFn) -> Case:
    type, index, rng = draw(types(*INTEGERS, "float32")), draw(types("int32", "int64")), draw(generators)
    data = rng.integers(0, 7, draw(st.integers(1, 20))).astype(type.dtype)
    if type == TensorType.FLOAT32:
        data = rng.choice(np.array([0.0, -0.0, 1, 2, -3, np.inf, -np.inf], np.float32), data.shape)
    spec = TensorSpec.constant(data) if draw(seldom) else TensorSpec(type, data.shape)
    outputs = [TensorSpec(type, ()), TensorSpec(index, ())]
    model = single_operator_model("UNIQUE", [spec], outputs, UniqueOptions(idx_out_type=index))
    return Case(model, [] if spec.is_constant else [data])


def test_unique_without_options_has_no_type_of_indices() -> None:
    outputs = [TensorSpec(TensorType.INT32, ())] * 2
    model = single_operator_model("UNIQUE", [TensorSpec(TensorType.INT32, (4,))], outputs)
    assert_same_bits(model, [np.array([3, 1, 3, 2], np.int32)])


@examples
def test_unique(examples: int) -> None:
    check_cases(vectors_with_repetitions(), examples)


@st.composite
def conditions(draw: st.DrawFn) -> Case:
    """Half of the elements are 0, and at least one is not: the interpreter cannot show an empty result."""
    type, rng = draw(types("bool", "float32", "int8", "uint8", "int32", "uint32", "int64")), draw(generators)
    data = random_data(rng, TensorSpec(type, draw(shapes((0 if draw(seldom) else 1, 4)))))
    data = np.where(rng.random(data.shape) < 0.5, data, np.zeros(1, type.dtype).reshape(()))
    if data.ndim:
        data.flat[-1] = 1
    spec = TensorSpec.constant(data, type=type) if draw(seldom) else TensorSpec(type, data.shape)
    model = single_operator_model("WHERE", [spec], [TensorSpec(TensorType.INT64, ())], version=2)
    return Case(model, [] if spec.is_constant else [data])


@examples
def test_where(examples: int) -> None:
    check_cases(conditions(), examples)


@st.composite
def reversed_sequences(draw: st.DrawFn) -> Case:
    """TensorFlow Lite checks the first length only; the others are within the sequence."""
    type, shape, rng = (
        draw(types("uint8", "int16", "int32", "int64", "float32")),
        draw(shapes((2, 5))),
        draw(generators),
    )
    batch, sequence = draw(st.permutations(range(len(shape))))[:2]
    lengths = rng.integers(-1, shape[sequence] + 1, shape[batch]).astype(draw(types("int32", "int64")).dtype)
    if draw(seldom):
        lengths[0] = shape[sequence] + 1
    options = ReverseSequenceOptions(seq_dim=-1 if draw(seldom) else sequence, batch_dim=batch)
    return model_of(draw, "REVERSE_SEQUENCE", type, [random_data(rng, TensorSpec(type, shape)), lengths], options)


@examples
def test_reverse_sequence(examples: int) -> None:
    check_cases(reversed_sequences(), examples)


@st.composite
def diagonals(draw: st.DrawFn) -> Case:
    type, shape, rng = draw(types(*INTEGERS, "float32")), draw(shapes((1, 4))), draw(generators)
    if len(shape) < 2 or draw(st.booleans()):
        return case(rng, "MATRIX_DIAG", [TensorSpec(type, shape)], [TensorSpec(type, ())])
    diagonal = TensorSpec(type, (*shape[:-2], min(shape[-2:])))
    return case(rng, "MATRIX_SET_DIAG", [TensorSpec(type, shape), diagonal], [TensorSpec(type, ())])


@examples
def test_matrix_diag(examples: int) -> None:
    check_cases(diagonals(), examples)


@st.composite
def buckets(draw: st.DrawFn) -> Case:
    """Integers that float32 rounds among them."""
    type, rng = draw(types("int32", "int64", "float32", "float64")), draw(generators)
    boundaries = sorted(rng.choice(BOUNDARIES, draw(st.integers(0, 6))).tolist(), reverse=draw(seldom))
    shape = draw(shapes((0, 3)))
    numbers = [0, 1, 2, -5, 3, 16777217, 16777219, 2000000000]
    data = rng.choice(numbers, shape) if draw(st.booleans()) else random_data(rng, TensorSpec(type, shape))
    spec, output = TensorSpec(type, shape), TensorSpec(TensorType.INT32, ())
    model = single_operator_model("BUCKETIZE", [spec], [output], BucketizeOptions(boundaries=tuple(boundaries)))
    return Case(model, [np.asarray(data, type.dtype)])


@examples
def test_bucketize(examples: int) -> None:
    check_cases(buckets(), examples)


@st.composite
def two_shapes(draw: st.DrawFn) -> Case:
    type, shape = draw(types("int32", "int64")), draw(shapes((1, 5), 5, 0))
    given = [[1 if draw(st.booleans()) else size for size in shape] for _ in range(2)]
    given[1] = given[1][draw(st.integers(0, len(shape) - 1)) :]
    if draw(seldom):
        given[1][-1] = 9  # mostly refused
    if draw(seldom) and type == TensorType.INT64:
        given[0][0] = 2**33 + 3  # the low 32 bits count
    if draw(st.booleans()):
        given.reverse()
    return model_of(draw, "BROADCAST_ARGS", type, [np.array(one, type.dtype) for one in given])


@examples
def test_broadcast_args(examples: int) -> None:
    check_cases(two_shapes(), examples)


@pytest.mark.parametrize("seed", range(4))
def test_shapes_that_follow_from_values_flow_on(seed: int) -> None:
    """The elements above 0, how often each of them comes, and their largest, by WHERE, GATHER_ND, UNIQUE and others."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-3, 6, (4, 5)).astype(np.int32)
    x[0, 0] = 5
    builder = ModelBuilder().input("x", TensorType.INT32, x.shape)
    builder.constant("zero", np.array(0, np.int32)).constant("axis", np.array([0], np.int32))
    for name, type in (("above", "bool"), ("places", "int64"), ("values", "int32"), ("count", "int32")):
        builder.tensor(name, TensorType[type.upper()], ())
    builder.tensor("ones", TensorType.INT32, ()).constant("one", np.array(1, np.int32))
    builder.tensor("total", TensorType.INT32, ()).tensor("numbers", TensorType.INT32, ())
    for name in ("kinds", "largest", "often"):
        builder.output(name, TensorType.INT32, ())
    builder.operator("GREATER", ["x", "zero"], ["above"]).operator("WHERE", ["above"], ["places"])
    builder.operator("GATHER_ND", ["x", "places"], ["values"])
    builder.operator("UNIQUE", ["values"], ["kinds", "numbers"], UniqueOptions())
    builder.operator("REDUCE_MAX", ["values", "axis"], ["largest"], ReducerOptions())
    builder.operator("SHAPE", ["values"], ["count"], ShapeOptions(out_type=TensorType.INT32))
    builder.operator("FILL", ["count", "one"], ["ones"])
    builder.operator("SHAPE", ["kinds"], ["total"], ShapeOptions(out_type=TensorType.INT32))
    builder.operator("UNSORTED_SEGMENT_SUM", ["ones", "numbers", "total"], ["often"])
    assert_same_bits(builder.build(), [x])
