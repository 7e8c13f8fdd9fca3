from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from int8rt.quantization.effective_scales import (
    float32_product_ratio,
    float32_quotient_ratio,
    float32_scale_ratio,
    scale_ratio,
    sum_multipliers,
)
from tests.quantization.exact import float32

scales = st.floats(2.0**-20, 2.0**6, width=32)


@given(scales, scales, scales)
def test_precision_of_every_operation(a: float, b: float, c: float) -> None:
    x, y, z = Fraction(a), Fraction(b), Fraction(c)
    assert scale_ratio(a, c) == a / c
    assert float32_scale_ratio(a, c) == float32(x / z)
    assert float32_product_ratio(a, b, c) == float32(float32(x * y) / z)
    assert float32_quotient_ratio(a, b, c) == float32(x / float32(y * z))
    assert sum_multipliers(a, b, c, 20) == (a / (2 * max(a, b)), b / (2 * max(a, b)), 2 * max(a, b) / (2**20 * c))


def test_float32_and_float64_ratios_differ() -> None:
    a, b = (float(float32(Fraction(n, 10))) for n in (1, 7))
    assert float32_scale_ratio(a, b) != scale_ratio(a, b)
    assert float32_product_ratio(a, a, b) != a * a / b


def test_scales_without_a_ratio_give_no_number() -> None:
    assert scale_ratio(1.0, 0.0) == float("inf")
    assert float32_scale_ratio(1e30, 1e-30) == float("inf")
    assert float32_product_ratio(0.0, 1.0, 0.0) != float32_product_ratio(0.0, 1.0, 0.0)
