from __future__ import annotations

import pytest
from hypothesis import strategies as st

from int8rt.model import Padding, Quantization, TensorType
from int8rt.schema.builder import TensorSpec
from int8rt.schema.options import Conv2DOptions
from tests.differential.cases import Case, at_run_time, case, check_cases, examples, shapes, types
from tests.differential.convolutions import (
    activations,
    bias_spec,
    filter_spec,
    filter_zero_point,
    generator,
    kernel_size,
    scales_of,
    step,
    zero_point_pair,
)

pytestmark = pytest.mark.litert


@st.composite
def convolutions(draw: st.DrawFn, type: TensorType) -> Case:
    batches, height, width, filter_channels = draw(shapes(4, 9))
    groups = draw(st.sampled_from([1, 1, 1, 2, 3]))
    channels, out_channels = filter_channels * groups, draw(st.integers(1, 6)) * groups
    wide, unsigned = type == TensorType.INT16, type == TensorType.UINT8
    bias_type = draw(types("int32", "int64")) if wide else TensorType.INT32
    filter_type = type if unsigned else draw(types("int8", "int8", "int4"))
    per_axis = not unsigned and draw(st.booleans())
    rng = generator(draw, height, width, channels, out_channels)
    kernel = kernel_size(draw, rng, height), kernel_size(draw, rng, width)
    options = Conv2DOptions(
        draw(st.sampled_from(Padding)),
        stride_w=step(draw, rng),
        stride_h=step(draw, rng),
        fused_activation_function=draw(activations),
        dilation_w_factor=step(draw, rng),
        dilation_h_factor=step(draw, rng),
        quantized_bias_type=bias_type if wide else TensorType.FLOAT32,
    )
    terms = kernel[0] * kernel[1] * filter_channels
    input_scale, scales, output_scale = scales_of(rng, type, filter_type, terms, out_channels if per_axis else 1)
    input_zero_point, output_zero_point = zero_point_pair(rng, type)
    shape = (min(batches, 2), height, width, channels)
    filter_shape = (out_channels, *kernel, filter_channels)
    inputs = [
        TensorSpec(type, shape, Quantization.per_tensor(input_scale, input_zero_point)),
        filter_spec(rng, filter_type, filter_shape, scales, 0, filter_zero_point(rng, type) if unsigned else 0),
        bias_spec(rng, bias_type, out_channels, input_scale * scales[0], terms, type),
    ]
    return case(
        rng,
        "CONV_2D",
        inputs if draw(st.integers(0, 5)) else inputs[:2],
        [TensorSpec(type, (), Quantization.per_tensor(output_scale, output_zero_point))],
        options,
        version=8,
        at_run_time=filter_type != TensorType.INT4 and draw(at_run_time),
    )


@examples
@pytest.mark.parametrize("type", ["int8", "uint8", "int16"])
def test_conv(type: str, examples: int) -> None:
    check_cases(convolutions(TensorType[type.upper()]), examples)
