from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from int8rt.quantization.lookup_table import (
    lookup,
    lookup_int16,
    populate_lookup_table,
    populate_lookup_table_int16,
)
from tests.quantization.exact import float32, half_away, wrap

scales = st.sampled_from([0.5, 0.25, 2.0**-7, 0.1, 3.7]) | st.floats(2.0**-10, 2.0**4, width=32)
INT16_CODES = np.arange(-(1 << 15), 1 << 15)


def identity(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return x


def square(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return x * x


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
@pytest.mark.parametrize("function", [identity, square])
@given(scales, scales, st.data())
def test_every_code(dtype: type[np.signedinteger], function: Callable[..., Any], s: float, t: float, data: Any) -> None:
    info = np.iinfo(dtype)
    zero_points = st.integers(int(info.min), int(info.max))
    z, y = data.draw(zero_points), data.draw(zero_points)
    s, t = float(np.float32(s)), float(np.float32(t))
    table = populate_lookup_table(function, s, z, t, y, dtype)
    codes = np.arange(256).astype(np.uint8).view(dtype)
    inverse = float32(1 / Fraction(t))
    expected = []
    for q in codes.tolist():
        x = float32(Fraction(s) * (q - z))
        value = float32(float32(function(x)) * inverse)
        code = math.trunc(float32(half_away(value) + y))
        if dtype == np.uint8 and code >= 2**31:
            code = 0
        expected.append(max(int(info.min), min(int(info.max), code)))
    assert table.dtype == dtype
    np.testing.assert_array_equal(lookup(codes, table), expected)


def test_lookup_keeps_the_shape_and_needs_no_contiguous_codes() -> None:
    table = populate_lookup_table(identity, 1.0, 0, 0.5, 0, np.int8)
    codes = np.arange(-60, 60, dtype=np.int8).reshape(2, 60)[:, ::-7]
    np.testing.assert_array_equal(lookup(codes, table), codes * 2)
    assert lookup(np.zeros((0, 3), np.int8), table).shape == (0, 3)


def test_what_is_not_finite() -> None:
    values = np.resize(np.array([np.inf, -np.inf, np.nan, 1e30, -1e30, 1e5, -1e5], np.float32), 256)
    int8 = populate_lookup_table(lambda x: values, 1.0, 0, 1.0, 3, np.int8)
    np.testing.assert_array_equal(int8[:7], [127, -128, 0, 127, -128, 127, -128])
    uint8 = populate_lookup_table(lambda x: values, 1.0, 0, 1.0, 3, np.uint8)
    np.testing.assert_array_equal(uint8[:7], [0, 0, 0, 0, 0, 255, 0])


def interpolate(table: list[int], q: int) -> int:
    index, offset = divmod(q + 2**15, 128)
    slope = wrap(table[index + 1] - table[index], 16)
    return wrap(table[index] + (slope * offset + 64) // 128, 16)


@pytest.mark.parametrize("seed", range(3))
def test_interpolation_of_every_int16_code(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = (rng.integers(-(1 << 15), 1 << 15, 513) if seed else np.arange(-256, 257) * 100).astype(np.int16)
    entries = table.tolist()
    np.testing.assert_array_equal(lookup_int16(INT16_CODES, table), [interpolate(entries, int(q)) for q in INT16_CODES])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_int16_table_of_a_line_is_the_line(dtype: type[np.floating]) -> None:
    half = populate_lookup_table_int16(identity, 2.0**-15, 0, 2.0**-14, 0, dtype)
    assert half.dtype == np.int16
    np.testing.assert_array_equal(lookup_int16(INT16_CODES, half)[128:-128:128], INT16_CODES[128:-128:128] // 2)
    double = populate_lookup_table_int16(identity, 2.0**-15, 0, 2.0**-16, 0, dtype)
    found = lookup_int16(INT16_CODES, double).astype(int)
    assert np.abs(found - np.clip(2 * INT16_CODES, -32768, 32767))[256:-256].max() <= 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("zero_points", [(0, 0), (-32768, 0), (1000, -7)])
@pytest.mark.parametrize(
    ("function", "output_scale"),
    [(square, 0.11), (lambda x: np.floor(50 * x), 65536 / 65535)],  # the latter gives whole numbers, and many ties
)
def test_entries_of_an_int16_table(
    dtype: type[np.floating], zero_points: tuple[int, int], function: Callable[..., Any], output_scale: float
) -> None:
    def exact(x: Any) -> Fraction:
        return Fraction(float(x))

    s, t = dtype(0.0013), dtype(output_scale)
    z, y = zero_points
    table = populate_lookup_table_int16(function, float(s), z, float(t), y, dtype)
    low, high = s * dtype(-32768 - z), s * dtype(32767 - z)
    step = (high - low) / dtype(512)
    inverse = dtype(65536) / (t * dtype(32767 - y) - t * dtype(-32768 - y))
    expected = []
    for i in range(512):
        start = low + dtype(i) * step
        sample = half_away(exact(function(start) * inverse))
        middle = half_away(exact(function(start + step / dtype(2)) * inverse))
        following = function(low + dtype(i + 1) * step) * inverse
        interpolated = half_away(exact((following + dtype(sample)) / dtype(2)))
        expected.append(sample - half_away(Fraction(interpolated - middle, 2)))
    expected.append(half_away(exact(function(high) * inverse)))
    np.testing.assert_array_equal(table, [max(-32768, min(32767, entry)) for entry in expected])
