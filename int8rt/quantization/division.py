"""Divisions that round, and conversions from floating point to integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def divide_round_half_away(x: npt.ArrayLike, divisor: npt.ArrayLike) -> npt.NDArray[Any]:
    """x / divisor to the nearest integer, ties away from zero; divisor >= 1. The integer type of `x` is kept.

    |x| + divisor / 2 must fit that type. Source: TensorFlow Lite reference/integer_ops/pooling.h, AveragePool.
    """
    x = np.asarray(x)
    divisor = np.asarray(divisor, x.dtype)
    magnitude: npt.NDArray[Any] = np.abs(x)
    magnitude += divisor >> 1
    magnitude //= divisor
    np.negative(magnitude, out=magnitude, where=x < 0)
    return magnitude


def divide_truncate(x: npt.ArrayLike, divisor: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """x / divisor toward zero, as C divides integers; int64 x, divisor >= 1."""
    x, divisor = np.asarray(x, np.int64), np.asarray(divisor, np.int64)
    floor: npt.NDArray[np.int64] = x // divisor
    floor += (x < 0) & (floor * divisor != x)
    return floor


def divide_int32_truncate(x: npt.NDArray[np.int32], divisor: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """x / divisor toward zero, as C divides int32; divisor not 0. -2^31 / -1 is 2^31, which int32 does not hold.

    float64 is exact here: a quotient of int32 numbers that is no integer is further from the next one than it rounds.
    """
    return np.asarray(np.trunc(np.divide(x, divisor, dtype=np.float64)), np.int64)


def float_to_int32(x: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.int64]:
    """Whole numbers as int32 (in int64), as an x86 processor converts: -2^31 for what does not fit, and for NaN."""
    fits = (x >= -(2.0**31)) & (x < 2.0**31)
    return np.where(fits, x, -(2.0**31)).astype(np.int64)


def divide_by_pot_round_half_away(x: npt.NDArray[Any], exponent: int) -> npt.NDArray[Any]:
    """x / 2^exponent to the nearest integer, ties away from zero; int32 or int64 x, exponent >= 1. The type is kept.

    |x| + 2^(exponent - 1) must fit that type. The same as `rounding_divide_by_pot`, without widening.
    """
    # Half a step more for all, and one less for negative numbers, so that the shift takes their ties down.
    result: npt.NDArray[Any] = x >> (x.itemsize * 8 - 1)
    result += x
    result += 1 << (exponent - 1)
    result >>= exponent
    return result
