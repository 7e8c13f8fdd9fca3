"""gemmlowp's fixed-point arithmetic: exp, logistic, tanh and the divisions they need, in pure integers.

F_k stands for a fixed-point number with k integer bits: in a word of 32 bits the integer `raw` means
raw / 2^(31 - k), in [-2^k, 2^k); in one of 16 bits raw / 2^(15 - k). The product of F_a and F_b is one doubling high
multiply and has the format F_(a+b); 1 in F_0 is the largest integer, just below 1. Every function takes and returns
raw integers (any integer dtype in, int64 out, shapes kept).

`word` chooses the width: INT32 or INT16. The 16-bit flavour has the same structure with every constant shortened to 16
bits. Source of all functions: gemmlowp fixedpoint/fixedpoint.h (the scalar code).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.quantization.rounding import (
    Int64Array,
    rounding_divide_by_pot,
    rounding_half_sum,
    saturating_rounding_doubling_high_mul,
)
from int8rt.quantization.rounding_int16 import saturating_rounding_doubling_high_mul_int16


@dataclass(frozen=True, slots=True)
class Word:
    """A word of fixed-point arithmetic: its width in bits and the product of two of its numbers."""

    bits: int
    multiply: Callable[[npt.ArrayLike, npt.ArrayLike], Int64Array]

    @property
    def max(self) -> int:
        """The largest integer of the word: 1 in F_0."""
        return (1 << (self.bits - 1)) - 1

    def one(self, integer_bits: int) -> int:
        """The raw integer of 1 in F_(integer_bits)."""
        return 1 << (self.bits - 1 - integer_bits) if integer_bits else self.max

    def constant(self, raw: int) -> int:
        """A constant given as a 32-bit raw integer, rounded to this word."""
        return int(rounding_divide_by_pot(raw, 32 - self.bits))

    def rescale(self, raw: npt.ArrayLike, integer_bits: int, to_integer_bits: int) -> Int64Array:
        """The same number in a format with `to_integer_bits`: saturated where fewer, rounded (ties away) where more."""
        raw = np.asarray(raw, np.int64)
        if to_integer_bits >= integer_bits:
            return rounding_divide_by_pot(raw, to_integer_bits - integer_bits)
        shifted: Int64Array = np.clip(raw << (integer_bits - to_integer_bits), -self.max - 1, self.max)
        return shifted

    def wrap(self, raw: Int64Array) -> Int64Array:
        """Two's complement of this width, as the sum of two words overflows."""
        return ((raw + self.max + 1) & (2 * self.max + 1)) - self.max - 1


INT32 = Word(32, saturating_rounding_doubling_high_mul)
INT16 = Word(16, saturating_rounding_doubling_high_mul_int16)

# exp(-2^e) in F_0, 32 bits, for each bit e of the argument from 1/4 up.
_EXP_OF_BITS = {-2: 1672461947, -1: 1302514674, 0: 790015084, 1: 290630308, 2: 39332535, 3: 720401, 4: 242}


def exp_on_interval_between_negative_one_quarter_and_0_excl(a: npt.ArrayLike, word: Word = INT32) -> Int64Array:
    """exp(a) in F_0 for -1/4 <= a < 0 in F_0: four terms of the Taylor series around -1/8."""
    constant_term, one_third = word.constant(1895147668), word.constant(715827883)  # exp(-1/8), 1/3
    x = np.asarray(a, np.int64) + word.one(3)  # 1/8 in F_0 is written as 1 in F_3
    x2 = word.multiply(x, x)
    x3 = word.multiply(x2, x)
    x4 = word.multiply(x2, x2)
    quarter = rounding_divide_by_pot(x4, 2)
    tail = rounding_divide_by_pot(word.multiply(quarter + x3, one_third) + x2, 1)  # x²/2 + x³/6 + x⁴/24
    result: Int64Array = np.minimum(constant_term + word.multiply(constant_term, x + tail), word.max)
    return result


def exp_on_negative_values(a: npt.ArrayLike, integer_bits: int, word: Word = INT32) -> Int64Array:
    """exp(a) in F_0 for a <= 0 in F_(integer_bits); 0 <= integer_bits <= 29 (13 for INT16).

    The part of `a` above 1/4 is taken bit by bit with a table of exp(-2^e), the rest by a polynomial. With more than 5
    integer bits everything below -32 becomes 0; exp(0) is 1 - 2^-31 (1 - 2^-15).
    """
    a = np.asarray(a, np.int64)
    fraction_bits = word.bits - 1 - integer_bits
    one_quarter = 1 << (fraction_bits - 2)
    remainder_below_quarter = (a & (one_quarter - 1)) - one_quarter
    result = exp_on_interval_between_negative_one_quarter_and_0_excl(
        word.rescale(remainder_below_quarter, integer_bits, 0), word
    )
    quarters = remainder_below_quarter - a
    for exponent, factor in _EXP_OF_BITS.items():
        if integer_bits > exponent:
            bit = (quarters >> (fraction_bits + exponent)) & 1
            result = np.where(bit == 1, word.multiply(result, word.constant(factor)), result)
    if integer_bits > 5:
        result = np.where(a < -(1 << (fraction_bits + 5)), 0, result)
    return np.where(a == 0, word.max, result)


def one_over_one_plus_x_for_x_in_0_1(x: npt.ArrayLike, word: Word = INT32) -> Int64Array:
    """1 / (1 + x) in F_0 for 0 <= x < 1 in F_0."""
    return word.rescale(_reciprocal_of_half_sum(x, word), 1, 0)  # half of F_2 is F_1


def one_minus_x_over_one_plus_x_for_x_in_0_1(x: npt.ArrayLike, word: Word = INT32) -> Int64Array:
    """(1 - x) / (1 + x) in F_0 for 0 <= x < 1 in F_0."""
    return word.rescale(_reciprocal_of_half_sum(x, word) - word.one(2), 2, 0)


def logistic(a: npt.ArrayLike, integer_bits: int, word: Word = INT32) -> Int64Array:
    """The logistic function 1 / (1 + e^-a) in F_0, for any a in F_(integer_bits).

    Exactly one half at 0; below 0, 1 less the value at -a.
    """
    a = np.asarray(a, np.int64)
    positive = one_over_one_plus_x_for_x_in_0_1(exp_on_negative_values(-np.abs(a), integer_bits, word), word)
    return np.where(a == 0, word.one(1), np.where(a > 0, positive, word.max - positive))


def tanh(a: npt.ArrayLike, integer_bits: int, word: Word = INT32) -> Int64Array:
    """The hyperbolic tangent in F_0, for any a in F_(integer_bits): (1 - y) / (1 + y) of y = exp(-2 |a|), odd in a."""
    a = np.asarray(a, np.int64)
    # Twice the argument is the same integer with one more integer bit.
    y = exp_on_negative_values(-np.abs(a), integer_bits + 1, word)
    result: Int64Array = np.sign(a) * one_minus_x_over_one_plus_x_for_x_in_0_1(y, word)
    return result


def _reciprocal_of_half_sum(x: npt.ArrayLike, word: Word) -> Int64Array:
    """2 / (1 + x) in F_2 for 0 <= x < 1 in F_0: Newton-Raphson division, three steps from a linear first guess."""
    half_denominator = rounding_half_sum(x, word.max)
    guess = word.constant(1515870810)  # 48/17 in F_2
    slope = word.constant(-1010580540)  # -32/17 in F_2
    y = guess + word.multiply(half_denominator, slope)
    for _ in range(3):
        error = word.one(2) - word.multiply(half_denominator, y)
        y = word.wrap(y + word.rescale(word.multiply(y, error), 4, 2))
    return y
