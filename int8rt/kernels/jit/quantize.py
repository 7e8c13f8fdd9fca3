"""QUANTIZE of real numbers, per tensor; QUANTIZE of 8-bit codes is a table."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.base import element_count
from int8rt.kernels.jit import float_codes, tables
from int8rt.kernels.jit.abi import carray, fields, kernel, load_f32, share, store_u8, store_u16
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered, View
from int8rt.kernels.quantize import QuantizeParams
from int8rt.model import TensorType
from int8rt.quantization.jitted import quantize

QUANTIZE = fields("input output scale zero_point low high flip count")


def lower(params: Any, context: LowerContext) -> Lowered | View | None:
    """The step of a QUANTIZE; None where an axis has its own parameters."""
    input, output = context.input(0), context.outputs[0]
    if not isinstance(params, QuantizeParams):
        return tables.lower_unary(params, context)
    if params.scale.size != 1:
        return None
    vectors = float_codes.lower_quantize(params, context)
    if vectors is not None:
        return vectors
    values = {
        "input": At(input.index),
        "output": At(output.index),
        "scale": Data(params.scale.reshape(1)),
        "zero_point": int(params.zero_point.reshape(())),
        "low": params.low,
        "high": params.high,
        "flip": 128 if output.type == TensorType.INT8 else 0,
        "count": element_count(output.shape),
    }
    return Lowered(quantize_kernel(params.dtype.itemsize), QUANTIZE, values)


@cache
def quantize_kernel(size: int) -> Any:
    """The compiled QUANTIZE to codes of `size` bytes."""

    @kernel
    def quantize_reals(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, QUANTIZE)[0]
        first, last = share(p.count, thread, threads)
        source, target, scale, zero_point = p.input, p.output, load_f32(p.scale, 0), np.int32(p.zero_point)
        low, high, flip = np.int32(p.low), np.int32(p.high), np.int32(p.flip)
        for i in range(first, last):
            code = min(max(quantize(load_f32(source, i), scale, zero_point), low), high)
            if size == 1:
                store_u8(target, i, np.uint8(code ^ flip))
            else:
                store_u16(target, i, np.uint16(code))

    return quantize_reals
