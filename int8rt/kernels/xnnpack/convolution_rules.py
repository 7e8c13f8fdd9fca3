"""Which convolutions and matrix products of 8-bit codes the delegate takes."""

from __future__ import annotations

import numpy as np

from int8rt.kernels.base import OperatorContext, TensorInfo
from int8rt.kernels.padding import sliding_window
from int8rt.kernels.xnnpack.delegation import (
    declared_shape,
    has_elements,
    has_normal_scales,
    holds_codes,
    is_stored,
    zero_points,
)
from int8rt.model import Padding, TensorType
from int8rt.quantization.xnnpack import ACTIVATIONS
from int8rt.schema.enums import FullyConnectedOptionsWeightsFormat
from int8rt.schema.options import Conv2DOptions, DepthwiseConv2DOptions, FullyConnectedOptions, TransposeConvOptions

NARROW = (TensorType.INT4, TensorType.INT2)


def _takes_filter(context: OperatorContext, filter: TensorInfo, channel_axis: int) -> bool:
    quantization = filter.quantization
    if quantization is not None and quantization.blockwise is not None:
        raise context.unsupported(f"blockwise weights in profile {context.profile.name} is not done")
    if quantization is None or quantization.scale.size == 0 or not is_stored(context, filter):
        return False
    if filter.type == TensorType.UINT8:
        return holds_codes(filter) and (context.operator.name == "FULLY_CONNECTED" or has_normal_scales(filter))
    if filter.sparsity is not None:
        raise context.unsupported(f"sparse weights in profile {context.profile.name} is not done")
    along_channels = quantization.scale.size == 1 or quantization.quantized_dimension == channel_axis
    if filter.type in NARROW or context.operator.name == "FULLY_CONNECTED":
        return along_channels
    if filter.type != TensorType.INT8 or not has_normal_scales(filter):
        return False
    return along_channels and (quantization.scale.size == 1 or int(zero_points(context, filter)[0]) == 0)


def _takes_bias(context: OperatorContext, bias: TensorInfo | None) -> bool:
    if bias is None or bias.type != TensorType.INT32 or not is_stored(context, bias):
        return False
    quantization = bias.quantization
    if quantization is None or quantization.scale.size == 0 or quantization.quantized_dimension != 0:
        return False
    zero_point = zero_points(context, bias)
    return has_normal_scales(bias) and (zero_point.size > 1 or int(zero_point[0]) == 0)


def _takes_image(context: OperatorContext, input: TensorInfo, filter: TensorInfo, channel_axis: int) -> bool:
    output = context.output()
    return (
        holds_codes(input, output)
        and input.type == output.type == filter.type
        and all(has_elements(context, tensor, 4) for tensor in (input, filter, output))
        and _takes_filter(context, filter, channel_axis)
    )


def takes_conv(context: OperatorContext) -> bool:
    """Whether the delegate takes this CONV_2D of codes."""
    options = context.options(Conv2DOptions)
    if len(context.inputs) != 3 or options.fused_activation_function not in ACTIVATIONS:
        return False
    bias = context.optional_input(2)
    return (
        _takes_image(context, context.input(0), context.input(1), 0)
        and _takes_bias(context, bias)
        and has_elements(context, context.input(2), 1)
    )


def takes_depthwise(context: OperatorContext) -> bool:
    """Whether the delegate takes this DEPTHWISE_CONV_2D of codes."""
    options = context.options(DepthwiseConv2DOptions)
    if len(context.inputs) != 3 or options.fused_activation_function not in ACTIVATIONS:
        return False
    if not _takes_image(context, context.input(0), context.input(1), 3) or options.depth_multiplier <= 0:
        return False
    bias = context.optional_input(2)
    fits = declared_shape(context, context.input(1))[3] % options.depth_multiplier == 0
    return fits and _takes_bias(context, bias) and has_elements(context, context.input(2), 1)


def takes_fully_connected(context: OperatorContext) -> bool:
    """Whether the delegate takes this FULLY_CONNECTED of codes."""
    options = context.options(FullyConnectedOptions)
    input, filter, bias = context.input(0), context.input(1), context.optional_input(2)
    if (
        options.weights_format != FullyConnectedOptionsWeightsFormat.DEFAULT
        or options.fused_activation_function not in ACTIVATIONS
        or context.operator.version == 8
        or not 2 <= len(context.inputs) <= 3
        or not holds_codes(input, context.output())
        or input.type != context.output().type
        or not has_elements(context, filter, 2)
        or not _takes_filter(context, filter, 0)
    ):
        return False
    narrow = input.type == TensorType.INT8 and filter.type in NARROW
    if filter.type != input.type and not narrow:
        return False
    outputs, depth = declared_shape(context, filter)
    if bias is not None and (int(np.prod(declared_shape(context, bias))) != outputs or not _takes_bias(context, bias)):
        return False
    # A filter with several scales counts as one with zero point 0 here.
    if filter.type == TensorType.INT8 and zero_points(context, filter).size == 1 and zero_points(context, filter)[0]:
        return False
    if filter.type == TensorType.INT4 and depth % 2:
        return False
    if filter.type == TensorType.INT2:
        return depth % 4 == 0 and context.per_axis(filter)[0].size == outputs
    return True


def takes_transpose_conv(context: OperatorContext) -> bool:
    """Whether the delegate takes this TRANSPOSE_CONV of codes."""
    options = context.options(TransposeConvOptions)
    if not 3 <= len(context.inputs) <= 4 or options.fused_activation_function not in ACTIVATIONS:
        return False
    filter, input, bias = context.input(1), context.input(2), context.optional_input(3)
    if bias is not None and not (_takes_bias(context, bias) and has_elements(context, bias, 1)):
        return False
    return _takes_image(context, input, filter, 0) and transposes(context)


def transposes(context: OperatorContext) -> bool:
    """Whether the shapes of a TRANSPOSE_CONV are those of one that XNNPACK knows."""
    options, filter, input = context.options(TransposeConvOptions), context.input(1), context.input(2)
    if not is_stored(context, context.input(0)) or declared_shape(context, context.input(0)) != (4,):
        return False
    _, height, width, channels = (int(size) for size in context.value(0).reshape(-1))
    shape, kernel = declared_shape(context, input), declared_shape(context, filter)
    if channels != kernel[0] or kernel[3] != shape[3]:
        return False
    strides = options.stride_h, options.stride_w
    if options.padding == Padding.VALID:
        return kernel[1] <= height and kernel[2] <= width
    if min(strides) < 1 or kernel[1] < strides[0] or kernel[2] < strides[1]:
        return False
    expected = tuple(
        sliding_window(size, kernel[1 + axis], strides[axis], 1, options.padding).output
        for axis, size in enumerate((height, width))
    )
    return expected == shape[1:3]
