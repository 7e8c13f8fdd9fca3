"""From integer accumulators to the quantized output: rescale, add the zero point, clamp, narrow.

The `Rounding` says how the rescaling rounds; a profile chooses one for each operator. The functions here are the
definition; `Requantizer` computes the same in float64 (see `float64_rescale`) wherever that is exact, being quicker.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.quantization.float64_rescale import float64_rescale, in_eights, reduced_multiplier
from int8rt.quantization.requantization import Requantization, Rounding
from int8rt.quantization.rescale import (
    multiply_by_float32_multiplier,
    multiply_by_quantized_multiplier_single_rounding,
    multiply_by_quantized_multiplier_ties_up,
)
from int8rt.quantization.rounding import INT32_MAX, INT32_MIN, round_half_away, rounding_divide_by_pot
from int8rt.quantization.single_rounding import rounds_once

__all__ = [
    "Requantization",
    "Requantizer",
    "Rounding",
    "multiply_by_quantized_multiplier",
    "multiply_by_quantized_multiplier_int64",
    "multiply_by_real_multiplier",
    "requantize",
]

# Elements that are worked on at once, so that their float64 values stay in a core's cache; and the length of a row,
# below which pixels are put side by side because NumPy's innermost loop would be too short.
_BLOCK_ELEMENTS = 1 << 15
_ROW_ELEMENTS = 1 << 10


def requantize(accumulator: npt.NDArray[Any], parameters: Requantization) -> npt.NDArray[Any]:
    """The output values of `accumulator` (integers, channels last), in its shape and in `parameters.dtype`.

    clamp(rescaled + zero_point, activation_min, activation_max), in quantized steps; `parameters.rounding` says how the
    rescaling rounds. With several multipliers the last axis has one for each channel.
    Source: the ends of TensorFlow Lite reference/integer_ops/conv.h and of its kin.
    """
    apart = parameters.multiplier.size > 1 or parameters.rounding == Rounding.TIES_UP_IN_EIGHTS
    channels = accumulator.shape[-1] if accumulator.ndim and apart else 1
    output = np.empty(accumulator.shape, parameters.dtype)
    rows = np.ascontiguousarray(accumulator).reshape(-1, channels)
    Requantizer(parameters, channels)(rows, output.reshape(-1, channels))
    return output


class Requantizer:
    """`requantize` for one operator, block by block of its accumulators.

    constant: int64[channels], added to every accumulator (the bias, and what zero points amount to), or None.
    bound: no |accumulator| without the constant is larger; one number, or one for each channel. It decides only how
    quickly the result comes: the less is known, the fewer channels can be computed in float64.
    """

    def __init__(
        self,
        parameters: Requantization,
        channels: int,
        constant: npt.NDArray[np.int64] | None = None,
        bound: npt.ArrayLike | None = None,
    ) -> None:
        self._parameters = parameters
        self._channels = channels
        self._constant = constant
        if bound is None:
            bound = np.iinfo(parameters.accumulator).max
        largest = np.broadcast_to(np.asarray(bound, np.float64), (channels,))
        if constant is not None:
            largest = largest + np.abs(constant.astype(np.float64))
        rescale = float64_rescale(parameters, largest)
        self._inexact = np.flatnonzero(~rescale.exact)
        self._pixels = max(1, _ROW_ELEMENTS // max(1, channels))
        self._rescale = rescale.tiled(self._pixels)
        self._tiled_constant = None if constant is None else np.tile(constant.astype(np.float64), self._pixels)
        self._work = np.empty((2, 0))

    def __call__(self, accumulator: npt.NDArray[Any], output: npt.NDArray[Any]) -> None:
        """Store the output values of `accumulator` in `output`, both [n, channels] and contiguous.

        accumulator: integers, of an integer or a floating type; without the constant.
        """
        if self._inexact.size < self._channels:
            pixels = accumulator.shape[0]
            whole = pixels // self._pixels * self._pixels
            self._in_float64(accumulator[:whole], output[:whole], self._pixels)
            self._in_float64(accumulator[whole:], output[whole:], pixels - whole)
        if self._inexact.size:
            rows = max(1, _BLOCK_ELEMENTS // self._inexact.size)
            for row in range(0, accumulator.shape[0], rows):
                block = accumulator[row : row + rows, self._inexact]
                output[row : row + rows, self._inexact] = self._in_integers(block)

    def _in_float64(self, accumulator: npt.NDArray[Any], output: npt.NDArray[Any], pixels: int) -> None:
        if not accumulator.size:
            return
        width = pixels * self._channels
        accumulator, output = accumulator.reshape(-1, width), output.reshape(-1, width)
        rows = max(1, _BLOCK_ELEMENTS // width)
        if self._work.shape[1] < min(rows * width, accumulator.size):
            self._work = np.empty((2, min(rows * width, accumulator.size)))
        for row in range(0, accumulator.shape[0], rows):
            block = accumulator[row : row + rows]
            value, scratch = self._work[:, : block.size].reshape(2, *block.shape)
            if self._tiled_constant is None:
                np.copyto(value, block)
            else:
                np.add(block, self._tiled_constant[:width], out=value)
            self._rescale.run(value, scratch, output[row : row + rows])

    def _in_integers(self, accumulator: npt.NDArray[Any]) -> npt.NDArray[Any]:
        p, channels = self._parameters, self._inexact
        total = accumulator.astype(np.int64)
        if self._constant is not None:
            total += self._constant[channels]
        total = total.astype(p.accumulator).astype(np.int64)
        used = channels if p.multiplier.size > 1 else slice(None)
        if p.rounding == Rounding.TIES_UP_IN_EIGHTS:
            up, rest = (_rescale(total, replace(p, rounding=r), used) for r in (Rounding.TIES_UP, Rounding.DOUBLE))
            value = np.where(in_eights(self._channels)[channels], up, rest).astype(np.int32)
        else:
            value = _rescale(total, p, used).astype(np.int32)
        # The zero point is added in int32 with wrap-around, before the clamp.
        np.add(value, np.int32(p.zero_point), out=value)
        np.maximum(value, p.activation_min, out=value)
        np.minimum(value, p.activation_max, out=value)
        return value.astype(p.dtype)


def _rescale(
    total: npt.NDArray[np.int64], p: Requantization, channels: npt.NDArray[np.intp] | slice
) -> npt.NDArray[np.int64]:
    match p.rounding:
        case Rounding.DOUBLE:
            return multiply_by_quantized_multiplier(total, p.multiplier[channels], p.shift[channels])
        case Rounding.INT64:
            return multiply_by_quantized_multiplier_int64(total, p.multiplier[channels], p.shift[channels])
        case Rounding.FLOAT64:
            return multiply_by_real_multiplier(total, p.real_multiplier[channels])
        case Rounding.TIES_UP:
            return multiply_by_quantized_multiplier_ties_up(total, p.multiplier[channels], p.shift[channels])
        case Rounding.SINGLE:
            return multiply_by_quantized_multiplier_single_rounding(total, p.multiplier[channels], p.shift[channels])
        case Rounding.FLOAT32:
            return multiply_by_float32_multiplier(total, p.real_multiplier[channels])
        case Rounding.TIES_UP_IN_EIGHTS:
            raise AssertionError("its caller tells the channels apart")


def multiply_by_quantized_multiplier(
    x: npt.ArrayLike, multiplier: npt.ArrayLike, shift: npt.ArrayLike
) -> npt.NDArray[np.int64]:
    """x · multiplier · 2^(shift - 31) with two roundings; int32 x and multiplier, -31 <= shift <= 30; result in int32.

    A positive shift is applied first, with wrap-around in int32; then the doubling high multiply (ties up); then the
    negative shift (ties away from zero). Other shifts are undefined in C++ and are here those of an x86 processor: left
    ones counted modulo 32, right ones as in `rounding_divide_by_pot`. Source: TensorFlow Lite
    kernels/internal/common.cc, MultiplyByQuantizedMultiplier without TFLITE_SINGLE_ROUNDING; within
    `single_rounding.single_rounding` it is the function that is compiled with that.
    """
    if rounds_once():
        return multiply_by_quantized_multiplier_single_rounding(x, multiplier, shift)
    shift = np.asarray(shift, np.int64)
    value = np.array(x, np.int64)
    if np.any(shift > 0):
        value = (value << (np.maximum(shift, 0) & 31)).astype(np.int32).astype(np.int64)
    value = np.asarray(value * np.asarray(multiplier, np.int64))  # scalars too, for `out` below
    value += 1 << 30
    value >>= 31
    np.minimum(value, INT32_MAX, out=value)  # -2^31 · -2^31 is the one product that saturates
    if not np.any(shift < 0):
        return value
    # (v + 2^(s-1) - (v < 0)) >> s is the division by 2^s with ties away from zero; with s = 0 nothing may be added.
    right = np.maximum(-shift, 0)
    if np.any(right > 31):
        return rounding_divide_by_pot(value, right)
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
    """x · multiplier · 2^(shift - 31) for an int64 accumulator, with the multiplier first rounded to 15 bits.

    One rounding, ties up; |x| < 2^47, -31 <= shift < 8. The result is truncated to int32. Beyond these limits numbers
    wrap and shifts are taken modulo 64, as x86 processors do.
    Source: TensorFlow Lite kernels/internal/common.cc, MultiplyByQuantizedMultiplier(int64_t, ...).
    """
    multiplier, shift = np.asarray(multiplier, np.int64), np.asarray(shift, np.int64)
    total = 15 - shift
    value = np.asarray(x, np.int64) * reduced_multiplier(multiplier)
    with np.errstate(over="ignore"):  # of scalars; arrays wrap in silence
        value += np.int64(1) << ((total - 1) & 63)
    value >>= total & 63
    return value.astype(np.int32).astype(np.int64)


def multiply_by_real_multiplier(x: npt.ArrayLike, real_multiplier: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """x · real_multiplier in float64, ties away from zero; -2^31 where that does not fit int32, as on x86 processors.

    Source: TensorFlow Lite reference/integer_ops/fully_connected.h (since LiteRT 1.3 / TensorFlow 2.20).
    """
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = round_half_away(np.asarray(x, np.float64) * np.asarray(real_multiplier, np.float64))
    fits = (rounded >= INT32_MIN) & (rounded <= INT32_MAX)
    return np.where(fits, rounded, INT32_MIN).astype(np.int64)
