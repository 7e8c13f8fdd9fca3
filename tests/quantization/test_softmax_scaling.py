from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from int8rt.errors import SpecError
from int8rt.quantization.softmax_scaling import (
    calculate_input_radius,
    preprocess_log_softmax_scaling_exp,
    preprocess_softmax_scaling,
)

scales = st.floats(2.0**-20, 2.0**8, width=32)


@given(st.sampled_from([1.0, 0.5, 3.0]), scales, st.integers(0, 6))
def test_scaling(beta: float, scale: float, bits: int) -> None:
    real = min(beta * scale * 2.0 ** (31 - bits), 2.0**31 - 1)
    multiplier, shift = preprocess_softmax_scaling(beta, scale, bits)
    assert abs(Fraction(multiplier, 2**31) * 2**shift / Fraction(real) - 1) <= Fraction(1, 2**31)
    assert 2**30 <= multiplier < 2**31
    found = preprocess_log_softmax_scaling_exp(beta, scale, bits)
    assert found[:2] == (multiplier, shift)
    reverse = Fraction(found[2], 2**31) * Fraction(2) ** found[3]
    assert abs(reverse * Fraction(multiplier, 2**31) * 2**shift - 1) <= Fraction(1, 2**31)


def test_the_cap() -> None:
    assert preprocess_softmax_scaling(1.0, 1000.0, 5) == (2**31 - 1, 31)
    assert preprocess_softmax_scaling(1.0, 31.9, 5)[1] == 31
    assert preprocess_softmax_scaling(1.0, 31.9, 5)[0] < 2**31 - 1


@pytest.mark.parametrize(("beta", "scale"), [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0), (1.0, 2.0**-26), (1.0, math.nan)])
def test_multipliers_of_1_or_less_are_refused(beta: float, scale: float) -> None:
    with pytest.raises(SpecError, match="above 1"):
        preprocess_softmax_scaling(beta, scale, 5)


def test_a_multiplier_that_rounds_to_1_has_no_inverse_below_1() -> None:
    barely = math.nextafter(2.0**-26, 1)
    assert preprocess_softmax_scaling(1.0, barely, 5) == (2**30, 1)
    with pytest.raises(SpecError, match="below 1"):
        preprocess_log_softmax_scaling_exp(1.0, barely, 5)


@pytest.mark.parametrize("bits", range(7))
def test_radius(bits: int) -> None:
    for shift in range(32):
        largest = (2**bits - 1) * 2 ** (31 - bits)
        assert calculate_input_radius(bits, shift) == largest // 2**shift
    assert calculate_input_radius(4, 0, 15) == 15 * 2**11
