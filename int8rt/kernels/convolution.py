"""What CONV_2D, DEPTHWISE_CONV_2D and TRANSPOSE_CONV share: checks, windows, multipliers, exact products."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import OperatorContext, TensorInfo
from int8rt.kernels.padding import Window, sliding_window
from int8rt.model import ActivationFunctionType, Padding, Shape, TensorType
from int8rt.quantization.activation_range import calculate_activation_range
from int8rt.quantization.multiplier import (
    convolution_multipliers,
    float32_product_multiplier,
    quantize_multipliers,
)
from int8rt.quantization.requantize import Requantization


class _WindowOptions(Protocol):
    @property
    def padding(self) -> Padding: ...
    @property
    def stride_h(self) -> int: ...
    @property
    def stride_w(self) -> int: ...
    @property
    def dilation_h_factor(self) -> int: ...
    @property
    def dilation_w_factor(self) -> int: ...


def spatial_windows(
    context: OperatorContext, input_shape: Shape, kernel: tuple[int, int], options: _WindowOptions
) -> tuple[Window, Window]:
    """(height, width) windows of an NHWC input; `ModelError` for strides below 1 or windows that do not fit."""
    strides, dilations = (options.stride_h, options.stride_w), (options.dilation_h_factor, options.dilation_w_factor)
    if min(strides) < 1 or min(dilations) < 1 or min(kernel) < 1:
        raise context.invalid(f"strides {strides}, dilations {dilations} and kernel {kernel} must be at least 1")
    height, width = (
        sliding_window(input_shape[1 + axis], kernel[axis], strides[axis], dilations[axis], options.padding)
        for axis in (0, 1)
    )
    if height.output < 1 or width.output < 1:
        raise context.invalid(f"a {kernel} window does not fit the input {list(input_shape)}")
    return height, width


def check_bias(context: OperatorContext, index: int, channels: int) -> None:
    """`ModelError` unless input `index` is absent or holds one value for each output channel, with zero point 0."""
    bias = context.optional_input(index)
    if bias is None:
        return
    if bias.shape != (channels,):
        raise context.invalid(f"bias {bias.name!r} has shape {list(bias.shape)}, expected [{channels}]")
    if bias.quantization is not None and np.any(bias.quantization.zero_point[:1] != 0):
        raise context.invalid(f"bias {bias.name!r} has a zero point other than 0")


def check_symmetric_filter(context: OperatorContext, filter: TensorInfo) -> None:
    """`ModelError` unless every zero point of a signed filter is 0."""
    if np.any(context.per_axis(filter)[1] != 0):
        raise context.invalid(f"filter {filter.name!r} has a zero point other than 0")


def convolution_requantization(
    context: OperatorContext,
    input: TensorInfo,
    filter: TensorInfo,
    output: TensorInfo,
    activation: ActivationFunctionType,
    channel_axis: int,
) -> Requantization:
    """Multipliers, zero point and clamp of a convolution; one multiplier, or one for each output channel.

    `channel_axis`: the filter's dimension that counts output channels. The real multiplier is
    input_scale · filter_scale / output_scale: in float64 for signed types, with the product rounded to float32 for
    uint8. Source: TensorFlow Lite kernels/kernel_util.cc, PopulateConvolutionQuantizationParams.
    """
    input_scale, _ = context.per_tensor(input)
    output_scale, output_zero_point = context.per_tensor(output)
    filter_scale, _ = context.per_axis(filter)
    channels = filter.shape[channel_axis]
    if filter_scale.size not in (1, channels):
        raise context.invalid(f"filter {filter.name!r} has {filter_scale.size} scales for {channels} output channels")
    if input.type == TensorType.UINT8:
        real = np.array([float32_product_multiplier(input_scale, context.per_tensor(filter)[0], output_scale)])
    else:
        real = convolution_multipliers(input_scale, filter_scale, output_scale)
    multiplier, shift = quantize_multipliers(real)
    activation_min, activation_max = calculate_activation_range(
        activation, output_scale, output_zero_point, output.type
    )
    return Requantization(
        rounding=context.profile.rounding(context.operator.name),
        multiplier=multiplier,
        shift=shift,
        real_multiplier=real,
        zero_point=output_zero_point,
        activation_min=activation_min,
        activation_max=activation_max,
        dtype=output.type.dtype,
    )


def exact_float(weights: npt.NDArray[np.int64], input_dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The narrower floating type in which a matrix product with these weights [O,K] is exact.

    Every partial sum is an integer below Σ|w| · max|x|; float32 holds all integers up to 2^24, float64 up to 2^53.
    """
    info = np.iinfo(input_dtype)
    bound = int(np.abs(weights).sum(axis=1).max(initial=0)) * max(-info.min, info.max)
    return np.dtype(np.float32 if bound < 1 << 24 else np.float64)


def add_constant(product: npt.NDArray[Any], constant: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """An exact floating-point product [.., O] plus a constant [O], in int32 with wrap-around."""
    accumulator = product.astype(np.int32 if product.dtype == np.float32 else np.int64).astype(np.int32)
    accumulator += constant.astype(np.int32)
    return accumulator
