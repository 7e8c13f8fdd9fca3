"""gemmlowp's fixed-point functions once more, on single Python integers and with the overflows of C.

Every product, rounding and narrowing is that of `exact`, and every sum of two words wraps around, so that the
vectorised functions are compared with the plainest reading of the algorithm, step by step.
"""

from __future__ import annotations

from fractions import Fraction

from tests.quantization.exact import clamp, half_away, high_mul, wrap

EXP_OF_BITS = (
    (-2, 1672461947),
    (-1, 1302514674),
    (0, 790015084),
    (1, 290630308),
    (2, 39332535),
    (3, 720401),
    (4, 242),
)


class Machine:
    """A processor with words of `bits` bits."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self.top = 2 ** (bits - 1) - 1

    def mul(self, a: int, b: int) -> int:
        return high_mul(a, b, self.bits)

    def add(self, a: int, b: int) -> int:
        return wrap(a + b, self.bits)

    def pot(self, x: int, exponent: int) -> int:
        if exponent < 0:
            return half_away(x, 2**-exponent)
        return clamp(x * 2**exponent, self.bits)

    def constant(self, raw: int) -> int:
        return half_away(raw, 2 ** (32 - self.bits))

    def exp_interval(self, a: int) -> int:
        eighth = 2 ** (self.bits - 4)
        x = self.add(a, eighth)
        x2 = self.mul(x, x)
        x3 = self.mul(x2, x)
        x4 = self.mul(x2, x2)
        inner = self.add(self.mul(self.add(self.pot(x4, -2), x3), self.constant(715827883)), x2)
        sum_ = self.add(x, self.pot(inner, -1))
        term = self.constant(1895147668)
        total = term + self.mul(term, sum_)
        return clamp(total, 16) if self.bits == 16 else wrap(total)

    def exp(self, a: int, integer_bits: int) -> int:
        assert a <= 0
        if a == 0:
            return self.top
        fraction_bits = self.bits - 1 - integer_bits
        quarter = 2 ** (fraction_bits - 2)
        if integer_bits > 5 and Fraction(a, 2**fraction_bits) < -32:
            return 0
        part = a % quarter - quarter
        result = self.exp_interval(self.pot(part, integer_bits))
        for exponent, factor in EXP_OF_BITS:
            if integer_bits > exponent and (part - a) // 2 ** (fraction_bits + exponent) % 2:
                result = self.mul(result, self.constant(factor))
        return result

    def newton(self, x: int) -> int:
        half = half_away(x + self.top, 2)
        y = self.add(self.constant(1515870810), self.mul(half, self.constant(-1010580540)))
        for _ in range(3):
            error = self.add(2 ** (self.bits - 3), -self.mul(half, y))
            y = self.add(y, self.pot(self.mul(y, error), 2))
        return y

    def one_over_one_plus(self, x: int) -> int:
        return self.pot(self.newton(x), 1)

    def logistic(self, a: int, integer_bits: int) -> int:
        if a == 0:
            return 2 ** (self.bits - 2)
        positive = self.one_over_one_plus(self.exp(-abs(a), integer_bits))
        return positive if a > 0 else self.top - positive

    def tanh(self, a: int, integer_bits: int) -> int:
        if a == 0:
            return 0
        y = self.exp(-abs(a), integer_bits + 1)
        positive = self.pot(self.add(self.newton(y), -(2 ** (self.bits - 3))), 2)
        return positive if a > 0 else -positive


MACHINE32, MACHINE16 = Machine(32), Machine(16)


def clz(x: int) -> int:
    return 32 - (x % 2**32).bit_length()


def reciprocal(x: int, integer_digits: int) -> tuple[int, int]:
    shifted = (x % 2**32) << clz(x)
    return MACHINE32.one_over_one_plus(shifted - 2**31), integer_digits - clz(x)


def inverse_sqrt(x: int) -> tuple[int, int]:
    if x <= 1:
        return 2**31 - 1, 0
    m, shift = MACHINE32, 11
    while x >= 2**29:
        x //= 4
        shift += 1
    pairs = (clz(x) - 1) // 2 - 1
    shift -= pairs
    x <<= 2 * pairs
    half_input = m.pot(x >> 1, -1)
    y = 2**28
    for _ in range(5):
        cube = m.pot(m.mul(m.mul(y, y), y), 6)
        y = m.pot(m.add(m.mul(3 * 2**27, y), -m.mul(half_input, cube)), 3)
    y = m.mul(y, 1518500250)
    return (y << max(-shift, 0)), -max(shift, 0)


def shift_left(x: int, exponent: int) -> int:
    if exponent < 0:  # the threshold of saturation is then 1 << 32, which is 1 on x86, less 1
        return 2**31 - 1 if x > 0 else -(2**31) if x < 0 else 0
    return clamp(x << exponent)


def logarithm(x: int, input_bits: int, output_bits: int) -> int:
    m, bits = MACHINE32, output_bits + 1
    quarter = m.pot(2**29, -bits)
    root, root_of_root = 1518500250, 1805811301
    head_a = clz(x)
    r_a = shift_left(m.mul(shift_left(x, head_a - 1), root), 1)
    z_a = clamp(shift_left(input_bits - head_a, 31 - bits) + quarter)
    head_b = clz(m.mul(x, root)) - 1
    r_b = shift_left(x, head_b)
    z_b = clamp(shift_left(input_bits - head_b, 31 - bits) - quarter)
    r, z = min(r_a, r_b), max(z_a, z_b)
    p = half_away(r + root_of_root, 2)
    q = m.add(r, -root_of_root)
    q = m.add(q, q)
    square = m.mul(q, q)
    numerator = m.add(m.mul(q, r), m.mul(m.mul(q, square), 117049297))
    inner = m.add(m.add(1057819769, q), m.mul(127690142, square))
    denominator = m.add(m.mul(p, inner), m.mul(638450708, q))
    log_r = m.mul(m.pot(numerator, -bits), m.one_over_one_plus(denominator))
    return m.pot(m.add(m.mul(z, 1488522236), log_r), 1)
