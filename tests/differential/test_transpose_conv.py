from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import Padding, Quantization, TensorType
from int8rt.schema.builder import TensorSpec
from int8rt.schema.options import TransposeConvOptions
from tests.differential.cases import Case, case, check_cases, examples, shapes, types, vector
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
def transposed_convolutions(draw: st.DrawFn, type: TensorType) -> Case:
    batches, height, width, channels = draw(shapes(4, 7))
    batches, out_channels = min(batches, 2), draw(st.integers(1, 6))
    kernel, strides, padding = draw(shapes(2, 5)), draw(shapes(2, 4)), draw(st.sampled_from(Padding))
    # Every output size that gives these inputs, and now and then one that does not.
    output = [
        (size - 1) * stride + (length if padding == Padding.VALID else 1) + draw(st.integers(0, stride - 1))
        for size, stride, length in zip((height, width), strides, kernel, strict=True)
    ]
    rng = generator(draw, height, width, channels, out_channels)
    if rng.random() < 0.1:
        output[rng.integers(0, 2)] += int(rng.integers(-2, 4))
    wide, unsigned = type == TensorType.INT16, type == TensorType.UINT8
    bias_type = draw(types("int32", "int64")) if wide else TensorType.INT32
    options = TransposeConvOptions(
        padding,
        stride_w=strides[1],
        stride_h=strides[0],
        fused_activation_function=draw(activations),
        quantized_bias_type=bias_type if wide else TensorType.FLOAT32,
    )
    filter_type = type if unsigned else TensorType.INT8
    per_axis = not unsigned and draw(st.booleans())
    terms = kernel[0] * kernel[1] * channels
    input_scale, scales, output_scale = scales_of(rng, type, filter_type, terms, out_channels if per_axis else 1)
    input_zero_point, output_zero_point = zero_point_pair(rng, type)
    shape = (batches, *output, out_channels)
    constant_shape = draw(st.booleans())
    # A signed filter is read as symmetric whatever its zero point says.
    zero_point = filter_zero_point(rng, type)
    inputs = [
        vector(shape) if constant_shape else TensorSpec(TensorType.INT32, (4,)),
        filter_spec(rng, filter_type, (out_channels, *kernel, channels), scales, 0, zero_point),
        TensorSpec(type, (batches, height, width, channels), Quantization.per_tensor(input_scale, input_zero_point)),
        bias_spec(rng, bias_type, out_channels, input_scale * scales[0], terms, type),
    ]
    absent = draw(st.sampled_from(["no", "no", "left out", "none"]))
    drawn = case(
        rng,
        "TRANSPOSE_CONV",
        inputs[:3] if absent == "left out" else [*inputs[:3], None if absent == "none" else inputs[3]],
        [TensorSpec(type, (), Quantization.per_tensor(output_scale, output_zero_point))],
        options,
        version=5,
    )
    return drawn if constant_shape else Case(drawn.model, [np.array(shape, np.int32), *drawn.inputs[1:]])


@examples
@pytest.mark.parametrize("type", ["int8", "uint8", "int16"])
def test_transpose_conv(type: str, examples: int) -> None:
    check_cases(transposed_convolutions(TensorType[type.upper()]), examples)
