"""Products of int16 codes after a conversion to TOSA: the 15 bits of a multiplier come from the real one at once.

TensorFlow Lite rounds it to 31 bits first, and cuts what would be 2^15 then off at 2^15 - 1.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from int8rt.kernels.base import Kernel, OperatorContext, Params
from int8rt.quantization.requantization import Rounding
from int8rt.quantization.tosa import in_15_bits


def prepare(context: OperatorContext, kernel: Kernel) -> Params:
    """As the reference kernel's, with other multipliers for accumulators of int64."""
    params: Any = kernel.prepare(context)
    requantization = params.requantization
    if requantization is None or requantization.rounding != Rounding.INT64:
        return params  # type: ignore[no-any-return]
    return replace(params, requantization=in_15_bits(requantization))  # type: ignore[no-any-return]
