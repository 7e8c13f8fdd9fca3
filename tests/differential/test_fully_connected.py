from __future__ import annotations

import pytest
from hypothesis import strategies as st

from int8rt.model import Quantization, TensorType
from int8rt.schema.builder import TensorSpec
from int8rt.schema.options import FullyConnectedOptions
from tests.differential.cases import Case, case, check_cases, examples, shapes, types
from tests.differential.convolutions import (
    activations,
    bias_spec,
    filter_spec,
    filter_zero_point,
    generator,
    scales_of,
    zero_point_pair,
)

pytestmark = pytest.mark.litert


@st.composite
def matrix_products(draw: st.DrawFn, type: TensorType) -> Case:
    depth, outputs = draw(st.integers(1, 40)), draw(st.integers(1, 12))
    leading = draw(shapes((0, 3), 8))
    rng = generator(draw, depth, outputs, *leading)
    # Elements that do not fill a row are not read.
    shape = (*leading, depth if rng.random() < 0.8 else int(rng.integers(1, 60)))
    wide, unsigned = type == TensorType.INT16, type == TensorType.UINT8
    # The 8-bit kernels take an int64 bias for an int32 one.
    bias_type = draw(types("int32", "int64")) if wide or rng.random() < 0.2 else TensorType.INT32
    filter_type = type if unsigned else draw(types("int8", "int8", "int4", "int2", *["int16"] * 2 * wide))
    # Nor does the one of int16 weights look at the bias's type where the option is not set.
    said = wide and not (filter_type == TensorType.INT16 and draw(st.booleans()))
    options = FullyConnectedOptions(
        draw(activations),
        keep_num_dims=draw(st.booleans()),
        quantized_bias_type=bias_type if said else TensorType.FLOAT32,
    )
    per_axis = not unsigned and draw(st.booleans())
    input_scale, scales, output_scale = scales_of(rng, type, filter_type, depth, outputs if per_axis else 1)
    input_zero_point, output_zero_point = zero_point_pair(rng, type)
    inputs = [
        TensorSpec(type, shape, Quantization.per_tensor(input_scale, input_zero_point)),
        filter_spec(rng, filter_type, (outputs, depth), scales, 0, filter_zero_point(rng, type)),
        bias_spec(rng, bias_type, outputs, input_scale * scales[0], depth, type),
    ]
    absent = draw(st.sampled_from(["no", "no", "left out", "none"]))
    return case(
        rng,
        "FULLY_CONNECTED",
        inputs[:2] if absent == "left out" else [*inputs[:2], None if absent == "none" else inputs[2]],
        [TensorSpec(type, (), Quantization.per_tensor(output_scale, output_zero_point))],
        options,
        version=14,
    )


@examples
@pytest.mark.parametrize("type", ["int8", "uint8", "int16"])
def test_fully_connected(type: str, examples: int) -> None:
    check_cases(matrix_products(TensorType[type.upper()]), examples)
