from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from int8rt.quantization.rounding import (
    count_leading_sign_bits,
    count_leading_zeros,
    float_to_int32,
    round_half_away,
    round_half_even,
    rounding_divide_by_pot,
    rounding_half_sum,
    rounding_shift_right,
    saturate,
    saturating_rounding_doubling_high_mul,
    saturating_rounding_multiply_by_pot,
    saturating_truncate,
    wrap_int32,
)
from tests.quantization.exact import (
    INT32_MAX,
    INT32_MIN,
    boundary_values,
    clamp,
    half_away,
    half_up,
    high_mul,
    int64,
    wrap,
)

BOUNDARY = boundary_values()
VALUES = int64(BOUNDARY)


def test_high_mul_of_all_boundary_pairs() -> None:
    expected = [[high_mul(a, b) for b in BOUNDARY] for a in BOUNDARY]
    np.testing.assert_array_equal(saturating_rounding_doubling_high_mul(VALUES[:, np.newaxis], VALUES), expected)


def test_high_mul_takes_ties_up_for_both_signs_and_saturates_once() -> None:
    assert saturating_rounding_doubling_high_mul(1, 1 << 30) == 1
    assert saturating_rounding_doubling_high_mul(-1, 1 << 30) == 0
    assert saturating_rounding_doubling_high_mul(-3, 1 << 30) == -1
    assert saturating_rounding_doubling_high_mul(INT32_MIN, INT32_MIN) == INT32_MAX
    assert saturating_rounding_doubling_high_mul(INT32_MIN, INT32_MAX) == -INT32_MAX


def test_divide_by_pot() -> None:
    exponents = np.arange(32)
    expected = [[half_away(x, 2**e) for e in range(32)] for x in BOUNDARY]
    np.testing.assert_array_equal(rounding_divide_by_pot(VALUES[:, np.newaxis], exponents), expected)


def test_divide_by_pot_beyond_the_word_counts_shifts_modulo_32() -> None:
    exponents = np.arange(30, 64)
    expected = [
        [half_away(x, 2**e) if e < 32 else math.floor(Fraction(x, 2 ** (e % 32))) + (x >= 0) for e in exponents]
        for x in BOUNDARY
    ]
    np.testing.assert_array_equal(rounding_divide_by_pot(VALUES[:, np.newaxis], exponents), expected)


def test_shift_right_takes_ties_up() -> None:
    exponents = np.arange(40)
    expected = [[half_up(x, 2**e) for e in range(40)] for x in BOUNDARY]
    np.testing.assert_array_equal(rounding_shift_right(VALUES[:, np.newaxis], exponents), expected)


def test_half_sum_of_all_boundary_pairs() -> None:
    expected = [[half_away(a + b, 2) for b in BOUNDARY] for a in BOUNDARY]
    np.testing.assert_array_equal(rounding_half_sum(VALUES[:, np.newaxis], VALUES), expected)


def test_multiply_by_pot() -> None:
    def exact(x: int, exponent: int) -> int:
        return clamp(x * 2**exponent) if exponent > 0 else half_away(x, 2**-exponent)

    exponents = list(range(-31, 32))
    expected = [[exact(x, e) for e in exponents] for x in BOUNDARY]
    np.testing.assert_array_equal(
        saturating_rounding_multiply_by_pot(VALUES[:, np.newaxis], np.array(exponents)), expected
    )
    for exponent in (-31, -1, 0, 1, 31):
        found = saturating_rounding_multiply_by_pot(VALUES, exponent)
        np.testing.assert_array_equal(found, [exact(x, exponent) for x in BOUNDARY])


def test_counts_of_leading_bits() -> None:
    unsigned = [x % 2**32 for x in BOUNDARY]
    np.testing.assert_array_equal(count_leading_zeros(VALUES), [32 - x.bit_length() for x in unsigned])
    np.testing.assert_array_equal(count_leading_zeros(int64(unsigned)), [32 - x.bit_length() for x in unsigned])
    signs = [len(bits) - len(bits.lstrip(bits[0])) - 1 for bits in (f"{x:032b}" for x in unsigned)]
    np.testing.assert_array_equal(count_leading_sign_bits(VALUES), signs)


def test_wrap_and_saturate() -> None:
    wide = [x * factor for x in BOUNDARY for factor in (1, 2, -3)]
    np.testing.assert_array_equal(wrap_int32(int64(wide)), [wrap(x) for x in wide])
    for dtype in (np.int8, np.uint8, np.int16):
        info = np.iinfo(dtype)
        found = saturate(int64(wide), dtype)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, [min(max(x, info.min), info.max) for x in wide])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_round_half_away(dtype: type[np.floating]) -> None:
    halves = (
        [n + 0.5 for n in range(-40, 40)] + [2.0**k + 0.5 for k in range(22)] + [-(2.0**k) - 0.5 for k in range(22)]
    )
    large = [2.0**k for k in range(20, 100)]
    middle = np.array([*halves, *large, 0.0], dtype)
    values = np.concatenate([middle, np.nextafter(middle, dtype(np.inf)), np.nextafter(middle, dtype(-np.inf))])
    found = round_half_away(values)
    assert found.dtype == dtype
    assert [int(x) for x in found.tolist()] == [half_away(Fraction(x)) for x in values.tolist()]


def test_round_half_away_below_one_half() -> None:
    assert round_half_away(np.nextafter(np.float32(0.5), np.float32(0))) == 0
    assert round_half_away(np.float32(-0.5)) == -1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_float_to_int32_is_that_of_an_x86_processor(dtype: type[np.floating]) -> None:
    inside = np.array([0.0, 0.9, -0.9, 1.5, -1.5, 2.0**31 - 256, -(2.0**31)], dtype)
    np.testing.assert_array_equal(float_to_int32(inside), [math.trunc(x) for x in inside.tolist()])
    outside = np.array([2.0**31, -(2.0**31) * 1.001, 1e30, -1e30, np.inf, -np.inf, np.nan], dtype)
    np.testing.assert_array_equal(float_to_int32(outside), [INT32_MIN] * outside.size)
    assert float_to_int32(np.float64(-(2.0**31) - 0.5)) == INT32_MIN
    assert float_to_int32(np.float64(2.0**31 - 0.5)) == INT32_MAX


def test_saturating_truncate() -> None:
    values = np.array(
        [0.9, -0.9, 126.99, 127.0, 127.9, 1e30, np.inf, -127.9, -128.5, -1e30, -np.inf, np.nan], np.float32
    )
    found = saturating_truncate(values, np.int8)
    np.testing.assert_array_equal(found, [0, 0, 126, 127, 127, 127, 127, -127, -128, -128, -128, 0])
    assert found.dtype == np.int8


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_round_half_even(dtype: type[np.floating]) -> None:
    values = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 0.25, -0.25, -0.0, 1000.5, np.inf, -np.inf], dtype)
    found = round_half_even(values)
    assert found.dtype == dtype
    assert [str(float(x)) for x in found] == [
        *("0.0", "2.0", "2.0", "0.0", "-2.0", "0.0", "0.0", "-0.0", "1000.0", "inf", "-inf")
    ]
    assert np.isnan(round_half_even(np.array([np.nan], dtype))).all()
