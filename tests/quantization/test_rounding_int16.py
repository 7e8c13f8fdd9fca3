from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from int8rt.quantization.rounding_int16 import (
    downscale_int32_to_int16_multiplier,
    rounding_divide_by_pot_int16,
    saturating_doubling_high_mul_int16,
    saturating_left_shift_int16,
    saturating_rounding_doubling_high_mul_int16,
    wrap_int16,
)
from tests.quantization.exact import boundary_values, clamp, half_away, high_mul, wrap

EVERY = np.arange(-(1 << 15), 1 << 15)
FACTORS = [-32768, -32767, -16384, -3, -1, 0, 1, 2, 3, 16383, 16384, 24576, 32766, 32767]
BOUNDARY = boundary_values(16)


@pytest.mark.parametrize("factor", FACTORS)
def test_high_muls_of_every_code(factor: int) -> None:
    # Products have 31 bits and a scaled half, so float64 holds them exactly.
    exact = EVERY * float(factor) / 2**15
    np.testing.assert_array_equal(
        saturating_rounding_doubling_high_mul_int16(EVERY, factor), np.minimum(np.floor(exact + 0.5), 32767)
    )
    np.testing.assert_array_equal(saturating_doubling_high_mul_int16(EVERY, factor), np.minimum(np.trunc(exact), 32767))


def test_high_muls_of_all_boundary_pairs() -> None:
    column = np.array(BOUNDARY)[:, np.newaxis]
    expected = [[high_mul(a, b, 16) for b in BOUNDARY] for a in BOUNDARY]
    np.testing.assert_array_equal(saturating_rounding_doubling_high_mul_int16(column, np.array(BOUNDARY)), expected)
    expected = [[clamp(int(Fraction(a * b, 2**15)), 16) for b in BOUNDARY] for a in BOUNDARY]
    np.testing.assert_array_equal(saturating_doubling_high_mul_int16(column, np.array(BOUNDARY)), expected)


@pytest.mark.parametrize("exponent", range(16))
def test_divide_by_pot_of_every_code(exponent: int) -> None:
    exact = np.abs(EVERY) / 2.0**exponent
    expected = np.sign(EVERY) * np.floor(exact + 0.5)
    np.testing.assert_array_equal(rounding_divide_by_pot_int16(EVERY, exponent), expected)
    for x in BOUNDARY:
        assert rounding_divide_by_pot_int16(x, exponent) == half_away(x, 2**exponent)


@pytest.mark.parametrize("exponent", range(16, 32))
def test_divide_by_pot_beyond_the_word_gives_the_sign(exponent: int) -> None:
    np.testing.assert_array_equal(rounding_divide_by_pot_int16(EVERY, exponent), np.where(EVERY >= 0, 1, -1))


def test_left_shift_and_wrap() -> None:
    for amount in range(31):
        found = saturating_left_shift_int16(np.array(BOUNDARY), amount)
        np.testing.assert_array_equal(found, [clamp(x << amount, 16) for x in BOUNDARY])
    wide = [x * 5 for x in BOUNDARY]
    np.testing.assert_array_equal(wrap_int16(np.array(wide)), [wrap(x, 16) for x in wide])


def test_downscaled_multiplier() -> None:
    for multiplier in (0, 1 << 15, (1 << 15) - 1, 1 << 30, 0x7FFEFFFF, 0x7FFF0000, 0x7FFF7FFF, 0x7FFF8000, 0x7FFFFFFF):
        exact = min((Fraction(multiplier, 2**16) + Fraction(1, 2)).__floor__(), 32767)
        assert downscale_int32_to_int16_multiplier(multiplier) == exact
