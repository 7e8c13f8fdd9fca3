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
from int8rt.kernels.exact_product import FLOAT32_INTEGERS, largest_magnitude
from int8rt.kernels.padding import Window
from int8rt.kernels.signature import signatures
from int8rt.kernels.taps import pad_input, reachable_taps
from int8rt.model import TensorType
from int8rt.quantization.requantize import Requantization, Requantizer
from int8rt.schema.options import DepthwiseConv2DOptions

# Output elements that are summed at once, so that sums and products stay in a core's cache; and elements that the
# weights may take once they are repeated for every column.
_BLOCK_ELEMENTS = 1 << 16
_WEIGHT_ELEMENTS = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthwiseConv2DParams(Params):
    """`depth_multiplier`: output channels for each input channel."""

    height: Window
    width: Window
    depth_multiplier: int
    input_zero_point: int
    filter_zero_point: int
    requantization: Requantization


def prepare(context: OperatorContext) -> DepthwiseConv2DParams:
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
    if input.type == TensorType.INT16 and options.depth_multiplier != depth_multiplier:
        # TensorFlow Lite takes the option for int16 alone, and leaves outputs unwritten where it is wrong.
        raise context.invalid(f"depth_multiplier is {options.depth_multiplier}, the shapes say {depth_multiplier}")
    if len(context.inputs) > 2 and context.input(2).rank != 1:
        raise context.invalid(f"bias {context.input(2).name!r} must have rank 1")
    check_bias(context, 2, out_channels)
    height, width = spatial_windows(context, input.shape, (kernel_height, kernel_width), options)
    accumulator = accumulator_type(context, input, 2, TensorType.FLOAT32)
    return DepthwiseConv2DParams(
        output_shapes=((input.shape[0], height.output, width.output, out_channels),),
        height=height,
        width=width,
        depth_multiplier=depth_multiplier,
        input_zero_point=input_zero_point(context, input),
        filter_zero_point=filter_zero_point(context, input, filter),
        requantization=convolution_requantization(
            context, input, filter, 3, 2, options.fused_activation_function, accumulator
        ),
    )


def evaluate(params: DepthwiseConv2DParams, input: Array, filter: Array, bias: Array | None = None) -> Array:
    """DEPTHWISE_CONV_2D tap by tap, whole rows of pixels at a time, in floating point that is exact here."""
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
    columns = max(1, min(width.output, _WEIGHT_ELEMENTS // max(1, weights.size)))
    rows = max(1, _BLOCK_ELEMENTS // (columns * shape[3])) if columns == width.output else 1
    tiled = np.tile(weights.astype(dtype), columns)
    reach = (width.kernel - 1) * width.dilation + 1
    work = np.empty((2, rows * columns * shape[3]), dtype)
    for image, result in zip(padded, output, strict=True):
        for row in range(0, height.output, rows):
            for column in range(0, width.output, columns):
                target = result[row : row + rows, column : column + columns]
                first, extent = column * width.stride, (target.shape[1] - 1) * width.stride + reach
                source = image[row * height.stride :, first : first + extent]
                total, product = work[:, : target.size].reshape(2, target.shape[0], -1)
                _sum_taps(source, tiled, params.depth_multiplier, (height, width), total, product)
                requantizer(total.reshape(-1, shape[3]), target.reshape(-1, shape[3]))
    return output


def _sum_taps(
    source: Array, weights: Array, multiplier: int, size: tuple[Window, Window], total: Array, product: Array
) -> None:
    """total = Σ source · weights for one block of the output, which starts where `source` does.

    source: [H,W,I] integers. weights: [KH,KW,columns·O]. total, product (to work in): [rows,columns·O].
    """
    height, width = size
    rows, length = total.shape
    channels = source.shape[2] * multiplier
    if not weights.shape[0] * weights.shape[1]:
        total[...] = 0
    target = total
    for tap_row in range(height.kernel):
        first = tap_row * height.dilation
        lines = source[first : first + (rows - 1) * height.stride + 1 : height.stride]
        planes: dict[int, Array] = {}
        for tap_column in range(width.kernel):
            # With a stride, taps see every stride-th column: take those apart, so that each tap reads neighbours.
            start, phase = divmod(tap_column * width.dilation, width.stride)
            if phase not in planes:
                plane = lines[:, phase :: width.stride].astype(weights.dtype)
                planes[phase] = (plane.repeat(multiplier, axis=2) if multiplier > 1 else plane).reshape(rows, -1)
            pixels = planes[phase][:, start * channels : start * channels + length]
            np.multiply(pixels, weights[tap_row, tap_column, :length], out=target)
            if target is product:
                total += product
            target = product


def macs(params: DepthwiseConv2DParams) -> int:
    """Multiply-accumulate operations of one run, the taps beyond the border counted in."""
    (shape,) = params.output_shapes
    return element_count(shape or ()) * params.height.kernel * params.width.kernel


DEPTHWISE_CONV_2D = Kernel(
    name="DEPTHWISE_CONV_2D",
    signatures=signatures("int8,int8|int4,int32? -> int8", "uint8,uint8,int32? -> uint8", "int16,int8,int64? -> int16"),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/depthwise_conv.cc, reference/integer_ops/depthwise_conv.h, reference/depthwiseconv_uint8.h",
    max_version=6,
    macs=macs,
)
