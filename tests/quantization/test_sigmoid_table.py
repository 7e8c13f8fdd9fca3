from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from int8rt.quantization.sigmoid_table import (
    checked_log2,
    logistic_by_table,
    scale_to_table,
    sigmoid_table,
    table_multiplier,
    tanh_by_table,
)
from tests.quantization.exact import INT32_MIN, wrap

INT16_CODES = np.arange(-(1 << 15), 1 << 15)


def test_the_table() -> None:
    table = sigmoid_table()
    assert table.shape == (256,)
    assert table[[0, 1, 28, 100, 254, 255]].tolist() == [32768, 33451, 49975, 64536, 65534, 65535]
    assert int(table.sum()) == 15670629
    assert (np.diff(table) >= 0).all()


def logistic(v: int) -> int:
    table = sigmoid_table().tolist()
    index, rest = divmod(abs(v), 512)
    value = 0x7FFF << 10 if index >= 255 else table[index] * 512 + rest * (table[index + 1] - table[index])
    return (value + 512) // 1024 if v >= 0 else (2**25 - value + 511) // 1024


def tanh(v: int) -> int:
    table = sigmoid_table().tolist()
    index, rest = divmod(abs(v), 256)
    value = 0xFFFF << 8 if index >= 255 else table[index] * 256 + rest * (table[index + 1] - table[index])
    value -= 2**23
    return (value + 128) // 256 if v >= 0 else (-value + 127) // 256


def test_every_argument() -> None:
    v = 3 * INT16_CODES
    np.testing.assert_array_equal(logistic_by_table(v), [logistic(int(x)) for x in v])
    np.testing.assert_array_equal(tanh_by_table(v), [tanh(int(x)) for x in v])
    far = [2**31 - 1, INT32_MIN, 255 * 512, -255 * 512, 255 * 512 - 1, 255 * 256, 255 * 256 - 1]
    np.testing.assert_array_equal(logistic_by_table(far), [logistic(x) for x in far])
    np.testing.assert_array_equal(tanh_by_table(far), [tanh(x) for x in far])


def test_they_approximate_their_names() -> None:
    v = np.arange(-(1 << 18), 1 << 18, 5)
    real = v / 12288
    assert np.abs(logistic_by_table(v) / 2.0**15 - 1 / (1 + np.exp(-real))).max() < 2**-14
    assert np.abs(tanh_by_table(v) / 2.0**15 - np.tanh(real)).max() < 2**-12.5


@pytest.mark.parametrize(
    ("scale", "max_left_shift", "expected"),
    [
        (2.0**-12, 0, (3, 0)),
        (2.0**-12 * 1.0005, 0, (3, 0)),
        (2.0**-12 * 1.002, 0, (24625, 13)),
        (2.0**-11, 1, (6, 0)),
        (2.0**-11, 0, (24576, 12)),
        (2.0**-13, 1, (24576, 14)),
        (1.0, 0, (24576, 1)),
        (4.0, 0, (49152, 0)),
        (1e-12, 0, (26, 31)),
        (1e-14, 0, (INT32_MIN, 0)),  # a multiplier of 0, which TensorFlow Lite takes for a power of two
        (1e9, 0, (INT32_MIN, 0)),
    ],
)
def test_multiplier(scale: float, max_left_shift: int, expected: tuple[int, int]) -> None:
    assert table_multiplier(float(np.float32(scale)), max_left_shift) == expected


@given(st.floats(2.0**-40, 1.0, width=32))
def test_a_multiplier_has_15_bits(scale: float) -> None:
    multiplier, shift = table_multiplier(scale, 0)
    if shift:
        assert shift == 31 or 2**14 <= multiplier < 2**15
        assert multiplier == math.floor(scale * 12288 * 2**shift)


def test_powers_of_two() -> None:
    for exponent in (-40, -15, -1, 0, 7):
        assert checked_log2(2.0**exponent) == (True, exponent)
        assert checked_log2(2.0**exponent * 1.0006) == (True, exponent)
        assert checked_log2(2.0**exponent * 1.0008) == (False, exponent)
        assert checked_log2(2.0**exponent * 1.5)[0] is False
    assert checked_log2(0.0) == (False, INT32_MIN)
    assert checked_log2(-1.0)[0] is False


def test_scaling_of_every_code() -> None:
    # 24577 gives ties at odd multiples of 2048.
    for multiplier, shift in ((3, 0), (6, 0), (24577, 12), (26, 31), (1228800, 0), (INT32_MIN, 0)):
        rounding = 2 ** (shift - 1) if shift else 0
        expected = [wrap(int(q) * multiplier + rounding) // 2**shift for q in INT16_CODES]
        np.testing.assert_array_equal(scale_to_table(INT16_CODES, multiplier, shift), expected)
