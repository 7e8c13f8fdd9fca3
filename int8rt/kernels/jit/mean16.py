"""MEAN of int16 codes over neighbouring axes."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.base import element_count
from int8rt.kernels.jit.abi import carray, fields, kernel, load_i16, load_i64, share, store_i16
from int8rt.kernels.jit.lowering import At, LowerContext, Lowered
from int8rt.kernels.jit.requantize import DOUBLE, REQUANTIZATION, clamped, requantization_fields
from int8rt.kernels.mean import QuantizedSumParams
from int8rt.model import TensorType
from int8rt.quantization.jitted import multiply_by_quantized_multiplier

MEAN16 = fields(f"input output outer count inner offset {REQUANTIZATION}")


def lower(params: Any, context: LowerContext) -> Lowered | None:
    """The step of a MEAN of int16; None where the reduced axes are not neighbours."""
    input, output = context.input(0), context.outputs[0]
    if not isinstance(params, QuantizedSumParams) or input.type != TensorType.INT16:
        return None
    axes = params.axis
    found = requantization_fields(params.requantization, 1)
    if not axes or axes != tuple(range(axes[0], axes[-1] + 1)) or found is None or found[0] != DOUBLE:
        return None
    values: dict[str, Any] = found[1] | {
        "input": At(input.index),
        "output": At(output.index),
        "outer": element_count(input.shape[: axes[0]]),
        "count": params.count,
        "inner": element_count(input.shape[axes[-1] + 1 :]),
        "offset": -params.input_zero_point * params.count,
    }
    return Lowered(mean16_kernel(), MEAN16, values)


@cache
def mean16_kernel() -> Any:
    """The compiled MEAN."""

    @kernel
    def mean16(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, MEAN16)[0]
        multiplier, shift = load_i64(p.multipliers, 0), load_i64(p.shifts, 0)
        first, last = share(p.outer * p.inner, thread, threads)
        for i in range(first, last):
            source = p.input + 2 * (i // p.inner * p.count * p.inner + i % p.inner)
            total = np.int64(0)
            for k in range(p.count):
                total += load_i16(source, k * p.inner)
            total = np.int64(np.int32(np.int32(total) + p.offset))
            value = multiply_by_quantized_multiplier(total, multiplier, shift)
            store_i16(p.output, i, np.int16(clamped(value, p.zero_point, p.low, p.high)))

    return mean16
