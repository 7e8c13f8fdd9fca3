from __future__ import annotations

import numpy as np

from int8rt.quantization.bfloat16 import bfloat16_to_float32, float32_to_bfloat16


def test_every_bfloat16_comes_back() -> None:
    bits = np.arange(1 << 16).astype(np.uint16)
    numbers = bfloat16_to_float32(bits)
    back = float32_to_bfloat16(numbers)
    nan = np.isnan(numbers)
    np.testing.assert_array_equal(back[~nan], bits[~nan])
    np.testing.assert_array_equal(back[nan], np.where(bits[nan] >> 15, 0xFFC0, 0x7FC0))


def test_numbers_between_two_take_the_nearest_and_ties_the_even_one() -> None:
    bits = np.arange(0, 0x7F7F).astype(np.uint16)  # all finite ones that have one above
    for below, up in ((0x7FFF, 0), (0x8000, bits & 1), (0x8001, 1)):
        x = ((bits.astype(np.uint32) << 16) + np.uint32(below)).view(np.float32)
        np.testing.assert_array_equal(float32_to_bfloat16(x), bits + up)
        np.testing.assert_array_equal(float32_to_bfloat16(-x), (bits + up) | 0x8000)


def test_more_than_the_largest_is_infinite() -> None:
    assert float32_to_bfloat16(np.array([np.finfo(np.float32).max])).tolist() == [0x7F80]
