"""The rounding primitives: the one place of int8rt where rounding is written.

Every function takes integers of any NumPy dtype or shape (Python integers too), computes in int64 and returns int64;
the results fit the width named in the docstring. The names are those of gemmlowp's fixedpoint.h, the library from
which TensorFlow Lite took its integer arithmetic.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Int64Array = npt.NDArray[np.int64]

INT32_MIN = -(1 << 31)
INT32_MAX = (1 << 31) - 1


def wrap_int32(x: npt.ArrayLike) -> Int64Array:
    """Reduce to 32-bit two's complement, as an int32 register of C does on overflow."""
    return np.asarray(x, np.int64).astype(np.int32).astype(np.int64)


def saturate(x: npt.ArrayLike, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Clamp to the range of the integer type `dtype` and convert to it."""
    info = np.iinfo(np.dtype(dtype))
    return np.clip(np.asarray(x), info.min, info.max).astype(dtype)


def round_half_away(x: npt.ArrayLike) -> npt.NDArray[Any]:
    """Round to the nearest integer, ties away from zero (C's `round`); the floating dtype of `x` is kept.

    x + copysign(0.5, x) would be wrong just below one half, where the sum itself rounds up; so the fraction is compared.
    """
    x = np.asarray(x)
    whole = np.trunc(x)
    return np.asarray(whole + np.where(np.abs(x - whole) >= 0.5, np.copysign(1, x), 0), x.dtype)


def saturating_rounding_doubling_high_mul(a: npt.ArrayLike, b: npt.ArrayLike) -> Int64Array:
    """The high half of 2·a·b for int32 a and b: floor((a·b + 2^30) / 2^31), in int32.

    Ties go up for both signs. Only a = b = -2^31 overflows, and saturates to 2^31 - 1.
    Source: gemmlowp fixedpoint.h, SaturatingRoundingDoublingHighMul for int32.
    """
    a, b = np.asarray(a, np.int64), np.asarray(b, np.int64)
    return np.minimum((a * b + (1 << 30)) >> 31, INT32_MAX)


def rounding_divide_by_pot(x: npt.ArrayLike, exponent: npt.ArrayLike) -> Int64Array:
    """x / 2^exponent to the nearest integer, ties away from zero; int32 x, 0 <= exponent <= 31.

    Source: gemmlowp fixedpoint.h, RoundingDivideByPOT.
    """
    x, exponent = np.asarray(x, np.int64), np.asarray(exponent, np.int64)
    mask = (np.int64(1) << exponent) - 1
    threshold = (mask >> 1) + (x < 0)
    return (x >> exponent) + ((x & mask) > threshold)


def saturating_rounding_multiply_by_pot(x: npt.ArrayLike, exponent: int) -> Int64Array:
    """x · 2^exponent for int32 x: a left shift that saturates to int32, or a right shift, ties away from zero.

    -31 <= exponent <= 31. Source: gemmlowp fixedpoint.h, SaturatingRoundingMultiplyByPOT.
    """
    if exponent <= 0:
        return rounding_divide_by_pot(x, -exponent)
    return np.clip(np.asarray(x, np.int64) << exponent, INT32_MIN, INT32_MAX)
