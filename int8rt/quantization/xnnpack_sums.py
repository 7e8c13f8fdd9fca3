"""Sums and extremes of float32 as XNNPACK's kernels for AVX-512F take them: in 16 lanes, or windows by nines.

Each sum is rounded to float32 in XNNPACK's order; subnormal numbers become 0. Arguments hold none. Other instruction
sets have other numbers of lanes. Extremes have an order too: of equal zeros, and of a number and NaN, the second wins.
Source: XNNPACK src/f32-rsum, src/f32-rdsum, src/f32-rminmax, src/f32-rdminmax, src/f32-raddstoreexpminusmax,
src/f32-avgpool and src/f32-maxpool.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from int8rt.quantization.xnnpack import flush
from int8rt.quantization.xnnpack_functions import exp_of_negative, fused, maximum, minimum

Float32 = npt.NDArray[np.float32]
Join = Callable[[Float32, Float32], Float32]

LANES = 16


def _in_lanes(rows: Float32) -> Float32:
    """float32[n,k] as [blocks,n,16], with zeros after the last."""
    n, size = rows.shape
    blocks = -(-size // LANES)
    padded = np.zeros((n, blocks * LANES), np.float32)
    padded[:, :size] = rows
    return padded.reshape(n, blocks, LANES).transpose(1, 0, 2)


def _add(x: Float32, y: Float32) -> Float32:
    return flush(x + y)


def _across(lanes: Float32) -> Float32:
    """The sum of 16 lanes: halves, until one is left."""
    while lanes.shape[-1] > 1:
        half = lanes.shape[-1] // 2
        lanes = _add(lanes[..., :half], lanes[..., half:])
    return lanes[..., 0]


def _sum(rows: Float32, unrolled: int) -> Float32:
    """The sum of each row: blocks of 16 go to two sums in turn while `unrolled` of them are left, then to the first."""
    lanes, whole = _in_lanes(rows), rows.shape[1] // LANES // unrolled * unrolled
    first, second = (np.zeros((len(rows), LANES), np.float32) for _ in range(2))
    for index in range(0, whole, 2):
        first, second = _add(first, lanes[index]), _add(second, lanes[index + 1])
    if unrolled == 2 and rows.shape[1] // LANES > whole:  # the last whole block comes before the second sum
        first, whole = _add(first, lanes[whole]), whole + 1
    first = _add(first, second)
    for block in lanes[whole:]:
        first = _add(first, block)
    return _across(first)


def softmax(rows: Float32) -> Float32:
    """float32[n,k]: e^(x - max) over its sum, by the reciprocal of the sum."""
    with np.errstate(all="ignore"):
        terms = exp_of_negative(flush(rows - rows.max(axis=1, keepdims=True)))
        reciprocal = flush(np.float32(1) / _sum(terms, 4))
        return flush(terms * reciprocal[:, np.newaxis])


def add_rows(total: Float32, rows: Float32, scale: np.float32) -> Float32:
    """float32[n]: total + scale · the sum of each row of float32[n,k], with one rounding after that of the sum."""
    return fused(_sum(rows, 2), scale, total)


def add_columns(total: Float32, columns: Float32, scale: np.float32) -> Float32:
    """float32[n]: total + scale · the sum of each column of float32[k,n], taken in order."""
    inner = np.zeros_like(total)
    for row in columns:
        inner = _add(row, inner)
    return _add(total, flush(inner * scale))


def add_squares_of_rows(total: Float32, rows: Float32, scale: np.float32) -> Float32:
    """float32[n]: total + scale · the sum of the squares of each row of float32[n,k], which are not rounded."""
    lanes, whole = _in_lanes(rows), rows.shape[1] // LANES
    i = [np.zeros((len(rows), LANES), np.float32)] * 4
    for index in range(whole):
        i[index % 4] = fused(lanes[index], lanes[index], i[index % 4])
    inner = _add(_add(i[0], i[2]), _add(i[1], i[3]))
    for block in lanes[whole:]:
        inner = fused(block, block, inner)
    return fused(_across(inner), scale, total)


def add_squares_of_columns(total: Float32, columns: Float32, scale: np.float32) -> Float32:
    """float32[n]: total + scale · the sum of the squares of each column of float32[k,n], which are not rounded."""
    inner = np.zeros_like(total)
    for row in columns:
        inner = fused(row, row, inner)
    return _add(total, flush(inner * scale))


def extreme_of_rows(total: Float32, rows: Float32, largest: bool) -> Float32:
    """float32[n]: the largest (smallest) of `total` and each row of float32[n,k]."""
    join, whole = maximum if largest else minimum, rows.shape[1] // LANES
    lanes = _in_lanes(rows)
    i = [np.repeat(total[:, np.newaxis], LANES, axis=1)] * 4
    for index in range(whole // 4 * 4):
        i[index % 4] = join(i[index % 4], lanes[index])
    found = join(join(i[0], i[1]), join(i[2], i[3]))
    for block in lanes[whole // 4 * 4 : whole]:
        found = join(found, block)
    for element in rows.T[whole * LANES :]:
        found = join(found, element[:, np.newaxis])
    for half in (8, 4):
        found = join(found[:, :half], found[:, half:])
    found = join(found, found[:, [2, 3, 0, 1]])
    return join(found, found[:, [1, 0, 3, 2]])[:, 0]


def extreme_of_columns(total: Float32, columns: Float32, largest: bool) -> Float32:
    """float32[n]: the largest (smallest) of `total` and each column of float32[k,n]."""
    for row in columns:
        total = (maximum if largest else minimum)(total, row)
    return total


def mean_of_window(values: Sequence[Float32], scale: Float32, low: float, high: float) -> Float32:
    """The sum of a window's elements, nine at a time and filled up with zeros, times `scale`; clamped."""
    zero = np.zeros_like(values[0])
    total = zero
    for start in range(0, len(values), 9):
        total = _add(total, _of_nine(values[start : start + 9], zero, _add))
    return minimum(maximum(flush(total * scale), np.float32(low)), np.float32(high))


def maximum_of_window(values: Sequence[Float32], low: float, high: float) -> Float32:
    """The largest of a window's elements, nine at a time; clamped."""
    total = maximum(_of_nine(values[:9], values[0], maximum), np.float32(low))
    for start in range(9, len(values), 9):
        total = maximum(minimum(total, np.float32(high)), _of_nine(values[start : start + 9], values[start], maximum))
    return minimum(total, np.float32(high))


def _of_nine(values: Sequence[Float32], filling: Float32, join: Join) -> Float32:
    i = [*values, *[filling] * (9 - len(values))]
    middle = join(join(i[2], i[3]), join(i[4], i[5]))
    return join(middle, join(join(join(i[0], i[1]), i[8]), join(i[6], i[7])))
