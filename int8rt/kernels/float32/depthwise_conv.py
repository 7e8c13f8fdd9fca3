"""DEPTHWISE_CONV_2D in float32.

input: float32[N,H,W,I], filter: float32[1,KH,KW,O] (finite), bias: float32[O] or none, output: float32[N,OH,OW,O]. The
sum goes over the rows and columns of the window in this order; taps beyond the border count as zeros.
Source: TensorFlow Lite reference/depthwiseconv_float.h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.arithmetic import clamp
from int8rt.kernels.base import Array, OperatorContext, Params
from int8rt.kernels.depthwise_sums import DepthwiseSums
from int8rt.kernels.padding import Window
from int8rt.kernels.taps import pad_input, reachable_taps
from int8rt.model import Shape
from int8rt.quantization.activation_range import calculate_float_activation_range
from int8rt.schema.options import DepthwiseConv2DOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatDepthwiseConv2DParams(Params):
    """`depth_multiplier`: output channels for each input channel."""

    height: Window
    width: Window
    depth_multiplier: int
    activation_min: float
    activation_max: float


def prepare(
    context: OperatorContext, shape: Shape, height: Window, width: Window, depth_multiplier: int
) -> FloatDepthwiseConv2DParams:
    """The parameters, given the output's shape and the windows, which have been checked."""
    options = context.options(DepthwiseConv2DOptions)
    low, high = calculate_float_activation_range(options.fused_activation_function)
    return FloatDepthwiseConv2DParams(
        output_shapes=(shape,),
        height=height,
        width=width,
        depth_multiplier=depth_multiplier,
        activation_min=low,
        activation_max=high,
    )


def evaluate(params: FloatDepthwiseConv2DParams, input: Array, filter: Array, bias: Array | None = None) -> Array:
    """DEPTHWISE_CONV_2D tap by tap."""
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.empty(shape, np.float32)
    if not output.size:
        return output
    height, width, filter = reachable_taps(params.height, params.width, filter)
    padded = pad_input(input, height, width, 0)
    sums = DepthwiseSums(filter[0], params.depth_multiplier, height, width)
    # A sum starts at 0.0, so that it is never -0.0.
    constant = np.float32(0) if bias is None else bias

    def finish(total: Array, target: Array) -> None:
        np.add(total, np.float32(0), out=target)
        target += constant
        clamp(target, params.activation_min, params.activation_max)

    with np.errstate(all="ignore"):
        for image, result in zip(padded, output, strict=True):
            sums(image, result, finish)
    return output
