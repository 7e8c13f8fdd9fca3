from __future__ import annotations

import pytest
from hypothesis import strategies as st

from int8rt.model import ActivationFunctionType, Padding, Quantization, TensorType
from int8rt.schema.builder import TensorSpec
from int8rt.schema.options import DepthwiseConv2DOptions
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
def depthwise_convolutions(draw: st.DrawFn, type: TensorType) -> Case:
    rng = draw(generators)
    batches, height, width, channels = draw(shapes(4, 9))
    multiplier = draw(st.sampled_from([1, 1, 2, 3]))
    out_channels = channels * multiplier
    kernel = kernel_size(draw, height), kernel_size(draw, width)
    options = DepthwiseConv2DOptions(
        draw(st.sampled_from(Padding)),
        stride_w=draw(steps),
        stride_h=draw(steps),
        # Only the int16 kernel looks at it; the others take it from the shapes.
        depth_multiplier=multiplier if type == TensorType.INT16 else draw(st.integers(0, 3)),
        fused_activation_function=draw(st.sampled_from(ActivationFunctionType)),
        dilation_w_factor=draw(steps),
        dilation_h_factor=draw(steps),
    )
    unsigned = type == TensorType.UINT8
    per_axis = not unsigned and draw(st.booleans())
    terms, (largest, span) = kernel[0] * kernel[1], ranges(type)
    input_scale, scales, output_scale = draw(scales_of(terms, out_channels if per_axis else 1, largest, span))
    input_zero_point, output_zero_point = draw(zero_point_pair(type))
    filter_type = {TensorType.UINT8: TensorType.UINT8, TensorType.INT16: TensorType.INT8}.get(
        type, draw(types("int8", "int8", "int4"))
    )
    # A signed filter is read as symmetric whatever its zero point says.
    zero_point = draw(st.integers(0, 255)) if unsigned else draw(st.sampled_from([0, 0, 5]))
    bias_type = TensorType.INT64 if type == TensorType.INT16 else TensorType.INT32
    inputs = [
        TensorSpec(
            type, (min(batches, 2), height, width, channels), Quantization.per_tensor(input_scale, input_zero_point)
        ),
        filter_spec(rng, filter_type, (1, *kernel, out_channels), scales, 3, zero_point),
        bias_spec(rng, bias_type, out_channels, input_scale * scales[0], terms, largest),
    ]
    return case(
        rng,
        "DEPTHWISE_CONV_2D",
        inputs if draw(st.integers(0, 3)) else inputs[:2],
        [TensorSpec(type, (), Quantization.per_tensor(output_scale, output_zero_point))],
        options,
        version=6,
    )


@examples
@pytest.mark.parametrize("type", ["int8", "uint8", "int16"])
def test_depthwise_conv(type: str, examples: int) -> None:
    check_cases(depthwise_convolutions(TensorType[type.upper()]), examples)
