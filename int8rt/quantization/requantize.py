"""From int32 accumulators to the quantized output: rescale, add the zero point, clamp, narrow.

The `Rounding` says how the rescaling rounds; a profile chooses one for each operator.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.quantization.rounding import round_half_away


class Rounding(enum.Enum):
    """How accumulator · real multiplier becomes an integer."""

    DOUBLE = "two roundings: a doubling high multiply (ties up), then a shift (ties away from zero)"
    INT64 = "one rounding, ties up, of a 64-bit product with a 16-bit multiplier"
    FLOAT64 = "a float64 product with the real multiplier, ties away from zero"


@dataclass(frozen=True, slots=True, eq=False)
class Requantization:
    """What turns an accumulator into an output value.

    multiplier, shift: int32[n], n = 1 or the number of output channels (the last axis of the accumulator).
    real_multiplier: float64[n], the numbers that (multiplier, shift) stand for.
    zero_point, activation_min, activation_max: of the output, in quantized steps. dtype: of the output.
    """

    rounding: Rounding
    multiplier: npt.NDArray[np.int32]
    shift: npt.NDArray[np.int32]
    real_multiplier: npt.NDArray[np.float64]
    zero_point: int
    activation_min: int
    activation_max: int
    dtype: np.dtype[Any]


# Rows of an accumulator that are worked on at once: small enough that int64 intermediates stay in a core's L2 cache.
_BLOCK_ELEMENTS = 1 << 15


def requantize(accumulator: npt.NDArray[Any], parameters: Requantization) -> npt.NDArray[Any]:
    """The output values of `accumulator` (int32 or int64, channels last), in its shape and in `parameters.dtype`.

    The zero point is added in int32 with wrap-around, as TensorFlow Lite does, before the clamp.
    """
    rescale = _RESCALE[parameters.rounding]
    channels = accumulator.shape[-1] if accumulator.ndim and parameters.multiplier.size > 1 else 0
    rows = np.ascontiguousarray(accumulator).reshape(-1, channels) if channels else accumulator.reshape(1, -1)
    output = np.empty(rows.shape, parameters.dtype)
    if channels:
        step = max(1, _BLOCK_ELEMENTS // channels)
        blocks = [(slice(i, i + step), slice(None)) for i in range(0, rows.shape[0], step)]
    else:
        blocks = [(slice(None), slice(i, i + _BLOCK_ELEMENTS)) for i in range(0, rows.shape[1], _BLOCK_ELEMENTS)]
    zero_point = np.int32(parameters.zero_point)
    for block in blocks:
        value = rescale(rows[block], parameters).astype(np.int32)
        np.add(value, zero_point, out=value)
        np.maximum(value, parameters.activation_min, out=value)
        np.minimum(value, parameters.activation_max, out=value)
        output[block] = value
    return output.reshape(accumulator.shape)


def multiply_by_quantized_multiplier(
    x: npt.ArrayLike, multiplier: npt.ArrayLike, shift: npt.ArrayLike
) -> npt.NDArray[np.int64]:
    """x · multiplier · 2^(shift - 31) with two roundings; int32 x and multiplier, -31 <= shift <= 30; result in int32.

    A positive shift is applied first, with wrap-around in int32; then the doubling high multiply (ties up); then the
    negative shift (ties away from zero). Source: TensorFlow Lite kernels/internal/common.h,
    MultiplyByQuantizedMultiplier without TFLITE_SINGLE_ROUNDING.
    """
    shift = np.asarray(shift, np.int64)
    value = np.array(x, np.int64)
    if np.any(shift > 0):
        value = (value << np.maximum(shift, 0)).astype(np.int32).astype(np.int64)
    value = value * np.asarray(multiplier, np.int64)
    value += 1 << 30
    value >>= 31
    np.minimum(value, (1 << 31) - 1, out=value)  # -2^31 · -2^31 is the one product that saturates
    if not np.any(shift < 0):
        return value
    # (v + 2^(s-1) - (v < 0)) >> s is the division by 2^s with ties away from zero; with s = 0 nothing may be added.
    right = np.maximum(-shift, 0)
    negative = value >> 63
    if not np.all(right):
        negative &= -(right > 0).astype(np.int64)
    value += (np.int64(1) << right) >> 1
    value += negative
    value >>= right
    return value


def multiply_by_quantized_multiplier_int64(
    x: npt.ArrayLike, multiplier: npt.ArrayLike, shift: npt.ArrayLike
) -> npt.NDArray[np.int64]:
    """x · multiplier · 2^(shift - 31) for an int64 accumulator, with the multiplier first rounded to 16 bits.

    One rounding, ties up; |x| < 2^47, -31 <= shift < 8. The result is truncated to int32.
    Source: TensorFlow Lite kernels/internal/common.cc, MultiplyByQuantizedMultiplier(int64_t, ...).
    """
    multiplier, shift = np.asarray(multiplier, np.int64), np.asarray(shift, np.int64)
    reduced = np.where(multiplier < 0x7FFF0000, (multiplier + (1 << 15)) >> 16, 0x7FFF)
    total = 15 - shift
    value = np.asarray(x, np.int64) * reduced + (np.int64(1) << (total - 1))
    return (value >> total).astype(np.int32).astype(np.int64)


def multiply_by_real_multiplier(x: npt.ArrayLike, real_multiplier: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """x · real_multiplier in float64, ties away from zero.

    Source: TensorFlow Lite reference/integer_ops/fully_connected.h (since LiteRT 1.3 / TensorFlow 2.20).
    """
    product = np.asarray(x, np.float64) * np.asarray(real_multiplier, np.float64)
    return round_half_away(product).astype(np.int64)


def _double(x: npt.NDArray[Any], p: Requantization) -> npt.NDArray[np.int64]:
    return multiply_by_quantized_multiplier(x, p.multiplier, p.shift)


def _int64(x: npt.NDArray[Any], p: Requantization) -> npt.NDArray[np.int64]:
    return multiply_by_quantized_multiplier_int64(x, p.multiplier, p.shift)


def _float64(x: npt.NDArray[Any], p: Requantization) -> npt.NDArray[np.int64]:
    return multiply_by_real_multiplier(x, p.real_multiplier)


_RESCALE: dict[Rounding, Callable[[npt.NDArray[Any], Requantization], npt.NDArray[np.int64]]] = {
    Rounding.DOUBLE: _double,
    Rounding.INT64: _int64,
    Rounding.FLOAT64: _float64,
}
