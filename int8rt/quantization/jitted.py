"""Scalar twins of the primitives in `rounding` and `fixed_point`, for jitted loops; int64 in, int64 out."""

from __future__ import annotations

from typing import Any

import numpy as np

from int8rt.kernels.jit.numba_later import njit

_INT32_MAX = (1 << 31) - 1
_jit = njit(inline="always", error_model="numpy")


@_jit
def saturating_rounding_doubling_high_mul(a: Any, b: Any) -> Any:
    """`rounding.saturating_rounding_doubling_high_mul`."""
    return min((np.int64(a) * np.int64(b) + (1 << 30)) >> 31, _INT32_MAX)


@_jit
def rounding_divide_by_pot(x: Any, exponent: Any) -> Any:
    """`rounding.rounding_divide_by_pot`."""
    mask = (np.int64(1) << exponent) - 1
    threshold = (mask >> 1) + (1 if x < 0 else 0)
    return (x >> exponent) + (1 if (x & mask) > threshold else 0)


@_jit
def saturating_left_shift(x: Any, bits: Any) -> Any:
    """The left shift of `rounding.saturating_rounding_multiply_by_pot`."""
    return min(max(np.int64(x) << bits, -_INT32_MAX - 1), _INT32_MAX)


@njit(error_model="numpy")
def one_over_one_plus_x(a: Any) -> Any:
    """`fixed_point.one_over_one_plus_x_for_x_in_0_1` for int32: 1 / (1 + a) of a in F_0, in F_0."""
    total = a + _INT32_MAX
    half = total // 2 if total % 2 == 0 else (total + 1) // 2
    x = 1515870810 + saturating_rounding_doubling_high_mul(half, -1010580540)
    for _ in range(3):
        product = saturating_rounding_doubling_high_mul(half, x)
        step = saturating_rounding_doubling_high_mul(x, (1 << 29) - product)
        x += saturating_left_shift(step, 2)
    return saturating_left_shift(x, 1)


@_jit
def multiply_by_quantized_multiplier(x: Any, multiplier: Any, shift: Any) -> Any:
    """`requantize.multiply_by_quantized_multiplier` for -31 <= shift <= 31."""
    value = np.int64(np.int32(x << max(shift, 0)))
    return rounding_divide_by_pot(saturating_rounding_doubling_high_mul(value, multiplier), max(-shift, 0))


@_jit
def multiply_by_quantized_multiplier_int64(x: Any, reduced: Any, shift: Any) -> Any:
    """`requantize.multiply_by_quantized_multiplier_int64`, the multiplier already reduced to 15 bits."""
    total = 15 - shift
    return np.int64(np.int32((x * reduced + (np.int64(1) << ((total - 1) & 63))) >> (total & 63)))


@_jit
def multiply_by_real_multiplier(x: Any, real: Any) -> Any:
    """`requantize.multiply_by_real_multiplier` for float64 real."""
    product = np.float64(x) * real
    almost_half = 0.49999999999999994  # a half itself would take the float64 just below it to 1
    shifted = product + (almost_half if product >= 0 else -almost_half)
    fits = (shifted > -2147483649.0) & (shifted < 2147483648.0)
    return np.int64(shifted if fits else -2147483648.0)


@_jit
def rounding_divide_by_pot_int16(x: Any, exponent: Any) -> Any:
    """`rounding_int16.rounding_divide_by_pot_int16` for 0 <= exponent <= 31."""
    mask = np.int64(np.int16((np.int64(1) << exponent) - 1))
    threshold = (mask >> 1) + (1 if x < 0 else 0)
    return (np.int64(x) >> exponent) + (1 if (x & mask) > threshold else 0)


@_jit
def interpolate_int16(base: Any, following: Any, offset: Any) -> Any:
    """What `lookup_table.lookup_int16` does with the two entries beside a code, and its lower 7 bits."""
    slope = np.int64(np.int16(following - base))
    return np.int64(np.int16(base + ((slope * offset + 64) >> 7)))


@njit(error_model="numpy")
def inverse_square_root(x: Any) -> Any:
    """`reciprocal.get_inv_sqrt_quantized_multiplier_exp` for an int32 x."""
    if x <= 1:
        return np.int64(_INT32_MAX), np.int64(0)
    value, right_shift = np.int64(x), np.int64(11)
    while value >= 1 << 29:
        value >>= 2
        right_shift += 1
    leading_zeros = 0
    while value >> (31 - leading_zeros) == 0:
        leading_zeros += 1
    pairs = (leading_zeros - 1) // 2 - 1
    right_shift -= pairs
    half_input = rounding_divide_by_pot((value << (2 * pairs)) >> 1, 1)
    y = np.int64(1 << 28)
    for _ in range(5):
        square = saturating_rounding_doubling_high_mul(y, y)
        cube = saturating_left_shift(saturating_rounding_doubling_high_mul(square, y), 6)
        difference = saturating_rounding_doubling_high_mul((1 << 28) + (1 << 27), y)
        difference -= saturating_rounding_doubling_high_mul(half_input, cube)
        y = saturating_left_shift(difference, 3)
    y = saturating_rounding_doubling_high_mul(y, 1518500250)  # sqrt(1/2) in F_0
    return y << max(-right_shift, 0), -max(right_shift, np.int64(0))


@_jit
def divide_by_pot_round_half_away(x: Any, exponent: Any) -> Any:
    """`division.divide_by_pot_round_half_away` for int32."""
    return np.int32(x + (x >> 31) + (1 << (exponent - 1))) >> exponent


@_jit
def quantize(real: Any, scale: Any, zero_point: Any) -> Any:
    """`affine.quantize` before its clamp: float32 real and scale, int32 zero_point and result."""
    quotient = real / scale
    # The float32 just below one half: a half itself would take 0.49999997 to 1.
    half = np.float32(0.49999997)
    shifted = quotient + (half if quotient >= 0 else -half)
    fits = (shifted >= np.float32(-(2.0**31))) & (shifted < np.float32(2.0**31))
    # Beyond int32 the conversion would be undefined.
    return np.int32(np.int32(shifted if fits else np.float32(-(2.0**31))) + zero_point)
