"""Accumulator times multiplier, in every way of rounding."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from int8rt.quantization.requantize import (
    multiply_by_quantized_multiplier,
    multiply_by_quantized_multiplier_int64,
    multiply_by_real_multiplier,
)
from int8rt.quantization.rescale import (
    multiply_by_float32_multiplier,
    multiply_by_quantized_multiplier_single_rounding,
    multiply_by_quantized_multiplier_ties_up,
)
from tests.quantization.exact import (
    INT32_MIN,
    boundary_values,
    float32,
    half_away,
    half_up,
    high_mul,
    int64,
    wrap,
)

VALUES = boundary_values()[::3]
MULTIPLIERS = [0, 1 << 30, (1 << 30) + 1, 1717986918, 3 << 29, 2**31 - 1, -(1 << 30), -(2**31) + 1, INT32_MIN]
accumulators = st.integers(INT32_MIN, 2**31 - 1) | st.integers(-(2**16), 2**16)


def double(x: int, multiplier: int, shift: int) -> int:
    product = high_mul(wrap(x * 2 ** max(shift, 0)), multiplier)
    return half_away(product, 2 ** max(-shift, 0))


def ties_up(x: int, multiplier: int, shift: int) -> int:
    product = high_mul(wrap(x * 2 ** max(shift, 0)), multiplier)
    return half_up(product, 2 ** max(-shift, 0))


def single(x: int, multiplier: int, shift: int) -> int:
    return half_up(x * multiplier, 2 ** (31 - shift))


def sixteen_bits(x: int, multiplier: int, shift: int) -> int:
    reduced = min(half_up(multiplier, 2**16), 2**15 - 1)
    return wrap(half_up(x * reduced, 2 ** (15 - shift)))


@pytest.mark.parametrize("multiplier", MULTIPLIERS)
def test_two_roundings_on_boundary_values(multiplier: int) -> None:
    shifts = np.arange(-31, 31)
    x = int64(VALUES)[:, np.newaxis]
    for function, exact in (
        (multiply_by_quantized_multiplier, double),
        (multiply_by_quantized_multiplier_ties_up, ties_up),
    ):
        expected = [[exact(value, multiplier, int(shift)) for shift in shifts] for value in VALUES]
        np.testing.assert_array_equal(function(x, multiplier, shifts), expected)


@pytest.mark.parametrize("multiplier", [m for m in MULTIPLIERS if m >= 0])
def test_one_rounding_on_boundary_values(multiplier: int) -> None:
    for shift in range(-31, 31):
        fitting = [x for x in VALUES if INT32_MIN <= single(x, multiplier, shift) < 2**31]
        found = multiply_by_quantized_multiplier_single_rounding(int64(fitting), multiplier, shift)
        np.testing.assert_array_equal(found, [single(x, multiplier, shift) for x in fitting])


@pytest.mark.parametrize("multiplier", [m for m in MULTIPLIERS if m >= 0] + [0x7FFEFFFF, 0x7FFF0000, 0x7FFF7FFF])
def test_64_bit_accumulators_on_boundary_values(multiplier: int) -> None:
    values = [x for x in boundary_values(48) if abs(x) < 2**47][::3]
    for shift in range(-31, 8):
        found = multiply_by_quantized_multiplier_int64(int64(values), multiplier, shift)
        np.testing.assert_array_equal(found, [sixteen_bits(x, multiplier, shift) for x in values])


@given(st.lists(accumulators, min_size=1, max_size=20), st.integers(1 << 30, 2**31 - 1), st.integers(-31, 7))
def test_any_accumulators(values: list[int], multiplier: int, shift: int) -> None:
    x = int64(values)
    for function, exact in (
        (multiply_by_quantized_multiplier, double),
        (multiply_by_quantized_multiplier_ties_up, ties_up),
        (multiply_by_quantized_multiplier_int64, sixteen_bits),
    ):
        assert function(x, multiplier, shift).tolist() == [exact(value, multiplier, shift) for value in values]
    if shift <= 0:
        found = multiply_by_quantized_multiplier_single_rounding(x, multiplier, shift)
        assert found.tolist() == [single(value, multiplier, shift) for value in values]


def test_a_multiplier_for_each_channel() -> None:
    multiplier, shift = np.array([1 << 30, 3 << 29, 2**31 - 1, 0]), np.array([-3, 0, 2, -31])
    x = int64(VALUES)[:, np.newaxis]
    channels = [tuple(pair) for pair in zip(multiplier.tolist(), shift.tolist(), strict=True)]
    expected = [[double(value, m, s) for m, s in channels] for value in VALUES]
    np.testing.assert_array_equal(multiply_by_quantized_multiplier(x, multiplier, shift), expected)
    expected = [[ties_up(value, m, s) for m, s in channels] for value in VALUES]
    np.testing.assert_array_equal(multiply_by_quantized_multiplier_ties_up(x, multiplier, shift), expected)


def test_the_roundings_differ_where_they_should() -> None:
    half = 1 << 30  # with shift -1: a quarter
    assert multiply_by_quantized_multiplier([2, -2, 6, -6, 1], half, -1).tolist() == [1, -1, 2, -2, 1]
    assert multiply_by_quantized_multiplier_ties_up([2, -2, 6, -6, 1], half, -1).tolist() == [1, 0, 2, -1, 1]
    assert multiply_by_quantized_multiplier_single_rounding([2, -2, 6, -6, 1], half, -1).tolist() == [1, 0, 2, -1, 0]
    assert multiply_by_real_multiplier([2, -2, 6, -6, 1], 0.25).tolist() == [1, -1, 2, -2, 0]
    assert multiply_by_float32_multiplier([2, -2, 6, -6, 1], 0.25).tolist() == [0, 0, 2, -2, 0]


def test_shifts_beyond_the_word_are_those_of_an_x86_processor() -> None:
    assert multiply_by_quantized_multiplier([5, -5], 3 << 29, 33).tolist() == [double(x, 3 << 29, 1) for x in (5, -5)]
    high = [high_mul(x, 3 << 29) for x in (2**30, -(2**30))]
    expected = [(x >> 8) + (x >= 0) for x in high]
    assert multiply_by_quantized_multiplier([2**30, -(2**30)], 3 << 29, -40).tolist() == expected


@given(st.lists(accumulators, min_size=1, max_size=20), st.floats(2.0**-40, 4.0))
def test_real_multiplier(values: list[int], real: float) -> None:
    expected = [half_away(Fraction(x * real)) for x in values]  # the product is that of float64
    expected = [x if INT32_MIN <= x < 2**31 else INT32_MIN for x in expected]
    assert multiply_by_real_multiplier(int64(values), real).tolist() == expected


@given(st.lists(accumulators, min_size=1, max_size=20), st.floats(2.0**-30, 4.0, width=32))
def test_float32_multiplier(values: list[int], real: float) -> None:
    products = [float32(float32(x) * Fraction(real)) for x in values]
    expected = [max(-32768, min(32767, round(product))) for product in products]  # Python rounds ties to even
    assert multiply_by_float32_multiplier(int64(values), real).tolist() == expected


@pytest.mark.parametrize("n", [0, 1, 7, 100, 3001])
def test_float32_products_that_become_ties_by_their_own_rounding(n: int) -> None:
    x = np.arange(1, 4000, 2)
    real = ((n + 0.5) / x).astype(np.float32)
    products = [float32(int(v) * Fraction(float(m))) for v, m in zip(x, real, strict=True)]
    assert {product - n for product in products} > {Fraction(1, 2)}  # most are ties, not all
    np.testing.assert_array_equal(multiply_by_float32_multiplier(x, real), [round(product) for product in products])


def test_float32_multiplier_rounds_the_accumulator_and_saturates() -> None:
    assert multiply_by_float32_multiplier(2**24 + 1, 2.0**-10) == 2**14
    found = multiply_by_float32_multiplier([2**31 - 1, INT32_MIN, 0], np.float32(3e38))
    assert found.tolist() == [32767, -32768, 0]
    ties = [(n, round(Fraction(n, 2))) for n in range(-9, 10)]
    for (n, expected), scale in itertools.product(ties, (0.5, np.float32(0.5))):
        assert multiply_by_float32_multiplier(n, scale) == expected


def test_what_is_beyond_the_domain_of_int64_wraps_as_on_x86() -> None:
    # A shift of 15 takes 2^63 for half a step, and shifts by 0; of a scalar without a warning too.
    found = multiply_by_quantized_multiplier_int64(-2380376816, 1701131951, 15)
    total = -2380376816 * 25957 - 2**63
    assert found == (total + 2**31) % 2**32 - 2**31
