"""From the accumulator to the output's code, rounding by rounding, for each way of rounding there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from int8rt.errors import UnsupportedError
from int8rt.explain.derivation import Line
from int8rt.quantization.float64_rescale import in_eights, reduced_multiplier
from int8rt.quantization.requantization import Requantization, Rounding
from int8rt.quantization.requantize import (
    multiply_by_quantized_multiplier_int64,
    multiply_by_real_multiplier,
)
from int8rt.quantization.rescale import (
    multiply_by_float32_multiplier,
    multiply_by_quantized_multiplier_single_rounding,
)
from int8rt.quantization.rounding import (
    rounding_divide_by_pot,
    rounding_shift_right,
    saturating_rounding_doubling_high_mul,
    wrap_int32,
)


def requantization_lines(accumulator: int, p: Requantization, channel: int, scale: float) -> tuple[list[Line], int]:
    """The lines from an accumulator to the output's code, and that code.

    channel: of the output. scale: of the output.
    """
    rounding = _of_channel(p, channel)
    channel = channel if p.multiplier.size > 1 else 0
    real, multiplier, shift = float(p.real_multiplier[channel]), int(p.multiplier[channel]), int(p.shift[channel])
    lines = [Line("real multiplier", real, rule="scale of the accumulator / scale of the output")]
    if p.rounding not in (Rounding.FLOAT64, Rounding.FLOAT32):
        lines += multiplier_lines(multiplier, shift)
    lines.append(Line("rounding", p.rounding.name, rule=p.rounding.value))
    steps = list(_steps(accumulator, rounding, multiplier, shift, real, scale))
    lines += steps
    value = int(wrap_int32(int(steps[-1].value)))
    more, code = clamp_lines(value, p.zero_point, p.activation_min, p.activation_max, scale, p.dtype)
    return lines + more, code


def multiplier_lines(multiplier: int, shift: int) -> list[Line]:
    """The two integers that stand for a real multiplier."""
    meaning = multiplier * 2.0 ** (shift - 31)
    return [
        Line(
            "multiplier", multiplier, meaning, "the multiplier's 31 bits: real multiplier = multiplier · 2^(shift − 31)"
        ),
        Line("shift", shift, rule="to the left where positive, to the right where negative"),
    ]


def clamp_lines(
    value: int, zero_point: int, low: float, high: float, scale: float, dtype: np.dtype[Any]
) -> tuple[list[Line], int]:
    """The output's zero point and clamp, and the code."""
    shifted = int(wrap_int32(value + zero_point))
    code = min(max(shifted, int(low)), int(high))
    lines = [
        Line(f"+ zero point {zero_point}", shifted, (shifted - zero_point) * scale, "in int32"),
        Line(
            f"clamp to [{low:g}, {high:g}]",
            code,
            (code - zero_point) * scale,
            "the type's range and the fused activation",
        ),
    ]
    stored = int(np.array([code], np.int64).astype(dtype)[0])
    if stored != code:  # an activation that lies outside of the type's range
        lines.append(Line(f"stored as {dtype.name}", stored, (stored - zero_point) * scale, "wraps around"))
    return lines, stored


def double_rounding_lines(value: int, multiplier: int, shift: int, unit: float | None = None) -> list[Line]:
    """value · multiplier · 2^(shift − 31) with two roundings. unit: what 1 of the result stands for."""
    lines = []
    left, right = max(shift, 0), max(-shift, 0)
    if left:
        value = int(wrap_int32(value << (left & 31)))
        lines.append(Line(f"<< {left}", value, rule="in int32"))
    high = int(saturating_rounding_doubling_high_mul(value, multiplier))
    rule = "(2 · value · multiplier + 2^31) >> 32, a tie up: the doubling high multiply"
    lines.append(Line("high multiply", high, _real(high, unit, -right), rule))
    if right:
        result = int(rounding_divide_by_pot(high, right))
        lines.append(Line(f">> {right}", result, _real(result, unit), "rounded, a tie away from zero"))
    return lines


def _of_channel(p: Requantization, channel: int) -> Rounding:
    """The rounding of a channel, where blocks of eight have one of their own."""
    if p.rounding is not Rounding.TIES_UP_IN_EIGHTS:
        return p.rounding
    if p.multiplier.size == 1:
        raise UnsupportedError("explain does not know how many channels there are, which decides how they are rounded")
    return Rounding.TIES_UP if in_eights(p.multiplier.size)[channel] else Rounding.DOUBLE


def _steps(
    accumulator: int, rounding: Rounding, multiplier: int, shift: int, real: float, scale: float
) -> Iterator[Line]:
    match rounding:
        case Rounding.DOUBLE:
            yield from double_rounding_lines(accumulator, multiplier, shift, scale)
        case Rounding.TIES_UP:
            value = int(wrap_int32(accumulator << max(shift, 0)))
            high = int(saturating_rounding_doubling_high_mul(value, multiplier))
            yield Line("high multiply", high, rule="(2 · value · multiplier + 2^31) >> 32, a tie up")
            value = int(rounding_shift_right(high, max(-shift, 0)))
            yield Line(f">> {max(-shift, 0)}", value, value * scale, "rounded, a tie up")
        case Rounding.TIES_UP_IN_EIGHTS:
            raise AssertionError("see _of_channel")
        case Rounding.INT64:
            reduced = int(reduced_multiplier(np.array([multiplier], np.int64))[0])
            yield Line(
                "reduced multiplier", reduced, reduced * 2.0 ** (shift - 15), "the multiplier rounded to 16 bits"
            )
            yield Line("product", accumulator * reduced, rule="in int64")
            value = int(multiply_by_quantized_multiplier_int64(accumulator, multiplier, shift))
            yield Line(f">> {15 - shift}", value, value * scale, "rounded once, a tie up")
        case Rounding.SINGLE:
            yield Line("product", accumulator * multiplier, rule="in int64")
            value = int(multiply_by_quantized_multiplier_single_rounding(accumulator, multiplier, shift))
            yield Line(f">> {31 - shift}", value, value * scale, "rounded once, a tie up")
        case Rounding.FLOAT64:
            yield Line(
                "product", accumulator * real, accumulator * real * scale, "accumulator · real multiplier, float64"
            )
            value = int(multiply_by_real_multiplier(accumulator, real))
            yield Line("round", value, value * scale, "a tie away from zero")
        case Rounding.FLOAT32:
            product = float(np.float32(accumulator) * np.float32(real))
            yield Line("product", product, product * scale, "accumulator · real multiplier, both in float32")
            value = int(multiply_by_float32_multiplier(accumulator, real))
            yield Line("round", value, value * scale, "a tie to the even number; at most 16 bits")


def _real(value: int, unit: float | None, exponent: int = 0) -> float | None:
    return None if unit is None else value * unit * 2.0**exponent
