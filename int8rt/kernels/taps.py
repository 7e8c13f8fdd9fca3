"""The taps of a convolution: which of them reach the input, and the input as they see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from int8rt.kernels.base import Array
from int8rt.kernels.padding import Window


def reachable_taps(height: Window, width: Window, filter: Array) -> tuple[Window, Window, Array]:
    """Windows and filter [..,KH,KW,..] without the taps that are beyond the border at every position.

    With large dilations or kernels most of them are, and padding the input for them would take memory without limit.
    The pads of the new windows may be negative: then a part of the input is in no window.
    """
    (rows, height), (columns, width) = _reachable(height), _reachable(width)
    return height, width, filter[:, rows, columns]


def _reachable(window: Window) -> tuple[slice, Window]:
    # Tap k is at o · stride - pad_before + k · dilation for output o.
    last_start = (window.output - 1) * window.stride - window.pad_before
    first = max(0, -(last_start // window.dilation))
    stop = max(first, min(window.kernel, (window.input - 1 + window.pad_before) // window.dilation + 1))
    if stop == first:
        return slice(first, stop), replace(window, kernel=0, pad_before=0, pad_after=0)
    pad_before = window.pad_before - first * window.dilation
    reached = (window.output - 1) * window.stride + (stop - first - 1) * window.dilation + 1
    pad_after = reached - pad_before - window.input
    return slice(first, stop), replace(window, kernel=stop - first, pad_before=pad_before, pad_after=pad_after)


def pad_input(input: Array, height: Window, width: Window, value: int) -> Array:
    """`input` [N,H,W,C] with `value` wherever a window reaches beyond the border, and without what is in no window.

    Integers are widened to int32 where their type cannot hold `value`.
    """
    (top, bottom), (left, right) = (height.pad_before, height.pad_after), (width.pad_before, width.pad_after)
    rows, columns = input.shape[1] + top + bottom, input.shape[2] + left + right
    inside = input[:, max(0, -top) : input.shape[1] + min(0, bottom), max(0, -left) : input.shape[2] + min(0, right)]
    if inside.shape[1:3] == (rows, columns):
        return inside
    fits = input.dtype.kind == "f" or np.iinfo(input.dtype).min <= value <= np.iinfo(input.dtype).max
    dtype = input.dtype if fits else np.dtype(np.int32)
    padded = np.full((input.shape[0], rows, columns, input.shape[3]), value, dtype)
    top, left = max(0, top), max(0, left)
    padded[:, top : top + inside.shape[1], left : left + inside.shape[2]] = inside
    return padded


def windows(image: Array, height: Window, width: Window) -> Array:
    """A padded image [H,W,C] as its windows see it: a view [OH,OW,KH,KW,C], nothing is copied."""
    row, column, channel = image.strides
    return np.lib.stride_tricks.as_strided(
        image,
        (height.output, width.output, height.kernel, width.kernel, image.shape[2]),
        (row * height.stride, column * width.stride, row * height.dilation, column * width.dilation, channel),
        writeable=False,
    )


def grouped_windows(image: Array, height: Window, width: Window, groups: int) -> Array:
    """The windows of a padded image [H,W,C] for each group of channels: a view [groups,OH,OW,KH,KW,C / groups]."""
    view = windows(image, height, width)
    return np.moveaxis(view.reshape(*view.shape[:4], groups, image.shape[2] // groups), 4, 0)


def blocks(height: int, width: int, pixels: int) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of an image [height,width,..] in parts of at most `pixels` pixels (at least one), in order.

    Whole rows, or where even one is too much, a part of one: each part is contiguous.
    """
    columns, rows = max(1, min(width, pixels)), max(1, pixels // width)
    for row in range(0, height, rows):
        for column in range(0, width, columns):
            yield slice(row, row + rows), slice(column, column + columns)


def reached_pixels(window: Window, tap: int) -> tuple[slice, slice]:
    """The input pixels of a transposed convolution for which this tap stays within the output, and where they go.

    In one dimension; `window` belongs to the convolution that it is the transpose of, so its `input` is the output. For
    that convolution they are the outputs whose tap stays within the input, and the pixels that they see there.
    """
    offset = tap * window.dilation - window.pad_before
    first = max(0, -(offset // window.stride))
    stop = max(first, min(window.output, (window.input - 1 - offset) // window.stride + 1))
    start = first * window.stride + offset
    return slice(first, stop), slice(start, start + (stop - first - 1) * window.stride + 1, window.stride)
