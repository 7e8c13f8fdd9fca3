"""Requantization one output at a time, for the kernels of int16 activations."""

from __future__ import annotations

from typing import Any

import numpy as np

from int8rt.kernels.jit.abi import helper, load_f64, load_i64, store_i16
from int8rt.kernels.jit.lowering import Data
from int8rt.quantization.float64_rescale import reduced_multiplier
from int8rt.quantization.jitted import (
    multiply_by_quantized_multiplier,
    multiply_by_quantized_multiplier_int64,
    multiply_by_real_multiplier,
)
from int8rt.quantization.requantization import Requantization, Rounding

REQUANTIZATION = "multipliers shifts reals zero_point low high wraps"
DOUBLE, INT64, FLOAT64 = 0, 1, 2
_KINDS = {Rounding.DOUBLE: DOUBLE, Rounding.INT64: INT64, Rounding.FLOAT64: FLOAT64}


def requantization_fields(parameters: Requantization, channels: int) -> tuple[int, dict[str, Any]] | None:
    """(kind, the fields REQUANTIZATION), each parameter once for each channel; None for roundings without code here."""
    kind = _KINDS.get(parameters.rounding)
    if kind is None or np.any(parameters.shift > 31) or np.any(parameters.shift < -31):
        return None
    multiplier = parameters.multiplier.astype(np.int64)
    if kind == INT64:
        multiplier = reduced_multiplier(multiplier)
    values: dict[str, Any] = {
        "multipliers": Data(np.broadcast_to(multiplier, channels)),
        "shifts": Data(np.broadcast_to(parameters.shift.astype(np.int64), channels)),
        "reals": Data(np.broadcast_to(parameters.real_multiplier, channels)),
        "zero_point": parameters.zero_point,
        "low": parameters.activation_min,
        "high": parameters.activation_max,
        "wraps": int(parameters.accumulator == np.int32),
    }
    return kind, values


@helper
def clamped(value, zero_point, low, high):  # type: ignore[no-untyped-def]
    """The code of a rescaled value: with its zero point, added in int32, and within the clamp."""
    return min(max(np.int64(np.int32(value + zero_point)), low), high)


@helper
def requantize_line(p, kind, sums, target, first, last):  # type: ignore[no-untyped-def]
    """Store the int16 codes of channels [first, last): target[c] from the int64 sums[c].

    p: a block with the fields REQUANTIZATION, kind: theirs.
    """
    multipliers, shifts, reals, wraps = p.multipliers, p.shifts, p.reals, p.wraps
    zero_point, low, high = p.zero_point, p.low, p.high
    for c in range(first, last):
        total = load_i64(sums, c)
        if wraps:
            total = np.int64(np.int32(total))
        multiplier, shift = load_i64(multipliers, c), load_i64(shifts, c)
        if kind == DOUBLE:
            value = multiply_by_quantized_multiplier(total, multiplier, shift)
        elif kind == INT64:
            value = multiply_by_quantized_multiplier_int64(total, multiplier, shift)
        else:
            value = multiply_by_real_multiplier(total, load_f64(reals, c))
        store_i16(target, c, np.int16(clamped(value, zero_point, low, high)))
