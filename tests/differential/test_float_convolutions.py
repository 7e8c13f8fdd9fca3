"""Convolutions and matrix products of float activations, with float weights and with integer ones (hybrid)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import ActivationFunctionType, Padding, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import (
    Conv2DOptions,
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
    TransposeConvOptions,
)
from tests.differential.cases import Case, check_cases, examples, shapes, types, vector
from tests.differential.convolutions import activations, generator, kernel_size, step
from tests.differential.harness import assert_same_bits
from tests.differential.hybrids import activation_values, float_bias, float_filter, hybrid_filter

pytestmark = pytest.mark.litert

FLOAT32 = TensorType.FLOAT32
hybrid = pytest.mark.parametrize("hybrid", [False, True], ids=["float32", "hybrid"])


@st.composite
def convolutions(draw: st.DrawFn, hybrid: bool) -> Case:
    batches, height, width, filter_channels = draw(shapes(4, 9))
    groups = draw(st.sampled_from([1, 1, 1, 2, 3]))
    channels, out_channels = filter_channels * groups, draw(st.integers(1, 6)) * groups
    rng = generator(draw, height, width, channels, out_channels)
    kernel = kernel_size(draw, rng, height), kernel_size(draw, rng, width)
    options = Conv2DOptions(
        draw(st.sampled_from(Padding)),
        stride_w=step(draw, rng),
        stride_h=step(draw, rng),
        fused_activation_function=draw(activations),
        dilation_w_factor=step(draw, rng),
        dilation_h_factor=step(draw, rng),
    )
    shape, filter_shape = (min(batches, 2), height, width, channels), (out_channels, *kernel, filter_channels)
    if hybrid:
        # Groups without a scale for each channel make LiteRT read beyond the end of the scales.
        per_axis = groups > 1 or draw(st.booleans())
        filter_type = draw(types("int8", "int8", "int4", *["uint8"] * (groups == 1)))
        filter = hybrid_filter(rng, filter_type, filter_shape, out_channels, 0, per_axis, equal=groups == 1)
    else:
        filter = float_filter(rng, filter_shape)
    inputs = [TensorSpec(FLOAT32, shape), filter, float_bias(rng, out_channels)]
    model = single_operator_model("CONV_2D", inputs, [TensorSpec(FLOAT32, ())], options, version=8)
    return Case(model, [activation_values(rng, shape)])


@st.composite
def depthwise_convolutions(draw: st.DrawFn, hybrid: bool) -> Case:
    batches, height, width, channels = draw(shapes(4, 9))
    multiplier = draw(st.sampled_from([1, 1, 2, 3]))
    out_channels = channels * multiplier
    rng = generator(draw, height, width, channels, out_channels)
    kernel = kernel_size(draw, rng, height), kernel_size(draw, rng, width)
    options = DepthwiseConv2DOptions(
        draw(st.sampled_from(Padding)),
        stride_w=step(draw, rng),
        stride_h=step(draw, rng),
        depth_multiplier=multiplier if hybrid else draw(st.integers(0, 3)),
        fused_activation_function=draw(activations),
        dilation_w_factor=step(draw, rng),
        dilation_h_factor=step(draw, rng),
    )
    shape, filter_shape = (min(batches, 2), height, width, channels), (1, *kernel, out_channels)
    if hybrid:
        filter = hybrid_filter(rng, TensorType.INT8, filter_shape, out_channels, 3, per_axis=True)
    else:
        filter = float_filter(rng, filter_shape)
    inputs = [TensorSpec(FLOAT32, shape), filter, float_bias(rng, out_channels)]
    model = single_operator_model(
        "DEPTHWISE_CONV_2D", inputs[: draw(st.integers(2, 3))], [TensorSpec(FLOAT32, ())], options, version=6
    )
    return Case(model, [activation_values(rng, shape)])


@st.composite
def transposed_convolutions(draw: st.DrawFn, hybrid: bool) -> Case:
    batches, height, width, channels = draw(shapes(4, 7))
    batches, out_channels = min(batches, 2), draw(st.integers(1, 6))
    kernel, strides, padding = draw(shapes(2, 5)), draw(shapes(2, 4)), draw(st.sampled_from(Padding))
    output = [
        (size - 1) * stride + (length if padding == Padding.VALID else 1) + draw(st.integers(0, stride - 1))
        for size, stride, length in zip((height, width), strides, kernel, strict=True)
    ]
    rng = generator(draw, height, width, channels, out_channels)
    options = TransposeConvOptions(
        padding, stride_w=strides[1], stride_h=strides[0], fused_activation_function=draw(activations)
    )
    shape, filter_shape = (batches, height, width, channels), (out_channels, *kernel, channels)
    if hybrid:
        filter = hybrid_filter(rng, TensorType.INT8, filter_shape, out_channels, 0, draw(st.booleans()))
    else:
        filter = float_filter(rng, filter_shape)
    output_shape = (batches, *output, out_channels)
    constant = draw(st.booleans())
    inputs = [
        vector(output_shape) if constant else TensorSpec(TensorType.INT32, (4,)),
        filter,
        TensorSpec(FLOAT32, shape),
        float_bias(rng, out_channels) if draw(st.booleans()) else None,
    ]
    model = single_operator_model("TRANSPOSE_CONV", inputs, [TensorSpec(FLOAT32, ())], options, version=5)
    values = activation_values(rng, shape)
    return Case(model, [values] if constant else [np.array(output_shape, np.int32), values])


@st.composite
def matrix_products(draw: st.DrawFn) -> Case:
    depth, outputs = draw(st.integers(1, 70)), draw(st.integers(1, 12))
    leading = draw(shapes((0, 3), 5))
    rng = generator(draw, depth, outputs, *leading)
    shape = (*leading, depth if rng.random() < 0.9 else int(rng.integers(1, 60)))
    options = FullyConnectedOptions(draw(activations), keep_num_dims=draw(st.booleans()))
    inputs = [
        TensorSpec(FLOAT32, shape),
        float_filter(rng, (outputs, depth)),
        float_bias(rng, outputs) if draw(st.booleans()) else None,
    ]
    model = single_operator_model("FULLY_CONNECTED", inputs, [TensorSpec(FLOAT32, ())], options, version=14)
    return Case(model, [activation_values(rng, shape)])


@examples
@hybrid
def test_conv(hybrid: bool, examples: int) -> None:
    check_cases(convolutions(hybrid), examples)


@examples
@hybrid
def test_depthwise_conv(hybrid: bool, examples: int) -> None:
    check_cases(depthwise_convolutions(hybrid), examples)


@examples
@hybrid
def test_transpose_conv(hybrid: bool, examples: int) -> None:
    check_cases(transposed_convolutions(hybrid), examples)


@examples
def test_fully_connected(examples: int) -> None:
    check_cases(matrix_products(), examples)


@pytest.mark.parametrize("outputs", [16, 17, 33, 64, 70])
def test_many_output_channels(outputs: int) -> None:
    rng = np.random.default_rng(outputs)
    bias = TensorSpec.constant(rng.normal(0, 1, outputs).astype(np.float32))
    output = TensorSpec(FLOAT32, ())
    weights = TensorSpec.constant(rng.normal(0, 1, (outputs, 3, 2, 5)).astype(np.float32))
    image = rng.normal(0, 1, (2, 9, 7, 5)).astype(np.float32)
    options = Conv2DOptions(Padding.SAME, 1, 1, ActivationFunctionType.RELU6)
    inputs = [TensorSpec(FLOAT32, image.shape), weights, bias]
    assert_same_bits(single_operator_model("CONV_2D", inputs, [output], options), [image])
    weights = TensorSpec.constant(rng.normal(0, 1, (outputs, 43)).astype(np.float32))
    rows = rng.normal(0, 1, (29, 43)).astype(np.float32)
    inputs = [TensorSpec(FLOAT32, rows.shape), weights, bias]
    assert_same_bits(single_operator_model("FULLY_CONNECTED", inputs, [output]), [rows])
