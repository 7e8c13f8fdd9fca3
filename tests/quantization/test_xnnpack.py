"""XNNPACK's arithmetic by hand-checked numbers; tests/differential/test_xnnpack.py has it beside LiteRT."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from int8rt.model import ActivationFunctionType
from int8rt.quantization import xnnpack


def test_activation_bounds_are_rounded_with_their_zero_point() -> None:
    # 6 / 4 + 1 = 2.5 becomes 2, where TensorFlow Lite has 1 + round(1.5) = 3; 6 / 12 becomes 0, not 1.
    relu6 = ActivationFunctionType.RELU6
    assert xnnpack.activation_range(relu6, 4.0, 1, np.int8) == (1, 2)
    assert xnnpack.activation_range(relu6, 12.0, 0, np.int8) == (0, 0)
    assert xnnpack.activation_range(ActivationFunctionType.NONE, 1e-30, 5, np.uint8) == (0, 255)


def test_sum_of_codes() -> None:
    # Ratios 1/2 and 1/4: 2^-1 has exponent -1, so that the shift is 21 and the multipliers are 2^20 and 2^19.
    total = xnnpack.sum_of_codes(np.float32(0.5), 3, np.float32(-0.25), -1)
    assert (total.multiplier1, total.multiplier2, total.shift) == (1 << 20, -(1 << 19), 21)
    codes1, codes2 = np.array([4, 4, 2], np.int8), np.array([-1, 1, -1], np.int8)
    # 1/2, 1/2 - 1/2 and -1/2: ties go up.
    assert total(codes1, codes2).tolist() == [1, 0, 0]


def test_rescaling_has_eight_fractional_bits() -> None:
    assert xnnpack.in_256ths(np.float32(0.3)) == 77
    codes = np.array([-128, 0, 5, 127], np.int8)
    # (v · 77 + 128) >> 8 of v = -128, 0, 5 and 127: -38.5 and 1.5039 and 38.2.
    assert xnnpack.rescale_by_256ths(codes, 0, 77, 0).tolist() == [-38, 0, 2, 38]
    assert xnnpack.rescale_by_256ths(codes, 0, 256, 100).tolist() == [-28, 100, 105, 127]


def test_quantize_takes_ties_to_even_and_saturates() -> None:
    real = np.array([0.5, 1.5, 2.5, -0.5, 1e30, -np.inf, np.nan], np.float32)
    assert xnnpack.quantize(real, 1.0, 1, np.int8).tolist() == [1, 3, 3, 1, 127, -128, 127]


def test_ranges_hold_zero() -> None:
    rows = np.array([[1, 2, 3], [0, 0, 0], [-1, 0, 1]], np.float32)
    found = xnnpack.quantize_dynamically(rows)
    assert found is not None
    # 255 / 3 = 85 codes a unit from -128 on; nothing to scale; 127.5 codes a unit around a zero point of 0 or -0.5.
    assert found.codes[:2].tolist() == [[-43, 42, 127], [found.zero_point[1]] * 3]
    assert found.zero_point[0] == -128
    assert found.inverse_scale[:2].tolist() == [np.float32(1) / np.float32(85), 1]
    assert xnnpack.quantize_dynamically(np.array([[3e38, -3e38]], np.float32)) is None


@pytest.mark.parametrize("exponent", [0, 20, 24, 30])
def test_multiply_add_rounds_once(exponent: int) -> None:
    rng = np.random.default_rng(exponent)
    x, y, z = (rng.normal(0, 1, 2000).astype(np.float32) for _ in range(3))
    z = np.ldexp(z, rng.integers(-exponent, exponent + 1, 2000)).astype(np.float32)
    for a, b, c, found in zip(x, y, z, xnnpack.multiply_add(x, y, z), strict=True):
        exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
        neighbours = [np.nextafter(found, np.float32(-np.inf)), found, np.nextafter(found, np.float32(np.inf))]
        distances = [abs(Fraction(float(each)) - exact) for each in neighbours]
        assert distances[1] == min(distances)


def test_a_sum_just_above_a_tie_is_not_rounded_twice() -> None:
    # 1 + 2^-24 + 2^-60: rounded to float64 first, the last term is lost, and the tie would go to 1.
    x, y, z = np.float32(2.0**-30), np.float32(2.0**-30), np.float32(1 + 2.0**-23)
    assert xnnpack.multiply_add(x, y, z) == z
    product, addend = np.float32(1 + 2.0**-12), np.float32(2.0**-60)
    square = Fraction(float(product)) ** 2
    assert square - 1 - Fraction(2.0**-11) == Fraction(2.0**-24)
    assert xnnpack.multiply_add(product, product, addend) == np.float32(1 + 2.0**-11 + 2.0**-23)
    assert xnnpack.multiply_add(product, product, np.float32(0)) == np.float32(1 + 2.0**-11)
