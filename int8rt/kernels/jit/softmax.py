"""SOFTMAX of 8-bit codes, to 8 or 16 bits: exponentials from the definition's table, one reciprocal a row."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.base import element_count
from int8rt.kernels.jit.abi import fields, kernel, load_i64, load_u8, share, store_i16, store_i64, store_u8
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered, Status
from int8rt.kernels.jit.numba_later import carray
from int8rt.kernels.softmax import ACCUMULATION_INTEGER_BITS, SoftmaxParams
from int8rt.model import TensorType
from int8rt.quantization.jitted import (
    one_over_one_plus_x,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
)

SOFTMAX = fields("input output exponentials rows depth status")


def lower(params: Any, context: LowerContext) -> Lowered | None:
    """The step of a SOFTMAX from 8 bits to 8 or 16; None for rows whose sums of 16 bits might wrap around."""
    input, output = context.input(0), context.outputs[0]
    if not isinstance(params, SoftmaxParams) or input.type not in (TensorType.INT8, TensorType.UINT8):
        return None
    depth, bits = input.shape[-1], 16 if output.type == TensorType.INT16 else 8
    if bits == 16 and depth >= 1 << ACCUMULATION_INTEGER_BITS:
        return None
    values = {
        "input": At(input.index),
        "output": At(output.index),
        "exponentials": Data(np.ascontiguousarray(params.exponentials, np.int64)),
        "rows": element_count(input.shape[:-1]) if depth else 0,
        "depth": depth,
        "status": Status(),
    }
    return Lowered(softmax_kernel(bits), SOFTMAX, values)


@cache
def softmax_kernel(bits: int) -> Any:
    """The compiled SOFTMAX to codes of so many bits.

    The status becomes 1 where a row's sum of exponentials leaves the fixed-point format.
    """

    @kernel
    def softmax(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, SOFTMAX)[0]
        depth, table = p.depth, p.exponentials
        first, last = share(p.rows, thread, threads)
        for row in range(first, last):
            source, target = p.input + row * depth, p.output + row * depth * (bits // 8)
            largest = np.uint8(0)
            for i in range(depth):
                largest = max(largest, load_u8(source, i))
            total = np.int64(0)
            for i in range(depth):
                exponential = load_i64(table, np.int64(largest) - load_u8(source, i))
                total += rounding_divide_by_pot(exponential, ACCUMULATION_INTEGER_BITS)
            headroom = 0
            while headroom < 32 and total >> (31 - headroom) == 0:
                headroom += 1
            exponent = ACCUMULATION_INTEGER_BITS - headroom + 31 - bits
            if exponent < 0 or exponent > 31:
                store_i64(p.status, 0, 1)
                continue
            scale = one_over_one_plus_x((total << headroom) - (1 << 31))
            for i in range(depth):
                exponential = load_i64(table, np.int64(largest) - load_u8(source, i))
                product = saturating_rounding_doubling_high_mul(exponential, scale)
                code = rounding_divide_by_pot(product, exponent)
                if bits == 8:
                    store_u8(target, i, np.uint8(min(code, 255)))
                else:
                    store_i16(target, i, np.int16(min(code, 65535) - 32768))

    return softmax
