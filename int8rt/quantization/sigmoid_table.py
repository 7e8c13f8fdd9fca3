"""LOGISTIC and TANH on int16 by one table of the logistic function.

The argument is an integer v that means v / (3 · 4096), so that the table's 255 intervals of 1/24 reach to 10.6; results
have 15 fractional bits. Source: TensorFlow Lite kernels/internal/reference/integer_ops/logistic.h and tanh.h, the table
kernels/internal/common.h, the scaling kernels/activations.cc.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import numpy.typing as npt

from int8rt.quantization import libm
from int8rt.quantization.rounding import float_to_int32, round_half_away, wrap_int32

_INTERVALS_PER_UNIT = 24
_ENTRIES = 256


@functools.cache
def sigmoid_table() -> npt.NDArray[np.int64]:
    """2^16 · logistic(i / 24), i from 0 to 255, each entry moved by half of the error of linear interpolation.

    That error is, in the middle of an interval of width h, the second derivative times h² / 8. The last entry, which
    nothing lies beyond, is 2^16 - 1.
    """
    entries = []
    for i in range(_ENTRIES):
        y = 1 / (1 + math.exp(-i / _INTERVALS_PER_UNIT))
        second_derivative = y * (1 - y) * (1 - 2 * y)
        entries.append(math.floor(65536 * (y - second_derivative / _INTERVALS_PER_UNIT**2 / 16) + 0.5))
    entries[-1] = 65535
    return np.array(entries, np.int64)


def table_multiplier(input_scale: float, max_left_shift: int) -> tuple[int, int]:
    """(multiplier, shift) that bring int16 codes of this scale to the table's unit: v = (q · multiplier) >> shift.

    A scale of 2^(p - 12) with 0 <= p <= max_left_shift (0 for LOGISTIC, 1 for TANH) gives 3 · 2^p and no shift. Any
    other gives input_scale · 3 · 4096 doubled until it exceeds (2^15 - 1) / 2, at most 31 times, and cut to an integer.
    """
    is_power, exponent = checked_log2(input_scale)
    if is_power and 0 <= exponent + 12 <= max_left_shift:
        return 3 << (exponent + 12), 0
    multiplier, shift = input_scale * 4096.0 * 3.0, 0
    while multiplier <= 32767.0 / 2.0 and shift <= 30:
        shift += 1
        multiplier *= 2.0
    fixed = int(float_to_int32(multiplier))
    # A multiplier of 0 is TensorFlow Lite's mark of a power of two, also where the scale was merely too small.
    return (fixed, shift) if fixed else (int(wrap_int32(3 << shift)), 0)


def checked_log2(x: float) -> tuple[bool, int]:
    """(whether x is a power of two within 0.1 %, the nearest exponent), in float32.

    Source: TensorFlow Lite kernels/internal/quantization_util.cc, CheckedLog2.
    """
    with np.errstate(all="ignore"):
        unit = np.float32(1) / libm.log(np.array([2], np.float32))
        exponent = libm.log(np.array([x], np.float32)) * unit
        nearest = round_half_away(exponent)
        is_power = np.abs(exponent - nearest) < np.float32(1e-3)
    return bool(is_power[0]), int(float_to_int32(nearest)[0])


def scale_to_table(q: npt.ArrayLike, multiplier: int, shift: int) -> npt.NDArray[np.int64]:
    """v = (q · multiplier + 2^(shift - 1)) >> shift for int16 q: ties up, the product in int32 with wrap-around."""
    rounding = 1 << (shift - 1) if shift > 0 else 0
    return wrap_int32(np.asarray(q, np.int64) * multiplier + rounding) >> shift


def logistic_by_table(v: npt.ArrayLike) -> npt.NDArray[np.int16]:
    """logistic(v / (3 · 4096)) with 15 fractional bits, for int32 v."""
    v = np.asarray(v, np.int64)
    magnitude = np.abs(v)
    index = magnitude >> 9
    inside = np.minimum(index, _ENTRIES - 2)
    table = sigmoid_table()
    interpolated = (table[inside] << 9) + (magnitude & 511) * (table[inside + 1] - table[inside])
    positive = np.where(index >= _ENTRIES - 1, 0x7FFF << 10, interpolated)
    return (np.where(v >= 0, positive + 512, (1 << 25) - positive + 511) >> 10).astype(np.int16)


def tanh_by_table(v: npt.ArrayLike) -> npt.NDArray[np.int16]:
    """tanh(v / (3 · 4096)) with 15 fractional bits, for int32 v: 2 · logistic(2x) - 1."""
    v = np.asarray(v, np.int64)
    magnitude = np.abs(v)
    index = magnitude >> 8
    inside = np.minimum(index, _ENTRIES - 2)
    table = sigmoid_table()
    interpolated = (table[inside] << 8) + (magnitude & 255) * (table[inside + 1] - table[inside])
    positive = np.where(index >= _ENTRIES - 1, 0xFFFF << 8, interpolated) - (1 << 23)
    return (np.where(v >= 0, positive + 128, 127 - positive) >> 8).astype(np.int16)
