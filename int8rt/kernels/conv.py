"""CONV_2D: the sum over a window and all input channels, for each output channel.

input: int8[N,H,W,I·groups], filter: int8[O,KH,KW,I] (OHWI), bias: int32[O], output: int8[N,OH,OW,O]
acc[o] = bias[o] + Σ (input - input_zero_point) · (filter[o] - filter_zero_point), in int32 with wrap-around;
taps beyond the border are left out, which is the same as an input equal to its zero point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count
from int8rt.kernels.convolution import (
    add_constant,
    check_bias,
    check_symmetric_filter,
    convolution_requantization,
    exact_float,
    spatial_windows,
)
from int8rt.kernels.padding import Window
from int8rt.kernels.signature import signatures
from int8rt.model import TensorType
from int8rt.quantization.requantize import Requantization, requantize
from int8rt.schema.options import Conv2DOptions

# Rows of the unrolled input that are multiplied at once: the copy stays within a few MB whatever the image's size.
_BLOCK_BYTES = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Conv2DParams(Params):
    """`groups`: the input channels are split into that many parts, each `filter_channels` wide and with its own share of
    the output channels.
    """

    height: Window
    width: Window
    groups: int
    filter_channels: int
    input_zero_point: int
    filter_zero_point: int
    requantization: Requantization


def prepare(context: OperatorContext) -> Conv2DParams:
    """Check the tensors of a CONV_2D and derive its integers."""
    options = context.options(Conv2DOptions)
    input, filter, output = context.input(0), context.input(1), context.output()
    if input.rank != 4 or filter.rank != 4:
        raise context.invalid(f"input and filter must have rank 4, found {list(input.shape)} and {list(filter.shape)}")
    channels, (out_channels, kernel_height, kernel_width, filter_channels) = input.shape[3], filter.shape
    if filter_channels == 0 or channels % filter_channels or out_channels % (channels // filter_channels or 1):
        raise context.invalid(f"{channels} input channels do not fit a filter of shape {list(filter.shape)}")
    check_bias(context, 2, out_channels)
    if input.type != TensorType.UINT8:
        check_symmetric_filter(context, filter)
    height, width = spatial_windows(context, input.shape, (kernel_height, kernel_width), options)
    return Conv2DParams(
        output_shapes=((input.shape[0], height.output, width.output, out_channels),),
        height=height,
        width=width,
        groups=channels // filter_channels,
        filter_channels=filter_channels,
        input_zero_point=context.per_tensor(input)[1],
        filter_zero_point=context.per_tensor(filter)[1] if input.type == TensorType.UINT8 else 0,
        requantization=convolution_requantization(context, input, filter, output, options.fused_activation_function, 0),
    )


def evaluate(params: Conv2DParams, input: Array, filter: Array, bias: Array | None = None) -> Array:
    """CONV_2D by unrolled windows and an exact floating-point matrix product."""
    (shape,) = params.output_shapes
    assert shape is not None
    batches, out_height, out_width, out_channels = shape
    output = np.empty(shape, params.requantization.dtype)
    padded = pad_input(input, params.height, params.width, params.input_zero_point)
    weights = filter.reshape(out_channels, -1).astype(np.int64) - params.filter_zero_point
    constant = -params.input_zero_point * weights.sum(axis=1)
    if bias is not None:
        constant = constant + bias
    dtype = exact_float(weights, input.dtype)
    matrices = [part.T.astype(dtype) for part in np.split(weights, params.groups)]
    depth = weights.shape[1]
    rows = max(1, _BLOCK_BYTES // max(1, out_width * depth * dtype.itemsize))
    for batch in range(batches):
        image = padded[batch].astype(dtype)
        for row in range(0, out_height, rows):
            windows = unroll(image, params.height, params.width, row, min(row + rows, out_height))
            parts = np.split(windows, params.groups, axis=4) if params.groups > 1 else [windows]
            products = [part.reshape(-1, depth) @ matrix for part, matrix in zip(parts, matrices, strict=True)]
            product = products[0] if len(products) == 1 else np.concatenate(products, axis=1)
            block = requantize(add_constant(product, constant), params.requantization)
            output[batch, row : row + rows] = block.reshape(-1, out_width, out_channels)
    return output


def pad_input(input: Array, height: Window, width: Window, value: int) -> Array:
    """`input` [N,H,W,C] with `value` in every position that a window reaches beyond the border."""
    pads = ((0, 0), (height.pad_before, height.pad_after), (width.pad_before, width.pad_after), (0, 0))
    return np.pad(input, pads, constant_values=value) if any(map(any, pads)) else input


def unroll(image: npt.NDArray[Any], height: Window, width: Window, first: int, last: int) -> npt.NDArray[Any]:
    """Windows of output rows [first, last) of a padded image [H,W,C]: a view [rows,OW,KH,KW,C], nothing copied."""
    row, column, channel = image.strides
    return np.lib.stride_tricks.as_strided(
        image[first * height.stride :],
        (last - first, width.output, height.kernel, width.kernel, image.shape[2]),
        (row * height.stride, column * width.stride, row * height.dilation, column * width.dilation, channel),
        writeable=False,
    )


def macs(params: Conv2DParams) -> int:
    """Multiply-accumulate operations of one run, the taps beyond the border counted in."""
    (shape,) = params.output_shapes
    return element_count(shape or ()) * params.height.kernel * params.width.kernel * params.filter_channels


CONV_2D = Kernel(
    name="CONV_2D",
    signatures=signatures("int8,int8|int4,int32 -> int8", "uint8,uint8,int32 -> uint8"),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/conv.cc, reference/integer_ops/conv.h, reference/conv.h",
    max_version=8,
    macs=macs,
)
