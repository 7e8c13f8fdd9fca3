"""What the vector instructions in TensorFlow Lite's optimized kernels compute otherwise than the code after them.

Those kernels take whole blocks of elements with vector instructions and what is left over as the reference kernels do,
so that a result depends on where its element is. Measured on ai-edge-litert 2.3.0, x86-64.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.quantization.requantization import Rounding
from int8rt.quantization.requantize import Requantization, requantize
from int8rt.quantization.rounding import (
    Int64Array,
    float_to_int32,
    round_half_away,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
    wrap_int32,
)


def in_blocks(count: int, block: int, run: int | None = None) -> npt.NDArray[np.bool_]:
    """bool[count]: which elements are in a whole block. run: after so many elements the blocks start again."""
    run = count if run is None else run
    return np.arange(count) % max(run, 1) < run // block * block


def scale_input_in_one(
    codes: npt.NDArray[Any], offset: int, multiplier: int, shift: int, left_shift: int
) -> Int64Array:
    """An input of ADD at the common scale: shifted by left_shift + shift at once, then the doubling high multiply.

    int8 and int16 codes; -31 <= shift <= 0. A negative sum of both shifts rounds down.
    Source: TensorFlow Lite optimized/integer_ops/add.h, AddElementwiseInt8 and AddElementwiseInt16.
    """
    values, total = codes.astype(np.int64) + offset, left_shift + shift
    shifted = wrap_int32(values << total) if total >= 0 else values >> -total
    return saturating_rounding_doubling_high_mul(shifted, multiplier)


def scale_input_down(codes: npt.NDArray[Any], offset: int, multiplier: int, shift: int, left_shift: int) -> Int64Array:
    """An input of ADD at the common scale: the last shift, to the right, rounds down. -31 <= shift <= 0.

    Source: TensorFlow Lite optimized/optimized_ops.h, AddElementwise for uint8, and AddScalarBroadcast.
    """
    shifted = wrap_int32((codes.astype(np.int64) + offset) << left_shift)
    return saturating_rounding_doubling_high_mul(shifted, multiplier) >> -shift


def rescale_to_int16(total: npt.NDArray[Any], parameters: Requantization) -> npt.NDArray[Any]:
    """8-bit sums of ADD: as Rounding.DOUBLE, but the result is cut to int16 before the zero point comes, saturating.

    Source: as `scale_input_down`.
    """
    high = saturating_rounding_doubling_high_mul(total, parameters.multiplier)
    narrow = rounding_divide_by_pot(high, -parameters.shift.astype(np.int64)).astype(np.int16)
    shifted = (narrow.astype(np.int64) + parameters.zero_point).astype(np.int16)
    return np.clip(shifted, parameters.activation_min, parameters.activation_max).astype(parameters.dtype)


def quantize_in_eights(
    real: npt.NDArray[np.float32], scale: float, zero_point: int, dtype: npt.DTypeLike, low: int, high: int
) -> npt.NDArray[Any]:
    """Real numbers [n] to codes: whole eights by the reciprocal of the scale in float32, ties to even.

    The elements after them are divided in float64, ties away from zero. low, high: the clamp. Beyond int32 as in
    `affine.quantize`. Source: TensorFlow Lite optimized/optimized_ops.h, AffineQuantize.
    """
    eights = real.size // 8 * 8
    with np.errstate(all="ignore"):
        vector = np.rint(real[:eights] * np.float32(1.0 / np.float64(scale)))
        rest = round_half_away(real[eights:].astype(np.float64) / np.float64(scale))
    whole = np.concatenate([float_to_int32(vector), float_to_int32(rest)])
    shifted = np.add(whole, np.int32(zero_point), dtype=np.int32)
    codes: npt.NDArray[Any] = np.clip(shifted, low, high).astype(dtype)
    return codes


def requantize_in_sixteens(steps: npt.NDArray[np.int32], parameters: Requantization) -> npt.NDArray[Any]:
    """Codes without their zero point [n]: whole sixteens with Rounding.TIES_UP, the elements after them with DOUBLE.

    Source: TensorFlow Lite optimized/optimized_ops.h, Requantize.
    """
    sixteens = steps.size // 16 * 16
    vector = requantize(steps[:sixteens], replace(parameters, rounding=Rounding.TIES_UP))
    return np.concatenate([vector, requantize(steps[sixteens:], parameters)])


def sum_in_float32(
    total: npt.NDArray[Any], count: int, input: tuple[float, int], output: tuple[float, int], dtype: np.dtype[Any]
) -> npt.NDArray[Any]:
    """SUM of codes: total · (ratio of scales) + offset in float32, ties away from zero.

    input, output: (scale, zero point). Source: TensorFlow Lite optimized/reduce.h, QuantizedMeanOrSum.
    """
    info = np.iinfo(dtype)
    ratio = np.float32(input[0]) / np.float32(output[0])
    offset = np.float32(np.float32(np.float32(-input[1]) * ratio) * np.float32(count))
    rounded = round_half_away(total.astype(np.float32) * ratio + offset)
    codes: npt.NDArray[Any] = np.clip(rounded.astype(np.float64) + output[1], info.min, info.max).astype(dtype)
    return codes


def mean_bias_and_scale(input: tuple[float, int], output: tuple[float, int], count: int) -> tuple[int, float]:
    """(bias, scale) of a mean of `count` codes: bias + scale · (their sum). input, output: (scale, zero point).

    All in float32; the bias is rounded by adding a half away from zero, and then truncated.
    Source: TensorFlow Lite optimized/integer_ops/mean.h, Mean.
    """
    scale, output_scale = np.float32(input[0]), np.float32(output[0])
    with np.errstate(all="ignore"):
        offset = np.float32(input[1]) * scale / output_scale
        offset = offset + np.float32(0.5) if offset > 0 else offset - np.float32(0.5)
        real = scale / (np.float32(count) * output_scale)
    return output[1] - int(float_to_int32(offset)), float(real)
