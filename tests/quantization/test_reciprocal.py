from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from int8rt.quantization.multiplier import quantize_multiplier
from int8rt.quantization.reciprocal import (
    fixed_point_quotient,
    get_inv_sqrt_quantized_multiplier_exp,
    get_reciprocal,
    log_x_for_x_greater_than_or_equal_to_1,
)
from tests.quantization import gemmlowp
from tests.quantization.exact import boundary_values, int64

POSITIVE = [x for x in boundary_values() if x > 0]
positive = st.lists(st.integers(1, 2**31 - 1) | st.integers(1, 2**16), min_size=1, max_size=40)


def test_reciprocal_of_boundary_values() -> None:
    check_reciprocal([*POSITIVE, 2**31, 2**31 + 1, 2**32 - 1])


@given(positive)
def test_reciprocal(values: list[int]) -> None:
    check_reciprocal(values)


def check_reciprocal(values: list[int]) -> None:
    found, bits = get_reciprocal(int64(values), 12)
    expected = [gemmlowp.reciprocal(x, 12) for x in values]
    assert list(zip(found.tolist(), bits.tolist(), strict=True)) == expected
    real = found / 2.0**31 / 2.0**bits
    np.testing.assert_allclose(real, 2.0**19 / int64(values), rtol=2e-8)


def test_reciprocal_reads_negative_integers_as_unsigned() -> None:
    assert get_reciprocal(-(2**31), 12) == get_reciprocal(2**31, 12)
    assert get_reciprocal(-1, 12) == get_reciprocal(2**32 - 1, 12)


def test_inverse_sqrt_of_boundary_and_small_values() -> None:
    check_inverse_sqrt([*range(-3, 3000), *POSITIVE, -(2**31)])


@given(positive)
def test_inverse_sqrt(values: list[int]) -> None:
    check_inverse_sqrt(values)


def check_inverse_sqrt(values: list[int]) -> None:
    multiplier, shift = get_inv_sqrt_quantized_multiplier_exp(int64(values))
    expected = [gemmlowp.inverse_sqrt(x) for x in values]
    assert list(zip(multiplier.tolist(), shift.tolist(), strict=True)) == expected
    real = multiplier * 2.0 ** (shift - 31)
    np.testing.assert_allclose(real, 1 / np.sqrt(np.maximum(int64(values), 1)), rtol=2e-6)
    assert multiplier.max() < 2**31
    assert shift.max() <= 0


def test_logarithm_of_boundary_values() -> None:
    check_logarithm(POSITIVE, 12, 5)
    check_logarithm(POSITIVE, 20, 6)


def test_logarithm_of_a_sum_that_wrapped_around() -> None:
    values = [x for x in boundary_values() if x <= 0]
    found = log_x_for_x_greater_than_or_equal_to_1(int64(values), 12, 5)
    assert found.tolist() == [gemmlowp.logarithm(x, 12, 5) for x in values]


@given(positive)
def test_logarithm(values: list[int]) -> None:
    check_logarithm(values, 12, 5)


def check_logarithm(values: list[int], input_bits: int, output_bits: int) -> None:
    found = log_x_for_x_greater_than_or_equal_to_1(int64(values), input_bits, output_bits)
    assert found.tolist() == [gemmlowp.logarithm(x, input_bits, output_bits) for x in values]
    real = int64(values) / 2.0 ** (31 - input_bits)
    accurate = int64(values) >= 64
    np.testing.assert_allclose((found / 2.0 ** (31 - output_bits))[accurate], np.log(real)[accurate], atol=1e-6)


def test_quotients_of_codes_are_close_to_the_real_ones() -> None:
    """Where the result is large enough, so that nothing is shifted by more than 31."""
    numerator, denominator = (x.ravel() for x in np.meshgrid(np.arange(-255, 256), [-255, -7, -1, 1, 2, 3, 100, 254]))
    found = fixed_point_quotient(numerator, denominator, *quantize_multiplier(4000.0))
    real = 4000 * numerator / denominator
    large = np.abs(numerator) > 0
    np.testing.assert_allclose(found[large], real[large], rtol=1e-7, atol=0.5)


def test_the_smallest_numerators_are_shifted_too_far() -> None:
    # 0 counts 31 sign bits and 1 / 5 two more, which is beyond 31: so 0 / 5 becomes 1, as on an x86 processor.
    assert fixed_point_quotient([0, 0], [1, -5], *quantize_multiplier(0.5)).tolist() == [0, 1]


def test_few_and_many_quotients_are_the_same() -> None:
    denominator = np.array([3, -17, 250])
    many = fixed_point_quotient(np.full(999, 100), np.tile(denominator, 333), 1 << 30, 4)
    assert many[:3].tolist() == fixed_point_quotient([100] * 3, denominator, 1 << 30, 4).tolist()
