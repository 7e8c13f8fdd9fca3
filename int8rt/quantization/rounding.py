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
    """Clamp to the range of the integer type `dtype` and convert to it; the shape is kept."""
    info = np.iinfo(np.dtype(dtype))
    clipped: npt.NDArray[Any] = np.clip(np.asarray(x), info.min, info.max).astype(dtype)
    return clipped


def round_half_away(x: npt.ArrayLike) -> npt.NDArray[Any]:
    """Round to the nearest integer, ties away from zero (C's `round`); the floating dtype of `x` is kept.

    x + copysign(0.5, x) would be wrong just below one half, where the sum itself rounds up: the fraction is compared.
    """
    x = np.asarray(x)
    whole = np.trunc(x)
    return np.asarray(whole + np.where(np.abs(x - whole) >= 0.5, np.copysign(1, x), 0), x.dtype)


def round_half_even(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Round floating-point numbers to the nearest integer, ties to even; the type of `x` is kept.

    Only -0.0 gives -0.0: what is rounded up to 0 is 0.0. Source: TensorFlow Lite reference/round.h, RoundToNearest.
    """
    return np.asarray(np.where(x == 0, x, np.rint(x) + x.dtype.type(0)))


def float_to_int32(x: npt.ArrayLike) -> npt.NDArray[np.int32]:
    """Truncate floating-point numbers toward zero; what does not fit int32, NaN too, becomes -2^31.

    C++ leaves that case undefined; this is what an x86 processor does, and so TensorFlow Lite on it.
    """
    x = np.asarray(x)
    fits = (x > -(2.0**31) - 1) & (x < 2.0**31)
    return np.where(fits, x, x.dtype.type(INT32_MIN)).astype(np.int32)


def saturating_truncate(x: npt.ArrayLike, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Truncate floating-point numbers toward zero to a type of at most 16 bits, saturated; NaN becomes 0.

    What LLVM makes of a conversion followed by a clamp, and so what TensorFlow Lite's look-up tables hold.
    """
    info = np.iinfo(np.dtype(dtype))
    clipped = np.clip(np.asarray(x), info.min, info.max)
    return np.where(np.isnan(clipped), 0, clipped).astype(dtype)


def saturating_rounding_doubling_high_mul(a: npt.ArrayLike, b: npt.ArrayLike) -> Int64Array:
    """The high half of 2·a·b for int32 a and b: floor((a·b + 2^30) / 2^31), in int32.

    Ties go up for both signs. Only a = b = -2^31 overflows, and saturates to 2^31 - 1.
    Source: gemmlowp fixedpoint.h, SaturatingRoundingDoublingHighMul for int32.
    """
    a, b = np.asarray(a, np.int64), np.asarray(b, np.int64)
    product: Int64Array = np.minimum((a * b + (1 << 30)) >> 31, INT32_MAX)
    return product


def rounding_divide_by_pot(x: npt.ArrayLike, exponent: npt.ArrayLike) -> Int64Array:
    """x / 2^exponent to the nearest integer, ties away from zero; int32 x, 0 <= exponent <= 31.

    32 <= exponent <= 63 is undefined in C++, but DIV and RSQRT get there; then the result is that of an x86 processor,
    which counts shifts modulo 32: (x >> (exponent - 32)), plus 1 unless x is negative.
    Source: gemmlowp fixedpoint.h, RoundingDivideByPOT.
    """
    x, exponent = np.asarray(x, np.int64), np.asarray(exponent, np.int64)
    defined = exponent <= 31
    if not np.all(defined):
        beyond = (x >> (exponent & 31)) + (x >= 0)
        return np.where(defined, rounding_divide_by_pot(x, np.minimum(exponent, 31)), beyond)
    mask = (np.int64(1) << exponent) - 1
    threshold = (mask >> 1) + (x < 0)
    quotient: Int64Array = (x >> exponent) + ((x & mask) > threshold)
    return quotient


def rounding_shift_right(x: npt.ArrayLike, exponent: npt.ArrayLike) -> Int64Array:
    """x / 2^exponent to the nearest integer, ties up: floor((x + 2^(exponent - 1)) / 2^exponent).

    |x| < 2^62, 0 <= exponent <= 62; exponent 0 leaves x as it is.
    Source: the ARM instruction VRSHL, in ruy and in TensorFlow Lite's vector code.
    """
    x, exponent = np.asarray(x, np.int64), np.asarray(exponent, np.int64)
    quotient: Int64Array = (x + ((np.int64(1) << exponent) >> 1)) >> exponent
    return quotient


def rounding_half_sum(a: npt.ArrayLike, b: npt.ArrayLike) -> Int64Array:
    """(a + b) / 2 to the nearest integer, ties away from zero; int32 (or int16) a and b.

    Source: gemmlowp fixedpoint.h, RoundingHalfSum (the scalar one; vector versions round ties up).
    """
    total = np.asarray(a, np.int64) + np.asarray(b, np.int64)
    return (total + (total >= 0)) >> 1


def saturating_rounding_multiply_by_pot(x: npt.ArrayLike, exponent: npt.ArrayLike) -> Int64Array:
    """x · 2^exponent for int32 x: a left shift that saturates to int32, or a right shift, ties away from zero.

    -31 <= exponent <= 31. Source: gemmlowp fixedpoint.h, SaturatingRoundingMultiplyByPOT, and its twin for exponents
    known only while running, TensorFlow Lite kernels/internal/common.h, SaturatingRoundingMultiplyByPOTParam.
    """
    x, exponent = np.asarray(x, np.int64), np.asarray(exponent, np.int64)
    if np.all(exponent <= 0):
        return rounding_divide_by_pot(x, -exponent)
    left: Int64Array = np.clip(x << np.maximum(exponent, 0), INT32_MIN, INT32_MAX)
    if np.all(exponent > 0):
        return left
    return np.where(exponent > 0, left, rounding_divide_by_pot(x, np.maximum(-exponent, 0)))


def count_leading_zeros(x: npt.ArrayLike) -> Int64Array:
    """Zero bits above the highest one in the 32-bit two's complement of x: 32 for 0, 0 for negative x.

    Source: TensorFlow Lite kernels/internal/common.h, CountLeadingZeros.
    """
    # Every 32-bit integer is exact in float64, so the exponent is its length in bits.
    unsigned = (np.asarray(x, np.int64) & 0xFFFFFFFF).astype(np.float64)
    return 32 - np.frexp(unsigned)[1].astype(np.int64)


def count_leading_sign_bits(x: npt.ArrayLike) -> Int64Array:
    """Bits below the sign bit that equal it, for int32 x: 31 for 0 and for -1, 0 for -2^31 and for 2^31 - 1.

    Source: TensorFlow Lite kernels/internal/common.h, CountLeadingSignBits.
    """
    x = np.asarray(x, np.int64)
    return count_leading_zeros(np.where(x < 0, ~x, x)) - 1
