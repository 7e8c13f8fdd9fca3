from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from int8rt.quantization.fixed_point import (
    INT16,
    INT32,
    exp_on_interval_between_negative_one_quarter_and_0_excl,
    exp_on_negative_values,
    logistic,
    one_minus_x_over_one_plus_x_for_x_in_0_1,
    one_over_one_plus_x_for_x_in_0_1,
    tanh,
)
from tests.quantization.exact import boundary_values, int64
from tests.quantization.gemmlowp import MACHINE16, MACHINE32

INT16_CODES = np.arange(-(1 << 15), 1 << 15)
BOUNDARY = boundary_values()
integer_bits = st.integers(0, 28)


@pytest.mark.parametrize("bits", [0, 3, 5, 6, 12])
def test_boundary_values(bits: int) -> None:
    negative = [a for a in BOUNDARY if a <= 0]
    np.testing.assert_array_equal(
        exp_on_negative_values(int64(negative), bits), [MACHINE32.exp(a, bits) for a in negative]
    )
    np.testing.assert_array_equal(logistic(int64(BOUNDARY), bits), [MACHINE32.logistic(a, bits) for a in BOUNDARY])
    np.testing.assert_array_equal(tanh(int64(BOUNDARY), bits), [MACHINE32.tanh(a, bits) for a in BOUNDARY])


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=40), integer_bits)
@example([-1, 0, 1, 2**31 - 1, -(2**31)], 28)
def test_any_32_bit_numbers(values: list[int], bits: int) -> None:
    a = int64(values)
    np.testing.assert_array_equal(
        exp_on_negative_values(-np.abs(a), bits), [MACHINE32.exp(-abs(v), bits) for v in values]
    )
    np.testing.assert_array_equal(logistic(a, bits), [MACHINE32.logistic(v, bits) for v in values])
    np.testing.assert_array_equal(tanh(a, bits), [MACHINE32.tanh(v, bits) for v in values])


# 3 integer bits are those of the gates of quantized LSTMs.
def test_every_16_bit_logistic() -> None:
    expected = [MACHINE16.logistic(int(a), 3) for a in INT16_CODES]
    np.testing.assert_array_equal(logistic(INT16_CODES, 3, INT16), expected)


def test_every_16_bit_tanh() -> None:
    np.testing.assert_array_equal(tanh(INT16_CODES, 3, INT16), [MACHINE16.tanh(int(a), 3) for a in INT16_CODES])


@pytest.mark.parametrize("bits", [0, 1, 2, 4, 5, 6, 9])
def test_other_16_bit_formats(bits: int) -> None:
    codes = np.concatenate([INT16_CODES[::37], [-32768, -1, 0, 1, 32767]])
    np.testing.assert_array_equal(logistic(codes, bits, INT16), [MACHINE16.logistic(int(a), bits) for a in codes])
    np.testing.assert_array_equal(tanh(codes, bits, INT16), [MACHINE16.tanh(int(a), bits) for a in codes])


def test_divisions_of_every_16_bit_number_from_0_to_1() -> None:
    x = np.arange(1 << 15)
    expected = [MACHINE16.one_over_one_plus(int(v)) for v in x]
    np.testing.assert_array_equal(one_over_one_plus_x_for_x_in_0_1(x, INT16), expected)
    found = one_minus_x_over_one_plus_x_for_x_in_0_1(x, INT16)
    np.testing.assert_array_equal(found, [MACHINE16.pot(MACHINE16.newton(int(v)) - (1 << 13), 2) for v in x])


def test_the_functions_approximate_their_names() -> None:
    a = np.linspace(-(2**31), 2**31 - 1, 20_001).astype(np.int64)
    real = a / 2.0**27  # 4 integer bits
    assert np.abs(logistic(a, 4) / 2.0**31 - 1 / (1 + np.exp(-real))).max() < 2**-22
    assert np.abs(tanh(a, 4) / 2.0**31 - np.tanh(real)).max() < 2**-22
    assert np.abs(exp_on_negative_values(-np.abs(a), 4) / 2.0**31 - np.exp(-np.abs(real))).max() < 2**-22
    x = np.linspace(0, 2**31 - 1, 10_001).astype(np.int64)
    assert np.abs(one_over_one_plus_x_for_x_in_0_1(x) / 2.0**31 - 1 / (1 + x / 2.0**31)).max() < 2**-27
    codes = INT16_CODES / 2.0**12
    assert np.abs(logistic(INT16_CODES, 3, INT16) / 2.0**15 - 1 / (1 + np.exp(-codes))).max() < 2**-12
    assert np.abs(tanh(INT16_CODES, 3, INT16) / 2.0**15 - np.tanh(codes)).max() < 2**-11


@pytest.mark.parametrize("word", [INT32, INT16])
def test_the_interval_needs_no_wrap_around(word: object) -> None:
    assert word in (INT32, INT16)
    quarter = -(1 << (29 if word is INT32 else 13))
    a = np.linspace(quarter, -1, 1 << 13).astype(np.int64)
    machine = MACHINE32 if word is INT32 else MACHINE16
    found = exp_on_interval_between_negative_one_quarter_and_0_excl(a, INT32 if word is INT32 else INT16)
    np.testing.assert_array_equal(found, [machine.exp_interval(int(v)) for v in a])
    assert found.max() <= machine.top
    assert abs(int(found[0]) / (machine.top + 1) - math.exp(-0.25)) < 1e-3


def test_values_at_the_ends() -> None:
    assert exp_on_negative_values(0, 5) == 2**31 - 1
    assert logistic(0, 5) == 1 << 30
    assert tanh(0, 5) == 0
    assert exp_on_negative_values(-(2**31), 5) == 0
    assert logistic(2**31 - 1, 5) == 2**31 - 1
    assert tanh(-(2**31), 5) == -(2**31 - 1)
    assert exp_on_negative_values(-(33 << 24), 7) == 0
    assert INT32.one(0) == 2**31 - 1
    assert INT32.one(2) == 1 << 29
    assert INT16.constant(1895147668) == 28918
