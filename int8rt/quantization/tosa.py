"""TOSA's arithmetic: divisions by a count, RESCALE, TABLE; and the tables that tosa-converter-for-tflite makes.

Source of the division: the TOSA specification 1.0, reciprocal_scale and apply_scale_32.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from int8rt.errors import SpecError
from int8rt.quantization.lookup_table import RealFunction
from int8rt.quantization.requantization import Requantization
from int8rt.quantization.rounding import Int64Array, round_half_away, rounding_shift_right, saturate


def reciprocal_scale(count: npt.ArrayLike) -> tuple[Int64Array, Int64Array]:
    """(multiplier, shift), multiplier / 2^shift just above 1 / count; 2^30 <= multiplier < 2^31, 0 < count < 2^31."""
    count = np.maximum(np.asarray(count, np.int64), 1)
    bits = np.ceil(np.log2(count)).astype(np.int64)  # exact: (1 << bits) / 2 < count <= (1 << bits)
    return (((1 << 30) + 1) << bits) // count, 30 + bits


def divide_by_count(total: npt.ArrayLike, count: npt.ArrayLike) -> Int64Array:
    """total / count in int32, by `reciprocal_scale` and with one rounding."""
    multiplier, shift = reciprocal_scale(count)
    return rounding_shift_right(np.asarray(total, np.int64) * multiplier, shift)


def multiplier_and_shift(scale: float, bits: int = 31) -> tuple[int, int]:
    """(multiplier, shift) of a scale: multiplier / 2^shift, 2^(bits - 1) <= multiplier < 2^bits, 2 <= shift <= 62.

    Very small scales have smaller multipliers; one without such numbers is a `SpecError`.
    Source: MLIR's Dialect/Tosa/Utils/QuantUtils.cpp, computeMultiplierAndShift.
    """
    if not 0 < scale < math.inf:
        raise SpecError(f"a scale must be above 0 and finite, found {scale:g}")
    significand, exponent = math.frexp(scale)
    multiplier, shift = math.floor(significand * (1 << bits) + 0.5), bits - exponent
    if multiplier == 1 << bits:
        multiplier, shift = multiplier // 2, shift - 1
    if shift < 2:
        raise SpecError(f"a scale of {scale:g} is too large for a RESCALE")
    return multiplier >> min(31, max(0, shift - 62)), min(shift, 62)


def in_15_bits(parameters: Requantization) -> Requantization:
    """`parameters` of Rounding.INT64 with multipliers of 15 bits made of the real ones, as a RESCALE of int48 has them.

    Those below 2^-31 or from 2^6 on, for which `Rounding.INT64` has hardly a shift, stay as they are.
    """
    multiplier, shift = parameters.multiplier.copy(), parameters.shift.copy()
    for i, real in enumerate(parameters.real_multiplier.tolist()):
        if 2.0**-31 <= real < 2.0**6:
            bits, right = multiplier_and_shift(real, 15)
            multiplier[i], shift[i] = bits << 16, 15 - right
    return dataclasses.replace(parameters, multiplier=multiplier, shift=shift)


def apply_scale_32(value: npt.ArrayLike, scale: tuple[int, int], double_round: bool) -> Int64Array:
    """value · multiplier / 2^shift for int32 values; ties up, or with two roundings, of which the first goes outwards.

    Source: the TOSA specification 1.0, apply_scale_32.
    """
    multiplier, shift = scale
    value = np.asarray(value, np.int64)
    first = (1 << 30) if double_round and shift > 31 else 0
    half = (1 << (shift - 1)) + np.where(value >= 0, first, -first)
    return np.asarray((value * multiplier + half) >> shift)


def table_int16(function: RealFunction, low: float, high: float) -> npt.NDArray[np.int16]:
    """int16[513] for a function over [low, high] with results in steps of 1/32768, computed in float64.

    Every entry but the last is moved by half of the error that interpolation makes in the middle of its interval.
    Source: tosa-converter-for-tflite, as its tables are.
    """
    step = (high - low) / 512
    start = low + np.arange(512.0) * step
    with np.errstate(all="ignore"):
        sample = round_half_away(function(start) * 32768.0)
        middle = round_half_away(function(start + step / 2) * 32768.0)
        following = function(low + np.arange(1.0, 513.0) * step) * 32768.0
        error = round_half_away((following + sample) / 2) - middle
        entries = np.append(sample - round_half_away(error / 2), round_half_away(function(np.array([high])) * 32768.0))
    table: npt.NDArray[np.int16] = saturate(entries, np.int16)
    return table


def interpolate_int16(codes: npt.NDArray[np.int16], table: npt.NDArray[np.int16]) -> Int64Array:
    """TABLE of int16 codes, with 7 more fractional bits than the table's entries.

    Source: the TOSA specification 1.0, TABLE.
    """
    codes = codes.astype(np.int64)
    index, entries = (codes >> 7) + 256, table.astype(np.int64)
    return np.asarray((entries[index] << 7) + (entries[index + 1] - entries[index]) * (codes & 127))
