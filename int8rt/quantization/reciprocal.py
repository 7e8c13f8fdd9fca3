"""Reciprocal, inverse square root and logarithm in 32-bit fixed point; F_k as in `fixed_point`.

Source: TensorFlow Lite kernels/internal/common.h.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from int8rt.quantization.fixed_point import INT32, one_over_one_plus_x_for_x_in_0_1
from int8rt.quantization.rounding import (
    INT32_MAX,
    INT32_MIN,
    Int64Array,
    count_leading_sign_bits,
    count_leading_zeros,
    rounding_divide_by_pot,
    rounding_half_sum,
    wrap_int32,
)

_mul = INT32.multiply

# Constants of `log_x_for_x_greater_than_or_equal_to_1`, all in F_0.
_LOG_2 = 1488522236
_SQRT_HALF = 1518500250
_SQRT_SQRT_HALF = 1805811301
_ONE_QUARTER = 1 << 29
_ALPHA_N = 117049297  # 11/240 · 2^(1/4)
_ALPHA_D = 127690142  # 1/20 · 2^(1/4)
_ALPHA_I = 1057819769  # 2 / 2^(1/4) - 2^(1/4)
_ALPHA_F = 638450708  # 1/4 · 2^(1/4)


def get_reciprocal(x: npt.ArrayLike, x_integer_digits: int) -> tuple[Int64Array, Int64Array]:
    """(r, n) with 1 / x = r · 2^-n, r in F_0 and x > 0 in F_(x_integer_digits), read as an unsigned 32-bit integer.

    x = 0, where the shift is undefined in C++, gives the r of -1 and n = x_integer_digits - 32.
    """
    headroom = count_leading_zeros(x)
    shifted = (np.asarray(x, np.int64) & 0xFFFFFFFF) << headroom
    reciprocal = one_over_one_plus_x_for_x_in_0_1(wrap_int32(shifted - (1 << 31)))
    return reciprocal, x_integer_digits - headroom


def fixed_point_quotient(
    numerator: npt.ArrayLike, denominator: npt.ArrayLike, multiplier: int, shift: int
) -> Int64Array:
    """numerator / denominator · multiplier · 2^(shift - 31), rounded; all int32, denominator not 0, same shapes.

    The reciprocal is multiplied by the numerator, shifted left as far as it goes; then by the multiplier. The final
    shift to the right counts modulo 64, and what is beyond 31 is as in `rounding_divide_by_pot`: so it is on an x86
    processor where C++ leaves it undefined, which is the case of small numerators, 0 among them.
    Source: TensorFlow Lite reference/div.h.
    """
    numerator, denominator = np.asarray(numerator, np.int64), np.asarray(denominator, np.int64)
    numerator, divisor = np.where(denominator < 0, -numerator, numerator), np.abs(denominator)
    if divisor.size > (largest := int(np.max(divisor, initial=1))):
        inverse, recip_shift = (values[divisor - 1] for values in get_reciprocal(np.arange(1, largest + 1), 31))
    else:
        inverse, recip_shift = get_reciprocal(divisor, 31)
    headroom = count_leading_sign_bits(numerator)
    unscaled = _mul(wrap_int32(numerator << headroom), inverse)
    return rounding_divide_by_pot(_mul(unscaled, multiplier), (recip_shift + headroom - shift) & 63)


def get_inv_sqrt_quantized_multiplier_exp(x: npt.ArrayLike) -> tuple[Int64Array, Int64Array]:
    """(multiplier, shift), as of `quantize_multiplier`, of 1 / sqrt(x) for an int32 x; shift <= 0.

    Five Newton-Raphson steps in F_3. Everything up to 1, so 0 and wrapped-around sums too, counts as 1.
    """
    x = np.asarray(x, np.int64)
    value = np.maximum(x, 2)
    right_shift = np.full(value.shape, 11, np.int64)
    for _ in range(2):  # any int32 is below 2^29 after two of these
        large = value >= 1 << 29
        value = np.where(large, value >> 2, value)
        right_shift += large
    pairs = (count_leading_zeros(value) - 1) // 2 - 1
    right_shift -= pairs
    value <<= 2 * pairs
    fixed_point_input = value >> 1
    half_input = rounding_divide_by_pot(fixed_point_input, 1)
    half_three = (1 << 28) + (1 << 27)
    y = np.full(value.shape, 1 << 28, np.int64)
    for _ in range(5):
        cube = INT32.rescale(_mul(_mul(y, y), y), 9, 3)
        y = INT32.rescale(_mul(half_three, y) - _mul(half_input, cube), 6, 3)
    y = _mul(y, _SQRT_HALF)
    multiplier = y << np.maximum(-right_shift, 0)
    shift = -np.maximum(right_shift, 0)
    return np.where(x <= 1, INT32_MAX, multiplier), np.where(x <= 1, 0, shift)


def log_x_for_x_greater_than_or_equal_to_1(
    x: npt.ArrayLike, input_integer_bits: int, output_integer_bits: int
) -> Int64Array:
    """log(x) in F_(output_integer_bits) for x > 0 in F_(input_integer_bits).

    x is brought to r · 2^z with r between sqrt(1/2) and 1 in two ways, of which the better one is taken, and log(r)
    comes from a rational function around 2^(-1/4). The output needs room for log(2^input_integer_bits).
    A sum that wrapped around may come as x <= 0: the result is then meaningless, but that of C++ on an x86 processor.
    """
    accumulator_bits = output_integer_bits + 1
    quarter = int(INT32.rescale(_ONE_QUARTER, 0, accumulator_bits))
    x = np.asarray(x, np.int64)

    headroom_a = count_leading_zeros(x)
    r_a = _shift_left(_mul(_shift_left(x, headroom_a - 1), _SQRT_HALF), 1)
    z_a = _integer(input_integer_bits - headroom_a, accumulator_bits) + quarter
    headroom_b = count_leading_zeros(_mul(x, _SQRT_HALF)) - 1
    r_b = _shift_left(x, headroom_b)
    z_b = _integer(input_integer_bits - headroom_b, accumulator_bits) - quarter
    r = np.minimum(r_a, r_b)
    z = np.clip(np.maximum(z_a, z_b), INT32_MIN, INT32_MAX)

    p = rounding_half_sum(r, _SQRT_SQRT_HALF)
    q = wrap_int32(2 * (r - _SQRT_SQRT_HALF))
    square = _mul(q, q)
    numerator = wrap_int32(_mul(q, r) + _mul(_mul(q, square), _ALPHA_N))
    inner = wrap_int32(_ALPHA_I + q + _mul(_ALPHA_D, square))
    denominator_minus_one = wrap_int32(_mul(p, inner) + _mul(_ALPHA_F, q))
    log_r = _mul(INT32.rescale(numerator, 0, accumulator_bits), one_over_one_plus_x_for_x_in_0_1(denominator_minus_one))
    return INT32.rescale(wrap_int32(_mul(z, _LOG_2) + log_r), accumulator_bits, output_integer_bits)


def _shift_left(x: npt.ArrayLike, exponent: npt.ArrayLike) -> Int64Array:
    """x · 2^exponent, saturated; the exponent -1, which comes with negative x, saturates as large ones do.

    Source: TensorFlow Lite kernels/internal/common.h, SaturatingRoundingMultiplyByPOTParam.
    """
    x, exponent = np.asarray(x, np.int64), np.asarray(exponent, np.int64)
    shifted: Int64Array = np.clip(x << np.where(exponent < 0, 32, exponent), INT32_MIN, INT32_MAX)
    return shifted


def _integer(value: Int64Array, integer_bits: int) -> Int64Array:
    return _shift_left(value, 31 - integer_bits)
