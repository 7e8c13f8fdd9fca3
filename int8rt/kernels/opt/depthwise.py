"""DEPTHWISE_CONV_2D of float activations in the optimized kernels.

float32: a sum starts with the bias, and leaves out the taps beyond the border. Hybrid: the integer sum is multiplied
by the weights' scale and then by the input's in whole groups of four channels, the other way round in those after them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from int8rt.kernels import depthwise_conv
from int8rt.kernels.base import Array, OperatorContext, Params
from int8rt.kernels.float32.depthwise_conv import FloatDepthwiseConv2DParams
from int8rt.kernels.hybrid.depthwise_conv import HybridDepthwiseConv2DParams
from int8rt.kernels.taps import reached_pixels
from int8rt.quantization.vector_body import in_blocks

# Numbers of a row that the kernel computes at once; with more channels it would write past them.
_MOST_NUMBERS = 4832


def prepare(context: OperatorContext) -> Params:
    """As the reference kernel's."""
    params = depthwise_conv.prepare(context)
    if isinstance(params, FloatDepthwiseConv2DParams) and context.input(1).shape[3] > _MOST_NUMBERS:
        raise context.unsupported(f"more than {_MOST_NUMBERS} channels in profile {context.profile.name} is not done")
    if isinstance(params, HybridDepthwiseConv2DParams):
        return replace(params, in_fours=True)
    return params


def evaluate(params: Any, input: Array, filter: Array, bias: Array | None = None) -> Array:
    """DEPTHWISE_CONV_2D."""
    if not isinstance(params, FloatDepthwiseConv2DParams):
        return depthwise_conv.evaluate(params, input, filter, bias)
    (shape,) = params.output_shapes
    assert shape is not None
    assert bias is not None
    output = np.empty(shape, np.float32)
    output[...] = bias.reshape(-1)
    with np.errstate(all="ignore"):
        for row in range(params.height.kernel):
            target_rows, rows = reached_pixels(params.height, row)
            for column in range(params.width.kernel if target_rows.stop > target_rows.start else 0):
                target_columns, columns = reached_pixels(params.width, column)
                if target_columns.stop > target_columns.start:
                    pixels = input[:, rows, columns].repeat(params.depth_multiplier, axis=3)
                    output[:, target_rows, target_columns] += pixels * filter[0, row, column]
    # Of two zeros the vectors' maximum is the sum, that of the numbers after them the bound.
    low, high = np.float32(params.activation_min), np.float32(params.activation_max)
    output = np.where(output > high, high, output)
    width, channels = shape[2:]
    run = min(_MOST_NUMBERS // channels, width) * channels
    vector = in_blocks(width * channels, 4, run).reshape(width, channels)
    return np.where(np.where(vector, output < low, output <= low), low, output)


DEPTHWISE_CONV_2D = replace(
    depthwise_conv.DEPTHWISE_CONV_2D,
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/depthwise_conv.cc, optimized/depthwiseconv_float.h",
)
