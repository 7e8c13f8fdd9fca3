"""e^x in float32 as Eigen computes it on x86 with SSE, and its sums of vectors.

Every operation is rounded to float32 in Eigen's order. Source: Eigen, Core/arch/Default/GenericPacketMathFunctions.h,
pexp_float; Core/Redux.h.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from int8rt.quantization import libm
from int8rt.quantization.eigen import LANES, LN2_HIGH, LN2_LOW, LOG2_E, polynomial

Float32 = npt.NDArray[np.float32]

_LOW, _HIGH = np.float32(-104), np.float32(88.723)
_EVEN = (1.37449637986719608306884765625e-3, 4.166965186595916748046875e-2, 0.49999988079071044921875)
_ODD = (8.36894474923610687255859375e-3, 0.16666518151760101318359375)


def exp(x: Float32) -> Float32:
    """e^x of a vector float32[n] that starts at an address divisible by 16.

    Whole groups of four elements are approximated; the elements after them use the C library's exp.
    """
    stop = len(x) // LANES * LANES
    with np.errstate(all="ignore"):
        return np.concatenate([exp_of_groups(x[:stop]), libm.exp(x[stop:])])


def exp_of_groups(x: Float32) -> Float32:
    """e^x = 2^m · e^r with |r| <= ln(2) / 2, of float32 arrays of any shape."""
    held = np.where(x < _HIGH, x, _HIGH)
    m = np.floor(held * LOG2_E + np.float32(0.5))
    r = m * LN2_LOW + (m * LN2_HIGH + held)
    square = r * r
    y = square * (r * polynomial(square, _ODD) + polynomial(square, _EVEN)) + (r + np.float32(1))
    value = np.ldexp(y, np.clip(m, -278, 278).astype(np.int32))
    # The larger of both, or x where it is NaN.
    return np.where(x < _LOW, np.float32(0), np.where(value > x, value, x))


def sums_of_rows(rows: Float32, aligned: bool = False) -> Float32:
    """Σ of each row float32[n,K], K > 0: groups of four elements in two turns, then across, then what is left in order.

    aligned: every row starts at an address divisible by 16, not the first alone, so that groups start with each.
    """
    count, depth = rows.shape
    starts = np.minimum(-(np.arange(count) * (0 if aligned else depth)) % LANES, depth)
    sums = np.empty(count, np.float32)
    with np.errstate(all="ignore"):
        for start in np.unique(starts):
            sums[starts == start] = _sums(rows[starts == start], int(start))
    return sums


def _sums(rows: Float32, start: int) -> Float32:
    stop = start + (rows.shape[1] - start) // LANES * LANES
    groups = rows[:, start:stop].reshape(len(rows), -1, LANES)
    number = groups.shape[1]
    rest = [*rows[:, :start].T, *rows[:, stop:].T]
    if not number:
        total, rest = rest[0], rest[1:]
    else:
        pairs = number // 2 * 2
        lanes = groups[:, 0] if number == 1 else _in_order(groups[:, 0:pairs:2]) + _in_order(groups[:, 1:pairs:2])
        if 1 < number != pairs:
            lanes = lanes + groups[:, pairs]
        total = (lanes[:, 0] + lanes[:, 2]) + (lanes[:, 1] + lanes[:, 3])
    for values in rest:
        total = total + values
    return np.asarray(total, np.float32)


def _in_order(groups: Float32) -> Float32:
    total = groups[:, 0]
    for number in range(1, groups.shape[1]):
        total = total + groups[:, number]
    return total
