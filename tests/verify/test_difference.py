from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from int8rt.verify.difference import compare_arrays, unrepeatable


def test_equal_arrays() -> None:
    difference = compare_arrays(np.arange(6, dtype=np.int8).reshape(2, 3), np.arange(6, dtype=np.int8).reshape(2, 3))
    assert not difference
    assert (str(difference), difference.dtype, difference.shape, difference.elements) == ("equal", "int8", (2, 3), 6)


@pytest.mark.parametrize(
    ("dtype", "found", "expected", "largest"),
    [
        (np.int8, -128, 127, 255),
        (np.uint8, 0, 255, 255),
        (np.int32, -(2**31), 2**31 - 1, 2**32 - 1),
        (np.int64, -(2**63), 2**63 - 1, 2**64 - 1),
        (np.uint64, 0, 2**64 - 1, 2**64 - 1),
        (np.bool_, False, True, 1),
        (np.float32, 1.5, -1.0, 2.5),
        (np.float32, np.inf, 0.0, np.inf),
        (np.float32, np.nan, 0.0, np.inf),
        (np.float32, 0.0, -0.0, 0.0),
        (np.float16, 0.5, 0.25, 0.25),
        (np.complex64, 3j, 4, 5.0),
    ],
)
def test_one_element(dtype: Any, found: Any, expected: Any, largest: float) -> None:
    one, other = np.zeros((2, 3), dtype), np.zeros((2, 3), dtype)
    one[1, 2], other[1, 2] = found, expected
    difference = compare_arrays(one, other)
    assert (difference.different, difference.at, difference.largest) == (1, (1, 2), largest)
    assert "1 of 6 elements differ" in str(difference)


def test_nan_equals_nan_of_another_payload() -> None:
    one = np.array([0x7FC00000, 0x3F800000], np.uint32).view(np.float32)
    other = np.array([0xFFC00001, 0x3F800000], np.uint32).view(np.float32)
    assert not compare_arrays(one, other)


def test_non_contiguous_floats() -> None:
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert not compare_arrays(values.T, np.ascontiguousarray(values.T))
    assert compare_arrays(values.T, values.T[::-1]).different == 12


def test_scalars_and_strings() -> None:
    assert not compare_arrays(np.int8(3), np.int8(3))  # type: ignore[arg-type]
    strings = compare_arrays(np.array([b"a", b"b"], object), np.array([b"a", b"c"], object))
    assert (strings.different, strings.found, strings.expected) == (1, "b'b'", "b'c'")


def test_another_dtype_or_shape_is_a_mismatch() -> None:
    dtype = compare_arrays(np.zeros(3, np.int8), np.zeros(3, np.uint8))
    shape = compare_arrays(np.zeros((1, 3), np.int8), np.zeros(3, np.int8))
    assert (bool(dtype), str(dtype)) == (True, "dtype int8, LiteRT uint8")
    assert (bool(shape), str(shape)) == (True, "shape [1, 3], LiteRT [3]")


def test_elements_that_do_not_repeat_are_left_out() -> None:
    first, second = np.array([1, 2, 3], np.int8), np.array([1, 7, 3], np.int8)
    assert unrepeatable(first, first) is None
    chance = unrepeatable(first, second)
    assert chance is not None
    assert chance.tolist() == [False, True, False]
    left_out = compare_arrays(np.array([1, 9, 3], np.int8), first, chance)
    assert (bool(left_out), left_out.unrepeatable) == (False, 1)
    assert compare_arrays(np.array([1, 9, 4], np.int8), first, chance).at == (2,)
    other_shape = unrepeatable(first, np.zeros(2, np.int8))
    assert other_shape is not None
    assert other_shape.all()
