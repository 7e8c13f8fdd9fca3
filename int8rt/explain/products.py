"""Sums of products: CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV and FULLY_CONNECTED."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.explain.derivation import Line
from int8rt.explain.rescale import requantization_lines
from int8rt.explain.subject import Array, Subject, place
from int8rt.kernels.conv import Conv2DParams
from int8rt.kernels.depthwise_conv import DepthwiseConv2DParams
from int8rt.kernels.fully_connected import FullyConnectedParams
from int8rt.kernels.padding import Window
from int8rt.kernels.transpose_conv import TransposeConvParams
from int8rt.quantization.requantize import Requantization

Indices = npt.NDArray[np.intp]

# More products than this are shown as their beginning, a sum, and the last one.
_ALL = 9
_FIRST = 4


@dataclass(frozen=True, slots=True)
class _Terms:
    """input, filter: which elements are multiplied with each other (flat indices). beyond: taps beyond the border."""

    input: Indices
    filter: Indices
    beyond: int = 0


def explain_conv(subject: Subject) -> tuple[list[Line], int]:
    """CONV_2D."""
    params, channel = subject.parameters(Conv2DParams), subject.at[3]
    first = channel // (subject.value(1).shape[0] // params.groups) * params.filter_channels
    channels = np.arange(params.filter_channels)
    terms = _window_terms(subject, params, first + channels, channel, channels)
    return _sum(subject, terms, 0, 1, 2, channel, params)


def explain_depthwise(subject: Subject) -> tuple[list[Line], int]:
    """DEPTHWISE_CONV_2D."""
    params, channel = subject.parameters(DepthwiseConv2DParams), subject.at[3]
    terms = _window_terms(subject, params, channel // params.depth_multiplier, 0, channel)
    return _sum(subject, terms, 0, 1, 2, channel, params)


def _window_terms(
    subject: Subject,
    params: Conv2DParams | DepthwiseConv2DParams,
    channels: int | Indices,
    filter: int,
    filter_channels: int | Indices,
) -> _Terms:
    """The products of one window: `channels` of the input with `filter_channels` of one filter."""
    batch, row, column, _ = subject.at
    rows, filter_rows = _reached(params.height, row)
    columns, filter_columns = _reached(params.width, column)
    beyond = params.height.kernel * params.width.kernel - rows.size * columns.size
    return _Terms(
        _flat(subject.value(0), batch, rows, columns, channels),
        _flat(subject.value(1), filter, filter_rows, filter_columns, filter_channels),
        beyond * np.size(channels),
    )


def explain_transpose_conv(subject: Subject) -> tuple[list[Line], int]:
    """TRANSPOSE_CONV: the input pixels whose windows reach this pixel of the output."""
    params, (batch, row, column, channel) = subject.parameters(TransposeConvParams), subject.at
    rows, filter_rows = _reaching(params.height, row)
    columns, filter_columns = _reaching(params.width, column)
    channels = np.arange(params.input_channels)
    terms = _Terms(
        _flat(subject.value(2), batch, rows, columns, channels),
        _flat(subject.value(1), channel, filter_rows, filter_columns, channels),
    )
    return _sum(subject, terms, 2, 1, 3, channel, params)


def explain_fully_connected(subject: Subject) -> tuple[list[Line], int]:
    """FULLY_CONNECTED."""
    params = subject.parameters(FullyConnectedParams)
    (shape,) = params.output_shapes
    assert shape is not None
    outputs, channel = subject.value(1).shape[0], subject.at[-1]
    row = int(np.ravel_multi_index(subject.at, shape)) // outputs
    depth = np.arange(params.depth)
    return _sum(subject, _Terms(row * params.depth + depth, channel * params.depth + depth), 0, 1, 2, channel, params)


def _sum(
    subject: Subject, terms: _Terms, input_index: int, filter_index: int, bias_index: int, channel: int, params: Any
) -> tuple[list[Line], int]:
    """Products, zero points, bias, accumulator, and from there to the output."""
    requantization: Requantization = params.requantization
    input, filter = subject.value(input_index), subject.value(filter_index)
    x = input.reshape(-1)[terms.input].astype(np.int64)
    w = filter.reshape(-1)[terms.filter].astype(np.int64)
    unit = subject.scale(input_index) * subject.scale(filter_index, channel)
    lines = _products(x, w, terms, input.shape, filter.shape)
    if terms.beyond:
        lines.append(
            Line(f"{terms.beyond} products", 0, 0.0, "left out: taps beyond the border, as if real 0 were there")
        )
    total = int(np.dot(x, w))
    lines.append(Line("Σ input · filter", total, rule=f"{x.size} products of codes"))
    zero_x, zero_w = params.input_zero_point, params.filter_zero_point
    if zero_x:
        total -= zero_x * int(w.sum())
        rule = f"the input's zero point is {zero_x}, the filter's codes add up to {int(w.sum())}"
        lines.append(Line("− zero point · Σ filter", total, rule=rule))
    if zero_w:
        total -= zero_w * int(x.sum()) - x.size * zero_x * zero_w
        less = int(x.sum()) - x.size * zero_x
        rule = f"the filter's zero point is {zero_w}, the input's codes less theirs add up to {less}"
        lines.append(Line("− zero point · Σ input", total, rule=rule))
    bias = subject.inputs[bias_index] if bias_index < len(subject.inputs) else None
    if bias is not None:
        # FULLY_CONNECTED reads an int64 bias of 8-bit activations as int32.
        bias_type = getattr(params, "bias_type", requantization.accumulator)
        number = int(np.ravel(bias).view(bias_type)[channel])
        total += number
        lines.append(Line(f"+ bias {number}", total, rule="in the accumulator's scale, input scale · filter scale"))
    accumulator = int(np.asarray([total], object).astype(np.int64).astype(requantization.accumulator)[0])
    width = f"in {requantization.accumulator.name}" + ("" if accumulator == total else ", where it wraps around")
    lines.append(Line("accumulator", accumulator, accumulator * unit, width))
    more, code = requantization_lines(accumulator, requantization, channel, subject.output_scale)
    return lines + more, code


def _products(
    x: Array, w: Array, terms: _Terms, input_shape: tuple[int, ...], filter_shape: tuple[int, ...]
) -> list[Line]:
    shown = range(x.size) if x.size <= _ALL else [*range(_FIRST), x.size - 1]
    lines = []
    for i in shown:
        if x.size > _ALL and i == x.size - 1:
            rest = int(np.dot(x[_FIRST:-1], w[_FIRST:-1]))
            lines.append(Line(f"… {x.size - _FIRST - 1} more", rest))
        where = f"input{place(input_shape, int(terms.input[i]))} · filter{place(filter_shape, int(terms.filter[i]))}"
        lines.append(Line(where, int(x[i] * w[i]), rule=f"{int(x[i])} · {int(w[i])}"))
    return lines


def _flat(array: Array, *where: int | Indices) -> Indices:
    """Flat indices of the elements in the product of these positions, one axis each, in order."""
    flat = np.zeros(1, np.intp)
    for size, positions in zip(array.shape, where, strict=True):
        flat = (flat[:, np.newaxis] * size + np.atleast_1d(np.asarray(positions, np.intp))).reshape(-1)
    return flat


def _reached(window: Window, output: int) -> tuple[Indices, Indices]:
    """(input positions inside of the input, taps) that one output position of a window sees."""
    taps = np.arange(window.kernel)
    positions = output * window.stride - window.pad_before + taps * window.dilation
    inside = (positions >= 0) & (positions < window.input)
    return positions[inside], taps[inside]


def _reaching(window: Window, output: int) -> tuple[Indices, Indices]:
    """(input positions, taps) that add to one output position of a transposed convolution."""
    taps = np.arange(window.kernel)
    start = output + window.pad_before - taps
    inside = (start >= 0) & (start % window.stride == 0) & (start // window.stride < window.output)
    return start[inside] // window.stride, taps[inside]
