"""Look-up tables: a real function of one variable as a table over the codes of a quantized type.

8-bit types have an entry for each of their 256 codes. int16 has 513 entries, 128 codes apart, and interpolates linearly
between them. Source: TensorFlow Lite kernels/internal/common.h, LUTPopulate and LUTLookup.

A table follows the real function in its last bit: pass functions made of `libm`, in the arithmetic of the C++ code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.quantization.rounding import float_to_int32, round_half_away, saturate, saturating_truncate
from int8rt.quantization.rounding_int16 import INT16_MAX, INT16_MIN

RealFunction = Callable[[npt.NDArray[Any]], npt.NDArray[Any]]

_STEPS = 512  # of an int16 table


def populate_lookup_table(
    function: RealFunction,
    input_scale: float,
    input_zero_point: int,
    output_scale: float,
    output_zero_point: int,
    dtype: npt.DTypeLike,
) -> npt.NDArray[Any]:
    """The table of `function` for int8 or uint8 in and out: `dtype`[256], indexed by the code read as unsigned.

    Everything in float32: entry(q) = clamp(round(f((q - input_zero_point) · input_scale) · (1 / output_scale)) +
    output_zero_point), ties away from zero. For int8, infinities end at the clamp and NaN becomes code 0; for uint8,
    what does not fit int32, NaN too, becomes code 0: so the compiler has built either.
    """
    codes = np.arange(256).astype(np.uint8).view(np.dtype(dtype)).astype(np.int32)
    with np.errstate(all="ignore"):
        real = np.float32(input_scale) * (codes - input_zero_point).astype(np.float32)
        scaled = function(real) * (np.float32(1) / np.float32(output_scale))
        shifted = round_half_away(scaled) + np.float32(output_zero_point)
    if np.dtype(dtype) == np.uint8:
        return saturate(float_to_int32(shifted), dtype)
    return saturating_truncate(shifted, dtype)


def lookup(q: npt.NDArray[Any], table: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The entries of an 8-bit `table` for codes `q` (int8 or uint8), in q's shape and the table's type."""
    return np.take(table, q.view(np.uint8))


def populate_lookup_table_int16(
    function: RealFunction,
    input_scale: float,
    input_zero_point: int,
    output_scale: float,
    output_zero_point: int,
    dtype: npt.DTypeLike = np.float32,
) -> npt.NDArray[np.int16]:
    """The table of `function` for int16 in and out: int16[513], at the codes -32768, -32640, ... 32768.

    Every entry but the last is moved by half of the error that interpolation makes in the middle of its interval.
    Computed in the floating type `dtype`; the output's zero point takes part in the range only, as in TensorFlow Lite,
    so that it has to be 0 for a meaningful table.
    """
    real: Any = np.dtype(dtype).type
    with np.errstate(all="ignore"):
        ends = np.array([INT16_MIN, INT16_MAX])
        inputs = (ends - input_zero_point).astype(real) * real(input_scale)
        outputs = (ends - output_zero_point).astype(real) * real(output_scale)
        step = (inputs[1] - inputs[0]) / real(_STEPS)
        inverse = real(1 << 16) / (outputs[1] - outputs[0])
        index = np.arange(_STEPS + 1).astype(real)
        start = inputs[0] + index[:-1] * step
        sample = round_half_away(function(start) * inverse)
        middle = round_half_away(function(start + step / real(2)) * inverse)
        following = function(inputs[0] + index[1:] * step) * inverse
        interpolated = round_half_away((following + sample) / real(2))
        bias = round_half_away((interpolated - middle) / real(2))
        last = round_half_away(function(inputs[1:]) * inverse)
        entries = np.concatenate([sample - bias, last])
    return saturating_truncate(entries, np.int16)


def lookup_int16(q: npt.ArrayLike, table: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """The value of an int16 `table` at codes `q`: the upper 9 bits choose the interval, the lower 7 interpolate.

    base + floor((slope · offset + 64) / 128), the slope and the result in int16 with wrap-around.
    """
    q = np.asarray(q).astype(np.int32)
    index = 256 + (q >> 7)
    base = table[index].astype(np.int32)
    slope = (table[1:] - table[:-1])[index].astype(np.int32)
    value: npt.NDArray[np.int16] = (base + ((slope * (q & 127) + 64) >> 7)).astype(np.int16)
    return value
