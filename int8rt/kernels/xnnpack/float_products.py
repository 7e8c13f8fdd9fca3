"""CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, TRANSPOSE_CONV and BATCH_MATMUL of float32 in XNNPACK.

Every output is a chain of fused multiply-adds that begins with the bias, on processors that have them: over the rows,
columns and channels of a window in this order, but down its columns where a channel is convolved on its own and has at
most 25 taps.
Taps beyond the border are multiplied too. Source: XNNPACK src/f32-gemm, src/f32-igemm, src/f32-dwconv, src/operators.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from int8rt.kernels.arithmetic import clamp
from int8rt.kernels.base import Array
from int8rt.kernels.float32.conv import FloatConv2DParams
from int8rt.kernels.float32.depthwise_conv import FloatDepthwiseConv2DParams
from int8rt.kernels.float32.fully_connected import FloatFullyConnectedParams
from int8rt.kernels.float32.transpose_conv import FloatTransposeConvParams
from int8rt.kernels.matrices import MatrixParams, batches, in_rows
from int8rt.kernels.padding import Window
from int8rt.kernels.taps import blocks, grouped_windows, pad_input, windows
from int8rt.quantization.fused_sums import Float32, Float64, factors, fused_sum, may_underflow

# Sums that are worked on at once.
_BLOCK = 1 << 14
# Elements of an input that are unrolled at once.
_UNROLLED = 1 << 20
# Taps that the kernels of channels on their own are made for: they multiply what is left over by 0.
_TILES = (3, 4, 9, 25)


@dataclass(frozen=True, slots=True, kw_only=True)
class FusedConv2DParams(FloatConv2DParams):
    """A CONV_2D of float32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FusedDepthwiseConv2DParams(FloatDepthwiseConv2DParams):
    """A DEPTHWISE_CONV_2D of float32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FusedFullyConnectedParams(FloatFullyConnectedParams):
    """A FULLY_CONNECTED of float32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FusedTransposeConvParams(FloatTransposeConvParams):
    """A TRANSPOSE_CONV of float32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FusedMatrixParams(MatrixParams):
    """A BATCH_MATMUL of float32."""


def _product(x: Float64, weights: Float64, start: Float32, tiny: bool, out: Array) -> None:
    """out [n,O] = start [O] + x [K,n] times weights [K,O], in blocks."""
    count, outputs = out.shape
    columns = min(outputs, _BLOCK)
    rows = max(1, _BLOCK // columns)
    for row in range(0, count, rows):
        for column in range(0, outputs, columns):
            target = out[row : row + rows, column : column + columns]
            left, right = x[:, row : row + rows], weights[:, column : column + columns]
            begin = start[column : column + columns]
            # The longer of the two dimensions is the inner one.
            if len(target) > target.shape[1]:
                pairs = zip(right[:, :, np.newaxis], left, strict=True)
                target[...] = fused_sum(pairs, begin[:, np.newaxis], target.shape[::-1], tiny).T
            else:
                pairs = zip(left[:, :, np.newaxis], right, strict=True)
                target[...] = fused_sum(pairs, begin, target.shape, tiny)


def _bias(bias: Array | None, outputs: int) -> Float32:
    return np.zeros(outputs, np.float32) if bias is None else bias.reshape(-1)


def evaluate_fully_connected(
    params: FusedFullyConnectedParams, input: Array, filter: Array, bias: Array | None = None
) -> Array:
    """FULLY_CONNECTED."""
    (shape,) = params.output_shapes
    assert shape is not None
    result = np.empty((params.rows, len(filter)), np.float32)
    start = _bias(bias, len(filter))
    x, weights = factors(input.reshape(params.rows, params.depth).T), factors(filter.T)
    _product(np.ascontiguousarray(x), np.ascontiguousarray(weights), start, may_underflow(input, filter, start), result)
    clamp(result, params.activation_min, params.activation_max)
    return result.reshape(shape)


def evaluate_batch_matmul(params: FusedMatrixParams, lhs: Array, rhs: Array) -> Array:
    """BATCH_MATMUL."""
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.empty(shape, np.float32)
    if not output.size:
        return output
    start = np.zeros(shape[-1], np.float32)
    tiny = may_underflow(lhs, rhs, start)
    for x, weights, target in batches(*in_rows(params, factors(lhs), factors(rhs)), output):
        _product(np.ascontiguousarray(x.T), np.ascontiguousarray(weights.T), start, tiny, target)
    return output


def evaluate_conv(params: FusedConv2DParams, input: Array, filter: Array, bias: Array) -> Array:
    """CONV_2D."""
    (shape,) = params.output_shapes
    assert shape is not None
    if params.filter_channels == 1 and params.groups == shape[3]:
        taps = filter.transpose(3, 1, 2, 0)[0]
        return _on_its_own(params, taps, input, bias.reshape(-1))
    output = np.empty(shape, np.float32)
    tiny = may_underflow(input, filter, bias)
    weights = factors(filter).reshape(params.groups, shape[3] // params.groups, -1)
    _windows_by_weights(params.height, params.width, factors(input), weights, bias.reshape(-1), tiny, output)
    clamp(output, params.activation_min, params.activation_max)
    return output


def evaluate_depthwise_conv(params: FusedDepthwiseConv2DParams, input: Array, filter: Array, bias: Array) -> Array:
    """DEPTHWISE_CONV_2D."""
    (shape,) = params.output_shapes
    assert shape is not None
    channels, multiplier = input.shape[3], params.depth_multiplier
    if multiplier == 1:
        return _on_its_own(params, filter[0], input, bias.reshape(-1))
    output = np.empty(shape, np.float32)
    tiny = may_underflow(input, filter, bias)
    weights = factors(filter).reshape(-1, channels, multiplier).transpose(1, 2, 0)
    _windows_by_weights(params.height, params.width, factors(input), weights, bias.reshape(-1), tiny, output)
    clamp(output, params.activation_min, params.activation_max)
    return output


def _windows_by_weights(
    height: Window, width: Window, input: Float64, weights: Float64, start: Float32, tiny: bool, output: Array
) -> None:
    """output [N,OH,OW,O] = start + the windows of input [N,H,W,C] times weights [groups,O / groups,K]."""
    groups, each, depth = weights.shape
    columns = np.ascontiguousarray(weights.transpose(0, 2, 1))
    padded = pad_input(input, height, width, 0)
    for image, result in zip(padded, output, strict=True):
        view = grouped_windows(image, height, width, groups).transpose(0, 3, 4, 5, 1, 2)
        for block in blocks(height.output, width.output, _pixels(each, depth)):
            target = result[block]
            for group, pixels in enumerate(view):
                part = slice(group * each, (group + 1) * each)
                sums = np.empty((target.shape[0] * target.shape[1], each), np.float32)
                _product(pixels[..., *block].reshape(depth, -1), columns[group], start[part], tiny, sums)
                target[..., part] = sums.reshape(*target.shape[:2], each)


def _pixels(outputs: int, depth: int) -> int:
    """How many pixels of an image are unrolled at once."""
    return min(_BLOCK // outputs, _UNROLLED // max(1, depth))


def _on_its_own(
    params: FusedConv2DParams | FusedDepthwiseConv2DParams, taps: Array, input: Array, start: Float32
) -> Array:
    """Every channel convolved with taps [KH,KW,C] of its own."""
    (shape,) = params.output_shapes
    assert shape is not None
    height, width = params.height, params.width
    output = np.empty(shape, np.float32)
    tiny, weights = may_underflow(input, taps, start), factors(taps)
    padded = pad_input(factors(input), height, width, 0)
    rows = max(1, _BLOCK // (width.output * shape[3]))
    for image, result in zip(padded, output, strict=True):
        view = windows(image, height, width)
        for row in range(0, height.output, rows):
            block, target = view[row : row + rows], result[row : row + rows]
            target[...] = fused_sum(_taps(block, weights), start, target.shape, tiny)
    _add_left_over(height, width, input, output)
    clamp(output, params.activation_min, params.activation_max)
    return output


def _taps(view: Float64, weights: Float64) -> Iterator[tuple[Float64, Float64]]:
    """The pixels and the weights of one tap after the other: down each column, but along the rows of large windows."""
    rows, columns, _ = weights.shape
    if rows * columns > _TILES[-1]:
        order = [(row, column) for row in range(rows) for column in range(columns)]
    else:
        order = [(row, column) for column in range(columns) for row in range(rows)]
    for row, column in order:
        yield view[:, :, row, column], weights[row, column]


def _add_left_over(height: Window, width: Window, input: Array, output: Float32) -> None:
    """Add 0 times the pixels that a kernel for more taps reads beyond a window: it makes NaN of what is not finite.

    The kernels take a row's windows one after the other; columns that windows share are stored once.
    """
    taps = height.kernel * width.kernel
    tile = next((tile for tile in _TILES if tile >= taps), taps)
    if tile == taps or (np.all(np.isfinite(input)) and not np.any((output == 0) & np.signbit(output))):
        return
    step = min(width.stride, width.kernel) if width.dilation == 1 else width.kernel
    pixels = height.output, width.output, height.kernel, width.kernel
    row, column, tap_row, tap_column = np.ogrid[tuple(slice(size) for size in pixels)]
    y = row * height.stride + tap_row * height.dilation - height.pad_before
    x = column * width.stride + tap_column * width.dilation - width.pad_before
    inside = (y >= 0) & (y < height.input) & (x >= 0) & (x < width.input)
    first = row * (taps + (width.output - 1) * step * height.kernel) + column * step * height.kernel
    order = np.empty(int(first[-1, -1, 0, 0]) + tile, np.int64)
    border = height.input * width.input
    order[first + tap_column * height.kernel + tap_row] = np.where(inside, y * width.input + x, border)
    order[taps - tile :] = order[taps - tile - 1]
    for image, result in zip(factors(input), output, strict=True):
        image = np.pad(image.reshape(border, -1), ((0, 1), (0, 0)))
        terms = ((image[order[first[:, :, 0, 0] + place]], np.zeros(1)) for place in range(taps, tile))
        result[...] = fused_sum(terms, result, result.shape, False)


def evaluate_transpose_conv(
    params: FusedTransposeConvParams, output_shape: Array, filter: Array, input: Array, bias: Array | None = None
) -> Array:
    """TRANSPOSE_CONV: for every output pixel the taps that meet a pixel of the input, or of its border.

    With a stride beyond the kernel also those that meet none.
    """
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.empty(shape, np.float32)
    height, width = params.height, params.width
    start = _bias(bias, shape[3])
    tiny, weights = may_underflow(input, filter, start), factors(filter).transpose(1, 2, 3, 0)
    apart = height.stride <= height.kernel and width.stride <= width.kernel
    # The last row and column are the border.
    bordered = np.pad(factors(input), ((0, 0), (0, 1), (0, 1), (0, 0)))
    for rows, tap_rows, from_rows in _phases(height, input.shape[1], apart):
        for columns, tap_columns, from_columns in _phases(width, input.shape[2], apart):
            taps = weights[tap_rows, tap_columns].reshape(-1, shape[3])
            for image, result in zip(bordered, output, strict=True):
                target = result[rows, columns]
                for row, column in blocks(target.shape[0], target.shape[1], _pixels(shape[3], len(taps))):
                    places = from_rows[row, np.newaxis, :, np.newaxis], from_columns[np.newaxis, column, np.newaxis]
                    pixels = np.ascontiguousarray(image[places].reshape(-1, len(taps)).T)
                    sums = np.empty((pixels.shape[1], shape[3]), np.float32)
                    _product(pixels, taps, start, tiny, sums)
                    target[row, column] = sums.reshape(target[row, column].shape)
    clamp(output, params.activation_min, params.activation_max)
    return output


def _phases(window: Window, size: int, apart: bool) -> Iterator[tuple[slice, slice, Array]]:
    """Output pixels in one dimension, taps, and the input pixel that each meets with each; `size` where there is none.

    apart: outputs that meet the same taps come together, else all with all taps.
    """
    step = window.stride if apart else 1
    for phase in range(step):
        first = (phase - window.pad_before) % step
        outputs, taps = np.arange(first, window.input, step), np.arange(phase, window.kernel, step)
        if outputs.size:
            place, between = np.divmod(outputs[:, np.newaxis] + window.pad_before - taps, window.stride)
            met = (between == 0) & (place >= 0) & (place < size)
            yield slice(first, None, step), slice(phase, None, step), np.where(met, place, size)
