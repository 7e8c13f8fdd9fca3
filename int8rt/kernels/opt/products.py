"""FULLY_CONNECTED, CONV_2D and TRANSPOSE_CONV of float32 in the optimized kernels.

Convolutions unroll their windows and multiply matrices; transposed ones multiply every pixel with all taps first, and
then add up the pixels' products. Groups of channels are left to the reference kernel.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from int8rt.kernels import conv, fully_connected, transpose_conv
from int8rt.kernels.arithmetic import clamp
from int8rt.kernels.base import Array, OperatorContext, Params, Result
from int8rt.kernels.float32.conv import FloatConv2DParams
from int8rt.kernels.float32.fully_connected import FloatFullyConnectedParams
from int8rt.kernels.float32.transpose_conv import FloatTransposeConvParams, add_bias_and_clamp
from int8rt.kernels.hybrid.conv import HybridConv2DParams
from int8rt.kernels.hybrid.fully_connected import HybridFullyConnectedParams
from int8rt.kernels.opt import blockwise, int4
from int8rt.kernels.opt.gemm import gemm, row_blocks
from int8rt.kernels.padding import Window
from int8rt.kernels.taps import pad_input, reached_pixels, windows
from int8rt.model import TensorType

# Elements that a window may reach beyond the border: far more than any model needs.
_LARGEST_PAD = 4096


def prepare_fully_connected(context: OperatorContext) -> Params:
    """As the reference kernel's, but for 4-bit weights."""
    params, filter = fully_connected.prepare(context), context.input(1)
    if filter.type == TensorType.FLOAT32 and filter.sparsity is not None:
        raise context.unsupported(f"sparse weights in profile {context.profile.name} is not done")
    return int4.prepare(context, params) if isinstance(params, HybridFullyConnectedParams) else params


def evaluate_fully_connected(params: Any, input: Array, filter: Array, bias: Array | None = None) -> Result:
    """FULLY_CONNECTED."""
    if isinstance(params, int4.Int4Params):
        return int4.evaluate(params, input, filter, bias)
    if isinstance(params, blockwise.BlockwiseParams):
        return blockwise.evaluate(params, input, filter, bias)
    if not isinstance(params, FloatFullyConnectedParams):
        return fully_connected.evaluate(params, input, filter, bias)
    (shape,) = params.output_shapes
    assert shape is not None
    result: Array = gemm(input.reshape(-1)[: params.rows * params.depth].reshape(params.rows, params.depth), filter)
    _finish(result, bias, params.activation_min, params.activation_max)
    return result.reshape(shape)


def prepare_conv(context: OperatorContext) -> Params:
    """As the reference kernel's."""
    params = conv.prepare(context)
    if isinstance(params, FloatConv2DParams):
        _check_reach(context, params.height, params.width)
    if isinstance(params, HybridConv2DParams) and params.groups == 1:
        return replace(params, one_factor=True)
    return params


def evaluate_conv(params: Any, input: Array, filter: Array, bias: Array) -> Array:
    """CONV_2D."""
    if type(params) is not FloatConv2DParams or params.groups != 1:
        return conv.evaluate(params, input, filter, bias)
    (shape,) = params.output_shapes
    assert shape is not None
    weights = filter.reshape(shape[3], -1)
    padded = pad_input(input, params.height, params.width, 0)
    views = [windows(image, params.height, params.width) for image in padded]
    pixels = params.height.output * params.width.output
    result = np.empty((len(input) * pixels, shape[3]), np.float32)
    for rows in row_blocks(*result.shape, weights.shape[1]):
        result[rows] = gemm(_unrolled(views, pixels, rows, weights.shape[1]), weights)
    _finish(result, bias, params.activation_min, params.activation_max)
    return result.reshape(shape)


def _unrolled(views: list[Array], pixels: int, rows: slice, depth: int) -> Array:
    """The windows [rows, depth] of consecutive pixels, which may belong to several images."""
    parts = []
    for image in range(rows.start // pixels, -(-rows.stop // pixels)):
        view, first = views[image], image * pixels
        numbers = np.arange(max(rows.start, first) - first, min(rows.stop, first + pixels) - first)
        parts.append(view[numbers // view.shape[1], numbers % view.shape[1]].reshape(len(numbers), depth))
    return np.concatenate(parts)


def prepare_transpose_conv(context: OperatorContext) -> Params:
    """As the reference kernel's."""
    params = transpose_conv.prepare(context)
    if type(params) is FloatTransposeConvParams:
        _check_reach(context, params.height, params.width)
    return params


def evaluate_transpose_conv(
    params: Any, output_shape: Array, filter: Array, input: Array, bias: Array | None = None
) -> Array:
    """TRANSPOSE_CONV."""
    if type(params) is not FloatTransposeConvParams:
        return transpose_conv.evaluate(params, output_shape, filter, input, bias)
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.zeros(shape, np.float32)
    taps = filter.transpose(1, 2, 0, 3)
    for image, result in zip(input, output, strict=True):
        products = gemm(image.reshape(-1, image.shape[2]), taps.reshape(-1, taps.shape[3]))
        products = products.reshape(*image.shape[:2], *taps.shape[:3])
        for row in reversed(range(params.height.kernel)):
            rows, target_rows = reached_pixels(params.height, row)
            for column in reversed(range(params.width.kernel if rows.stop > rows.start else 0)):
                columns, target_columns = reached_pixels(params.width, column)
                if columns.stop > columns.start:
                    with np.errstate(all="ignore"):
                        result[target_rows, target_columns] += products[rows, columns, row, column]
    return add_bias_and_clamp(params, output, bias)


def _check_reach(context: OperatorContext, height: Window, width: Window) -> None:
    if max(height.pad_before, height.pad_after, width.pad_before, width.pad_after) > _LARGEST_PAD:
        raise context.unsupported(f"a window of that size in profile {context.profile.name} is not done")


def _finish(result: Array, bias: Array | None, low: float, high: float) -> None:
    if bias is not None:
        with np.errstate(all="ignore"):
            result += bias.reshape(-1)
    clamp(result, low, high)


FULLY_CONNECTED = replace(
    fully_connected.FULLY_CONNECTED,
    prepare=prepare_fully_connected,
    evaluate=evaluate_fully_connected,
    source="kernels/fully_connected.cc, optimized/optimized_ops.h",
)
CONV_2D = replace(
    conv.CONV_2D, prepare=prepare_conv, evaluate=evaluate_conv, source="kernels/conv.cc, optimized/optimized_ops.h"
)
TRANSPOSE_CONV = replace(
    transpose_conv.TRANSPOSE_CONV,
    prepare=prepare_transpose_conv,
    evaluate=evaluate_transpose_conv,
    source="kernels/transpose_conv.cc, optimized/optimized_ops.h",
)
