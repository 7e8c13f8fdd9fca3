"""Requantization in float64, for the channels where it gives the same integers as the definitions in `requantize`.

NumPy has no quick 64-bit integer multiply and shift, but float64 arithmetic is quick, and exact below 2^53 units. A
rounding is then a sum and a truncation:

    out = truncate(clamp(accumulator · scale + tie + offset))

where `offset` holds one half and the zero point, counted from the lowest value of the output's type so that truncation
is a floor. Where a product is larger than that, the operations are still monotone, which is enough once the clamp has
taken over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.quantization.requantization import Requantization, Rounding

Float64Array = npt.NDArray[np.float64]

# The float64 just below one half. x + copysign(this, x), truncated, rounds x with ties away from zero; adding one half
# itself would turn this very number into 1.
_ALMOST_HALF = float(np.nextafter(0.5, 0.0))


# Two roundings: a doubling high multiply, then a shift.
_TWICE = (Rounding.DOUBLE, Rounding.TIES_UP, Rounding.TIES_UP_IN_EIGHTS)


@dataclass(frozen=True, slots=True, eq=False)
class Float64Rescale:
    """scale, offset: float64[n]. tie: float64[n] that takes the sign of the product, or None.

    whole: the product with its tie is truncated before the offset comes. low, high: the clamp, counted from `lowest`.
    exact: bool[n], the channels for which all this is the same as the definition in integers.
    """

    scale: Float64Array
    tie: Float64Array | None
    whole: bool
    offset: Float64Array
    low: float
    high: float
    lowest: int
    exact: npt.NDArray[np.bool_]

    def tiled(self, times: int) -> Float64Rescale:
        """The same for `times` pixels side by side."""
        if times == 1:
            return self
        tie = None if self.tie is None else np.tile(self.tie, times)
        return replace(self, scale=np.tile(self.scale, times), tie=tie, offset=np.tile(self.offset, times))

    def run(self, value: Float64Array, scratch: Float64Array, output: npt.NDArray[Any]) -> None:
        """Rescale accumulators [rows, n'] in place and store them in `output`, of the quantized type.

        n' <= n. scratch: of the shape of `value`.
        """
        width = value.shape[1]
        value *= self.scale[:width]
        if self.tie is not None:
            value += np.copysign(self.tie[:width], value, out=scratch)
        if self.whole:
            np.trunc(value, out=value)
        value += self.offset[:width]
        value.clip(self.low, self.high, out=value)
        unsigned = output.view(f"u{output.dtype.itemsize}")
        np.copyto(unsigned, value, casting="unsafe")
        if self.lowest:
            unsigned ^= unsigned.dtype.type(-self.lowest)


def float64_rescale(parameters: Requantization, bound: Float64Array) -> Float64Rescale:
    """`parameters` for as many channels as `bound` has; there is no |accumulator| of a channel above its bound."""
    if parameters.rounding == Rounding.FLOAT64:
        return _real(parameters, bound)
    if parameters.rounding not in (*_TWICE, Rounding.INT64):
        nowhere = np.zeros(bound.shape)
        return _rescale(parameters, nowhere, None, False, nowhere, nowhere != 0)
    multiplier, bits = parameters.multiplier.astype(np.int64), 31
    if parameters.rounding == Rounding.INT64:
        multiplier, bits = reduced_multiplier(multiplier), 15
    return _fixed_point(parameters, bound, multiplier, bits)


def in_eights(channels: int) -> npt.NDArray[np.bool_]:
    """bool[channels]: which of them are in a whole block of eight."""
    return np.arange(channels) < channels // 8 * 8


def reduced_multiplier(multiplier: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """A 31-bit multiplier rounded to 15 bits (ties up, at most 2^15 - 1), as 64-bit accumulators are multiplied."""
    return np.where(multiplier < 0x7FFF0000, (multiplier + (1 << 15)) >> 16, 0x7FFF)


def _fixed_point(
    p: Requantization,
    bound: Float64Array,
    multiplier: npt.NDArray[np.int64],
    bits: int,
) -> Float64Rescale:
    """accumulator · multiplier · 2^(shift - bits) with 0 <= multiplier < 2^bits.

    One rounding is floor(p + 1/2) of the product p. With two and a negative shift, that of p · 2^-shift comes first and
    then the division, with ties away from zero. For k >= 1 the result is at least k where p + 2^(shift-1) + 1/2 >= k,
    and for k <= 0 where p - 2^(shift-1) + 1/2 >= k; so the tie follows the sign. Where the division takes ties up, the
    first of the two holds for every k.
    """
    info, twice = np.iinfo(p.dtype), p.rounding in _TWICE
    with np.errstate(over="ignore", invalid="ignore"):
        power = np.ldexp(1.0, p.shift)
        scale = multiplier * (power * 2.0**-bits)
    tie = np.where(power < 1, 0.5 * power, 0.0) if twice else np.zeros(scale.shape)
    # Products are multiples of the unit 2^(shift - bits). No sum exceeds 2 · reach before the clamp takes over, and
    # here that is below 2^53 units.
    below, above = p.activation_min - p.zero_point, p.activation_max - p.zero_point
    reach = max(abs(below), abs(above)) + abs(p.zero_point - info.min) + 2
    with np.errstate(over="ignore", invalid="ignore"):
        exact = (multiplier > 0) & (scale * 2.0 ** (52 - bits) >= reach)
        # Nothing may wrap around: not the sum, not the result, not the left shift that comes first where there is one.
        fits = (bound < _sum_limit(p)) & (np.abs(scale) * bound + abs(p.zero_point) + 1 < 2.0**31)
        if twice:
            fits &= bound * np.maximum(power, 1.0) < 2.0**31
        nothing = (multiplier == 0) | (fits & (np.abs(scale) * bound < 0.25))
    exact = (exact & fits) | (nothing & (abs(p.zero_point) < 1 << 30))
    scale, tie = np.where(exact & ~nothing, scale, 0.0), np.where(exact & ~nothing, tie, 0.0)
    offset = np.full(scale.shape, 0.5 + p.zero_point - info.min)
    if p.rounding in (Rounding.TIES_UP, Rounding.TIES_UP_IN_EIGHTS):
        up = in_eights(scale.size) if p.rounding == Rounding.TIES_UP_IN_EIGHTS else np.ones(scale.shape, np.bool_)
        offset, tie = offset + np.where(up, tie, 0.0), np.where(up, 0.0, tie)
    if below >= 0:  # Negative products end at the lower clamp whatever their ties do.
        return _rescale(p, scale, None, False, offset + tie, exact)
    return _rescale(p, scale, tie if np.any(tie) else None, False, offset, exact)


def _real(p: Requantization, bound: Float64Array) -> Float64Rescale:
    """accumulator · real multiplier: the definition itself, as long as nothing leaves int32."""
    real = np.broadcast_to(p.real_multiplier, bound.shape)
    with np.errstate(over="ignore", invalid="ignore"):
        exact = (np.abs(real) * bound + abs(p.zero_point) < 2.0**31) & (bound < _sum_limit(p))
    offset = np.full(bound.shape, float(p.zero_point - np.iinfo(p.dtype).min))
    return _rescale(p, np.where(exact, real, 0.0), np.full(bound.shape, _ALMOST_HALF), True, offset, exact)


def _sum_limit(p: Requantization) -> float:
    """Below this no sum wraps around, and a 64-bit one times a 15-bit multiplier neither."""
    return 2.0**31 if p.accumulator.itemsize == 4 else 2.0**47


def _rescale(
    p: Requantization,
    scale: Float64Array,
    tie: Float64Array | None,
    whole: bool,
    offset: Float64Array,
    exact: npt.NDArray[np.bool_],
) -> Float64Rescale:
    info = np.iinfo(p.dtype)
    if not info.min <= p.activation_min <= p.activation_max <= info.max:
        exact = np.zeros_like(exact)
    low, high = p.activation_min - info.min, p.activation_max - info.min
    return Float64Rescale(scale, tie, whole, offset, float(low), float(high), int(info.min), exact)
