"""DEPTHWISE_CONV_2D: each input channel convolved on its own, with as many filters as the depth multiplier says.

input: int8[N,H,W,I], filter: int8[1,KH,KW,O], bias: int32[O], output: int8[N,OH,OW,O], O = I · depth multiplier
acc[o] = bias[o] + Σ (input[o // multiplier] - input_zero_point) · (filter[o] - filter_zero_point), in int32 with
wrap-around; taps beyond the border are left out. With int16 activations the filter is int8, the zero points are 0, and
accumulator and bias are int64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count
from int8rt.kernels.convolution import (
    INT16_MAX,
    accumulator_type,
    check_bias,
    convolution_requantization,
    filter_zero_point,
    input_zero_point,
    spatial_windows,
)
from int8rt.kernels.depthwise_sums import DepthwiseSums
from int8rt.kernels.exact_product import FLOAT32_INTEGERS, largest_magnitude
from int8rt.kernels.float32 import depthwise_conv as float32
from int8rt.kernels.float32.depthwise_conv import FloatDepthwiseConv2DParams
from int8rt.kernels.hybrid import depthwise_conv as hybrid
from int8rt.kernels.hybrid.depthwise_conv import HybridDepthwiseConv2DParams
from int8rt.kernels.padding import Window
from int8rt.kernels.signature import signatures
from int8rt.kernels.taps import pad_input, reachable_taps
from int8rt.model import TensorType
from int8rt.quantization.requantize import Requantization, Requantizer
from int8rt.schema.options import DepthwiseConv2DOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthwiseConv2DParams(Params):
    """`depth_multiplier`: output channels for each input channel."""

    height: Window
    width: Window
    depth_multiplier: int
    input_zero_point: int
    filter_zero_point: int
    requantization: Requantization


AnyDepthwiseConv2DParams = DepthwiseConv2DParams | HybridDepthwiseConv2DParams | FloatDepthwiseConv2DParams


def prepare(context: OperatorContext) -> AnyDepthwiseConv2DParams:
    """Check the tensors of a DEPTHWISE_CONV_2D and derive its integers."""
    options = context.options(DepthwiseConv2DOptions)
    input, filter = context.input(0), context.input(1)
    if input.rank != 4 or filter.rank != 4:
        raise context.invalid(f"input and filter must have rank 4, found {list(input.shape)} and {list(filter.shape)}")
    channels, (count, kernel_height, kernel_width, out_channels) = input.shape[3], filter.shape
    if count != 1 or not channels or not out_channels or out_channels % channels:
        raise context.invalid(f"{channels} input channels do not fit a filter of shape {list(filter.shape)}")
    depth_multiplier = out_channels // channels
    if depth_multiplier > INT16_MAX:
        raise context.invalid(f"has a depth multiplier of {depth_multiplier}, at most {INT16_MAX} is possible")
    is_hybrid = input.type == TensorType.FLOAT32 and filter.type == TensorType.INT8
    if (input.type == TensorType.INT16 or is_hybrid) and options.depth_multiplier != depth_multiplier:
        # TensorFlow Lite takes the option for these alone, and leaves outputs unwritten where it is wrong.
        raise context.invalid(f"depth_multiplier is {options.depth_multiplier}, the shapes say {depth_multiplier}")
    if len(context.inputs) > 2 and context.input(2).rank != 1:
        raise context.invalid(f"bias {context.input(2).name!r} must have rank 1")
    check_bias(context, 2, out_channels)
    height, width = spatial_windows(context, input.shape, (kernel_height, kernel_width), options)
    shape = (input.shape[0], height.output, width.output, out_channels)
    if is_hybrid:
        return hybrid.prepare(context, shape, height, width, depth_multiplier)
    if input.type == TensorType.FLOAT32:
        return float32.prepare(context, shape, height, width, depth_multiplier)
    accumulator = accumulator_type(context, input, 2, TensorType.FLOAT32)
    return DepthwiseConv2DParams(
        output_shapes=(shape,),
        height=height,
        width=width,
        depth_multiplier=depth_multiplier,
        input_zero_point=input_zero_point(context, input),
        filter_zero_point=filter_zero_point(context, input, filter),
        requantization=convolution_requantization(
            context,
            input,
            filter,
            3,
            2,
            options.fused_activation_function,
            accumulator,
            "DEPTHWISE_CONV_2D" if input.type != TensorType.UINT8 else "DEPTHWISE_CONV_2D of uint8",
        ),
    )


def evaluate(params: AnyDepthwiseConv2DParams, input: Array, filter: Array, bias: Array | None = None) -> Array:
    """DEPTHWISE_CONV_2D tap by tap, whole rows of pixels at a time, in floating point that is exact here."""
    if isinstance(params, HybridDepthwiseConv2DParams):
        return hybrid.evaluate(params, input, filter, bias)
    if isinstance(params, FloatDepthwiseConv2DParams):
        return float32.evaluate(params, input, filter, bias)
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.empty(shape, params.requantization.dtype)
    if not output.size:
        return output
    height, width, filter = reachable_taps(params.height, params.width, filter)
    padded = pad_input(input, height, width, params.input_zero_point)
    weights = filter[0].astype(np.int64) - params.filter_zero_point
    bound = np.abs(weights).sum(axis=(0, 1)) * largest_magnitude(padded.dtype)
    constant = -params.input_zero_point * weights.sum(axis=(0, 1))
    if bias is not None:
        constant = constant + bias
    dtype = np.dtype(np.float32 if bound.max() < FLOAT32_INTEGERS else np.float64)
    requantizer = Requantizer(params.requantization, shape[3], constant, bound)
    sums = DepthwiseSums(weights.astype(dtype), params.depth_multiplier, height, width)
    for image, result in zip(padded, output, strict=True):
        sums(image, result, requantizer)
    return output


def macs(params: AnyDepthwiseConv2DParams) -> int:
    """Multiply-accumulate operations of one run, the taps beyond the border counted in."""
    (shape,) = params.output_shapes
    return element_count(shape or ()) * params.height.kernel * params.width.kernel


DEPTHWISE_CONV_2D = Kernel(
    name="DEPTHWISE_CONV_2D",
    signatures=signatures(
        "int8,int8|int4,int32? -> int8",
        "uint8,uint8,int32? -> uint8",
        "int16,int8,int64? -> int16",
        "float32,float32|int8,float32? -> float32",
    ),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/depthwise_conv.cc, reference/integer_ops/depthwise_conv.h, reference/depthwiseconv_uint8.h",
    # BUILTIN_REF is registered up to version 6. Version 7 is for int4 weights, which its kernel has: it unpacks them.
    max_version=7,
    macs=macs,
)
