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


def sum_of_vector(x: Float32, first: int = 0) -> np.float32:
    """Σ of a vector float32[n]: groups of four elements in two turns, then across, then what is left in order.

    first: the position of the vector's first element among groups at addresses divisible by 16, counted in elements.
    """
    start = min(-first % LANES, len(x))
    groups = x[start : start + (len(x) - start) // LANES * LANES].reshape(-1, LANES)
    rest = [*x[:start], *x[start + groups.size :]]
    with np.errstate(all="ignore"):
        if not len(groups):
            total, rest = x[0], list(x[1:])
        else:
            pairs = len(groups) // 2 * 2
            lanes = groups[0] if len(groups) == 1 else _in_order(groups[0:pairs:2]) + _in_order(groups[1:pairs:2])
            if 1 < len(groups) != pairs:
                lanes = lanes + groups[pairs]
            total = (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])
        for value in rest:
            total = total + value
    return np.float32(total)


def _in_order(groups: Float32) -> Float32:
    total: Float32 = np.add.accumulate(groups, axis=0)[-1]
    return total
