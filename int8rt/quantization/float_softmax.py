"""SOFTMAX and LOG_SOFTMAX of codes in float32, as TensorFlow Lite's optimized kernels compute them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.quantization import libm
from int8rt.quantization.rounding import float_to_int32, round_half_away

Float32Array = npt.NDArray[np.float32]


def exponentials(scale: float, beta: float) -> Float32Array:
    """float32[256]: e^(-scale · beta · d) for d from 0 to 255.

    Source: TensorFlow Lite optimized/optimized_ops.h, PopulateSoftmaxLookupTable.
    """
    step = -np.float32(scale) * np.float32(beta)
    with np.errstate(over="ignore"):
        return np.asarray(libm.exp(step * np.arange(256, dtype=np.float32)), np.float32)


def probabilities(terms: Float32Array, output_scale: float, zero_point: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Each term [n, depth] over the sum of its row, as codes: ties away from zero, for uint8 up.

    The sum is taken in order. Source: TensorFlow Lite optimized/optimized_ops.h, Softmax for quantized types.
    """
    with np.errstate(all="ignore"):
        inverse = np.float32(1) / (_sums(terms) * np.float32(output_scale))
        rescaled = terms * inverse
    if dtype == np.uint8:  # which leaves the zero point out
        codes = float_to_int32(rescaled + np.float32(0.5)).astype(np.int64)
    else:
        codes = float_to_int32(round_half_away(rescaled)).astype(np.int64) + zero_point
    info = np.iinfo(dtype)
    return np.clip(codes, info.min, info.max).astype(dtype)


def log_probabilities(
    codes: npt.NDArray[Any],
    terms: Float32Array,
    input_scale: float,
    output_scale: float,
    zero_point: int,
    dtype: np.dtype[Any],
) -> npt.NDArray[Any]:
    """Each code [n, depth] less the logarithm of the sum of its row's terms, as codes; ties to even.

    Source: TensorFlow Lite optimized/optimized_ops.h, LogSoftmax for quantized types.
    """
    scale, unit, info = np.float32(input_scale), np.float32(output_scale), np.iinfo(dtype)
    with np.errstate(all="ignore"):
        largest = codes.max(axis=1, keepdims=True).astype(np.float32)
        offset = (scale * largest + libm.log(_sums(terms))) / unit
        rounded = np.rint((scale / unit) * codes.astype(np.float32) - offset) + np.float32(zero_point)
    return np.clip(float_to_int32(rounded), info.min, info.max).astype(dtype)


def _sums(terms: Float32Array) -> Float32Array:
    total: Float32Array = np.add.accumulate(terms, axis=1)[:, -1:]
    return np.float32(0) + total
