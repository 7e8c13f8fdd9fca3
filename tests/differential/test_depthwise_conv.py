from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import Padding, Quantization, TensorType
from int8rt.schema.builder import TensorSpec
from int8rt.schema.options import DepthwiseConv2DOptions
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
from tests.differential.harness import run_int8rt

pytestmark = pytest.mark.litert


@st.composite
def depthwise_convolutions(draw: st.DrawFn, type: TensorType) -> Case:
    batches, height, width, channels = draw(shapes(4, 9))
    multiplier = draw(st.sampled_from([1, 1, 2, 3]))
    out_channels = channels * multiplier
    wide, unsigned = type == TensorType.INT16, type == TensorType.UINT8
    filter_type = type if unsigned else TensorType.INT8 if wide else draw(types("int8", "int8", "int4"))
    per_axis = not unsigned and draw(st.booleans())
    rng = generator(draw, height, width, channels, out_channels)
    kernel = kernel_size(draw, rng, height), kernel_size(draw, rng, width)
    options = DepthwiseConv2DOptions(
        draw(st.sampled_from(Padding)),
        stride_w=step(draw, rng),
        stride_h=step(draw, rng),
        # Only the int16 kernel looks at it; the others take it from the shapes.
        depth_multiplier=multiplier if wide else draw(st.integers(0, 3)),
        fused_activation_function=draw(activations),
        dilation_w_factor=step(draw, rng),
        dilation_h_factor=step(draw, rng),
    )
    terms = kernel[0] * kernel[1]
    input_scale, scales, output_scale = scales_of(rng, type, filter_type, terms, out_channels if per_axis else 1)
    input_zero_point, output_zero_point = zero_point_pair(rng, type)
    shape = (min(batches, 2), height, width, channels)
    # A signed filter is read as symmetric whatever its zero point says.
    zero_point = filter_zero_point(rng, type)
    bias_type = TensorType.INT64 if wide else TensorType.INT32
    inputs = [
        TensorSpec(type, shape, Quantization.per_tensor(input_scale, input_zero_point)),
        filter_spec(rng, filter_type, (1, *kernel, out_channels), scales, 3, zero_point),
        bias_spec(rng, bias_type, out_channels, input_scale * scales[0], terms, type),
    ]
    return case(
        rng,
        "DEPTHWISE_CONV_2D",
        inputs if draw(st.integers(0, 3)) else inputs[:2],
        [TensorSpec(type, (), Quantization.per_tensor(output_scale, output_zero_point))],
        options,
        version=6,
        at_run_time=filter_type != TensorType.INT4 and draw(at_run_time),
    )


@examples
@pytest.mark.parametrize("type", ["int8", "uint8", "int16"])
def test_depthwise_conv(type: str, examples: int) -> None:
    check_cases(depthwise_convolutions(TensorType[type.upper()]), examples)


def test_version_7_is_version_6_with_int4_weights() -> None:
    """BUILTIN_REF is not registered for version 7, though its kernel unpacks int4 weights."""
    rng = np.random.default_rng(0)
    filter = TensorSpec.constant(
        rng.integers(-8, 8, (1, 3, 3, 6)).astype(np.int8), Quantization.per_tensor(0.1), type=TensorType.INT4
    )
    inputs = [TensorSpec(TensorType.INT8, (1, 5, 6, 6), Quantization.per_tensor(0.5, 3)), filter]
    output = TensorSpec(TensorType.INT8, (), Quantization.per_tensor(0.7, -4))
    older, newer = (
        case(
            np.random.default_rng(1),
            "DEPTHWISE_CONV_2D",
            inputs,
            [output],
            DepthwiseConv2DOptions(stride_w=1, stride_h=1),
            version,
        )
        for version in (6, 7)
    )
    check_cases(st.just(older), 1)
    found = [run_int8rt(drawn.model, older.inputs)[2] for drawn in (older, newer)]
    np.testing.assert_array_equal(*found)
