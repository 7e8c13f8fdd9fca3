"""Real multipliers out of the scales of a file, each in the precision in which TensorFlow Lite computes it.

One unit in the last place of a multiplier moves results that lie near a tie, so the order of the operations and the
type of every intermediate are part of the definition. All scales are the float32 numbers of the file, in real units a
quantized step; the results go to `multiplier.quantize_multiplier`. Convolutions have theirs in `multiplier`.
"""

from __future__ import annotations

import numpy as np


def scale_ratio(input_scale: float, output_scale: float) -> float:
    """input_scale / output_scale in float64: MEAN, SUM, and QUANTIZE between integer types."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return float(np.float64(np.float32(input_scale)) / np.float64(np.float32(output_scale)))


def float32_scale_ratio(input_scale: float, output_scale: float) -> float:
    """input_scale / output_scale in float32: RELU and its kin, PRELU and LEAKY_RELU of positive values, ABS."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        return float(np.float32(input_scale) / np.float32(output_scale))


def float32_product_ratio(scale1: float, scale2: float, output_scale: float) -> float:
    """scale1 · scale2 / output_scale, product and quotient both rounded to float32.

    MUL of TensorFlow Lite (kernels/mul.cc), PRELU of negative values, LEAKY_RELU with scale2 = alpha, and every
    multiplier of XNNPACK.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        return float(np.float32(scale1) * np.float32(scale2) / np.float32(output_scale))


def float32_quotient_ratio(scale1: float, scale2: float, output_scale: float) -> float:
    """scale1 / (scale2 · output_scale), product and quotient both rounded to float32: DIV (kernels/div.cc)."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        return float(np.float32(scale1) / (np.float32(scale2) * np.float32(output_scale)))


def sum_multipliers(
    input1_scale: float, input2_scale: float, output_scale: float, left_shift: int
) -> tuple[float, float, float]:
    """(input1, input2, output) multipliers of ADD and SUB in float64.

    Both inputs are brought to twice the larger scale, t, with `left_shift` more bits: s1 / t, s2 / t and
    t / (2^left_shift · output_scale). left_shift: 20 for 8-bit types, 15 for int16. Source: kernels/add.cc, sub.cc.
    """
    scale1, scale2, scale = np.float32(input1_scale), np.float32(input2_scale), np.float32(output_scale)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # These products are float32, which matters only where they overflow.
        twice = np.float64(np.float32(2) * np.maximum(scale1, scale2))
        output = twice / np.float64(np.float32(1 << left_shift) * scale)
        return float(scale1 / twice), float(scale2 / twice), float(output)


def squared_difference_multipliers(
    input1_scale: float, input2_scale: float, output_scale: float, left_shift: int
) -> tuple[float, float, float]:
    """(input1, input2, output) multipliers of SQUARED_DIFFERENCE in float64.

    As in `sum_multipliers`, with t² / (2^(2 · left_shift) · output_scale) for the square. left_shift: 7 for int8.
    Source: kernels/squared_difference.cc.
    """
    input1, input2, _ = sum_multipliers(input1_scale, input2_scale, output_scale, left_shift)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        twice = np.float64(np.float32(2) * np.maximum(np.float32(input1_scale), np.float32(input2_scale)))
        denominator = np.float32(1 << 2 * left_shift) * np.float32(output_scale)
        return input1, input2, float(twice * twice / np.float64(denominator))
