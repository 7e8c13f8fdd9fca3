"""The rounding primitives on 16-bit words, as `rounding` has them on 32-bit words.

Arguments are integers within int16, computed in int64; results fit int16.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from int8rt.quantization.rounding import Int64Array

INT16_MIN = -(1 << 15)
INT16_MAX = (1 << 15) - 1


def wrap_int16(x: npt.ArrayLike) -> Int64Array:
    """Reduce to 16-bit two's complement, as a store into an int16 of C does."""
    return np.asarray(x, np.int64).astype(np.int16).astype(np.int64)


def saturating_rounding_doubling_high_mul_int16(a: npt.ArrayLike, b: npt.ArrayLike) -> Int64Array:
    """The high half of 2·a·b for int16 a and b: floor((a·b + 2^14) / 2^15).

    Ties go up for both signs. Only a = b = -2^15 overflows, and saturates to 2^15 - 1.
    Source: gemmlowp fixedpoint.h, SaturatingRoundingDoublingHighMul for int16.
    """
    product = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    high: Int64Array = np.minimum((product + (1 << 14)) >> 15, INT16_MAX)
    return high


def saturating_doubling_high_mul_int16(a: npt.ArrayLike, b: npt.ArrayLike) -> Int64Array:
    """The high half of 2·a·b for int16 a and b, truncated toward zero: a·b / 2^15.

    Only a = b = -2^15 overflows, and saturates to 2^15 - 1.
    Source: TensorFlow Lite kernels/internal/reference/hard_swish.h, SaturatingDoublingHighMul.
    """
    product = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    # The shift rounds down; what it drops from a negative product has to be given back.
    high: Int64Array = np.minimum((product + np.where(product < 0, (1 << 15) - 1, 0)) >> 15, INT16_MAX)
    return high


def rounding_divide_by_pot_int16(x: npt.ArrayLike, exponent: npt.ArrayLike) -> Int64Array:
    """x / 2^exponent to the nearest integer, ties away from zero; int16 x, 0 <= exponent <= 31.

    From exponent 16 on, the mask of the remainder no longer fits int16 and becomes -1, so that the result is 1 for
    x >= 0 and -1 for x < 0 instead of 0. HARD_SWISH gets there where the output's scale is very coarse.
    Source: gemmlowp fixedpoint.h, RoundingDivideByPOT for int16.
    """
    x, exponent = np.asarray(x, np.int64), np.asarray(exponent, np.int64)
    mask = wrap_int16((np.int64(1) << exponent) - 1)
    threshold = (mask >> 1) + (x < 0)
    quotient: Int64Array = (x >> exponent) + ((x & mask) > threshold)
    return quotient


def saturating_left_shift_int16(x: npt.ArrayLike, amount: npt.ArrayLike) -> Int64Array:
    """x · 2^amount for int16 x, saturated to int16; 0 <= amount <= 30.

    Source: TensorFlow Lite kernels/internal/reference/hard_swish.h, SaturatingLeftShift.
    """
    shifted: Int64Array = np.clip(np.asarray(x, np.int64) << np.asarray(amount, np.int64), INT16_MIN, INT16_MAX)
    return shifted


def downscale_int32_to_int16_multiplier(multiplier: int) -> int:
    """The 16-bit multiplier nearest to multiplier / 2^16, ties up, at most 2^15 - 1; 0 <= multiplier < 2^31.

    Source: TensorFlow Lite kernels/internal/common.h, DownScaleInt32ToInt16Multiplier.
    """
    return min((multiplier + (1 << 15)) >> 16, INT16_MAX)
