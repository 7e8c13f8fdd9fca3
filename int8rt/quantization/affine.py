"""The affine map of the quantization specification: real = (q - zero_point) · scale."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.quantization.rounding import float_to_int32, round_half_away


def quantize(
    real: npt.ArrayLike, scale: npt.ArrayLike, zero_point: npt.ArrayLike, dtype: npt.DTypeLike
) -> npt.NDArray[Any]:
    """q = clamp(round(real / scale) + zero_point), in `dtype` (an integer type).

    The quotient is taken in float32, ties round away from zero. `scale` and `zero_point` broadcast against `real`, so
    an axis with its own parameters needs them in a shape such as (1, 1, 1, n). Quotients beyond int32, infinities and
    NaN become -2^31 before the zero point is added with wrap-around, as on an x86 processor.
    Source: TensorFlow Lite kernels/internal/reference/quantize.h, AffineQuantize.
    """
    info = np.iinfo(np.dtype(dtype))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        rounded = round_half_away(np.asarray(real, np.float32) / np.asarray(scale, np.float32))
    shifted = np.add(float_to_int32(rounded), np.asarray(zero_point).astype(np.int32), dtype=np.int32)
    return np.clip(shifted, info.min, info.max).astype(dtype)


def dequantize(q: npt.ArrayLike, scale: npt.ArrayLike, zero_point: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """real = (q - zero_point) · scale in float32, the product taken in float64, in the shape of `q`.

    `scale` (real units a step) and `zero_point` (in steps) broadcast against `q`, as in `quantize`.
    Source: TensorFlow Lite kernels/internal/reference/dequantize.h.
    """
    steps = np.asarray(q).astype(np.int64) - np.asarray(zero_point, np.int64)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        return (steps * np.asarray(scale, np.float64)).astype(np.float32)


def dequantize_in_eights(q: npt.NDArray[Any], scale: float, zero_point: int) -> npt.NDArray[np.float32]:
    """As `dequantize`, but each whole eight of the flattened elements as q · scale + (-zero_point · scale) in float32.

    The optimized kernels do that with vector instructions, and some operators of the reference resolver call them.
    Source: TensorFlow Lite kernels/internal/optimized/optimized_ops.h, Dequantize.
    """
    eights = q.size // 8 * 8
    flat = q.reshape(-1)
    result = np.empty(flat.shape, np.float32)
    result[eights:] = dequantize(flat[eights:], scale, zero_point)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        offset = np.float32(np.float64(-zero_point) * scale)
        result[:eights] = flat[:eights].astype(np.float32) * np.float32(scale) + offset
    return result.reshape(q.shape)
