"""The definitions that the tests compare with: Python integers and fractions, written without any code of int8rt."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

import numpy as np
import numpy.typing as npt

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1


def half_away(n: Fraction | int, d: int = 1) -> int:
    """n / d to the nearest integer, ties away from zero."""
    magnitude = (2 * abs(n) + d) // (2 * d)
    return magnitude if n >= 0 else -magnitude


def half_up(n: Fraction | int, d: int = 1) -> int:
    """n / d to the nearest integer, ties toward plus infinity."""
    return (2 * n + d) // (2 * d)


def wrap(x: int, bits: int = 32) -> int:
    """Two's complement."""
    return (x + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)


def clamp(x: int, bits: int = 32) -> int:
    """Saturation to a signed word."""
    return max(-(2 ** (bits - 1)), min(2 ** (bits - 1) - 1, x))


def high_mul(a: int, b: int, bits: int = 32) -> int:
    """2·a·b / 2^bits, ties up, saturated."""
    return clamp(half_up(2 * a * b, 2**bits), bits)


def float32(x: Fraction | int) -> Fraction:
    """The nearest float32, ties to even; normal numbers only."""
    x = Fraction(x)
    if x == 0:
        return x
    exponent = math.floor(math.log2(abs(x)))
    while abs(x) >= Fraction(2) ** (exponent + 1):
        exponent += 1
    while abs(x) < Fraction(2) ** exponent:
        exponent -= 1
    assert -126 <= exponent < 127
    step = Fraction(2) ** (exponent - 23)
    return round(x / step) * step


def boundary_values(bits: int = 32) -> list[int]:
    """0, the ends of the type, and what surrounds every power of two and one and a half times it."""
    top = 2 ** (bits - 1)
    values = {0, 3, -3, 5, -5, top - 1, -top, 1 - top}
    for exponent in range(bits - 1):
        for middle in (2**exponent, 3 * 2**exponent):
            values |= {sign * (middle + step) for sign in (1, -1) for step in (-1, 0, 1)}
    return sorted(value for value in values if -top <= value < top)


def int64(values: Iterable[int]) -> npt.NDArray[np.int64]:
    """An array of Python integers."""
    return np.array(list(values), np.int64)
