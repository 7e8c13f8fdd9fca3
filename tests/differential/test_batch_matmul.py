from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import Quantization, Shape, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import BatchMatMulOptions
from tests.differential.cases import Case, check_cases, examples, random_data
from tests.differential.convolutions import generator, scales_of, weights, zero_point_pair
from tests.differential.hybrids import activation_values, float_filter

pytestmark = pytest.mark.litert

# Types of the two inputs and of the output.
TYPES = [
    ("int8", "int8", "int8"),
    ("int8", "int8", "int32"),
    ("int16", "int8", "int16"),
    ("int16", "int16", "int16"),
    ("float32", "int8", "float32"),
    ("float32", "float32", "float32"),
]


@st.composite
def shape_pairs(draw: st.DrawFn, largest: int) -> tuple[Shape, Shape, BatchMatMulOptions]:
    """Two batches of matrices that can be multiplied, mostly."""
    rows, columns = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    depth = draw(st.integers(1, 40))
    full = draw(st.lists(st.integers(1, 3), max_size=3))
    leading = [
        [size if draw(st.integers(0, 2)) else 1 for size in full[draw(st.integers(0, len(full))) :]] for _ in range(2)
    ]
    options = BatchMatMulOptions(
        adj_x=draw(st.booleans()), adj_y=draw(st.booleans()), asymmetric_quantize_inputs=draw(st.booleans())
    )
    lhs = (depth, rows) if options.adj_x else (rows, depth)
    rhs = (columns, depth) if options.adj_y else (depth, columns)
    return (*leading[0], *lhs), (*leading[1], *rhs), options


@st.composite
def products(draw: st.DrawFn, names: tuple[str, str, str], largest: int = 6) -> Case:
    lhs_shape, rhs_shape, options = draw(shape_pairs(largest))
    lhs_type, rhs_type, output_type = (TensorType[name.upper()] for name in names)
    depth = lhs_shape[-2] if options.adj_x else lhs_shape[-1]
    columns = rhs_shape[-2] if options.adj_y else rhs_shape[-1]
    rng = generator(draw, depth, *lhs_shape, *rhs_shape)
    data, constant = [], draw(st.booleans())
    if lhs_type == TensorType.FLOAT32:
        lhs, output = TensorSpec(lhs_type, lhs_shape), TensorSpec(output_type, ())
        data.append(activation_values(rng, lhs_shape))
        if rhs_type == TensorType.FLOAT32:
            rhs = float_filter(rng, rhs_shape)
        else:
            per_axis = draw(st.booleans())
            axis = len(rhs_shape) - (2 if options.adj_y else 1)
            scales = rng.choice([0.02, 0.5, 1 / 3, 7.0], columns if per_axis else 1)
            quantization = Quantization.per_axis(scales, [0] * len(scales), axis if per_axis else 0)
            rhs = TensorSpec.constant(weights(rng, rhs_shape, rhs_type), quantization)
            if rhs_shape[0] > 1 and len(rhs_shape) == 5:
                # LiteRT may read sums that it has not written.
                options = BatchMatMulOptions(options.adj_x, options.adj_y)
    else:
        lhs_scale, scales, output_scale = scales_of(rng, lhs_type, rhs_type, depth, 1)
        zero_points = (0, 0) if output_type == TensorType.INT32 else zero_point_pair(rng, lhs_type)
        rhs_zero_point = 0 if lhs_type == TensorType.INT16 else int(rng.choice([0, 0, 5, -128, 127]))
        lhs = TensorSpec(lhs_type, lhs_shape, Quantization.per_tensor(lhs_scale, zero_points[0]))
        quantization = Quantization.per_tensor(scales[0], rhs_zero_point)
        rhs = TensorSpec.constant(weights(rng, rhs_shape, rhs_type), quantization)
        output = TensorSpec(output_type, (), Quantization.per_tensor(output_scale, zero_points[1]))
        data.append(random_data(rng, lhs))
    if not constant:
        assert rhs.data is not None
        data.append(rhs.data)
        rhs = TensorSpec(rhs.type, rhs_shape, rhs.quantization)
    return Case(single_operator_model("BATCH_MATMUL", [lhs, rhs], [output], options, version=4), data)


@examples
@pytest.mark.parametrize("names", TYPES, ids="-".join)
def test_batch_matmul(names: tuple[str, str, str], examples: int) -> None:
    check_cases(products(names), examples)


@pytest.mark.parametrize("examples", [10, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.parametrize("names", TYPES[:2], ids="-".join)
def test_larger_matrices(names: tuple[str, str, str], examples: int) -> None:
    check_cases(products(names, largest=150), examples)


@pytest.mark.parametrize("scales", [1, 7])
def test_scales_for_each_column_count_as_none(scales: int) -> None:
    """int8 matrices have one scale; where there are several, LiteRT takes 0."""
    rng = np.random.default_rng(scales)
    rhs = TensorSpec.constant(
        rng.integers(-127, 128, (9, 7), np.int8), Quantization.per_axis([0.01] * scales, [0] * scales, 1)
    )
    lhs = TensorSpec(TensorType.INT8, (4, 9), Quantization.per_tensor(0.5, 3))
    output = TensorSpec(TensorType.INT8, (), Quantization.per_tensor(0.25, 11))
    check_model = single_operator_model("BATCH_MATMUL", [lhs, rhs], [output], BatchMatMulOptions(), version=4)
    check_cases(st.just(Case(check_model, [random_data(rng, lhs)])), 1)
