"""How SOFTMAX and LOG_SOFTMAX bring differences of 8-bit values to a fixed-point format.

A difference d = q - max(q) <= 0 times `multiplier` · 2^(left_shift - 31) is beta · scale · d in a format with
`input_integer_bits` integer bits. Source: TensorFlow Lite kernels/internal/quantization_util.cc.
"""

from __future__ import annotations

import math

from int8rt.quantization.multiplier import (
    quantize_multiplier_greater_than_one,
    quantize_multiplier_smaller_than_one,
)
from int8rt.quantization.single_rounding import rounds_once


def preprocess_softmax_scaling(beta: float, input_scale: float, input_integer_bits: int) -> tuple[int, int]:
    """(multiplier, left_shift) of beta · input_scale · 2^(31 - input_integer_bits), capped at 2^31 - 1.

    With single rounding the cap is 2^30 - 1 (see `single_rounding`).

    `beta` and `input_scale` are the float32 numbers of the file, multiplied in float64. `SpecError` where the product
    is 1 or less (beta 0, or scales below 2^-26 with 5 integer bits): TensorFlow Lite aborts the process there.
    """
    largest = (1 << (30 if rounds_once() else 31)) - 1.0
    real = min(beta * input_scale * (1 << (31 - input_integer_bits)), largest)
    return quantize_multiplier_greater_than_one(real)


def preprocess_log_softmax_scaling_exp(
    beta: float, input_scale: float, input_integer_bits: int
) -> tuple[int, int, int, int]:
    """(multiplier, left_shift, reverse_scaling_divisor, reverse_scaling_shift).

    The last two stand for the inverse, from the fixed-point format back to quantized steps; the shift is 0 or below.
    `SpecError` as in `preprocess_softmax_scaling`.
    """
    multiplier, left_shift = preprocess_softmax_scaling(beta, input_scale, input_integer_bits)
    reverse = quantize_multiplier_smaller_than_one((1 << (31 - left_shift)) / multiplier)
    return multiplier, left_shift, *reverse


def calculate_input_radius(input_integer_bits: int, input_left_shift: int, total_signed_bits: int = 31) -> int:
    """The largest difference, in quantized steps, that does not overflow the fixed-point format after the shift.

    floor((2^bits - 1) · 2^(total_signed_bits - bits) / 2^input_left_shift).
    """
    largest = ((1 << input_integer_bits) - 1) << (total_signed_bits - input_integer_bits)
    return math.floor(largest / (1 << input_left_shift))
