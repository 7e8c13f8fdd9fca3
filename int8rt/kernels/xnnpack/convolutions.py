"""CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED and TRANSPOSE_CONV of 8-bit codes in XNNPACK.

The sums are those of the reference kernels; they are multiplied in float32 by the scales' quotient in float32, and
rounded with ties to even. The bounds of a fused activation are rounded with their zero point.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels import conv, depthwise_conv, fully_connected, transpose_conv
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, TensorInfo, element_count
from int8rt.kernels.convolution import check_channel_scales
from int8rt.kernels.xnnpack import hybrid, hybrid_blocks, hybrid_products
from int8rt.kernels.xnnpack.convolution_rules import (
    NARROW,
    takes_conv,
    takes_depthwise,
    takes_fully_connected,
    takes_transpose_conv,
)
from int8rt.kernels.xnnpack.delegation import (
    Delegated,
    check_codes,
    has_normal_scales,
    zero_points,
)
from int8rt.model import ActivationFunctionType, Quantization, TensorType
from int8rt.quantization.xnnpack import LARGEST_SCALE, activation_range, in_float32, product_scale
from int8rt.schema.options import (
    DepthwiseConv2DOptions,
)


def _prepare(context: OperatorContext, kernel: Kernel, inputs: tuple[int, int, int], channel_axis: int) -> Params:
    """inputs: the places of input, filter and bias."""
    input, filter, output = context.input(inputs[0]), context.input(inputs[1]), context.output()
    bias = context.optional_input(inputs[2])
    check_codes(context, input, output)
    filter_zero_point = zero_points(context, filter)
    # TRANSPOSE_CONV does not look at the zero point of weights with one scale, and takes it for 0.
    ignored = kernel.name == "TRANSPOSE_CONV" and filter_zero_point.size == 1
    if filter.type != TensorType.UINT8 and np.any(filter_zero_point != 0) and not ignored:
        raise context.invalid(f"XNNPACK wants weights {filter.name!r} with zero point 0")
    if filter.type == TensorType.UINT8 or not has_normal_scales(filter):
        check_codes(context, filter)
    filter_scale = context.per_axis(filter)[0]
    if filter_scale.size > 1:
        check_channel_scales(context, filter, channel_axis)
    _check_bias(context, filter, bias, kernel.name)
    (input_scale, _), (output_scale, zero_point) = context.per_tensor(input), context.per_tensor(output)
    scale = product_scale(input_scale, filter_scale, output_scale)
    if not np.all(scale < LARGEST_SCALE):
        raise context.invalid(
            f"input scale · filter scale / output scale is {scale.max():g}, XNNPACK wants less than 256"
        )
    options: Any = context.operator.options
    activation = ActivationFunctionType.NONE if options is None else options.fused_activation_function
    bounds = activation_range(activation, output_scale, zero_point, output.type.dtype)
    bias_scale = input_scale * float(filter_scale[0])
    params: Any = kernel.prepare(
        _without_what_it_ignores(context, inputs, bias_scale, ignored and filter.type == TensorType.INT8)
    )
    # When the shapes are known to fit.
    _check_sums(context, inputs, channel_axis, scale)
    return replace(params, requantization=in_float32(params.requantization, scale, *bounds))  # type: ignore[no-any-return]


def _check_sums(
    context: OperatorContext, inputs: tuple[int, int, int], channel_axis: int, scale: npt.NDArray[np.float32]
) -> None:
    """`UnsupportedError` for sums whose result depends on the processor.

    Kernels differ in how they add the zero point to a product beyond int32; those of narrow weights multiply these by
    16 first.
    """
    input, filter = context.input(inputs[0]), context.input(inputs[1])
    zero_point = zero_points(context, filter) if filter.type == TensorType.UINT8 else 0
    info, input_zero_point = np.iinfo(input.type.dtype), context.per_tensor(input)[1]
    weights = np.abs(context.value(inputs[1]).astype(np.int64) - zero_point)
    others = tuple(axis for axis in range(filter.rank) if axis != channel_axis)
    bound = weights.sum(axis=others) * max(info.max - input_zero_point, input_zero_point - info.min)
    if context.optional_input(inputs[2]) is not None:
        bound = bound + np.abs(context.value(inputs[2]).reshape(-1).astype(np.int64))
    if filter.type in NARROW and np.any(bound >= 1 << 27):
        raise context.unsupported(f"sums of more than 27 bits in profile {context.profile.name} is not done")
    if np.any(np.minimum(bound, 1 << 31) * scale.astype(np.float64) >= 1 << 30):
        raise context.unsupported(f"products beyond int32 in profile {context.profile.name} is not done")


def _check_bias(context: OperatorContext, filter: TensorInfo, bias: TensorInfo | None, name: str) -> None:
    if bias is None:
        return
    zero_point, count = zero_points(context, bias), context.per_axis(bias)[0].size
    if np.any(zero_point != 0) or count not in (1, *bias.shape[:1]):
        raise context.invalid(f"XNNPACK does not take the quantization parameters of {bias.name!r}")
    if name != "FULLY_CONNECTED" and (count > 1) != (context.per_axis(filter)[0].size > 1):
        raise context.invalid(
            f"XNNPACK wants scales for each channel of {filter.name!r} and {bias.name!r}, or of neither"
        )


def _without_what_it_ignores(
    context: OperatorContext, places: tuple[int, int, int], bias_scale: float, filter_zero_point: bool
) -> OperatorContext:
    """The operator without its activation, and with the bias's scale that other kernels ask for.

    filter_zero_point: whether that is ignored too.
    """
    inputs, operator = list(context.inputs), context.operator
    bias = context.optional_input(places[2])
    if bias is not None:
        inputs[places[2]] = replace(bias, quantization=Quantization.per_tensor(bias_scale))
    if filter_zero_point:
        filter = context.input(places[1])
        symmetric = Quantization.per_tensor(float(context.per_axis(filter)[0][0]))
        inputs[places[1]] = replace(filter, quantization=symmetric)
    options: Any = operator.options
    if options is not None:
        options = replace(options, fused_activation_function=ActivationFunctionType.NONE)
    return replace(context, inputs=tuple(inputs), operator=replace(operator, options=options))


def _prepare_conv(context: OperatorContext) -> Params:
    if context.input(0).type == TensorType.FLOAT32:
        return hybrid.prepare_conv(context)
    return _prepare(context, conv.CONV_2D, (0, 1, 2), 0)


def _prepare_depthwise(context: OperatorContext) -> Params:
    multiplier, filter = context.options(DepthwiseConv2DOptions).depth_multiplier, context.input(1)
    if multiplier * context.input(0).shape[3] != filter.shape[3]:
        channels = f"{context.input(0).shape[3]} input channels and {filter.shape[3]} output channels"
        raise context.invalid(f"depth_multiplier is {multiplier}, with {channels}")
    return _prepare(context, depthwise_conv.DEPTHWISE_CONV_2D, (0, 1, 2), 3)


def _prepare_fully_connected(context: OperatorContext) -> Params:
    if context.input(0).type == TensorType.FLOAT32:
        if hybrid_blocks.has_blocks(context):
            return hybrid_blocks.prepare(context)
        return hybrid.prepare_fully_connected(context)
    input, depth = context.input(0), context.input(1).shape[1]
    if element_count(input.shape) % depth:
        raise context.invalid(f"XNNPACK wants an input {list(input.shape)} of whole rows of {depth}")
    return _prepare(context, fully_connected.FULLY_CONNECTED, (0, 1, 2), 0)


def _prepare_transpose_conv(context: OperatorContext) -> Params:
    if context.input(2).type == TensorType.FLOAT32:
        return hybrid_products.prepare_transpose_conv(context)
    return _prepare(context, transpose_conv.TRANSPOSE_CONV, (2, 1, 3), 0)


def _takes_conv(context: OperatorContext) -> bool:
    return takes_conv(context) or hybrid.takes_conv(context)


def _takes_fully_connected(context: OperatorContext) -> bool:
    return takes_fully_connected(context) or hybrid.takes_fully_connected(context)


def _takes_transpose_conv(context: OperatorContext) -> bool:
    return takes_transpose_conv(context) or hybrid_products.takes_transpose_conv(context)


def _evaluate_fully_connected(params: Any, input: Array, filter: Array, bias: Array | None = None) -> Array:
    if isinstance(params, hybrid_blocks.BlockParams):
        return hybrid_blocks.evaluate(params, input, filter, bias)
    return hybrid.evaluate(params, input, filter, bias)


CONV_2D = Delegated(
    "CONV_2D",
    _takes_conv,
    _prepare_conv,
    "src/operators/convolution-nhwc.c",
    hybrid.evaluate,
    (hybrid.DynamicParams,),
)
DEPTHWISE_CONV_2D = Delegated(
    "DEPTHWISE_CONV_2D", takes_depthwise, _prepare_depthwise, "src/operators/convolution-nhwc.c"
)
FULLY_CONNECTED = Delegated(
    "FULLY_CONNECTED",
    _takes_fully_connected,
    _prepare_fully_connected,
    "src/operators/fully-connected-nc.c",
    _evaluate_fully_connected,
    (hybrid.DynamicParams, hybrid_blocks.BlockParams),
)
TRANSPOSE_CONV = Delegated(
    "TRANSPOSE_CONV",
    _takes_transpose_conv,
    _prepare_transpose_conv,
    "src/operators/deconvolution-nhwc.c",
    hybrid_products.evaluate_transpose_conv,
    (hybrid_products.DynamicTransposeConvParams,),
)
