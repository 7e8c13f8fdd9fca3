"""CONV_2D in float32.

input: float32[N,H,W,I·groups], filter: float32[O,KH,KW,I] (finite), bias: float32[O], output: float32[N,OH,OW,O]. The
sum goes over the rows, columns and channels of the window in this order; taps beyond the border count as zeros.
Source: TensorFlow Lite reference/conv.h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.arithmetic import clamp
from int8rt.kernels.base import Array, OperatorContext, Params
from int8rt.kernels.float32.sequential_product import BLOCK_ELEMENTS, sequential_product
from int8rt.kernels.padding import Window
from int8rt.kernels.taps import blocks, grouped_windows, pad_input, reachable_taps
from int8rt.model import Shape
from int8rt.quantization.activation_range import calculate_float_activation_range
from int8rt.schema.options import Conv2DOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatConv2DParams(Params):
    """`groups`: parts of the input channels, each `filter_channels` wide and with its share of the output channels."""

    height: Window
    width: Window
    groups: int
    filter_channels: int
    activation_min: float
    activation_max: float


def prepare(context: OperatorContext, shape: Shape, height: Window, width: Window, groups: int) -> FloatConv2DParams:
    """The parameters, given the output's shape, the windows and the groups, which have been checked."""
    options = context.options(Conv2DOptions)
    low, high = calculate_float_activation_range(options.fused_activation_function)
    return FloatConv2DParams(
        output_shapes=(shape,),
        height=height,
        width=width,
        groups=groups,
        filter_channels=context.input(1).shape[3],
        activation_min=low,
        activation_max=high,
    )


def evaluate(params: FloatConv2DParams, input: Array, filter: Array, bias: Array) -> Array:
    """CONV_2D by unrolled windows and matrix products whose sums keep their order."""
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.empty(shape, np.float32)
    if not output.size:
        return output
    height, width, filter = reachable_taps(params.height, params.width, filter)
    padded = pad_input(input, height, width, 0)
    depth = height.kernel * width.kernel * params.filter_channels
    weights = filter.reshape(params.groups, shape[3] // params.groups, depth)
    for image, result in zip(padded, output, strict=True):
        view = grouped_windows(image, height, width, params.groups)
        for block in blocks(height.output, width.output, BLOCK_ELEMENTS // weights.shape[1]):
            target = result[block].reshape(-1, shape[3])
            unrolled = view[:, *block].reshape(params.groups, len(target), depth)
            sums = [sequential_product(x, w) for x, w in zip(unrolled, weights, strict=True)]
            np.concatenate(sums, axis=1, out=target)
    with np.errstate(all="ignore"):
        output += bias.reshape(-1)
    clamp(output, params.activation_min, params.activation_max)
    return output
