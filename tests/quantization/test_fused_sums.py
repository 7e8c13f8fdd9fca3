"""Sums by fused multiply-add beside exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from int8rt.quantization.fused_sums import factors, fused_sum, may_underflow
from int8rt.quantization.xnnpack import multiply_add

STEP = 2.0**-23


def one_sum(terms: list[tuple[float, float]], start: float = 0.0, tiny: bool = True) -> np.float32:
    pairs = [(factors(np.float32([x])), factors(np.float32([y]))) for x, y in terms]
    return fused_sum(pairs, np.float32(start), (1,), tiny)[0]  # type: ignore[no-any-return]


@pytest.mark.parametrize("sign", [1, -1])
def test_the_side_of_a_tie_decides(sign: int) -> None:
    # Close to the middle between two numbers, by less than float64 can tell.
    x, y, start = sign * (1 + STEP), STEP / 2 * (1 - STEP), 1 + STEP
    exact = Fraction(x) * Fraction(y) + Fraction(start)
    assert float(exact) == start + sign * STEP / 2
    assert one_sum([(x, y)], start) == start
    # In the middle itself the even neighbour is taken.
    assert one_sum([(sign, STEP / 2)], start) == start + sign * STEP


def test_small_numbers_are_zeros() -> None:
    smallest = float(np.finfo(np.float32).tiny)
    assert one_sum([(smallest, 1.0)]) == smallest
    below = one_sum([(smallest, -(1 - 2.0**-24))])
    assert below == 0
    assert np.signbit(below)
    assert one_sum([(1e-40, 1e30)]) == 0
    assert one_sum([(1.0, 1.0)], 1e-40) == 1


def test_random_sums() -> None:
    rng = np.random.default_rng(0)
    x, y = (rng.integers(-(2**20), 2**20, (50, 64)) * 2.0 ** rng.integers(-30, 4, (50, 64)) for _ in range(2))
    x, y = x.astype(np.float32), y.astype(np.float32)
    start = rng.normal(0, 1, 64).astype(np.float32)
    assert not may_underflow(x, y, start)
    expected = start
    for a, b in zip(x, y, strict=True):
        expected = multiply_add(a, b, expected)
    found = fused_sum(zip(factors(x), factors(y), strict=True), start, (64,), False)
    np.testing.assert_array_equal(found, expected)


def test_what_may_underflow() -> None:
    one, small = np.float32([1, 0]), np.float32([2.0**-60])
    assert not may_underflow(one, small, one)
    assert may_underflow(small, small, one)
    assert may_underflow(one, one, np.float32([2.0**-110]))
