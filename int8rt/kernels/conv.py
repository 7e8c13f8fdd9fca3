"""CONV_2D: the sum over a window and all input channels, for each output channel.

input: int8[N,H,W,I·groups], filter: int8[O,KH,KW,I] (OHWI), bias: int32[O], output: int8[N,OH,OW,O]
acc[o] = bias[o] + Σ (input - input_zero_point) · (filter[o] - filter_zero_point), in int32 with wrap-around;
taps beyond the border are left out, which is the same as an input equal to its zero point.
With int16 activations the filter is int8, the zero points are 0, and the accumulator is of the bias's type.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count
from int8rt.kernels.convolution import (
    accumulator_type,
    check_bias,
    check_symmetric_filter,
    convolution_requantization,
    filter_zero_point,
    input_zero_point,
    spatial_windows,
)
from int8rt.kernels.exact_product import ExactProduct, largest_magnitude
from int8rt.kernels.float32 import conv as float32
from int8rt.kernels.float32.conv import FloatConv2DParams
from int8rt.kernels.hybrid import conv as hybrid
from int8rt.kernels.hybrid.conv import HybridConv2DParams
from int8rt.kernels.padding import Window
from int8rt.kernels.signature import signatures
from int8rt.kernels.taps import blocks, grouped_windows, pad_input, reachable_taps
from int8rt.model import TensorType
from int8rt.quantization.requantize import Requantization, Requantizer
from int8rt.schema.options import Conv2DOptions

# What is worked on at once, in elements: the unrolled input (a copy), and the matrix product.
_BLOCK_INPUT = 1 << 18
_BLOCK_OUTPUT = 1 << 17


@dataclass(frozen=True, slots=True, kw_only=True)
class Conv2DParams(Params):
    """`groups`: the input channels are split into that many parts, each `filter_channels` wide and with its own share
    of the output channels.
    """

    height: Window
    width: Window
    groups: int
    filter_channels: int
    input_zero_point: int
    filter_zero_point: int
    requantization: Requantization


AnyConv2DParams = Conv2DParams | HybridConv2DParams | FloatConv2DParams


def prepare(context: OperatorContext) -> AnyConv2DParams:
    """Check the tensors of a CONV_2D and derive its integers."""
    options = context.options(Conv2DOptions)
    input, filter = context.input(0), context.input(1)
    if input.rank != 4 or filter.rank != 4:
        raise context.invalid(f"input and filter must have rank 4, found {list(input.shape)} and {list(filter.shape)}")
    channels, (out_channels, kernel_height, kernel_width, filter_channels) = input.shape[3], filter.shape
    if not channels or not filter_channels or channels % filter_channels:
        raise context.invalid(f"{channels} input channels do not fit a filter of shape {list(filter.shape)}")
    groups = channels // filter_channels
    if not out_channels or out_channels % groups:
        raise context.invalid(f"{out_channels} output channels cannot be shared by {groups} groups")
    check_bias(context, 2, out_channels)
    height, width = spatial_windows(context, input.shape, (kernel_height, kernel_width), options)
    shape = (input.shape[0], height.output, width.output, out_channels)
    if filter.type == TensorType.FLOAT32:
        return float32.prepare(context, shape, height, width, groups)
    if input.type == TensorType.FLOAT32:
        return hybrid.prepare(context, shape, height, width, groups)
    if input.type != TensorType.UINT8:
        check_symmetric_filter(context, filter)
    accumulator = accumulator_type(context, input, 2, options.quantized_bias_type)
    return Conv2DParams(
        output_shapes=(shape,),
        height=height,
        width=width,
        groups=groups,
        filter_channels=filter_channels,
        input_zero_point=input_zero_point(context, input),
        filter_zero_point=filter_zero_point(context, input, filter),
        requantization=convolution_requantization(
            context,
            input,
            filter,
            0,
            2,
            options.fused_activation_function,
            accumulator,
            "CONV_2D" if groups == 1 else "CONV_2D of groups",
        ),
    )


def evaluate(params: AnyConv2DParams, input: Array, filter: Array, bias: Array) -> Array:
    """CONV_2D by unrolled windows and an exact floating-point matrix product."""
    if isinstance(params, HybridConv2DParams):
        return hybrid.evaluate(params, input, filter, bias)
    if isinstance(params, FloatConv2DParams):
        return float32.evaluate(params, input, filter, bias)
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.empty(shape, params.requantization.dtype)
    if not output.size:
        return output
    height, width, filter = reachable_taps(params.height, params.width, filter)
    padded = pad_input(input, height, width, params.input_zero_point)
    weights = filter.reshape(shape[3], -1)
    if params.filter_zero_point:
        weights = weights.astype(np.int32) - params.filter_zero_point
    product = ExactProduct(weights, largest_magnitude(padded.dtype), params.groups)
    constant = bias.reshape(-1).astype(np.int64) - params.input_zero_point * product.sums
    requantizer = Requantizer(params.requantization, shape[3], constant, product.bound)
    pixels = min(_BLOCK_INPUT // max(1, weights.shape[1] * params.groups), _BLOCK_OUTPUT // shape[3])
    for image, result in zip(padded, output, strict=True):
        view = grouped_windows(image, height, width, params.groups)
        for block in blocks(height.output, width.output, pixels):
            target = result[block].reshape(-1, shape[3])
            requantizer(product(view[:, *block], len(target)), target)
    return output


def macs(params: AnyConv2DParams) -> int:
    """Multiply-accumulate operations of one run, the taps beyond the border counted in."""
    (shape,) = params.output_shapes
    return element_count(shape or ()) * params.height.kernel * params.width.kernel * params.filter_channels


CONV_2D = Kernel(
    name="CONV_2D",
    signatures=signatures(
        "int8,int8|int4,int32 -> int8",
        "uint8,uint8,int32 -> uint8",
        "int16,int8|int4,int32|int64 -> int16",
        "float32,float32|int8|uint8|int4,float32 -> float32",
    ),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/conv.cc, reference/integer_ops/conv.h, reference/conv.h",
    max_version=8,
    macs=macs,
    others="LiteRT takes a filter of any other type, beside a float32 input, for float32, and reads past its end",
)
