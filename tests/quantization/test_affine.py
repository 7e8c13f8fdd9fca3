from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from int8rt.quantization.affine import dequantize, quantize
from tests.quantization.exact import float32, half_away

types = st.sampled_from([np.int8, np.uint8, np.int16])
scales = st.sampled_from([0.5, 1.0, 2.0**-7, 0.1, 0.0235, 3.7]) | st.floats(2.0**-12, 2.0**6, width=32)
reals = st.floats(-1000, 1000, width=32).filter(lambda x: x == 0 or abs(x) > 2.0**-100)


@given(st.lists(reals, min_size=1, max_size=30), scales, types, st.integers(-40, 40))
def test_quantize(values: list[float], scale: float, dtype: type[np.signedinteger], zero_point: int) -> None:
    scale = float(np.float32(scale))
    info = np.iinfo(dtype)
    found = quantize(np.array(values, np.float32), scale, zero_point, dtype)
    assert found.dtype == dtype
    exact = [half_away(float32(Fraction(x) / Fraction(scale))) + zero_point for x in values]
    np.testing.assert_array_equal(found, [max(info.min, min(info.max, q)) for q in exact])


def test_quantize_takes_ties_away_from_zero() -> None:
    x = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5], np.float32)
    np.testing.assert_array_equal(quantize(x, 1.0, 10, np.int8), [7, 8, 9, 11, 12, 13])
    np.testing.assert_array_equal(quantize(x / 4, 0.25, 0, np.int8), [-3, -2, -1, 1, 2, 3])


@pytest.mark.parametrize("scale", [0.1, 0.3, 0.0235, 3.7, 1 / 3])
def test_quotients_that_become_ties_by_their_own_rounding(scale: float) -> None:
    scale = float(np.float32(scale))
    x = ((np.arange(-100, 100) + 0.5) * scale).astype(np.float32)
    quotients = [float32(Fraction(v) / Fraction(scale)) for v in x.tolist()]
    assert {abs(quotient) % 1 for quotient in quotients} > {Fraction(1, 2)}
    np.testing.assert_array_equal(quantize(x, scale, 0, np.int8), [half_away(quotient) for quotient in quotients])


@pytest.mark.parametrize(("zero_point", "end"), [(0, -128), (5, -128), (-5, 127)])
def test_what_does_not_fit_int32_goes_where_an_x86_processor_puts_it(zero_point: int, end: int) -> None:
    x = np.array([1e10, -1e10, np.inf, -np.inf, np.nan], np.float32)
    np.testing.assert_array_equal(quantize(x, 1.0, zero_point, np.int8), [end] * 5)
    np.testing.assert_array_equal(quantize(np.float32([1e9, -1e9]), 1.0, zero_point, np.int8), [127, -128])


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
@given(scale=scales, zero_point=st.integers(-128, 255))
def test_dequantize_every_code(dtype: type[np.signedinteger], scale: float, zero_point: int) -> None:
    scale = float(np.float32(scale))
    codes = np.arange(256).astype(np.uint8).view(dtype)
    found = dequantize(codes, scale, zero_point)
    assert found.dtype == np.float32
    assert [Fraction(x) for x in found.tolist()] == [float32((int(q) - zero_point) * Fraction(scale)) for q in codes]


def test_every_code_comes_back() -> None:
    codes = np.arange(-128, 128).astype(np.int8)
    for scale in (0.1, 0.0235, 3.7, 2.0**-7, 1e-6):
        np.testing.assert_array_equal(quantize(dequantize(codes, scale, -7), scale, -7, np.int8), codes)


def test_parameters_along_an_axis() -> None:
    scale, zero_point = np.array([[0.5, 2.0]], np.float32), np.array([[1, -1]])
    codes = np.array([[3, 3], [-3, -3]], np.int8)
    real = dequantize(codes, scale, zero_point)
    np.testing.assert_array_equal(real, [[1.0, 8.0], [-2.0, -4.0]])
    np.testing.assert_array_equal(quantize(real, scale, zero_point, np.int8), codes)
