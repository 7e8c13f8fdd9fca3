"""Ways in which others round, or could get it wrong: what `int8rt identify` tries besides the known runtimes' own."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.quantization.rounding import (
    Int64Array,
    round_half_away,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
    wrap_int32,
)

Array = npt.NDArray[Any]


def multiply_truncate(x: npt.ArrayLike, real_multiplier: npt.ArrayLike) -> Int64Array:
    """x · real_multiplier in float64, toward zero: a plain conversion of C, a likely mistake."""
    return np.asarray(np.trunc(np.asarray(x, np.float64) * np.asarray(real_multiplier)), np.int64)


def multiply_floor(x: npt.ArrayLike, real_multiplier: npt.ArrayLike) -> Int64Array:
    """x · real_multiplier in float64, down: a shift to the right without rounding."""
    return np.asarray(np.floor(np.asarray(x, np.float64) * np.asarray(real_multiplier)), np.int64)


def multiply_half_even(x: npt.ArrayLike, real_multiplier: npt.ArrayLike) -> Int64Array:
    """x · real_multiplier in float64, ties to even."""
    return np.asarray(np.rint(np.asarray(x, np.float64) * np.asarray(real_multiplier)), np.int64)


def multiply_in_float32(x: npt.ArrayLike, real_multiplier: npt.ArrayLike) -> Int64Array:
    """float32(x) · float32(real_multiplier) in float32, ties to even; |result| at most 2^30."""
    product = np.asarray(x).astype(np.float32) * np.asarray(real_multiplier).astype(np.float32)
    return np.asarray(np.rint(np.clip(product, -(2.0**30), 2.0**30)), np.int64)


def multiply_wide(x: npt.ArrayLike, multiplier: npt.ArrayLike, shift: npt.ArrayLike) -> Int64Array:
    """x · multiplier · 2^(shift - 31) with one rounding, ties up, of an exact product: int64 |x · 2^shift| < 2^54.

    As `rescale.multiply_by_quantized_multiplier_single_rounding` has it for int32.
    """
    shift, multiplier = np.asarray(shift, np.int64), np.asarray(multiplier, np.int64)
    shifted = np.asarray(x, np.int64) << np.maximum(shift - 7, 0)
    total = np.clip(31 - shift, 24, 62)
    high, low = shifted >> 24, shifted & 0xFFFFFF
    carry = (low * multiplier + (np.int64(1) << (total - 1))) >> 24
    return np.asarray((high * multiplier + carry) >> (total - 24))


def divide(x: Int64Array, divisor: Int64Array, how: str) -> Int64Array:
    """x / divisor rounded; how: "half away", "half up", "half even", "truncate" or "floor". Exact for int32 numbers."""
    doubled = 2 * x
    if how == "half away":
        return np.asarray(np.sign(x) * ((np.abs(doubled) + divisor) // (2 * divisor)))
    if how == "half up":
        return (doubled + divisor) // (2 * divisor)
    if how == "half even":
        return np.rint(x / divisor).astype(np.int64)
    return np.sign(x) * (np.abs(x) // divisor) if how == "truncate" else x // divisor


def round_real(x: npt.NDArray[np.floating[Any]], how: str) -> Int64Array:
    """A real number to an integer; how: "half away", "half even", "half up" or "truncate"."""
    if how == "half even":
        return np.asarray(np.rint(x), np.int64)
    if how == "half up":
        return np.asarray(np.floor(x + x.dtype.type(0.5)), np.int64)
    if how == "truncate":
        return np.asarray(np.trunc(x), np.int64)
    return np.asarray(round_half_away(x), np.int64)


def rescale_sum(total: Int64Array, multiplier: int, shift: int) -> Int64Array:
    """The sum of ADD in steps of the output, with two roundings; total: at the common scale, in int32."""
    return rounding_divide_by_pot(saturating_rounding_doubling_high_mul(wrap_int32(total), multiplier), -shift)
