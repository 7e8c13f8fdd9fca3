"""Ways in which other runtimes round, or could get it wrong: what `int8rt identify` tries beside those of `rescale`.

Whatever is said of LiteRT's optimized kernels and of XNNPACK is so on x86 processors, measured on ai-edge-litert 2.3.0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.quantization.multiplier import quantize_multiplier
from int8rt.quantization.requantize import multiply_by_quantized_multiplier
from int8rt.quantization.rescale import multiply_by_quantized_multiplier_ties_up
from int8rt.quantization.rounding import (
    Int64Array,
    round_half_away,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
    wrap_int32,
)

Array = npt.NDArray[Any]


def multiply_truncate(x: npt.ArrayLike, real_multiplier: npt.ArrayLike) -> Int64Array:
    """x · real_multiplier in float64, toward zero: a plain conversion of C, a likely mistake."""
    return np.asarray(np.trunc(np.asarray(x, np.float64) * np.asarray(real_multiplier)), np.int64)


def multiply_floor(x: npt.ArrayLike, real_multiplier: npt.ArrayLike) -> Int64Array:
    """x · real_multiplier in float64, down: a shift to the right without rounding."""
    return np.asarray(np.floor(np.asarray(x, np.float64) * np.asarray(real_multiplier)), np.int64)


def vectorized_mean(total: Int64Array, count: int, input: tuple[float, int], output: tuple[float, int]) -> Int64Array:
    """The mean over height and width as LiteRT's optimized kernel has it, with the output's zero point, unclamped.

    total: [..., channels], sums of the codes as they are. input, output: (scale, zero point). Channels in blocks of 16
    round twice with ties up, the rest as the reference. Source: TensorFlow Lite optimized/integer_ops/mean.h.
    """
    input_scale, output_scale = np.float32(input[0]), np.float32(output[0])
    offset = np.float32(np.float32(input[1]) * input_scale) / output_scale
    bias = output[1] - int(np.trunc(np.float64(offset) + (0.5 if offset > 0 else -0.5)))
    multiplier, shift = quantize_multiplier(float(input_scale / np.float32(np.float32(count) * output_scale)))
    blocks = total.shape[-1] // 16 * 16
    scaled = np.concatenate(
        [
            multiply_by_quantized_multiplier_ties_up(total[..., :blocks], multiplier, shift),
            multiply_by_quantized_multiplier(total[..., blocks:], multiplier, shift),
        ],
        axis=-1,
    )
    return scaled + bias


def xnnpack_mean(total: Int64Array, count: int, input: tuple[float, int], output: tuple[float, int]) -> Int64Array:
    """The mean in float32, ties to even, with the output's zero point, unclamped; arguments as `vectorized_mean`.

    Measured on XNNPACK.
    """
    one = np.float32(1)
    scale = np.float32(np.float32(input[0]) / np.float32(output[0])) * (one / np.float32(count))
    offset = np.float32(output[1]) - np.float32(count * input[1]) * scale
    mean: Int64Array = np.rint(total.astype(np.float32) * scale + offset).astype(np.int64)
    return mean


def divide(x: Int64Array, divisor: Int64Array, how: str) -> Int64Array:
    """x / divisor rounded; how: "half away", "half up", "half even", "truncate" or "floor". Exact for int32 numbers."""
    doubled = 2 * x
    if how == "half away":
        return np.asarray(np.sign(x) * ((np.abs(doubled) + divisor) // (2 * divisor)))
    if how == "half up":
        return (doubled + divisor) // (2 * divisor)
    if how == "half even":
        return np.rint(x / divisor).astype(np.int64)
    return np.sign(x) * (np.abs(x) // divisor) if how == "truncate" else x // divisor


def round_real(x: npt.NDArray[np.floating[Any]], how: str) -> Int64Array:
    """A real number to an integer; how: "half away", "half even", "half up" or "truncate"."""
    if how == "half even":
        return np.asarray(np.rint(x), np.int64)
    if how == "half up":
        return np.asarray(np.floor(x + x.dtype.type(0.5)), np.int64)
    if how == "truncate":
        return np.asarray(np.trunc(x), np.int64)
    return np.asarray(round_half_away(x), np.int64)


def rescale_sum(total: Int64Array, multiplier: int, shift: int) -> Int64Array:
    """The sum of ADD in steps of the output, with two roundings; total: at the common scale, in int32."""
    return rounding_divide_by_pot(saturating_rounding_doubling_high_mul(wrap_int32(total), multiplier), -shift)


def xnnpack_sigmoid_table(input: tuple[float, int], output: tuple[float, int], dtype: np.dtype[Any]) -> Array:
    """T[256] by the input code read as unsigned: the sigmoid in float64, the zero point added in float32 before the
    rounding, ties to even. Measured on XNNPACK.
    """
    codes = np.arange(256).astype(np.uint8).view(dtype).astype(np.int64)
    x = ((codes - input[1]) * np.float64(np.float32(input[0]))).astype(np.float32).astype(np.float64)
    e = np.exp(-np.abs(x))
    y = (np.where(x > 0, 1.0, e) / (1 + e)).astype(np.float32)
    info = np.iinfo(dtype)
    codes32 = y * (np.float32(1) / np.float32(output[0])) + np.float32(output[1])
    table: Array = np.clip(np.rint(codes32), info.min, info.max).astype(dtype)
    return table


def float32_softmax(exponentials: npt.NDArray[np.float32], scale: float, zero_point: int, unsigned: bool) -> Int64Array:
    """SOFTMAX of LiteRT's optimized kernels: `exponentials` [..., n] added up in their order, in float32.

    Ties go away from zero for int8; for uint8 half a step is added and the rest cut off.
    Source: TensorFlow Lite optimized/optimized_ops.h, Softmax with a table.
    """
    total = np.add.accumulate(exponentials, axis=-1)[..., -1:]
    probability = exponentials * (np.float32(1) / (total * np.float32(scale)))
    if unsigned:
        return np.trunc(probability + np.float32(0.5)).astype(np.int64) + zero_point
    return round_real(probability, "half away") + zero_point
