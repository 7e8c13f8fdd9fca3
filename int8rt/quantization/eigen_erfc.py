"""The complementary error function in float32 as Eigen approximates it on x86 with SSE, without fused multiply-add.

Source: Eigen, unsupported SpecialFunctionsImpl.h (generic_fast_erfc) and GenericPacketMathFunctions.h (pexp_float).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from int8rt.quantization import libm
from int8rt.quantization.eigen import LANES, LN2_HIGH, LN2_LOW, LOG2_E, polynomial

Float32 = npt.NDArray[np.float32]

_CLAMP = np.float32(11)
# erfc(x) - 1 over x, in x², for |x| <= 1.
_SMALL = (
    5.61802298761904239654541015625e-04,
    -4.91381669417023658752441406250e-03,
    2.67075151205062866210937500000e-02,
    -1.12800106406211853027343750000e-01,
    3.76122951507568359375000000000e-01,
    -1.12837910652160644531250000000e00,
)
# erfc(x) · e^(x²) · x, in 1 / x², for |x| > 1.
_NUMERATOR = (
    1.0208116471767425537109375e-01,
    4.2920666933059692382812500e-01,
    3.2379078865051269531250000e-01,
    5.3971976041793823242187500e-02,
)
_DENOMINATOR = (
    1.7251677811145782470703125e-02,
    3.9137163758277893066406250e-01,
    1.0000000000000000000000000e00,
    6.2173241376876831054687500e-01,
    9.5662862062454223632812500e-02,
)
_EXP_HIGH, _EXP_LOW = np.float32(88.723), np.float32(-104)
_EXP_EVEN = (1.37449637986719608306884765625e-3, 4.166965186595916748046875e-2, 0.49999988079071044921875)
_EXP_ODD = (8.36894474923610687255859375e-3, 0.16666518151760101318359375)


def erfc(x: Float32) -> Float32:
    """1 - erf(x) of a vector float32[n] that begins at an address divisible by 16.

    The elements after the last whole group of four use the C library's exp.
    """
    whole = len(x) // LANES * LANES
    with np.errstate(all="ignore"):
        x = np.where(x < -_CLAMP, -_CLAMP, np.where(x > _CLAMP, _CLAMP, x))
        square = x * x
        minus_square = -square
        exponential = np.concatenate([_exp_of_groups(minus_square[:whole]), libm.exp(minus_square[whole:])])
        small = x * polynomial(square, _SMALL) + np.float32(1)
        # What rounding the square has lost: exact, and so as Dekker's product of halves gives it.
        rest = (x.astype(np.float64) * x - square).astype(np.float32)
        z = exponential - exponential * rest
        inverse = np.float32(1) / square
        ratio = polynomial(inverse, _NUMERATOR) / (x * polynomial(inverse, _DENOMINATOR))
        large = z * ratio + np.where(x < 0, np.float32(2), np.float32(0))
        return np.asarray(np.where(square > 1, large, small))


def _exp_of_groups(x: Float32) -> Float32:
    """2^m · e^r with |r| <= ln(2) / 2."""
    held = np.where(x < _EXP_HIGH, x, _EXP_HIGH)
    m = np.floor(held * LOG2_E + np.float32(0.5))
    r = m * LN2_LOW + (m * LN2_HIGH + held)
    square = r * r
    even, odd = polynomial(square, _EXP_EVEN), polynomial(square, _EXP_ODD)
    p = square * (r * odd + even) + (r + np.float32(1))
    scaled = np.ldexp(p, np.clip(m, -300, 300).astype(np.int32))
    return np.where(x < _EXP_LOW, np.float32(0), np.maximum(scaled, x))
