"""What CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV and FULLY_CONNECTED share: checks and derived integers."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import OperatorContext, TensorInfo, element_count
from int8rt.kernels.padding import Window, sliding_window
from int8rt.model import ActivationFunctionType, Padding, Shape, TensorType
from int8rt.quantization.activation_range import calculate_activation_range
from int8rt.quantization.multiplier import (
    convolution_multipliers,
    float32_product_multiplier,
    quantize_multipliers,
)
from int8rt.quantization.requantize import Requantization

INT16_MAX = 32767
_LARGEST_ZERO_POINT = 1 << 20


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
    """(height, width) windows of an NHWC input; `ModelError` for windows that do not fit and steps outside int16."""
    strides, dilations = (options.stride_h, options.stride_w), (options.dilation_h_factor, options.dilation_w_factor)
    if not all(1 <= step <= INT16_MAX for step in (*strides, *dilations)):
        raise context.invalid(f"strides {strides} and dilations {dilations} must be within [1, {INT16_MAX}]")
    if min(*kernel, *input_shape[1:]) < 1:
        raise context.invalid(f"the kernel {kernel} and the input {list(input_shape)} must not be empty")
    height, width = (
        sliding_window(input_shape[1 + axis], kernel[axis], strides[axis], dilations[axis], options.padding)
        for axis in (0, 1)
    )
    if height.output < 0 or width.output < 0:
        raise context.invalid(f"a {kernel} window does not fit the input {list(input_shape)}")
    check_padding(context, height, width)
    return height, width


def check_padding(context: OperatorContext, *windows: Window) -> None:
    """`ModelError` for padding that does not fit int16, in which TensorFlow Lite keeps it."""
    padding = max(window.pad_before for window in windows)
    if padding > INT16_MAX:
        raise context.invalid(f"needs a padding of {padding}, at most {INT16_MAX} is possible")


def check_bias(context: OperatorContext, index: int, channels: int) -> None:
    """`ModelError` unless input `index` is absent or holds one value for each output channel, with zero point 0.

    TensorFlow Lite looks at the zero point only of a bias that has a single one.
    """
    bias = context.optional_input(index)
    if bias is None:
        return
    if element_count(bias.shape) != channels:
        raise context.invalid(f"bias {bias.name!r} has shape {list(bias.shape)}, expected [{channels}]")
    if bias.quantization is not None and bias.quantization.scale.size == 1 and context.per_tensor(bias)[1] != 0:
        raise context.invalid(f"bias {bias.name!r} has a zero point other than 0")


def check_symmetric_filter(context: OperatorContext, filter: TensorInfo) -> None:
    """`ModelError` unless every zero point of a signed filter is 0."""
    if np.any(context.per_axis(filter)[1] != 0):
        raise context.invalid(f"filter {filter.name!r} has a zero point other than 0")


def accumulator_type(
    context: OperatorContext,
    input: TensorInfo,
    bias_index: int,
    quantized_bias_type: TensorType,
    any_bias: bool = False,
) -> np.dtype[Any]:
    """int32 for 8-bit inputs; for int16 what the option `quantized_bias_type` says, int64 where it is not set.

    TensorFlow Lite reads the bias as that type whatever its own is; where they differ, it reads past its end. any_bias:
    its type need not be that where the option is not set.
    """
    if input.type != TensorType.INT16:
        return np.dtype(np.int32)
    for tensor in (input, context.output()):
        if context.per_tensor(tensor)[1] != 0:
            raise context.invalid(f"int16 tensor {tensor.name!r} has a zero point other than 0")
    accumulator = TensorType.INT64 if quantized_bias_type == TensorType.FLOAT32 else quantized_bias_type
    if context.operator.options is None:
        raise context.invalid("has no options in the file, which leave no type for the bias of int16")
    if accumulator not in (TensorType.INT32, TensorType.INT64):
        raise context.invalid(f"quantized_bias_type is {accumulator.label}, expected int32 or int64")
    bias = context.optional_input(bias_index)
    unset = any_bias and quantized_bias_type == TensorType.FLOAT32
    if bias is not None and bias.type != accumulator and not unset:
        raise context.invalid(
            f"bias {bias.name!r} is {bias.type.label}, but quantized_bias_type says {accumulator.label}"
        )
    return accumulator.dtype


def input_zero_point(context: OperatorContext, input: TensorInfo) -> int:
    """The zero point of the input; `ModelError` where it is so far outside its type that sums would not be exact."""
    zero_point = context.per_tensor(input)[1]
    if abs(zero_point) > _LARGEST_ZERO_POINT:
        raise context.invalid(
            f"input {input.name!r} has zero point {zero_point}, expected at most ±{_LARGEST_ZERO_POINT}"
        )
    return zero_point


def filter_zero_point(context: OperatorContext, input: TensorInfo, filter: TensorInfo) -> int:
    """The zero point that is subtracted from the weights: that of uint8 filters; signed ones are read as symmetric."""
    if input.type != TensorType.UINT8:
        return 0
    zero_point = context.per_tensor(filter)[1]
    if not 0 <= zero_point <= 255:
        raise context.invalid(f"filter {filter.name!r} has zero point {zero_point}, expected 0 to 255")
    return zero_point


def convolution_requantization(
    context: OperatorContext,
    input: TensorInfo,
    filter: TensorInfo,
    channel_axis: int,
    bias_index: int,
    activation: ActivationFunctionType,
    accumulator: np.dtype[Any],
    rounded_as: str | None = None,
) -> Requantization:
    """Multipliers, zero point and clamp of a convolution; one multiplier, or one for each output channel.

    `channel_axis`: the filter's dimension that counts output channels. The real multiplier is
    input_scale · filter_scale / output_scale: in float64 for signed types, with the product rounded to float32 for
    uint8. Source: TensorFlow Lite kernels/kernel_util.cc, PopulateConvolutionQuantizationParams.
    """
    input_scale, _ = context.per_tensor(input)
    output_scale, _ = context.per_tensor(context.output())
    filter_scale, _ = context.per_axis(filter)
    if filter_scale.size > 1:
        check_channel_scales(context, filter, channel_axis)
    if input.type == TensorType.UINT8:
        real = per_tensor_multiplier(context, input, filter, bias_index)
    else:
        real = convolution_multipliers(input_scale, filter_scale, output_scale)
    return make_requantization(context, activation, accumulator, real, real, rounded_as)


def per_tensor_multiplier(
    context: OperatorContext, input: TensorInfo, filter: TensorInfo, bias_index: int
) -> npt.NDArray[np.float64]:
    """float64[1], input_scale · filter_scale (rounded to float32) / output_scale, as uint8 convolutions and
    FULLY_CONNECTED with one scale have it.

    `ModelError` where the product is negative, or the scale of the bias is something else by more than 0.02 output
    steps. Source: TensorFlow Lite kernels/kernel_util.cc, GetQuantizedConvolutionMultipler.
    """
    (input_scale, _), (filter_scale, _) = context.per_tensor(input), context.per_tensor(filter)
    output_scale, _ = context.per_tensor(context.output())
    bias = context.optional_input(bias_index)
    if bias is not None:
        known = bias.quantization is not None and bias.quantization.scale.size == 1
        bias_scale = context.per_tensor(bias)[0] if known else 0.0
        with np.errstate(all="ignore"):
            difference = np.abs(np.float64(input_scale) * filter_scale - bias_scale) / np.float64(output_scale)
        if not difference <= 0.02:
            raise context.invalid(
                f"bias {bias.name!r} has scale {bias_scale:g}, expected input scale · filter scale = "
                f"{input_scale * filter_scale:g} within 0.02 output steps"
            )
    with np.errstate(all="ignore"):
        product = np.float32(input_scale) * np.float32(filter_scale)
    if not product >= 0:
        raise context.invalid(f"input scale {input_scale:g} · filter scale {filter_scale:g} must not be negative")
    if context.profile.float64_multipliers:
        return convolution_multipliers(input_scale, filter_scale, output_scale)
    return np.array([float32_product_multiplier(input_scale, filter_scale, output_scale)])


def make_requantization(
    context: OperatorContext,
    activation: ActivationFunctionType,
    accumulator: np.dtype[Any],
    multiplier: npt.NDArray[np.float64],
    real_multiplier: npt.NDArray[np.float64],
    rounded_as: str | None = None,
) -> Requantization:
    """The rounding of the profile, fixed-point multipliers and the clamp to the output's activation range.

    multiplier: what becomes fixed-point; where it is not finite that is 0, as it comes out of TensorFlow Lite.
    real_multiplier: what a rounding in floating point multiplies by. float64[n] both. rounded_as: the name that the
    profile has for this rounding, where it is not the operator's.
    """
    output = context.output()
    output_scale, output_zero_point = context.per_tensor(output)
    fixed, shift = quantize_multipliers(np.where(np.isfinite(multiplier), multiplier, 0.0))
    low, high = calculate_activation_range(activation, output_scale, output_zero_point, output.type)
    return Requantization(
        rounding=context.profile.rounding(rounded_as or context.operator.name, accumulator),
        multiplier=fixed,
        shift=shift,
        real_multiplier=real_multiplier,
        zero_point=output_zero_point,
        activation_min=low,
        activation_max=high,
        dtype=output.type.dtype,
        accumulator=accumulator,
    )


def check_channel_scales(context: OperatorContext, filter: TensorInfo, channel_axis: int) -> None:
    """`ModelError` unless a filter with several scales has one for each output channel, along a dimension as long."""
    assert filter.quantization is not None
    count, channels = filter.quantization.scale.size, filter.shape[channel_axis]
    axis = filter.quantization.quantized_dimension
    if count != channels or not 0 <= axis < filter.rank or filter.shape[axis] != channels:
        raise context.invalid(
            f"filter {filter.name!r} {list(filter.shape)} has {count} scales along dimension {axis}, "
            f"expected {channels} along dimension {channel_axis}"
        )
