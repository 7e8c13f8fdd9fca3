from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from int8rt.errors import SpecError
from int8rt.quantization.multiplier import (
    convolution_multipliers,
    float32_product_multiplier,
    quantize_multiplier,
    quantize_multiplier_greater_than_one,
    quantize_multiplier_smaller_than_one,
    quantize_multipliers,
)
from tests.quantization.exact import float32, half_away


def exact(real: float) -> tuple[int, int]:
    """The nearest m · 2^(shift - 31) with 2^30 <= m < 2^31 (m rounded away from zero at ties)."""
    x = abs(Fraction(real))
    if x == 0:
        return 0, 0
    shift = 0
    while x >= 1:
        x, shift = x / 2, shift + 1
    while x < Fraction(1, 2):
        x, shift = x * 2, shift - 1
    m = half_away(x * 2**31)
    if m == 2**31:
        m, shift = 2**30, shift + 1
    if shift < -31:
        return 0, 0
    return (m if real > 0 else -m), shift


TIE = (2**30 + 12345 + 0.5) / 2**31  # its significand lies between two integers
SPECIAL = [
    0.0,
    -0.0,
    1.0,
    0.5,
    math.nextafter(1, 0),
    math.nextafter(0.5, 0),
    1 - 2.0**-33,
    1 - 2.0**-32,
    TIE,
    math.nextafter(TIE, 0),
    math.nextafter(TIE, 1),
    2.0**-31,
    2.0**-32,
    math.nextafter(2.0**-32, 0),
    (1 - 2.0**-40) * 2.0**-32,
    2.0**-33,
    5e-324,
    2.0**100,
    1.7e308,
]


@pytest.mark.parametrize("real", SPECIAL + [-real for real in SPECIAL if real])
def test_special_multipliers(real: float) -> None:
    assert quantize_multiplier(real) == exact(real)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.floats(1e-9, 10))
def test_any_multiplier(real: float) -> None:
    assert quantize_multiplier(real) == exact(real)


@given(st.integers(2**30, 2**31 - 1), st.integers(-31, 40))
def test_ties_of_the_significand_go_away_from_zero(m: int, shift: int) -> None:
    real = math.ldexp(m + 0.5, shift - 31)
    assert quantize_multiplier(real) == exact(real)
    assert quantize_multiplier(-real) == exact(-real)


@pytest.mark.parametrize("real", [math.inf, -math.inf, math.nan])
def test_a_multiplier_must_be_finite(real: float) -> None:
    with pytest.raises(SpecError, match="must be finite"):
        quantize_multiplier(real)


def test_several_multipliers() -> None:
    multiplier, shift = quantize_multipliers([[0.3, 7.0], [0.0, -2.5]])
    assert multiplier.dtype == shift.dtype == np.int32
    assert list(zip(multiplier.tolist(), shift.tolist(), strict=True)) == [exact(x) for x in (0.3, 7.0, 0.0, -2.5)]
    assert [part.shape for part in quantize_multipliers([])] == [(0,), (0,)]


def test_smaller_than_one() -> None:
    assert quantize_multiplier_smaller_than_one(0.75) == (3 << 29, 0)
    for real in (0.0, 1.0, 1.5, -0.5, math.nan):
        with pytest.raises(SpecError, match="above 0 and below 1"):
            quantize_multiplier_smaller_than_one(real)
    assert quantize_multiplier_smaller_than_one(1 - 2.0**-32 * 1.1) == (2**31 - 1, 0)
    with pytest.raises(SpecError, match="below 1 with 31 bits"):
        quantize_multiplier_smaller_than_one(1 - 2.0**-33)


def test_greater_than_one() -> None:
    assert quantize_multiplier_greater_than_one(1.5) == (3 << 29, 1)
    for real in (0.0, 1.0, 0.5, -3.0, math.nan):
        with pytest.raises(SpecError, match="above 1"):
            quantize_multiplier_greater_than_one(real)


scales = st.floats(2.0**-20, 2.0**6, width=32)


@given(scales, scales, scales)
def test_convolution_multipliers(input: float, filter: float, output: float) -> None:
    found = convolution_multipliers(input, [filter, input], output)
    assert found.tolist() == [input * filter / output, input * input / output]
    product = float(float32(Fraction(input) * Fraction(filter)))
    assert float32_product_multiplier(input, filter, output) == product / output
