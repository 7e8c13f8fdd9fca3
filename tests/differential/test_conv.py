from __future__ import annotations

import pytest
from hypothesis import strategies as st

from int8rt.model import ActivationFunctionType, Padding, Quantization, TensorType
from int8rt.schema.builder import TensorSpec
from int8rt.schema.options import Conv2DOptions
from tests.differential.cases import Case, case, check_cases, examples, generators, shapes, types
from tests.differential.convolutions import (
    bias_spec,
    filter_spec,
    kernel_size,
    ranges,
    scales_of,
    steps,
    zero_point_pair,
)

pytestmark = pytest.mark.litert


@st.composite
def convolutions(draw: st.DrawFn, type: TensorType) -> Case:
    rng = draw(generators)
    batches, height, width, filter_channels = draw(shapes(4, 9))
    groups = draw(st.sampled_from([1, 1, 1, 2, 3]))
    channels, out_channels = filter_channels * groups, draw(st.integers(1, 6)) * groups
    kernel = kernel_size(draw, height), kernel_size(draw, width)
    bias_type = draw(types("int32", "int64")) if type == TensorType.INT16 else TensorType.INT32
    options = Conv2DOptions(
        draw(st.sampled_from(Padding)),
        stride_w=draw(steps),
        stride_h=draw(steps),
        fused_activation_function=draw(st.sampled_from(ActivationFunctionType)),
        dilation_w_factor=draw(steps),
        dilation_h_factor=draw(steps),
        quantized_bias_type=bias_type if type == TensorType.INT16 else TensorType.FLOAT32,
    )
    unsigned = type == TensorType.UINT8
    per_axis = not unsigned and draw(st.booleans())
    terms, (largest, span) = kernel[0] * kernel[1] * filter_channels, ranges(type)
    input_scale, scales, output_scale = draw(scales_of(terms, out_channels if per_axis else 1, largest, span))
    input_zero_point, output_zero_point = draw(zero_point_pair(type))
    filter_type = type if unsigned else draw(types("int8", "int8", "int4"))
    return case(
        rng,
        "CONV_2D",
        [
            TensorSpec(
                type, (min(batches, 2), height, width, channels), Quantization.per_tensor(input_scale, input_zero_point)
            ),
            filter_spec(
                rng,
                filter_type,
                (out_channels, *kernel, filter_channels),
                scales,
                0,
                draw(st.integers(0, 255)) if unsigned else 0,
            ),
            bias_spec(rng, bias_type, out_channels, input_scale * scales[0], terms, largest),
        ],
        [TensorSpec(type, (), Quantization.per_tensor(output_scale, output_zero_point))],
        options,
        version=8,
    )


@examples
@pytest.mark.parametrize("type", ["int8", "uint8", "int16"])
def test_conv(type: str, examples: int) -> None:
    check_cases(convolutions(TensorType[type.upper()]), examples)
