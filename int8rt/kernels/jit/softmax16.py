"""SOFTMAX of int16 codes: exponentials and the reciprocal of their sum by tables between whose entries lines run."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.base import element_count
from int8rt.kernels.jit.abi import carray, fields, helper, kernel, load_i16, load_i64, share, store_i16, store_i64
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered, Scratch
from int8rt.kernels.softmax import SoftmaxInt16Params
from int8rt.quantization.jitted import interpolate_int16, multiply_by_quantized_multiplier

SOFTMAX16 = fields("input output rows depth multiplier shift exponentials reciprocals scratch scratch_bytes")


def lower(params: Any, context: LowerContext) -> Lowered | None:
    """The step of a SOFTMAX from int16 to int16."""
    input, output = context.input(0), context.outputs[0]
    if not isinstance(params, SoftmaxInt16Params) or not -31 <= params.input_left_shift <= 31:
        return None
    depth = input.shape[-1]
    values = {
        "input": At(input.index),
        "output": At(output.index),
        "rows": element_count(input.shape[:-1]),
        "depth": depth,
        "multiplier": params.input_multiplier,
        "shift": params.input_left_shift,
        "exponentials": Data(params.exp_lut),
        "reciprocals": Data(params.one_over_one_plus_x_lut),
        "scratch": Scratch(8 * depth),
        "scratch_bytes": 8 * depth,
    }
    return Lowered(softmax16_kernel(), SOFTMAX16, values)


@helper
def look_up(table, code):  # type: ignore[no-untyped-def]
    """The value of an int16 table at a code, which is first saturated to int16."""
    code = min(max(code, -(1 << 15)), (1 << 15) - 1)
    index = 256 + (code >> 7)
    return interpolate_int16(np.int64(load_i16(table, index)), np.int64(load_i16(table, index + 1)), code & 127)


@cache
def softmax16_kernel() -> Any:
    """The compiled SOFTMAX."""

    @kernel
    def softmax16(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, SOFTMAX16)[0]
        depth, exponentials = p.depth, p.scratch + thread * p.scratch_bytes
        first, last = share(p.rows, thread, threads)
        for row in range(first, last):
            source = p.input + 2 * row * depth
            largest = np.int64(-(1 << 15))
            for i in range(depth):
                largest = max(largest, np.int64(load_i16(source, i)))
            total = np.int64(0)
            for i in range(depth):
                scaled = multiply_by_quantized_multiplier(load_i16(source, i) - largest, p.multiplier, p.shift)
                exponential = look_up(p.exponentials, np.int64(np.int32(scaled + 32767)))
                store_i64(exponentials, i, exponential)
                total += exponential
            total = np.int64(np.int32(total))
            headroom = 0
            while headroom < 32 and total >> (31 - headroom) == 0:
                headroom += 1
            normalized = np.int64(np.int32(((total << ((headroom - 1) & 63)) + (1 << 13)) >> 14))
            scale = look_up(p.reciprocals, normalized - (1 << 16) - (1 << 15))
            exponent = 31 - headroom
            for i in range(depth):
                product = load_i64(exponentials, i) * scale
                code = (product + ((np.int64(1) << exponent) >> 1)) >> exponent
                store_i16(p.output, row * depth + i, np.int16(min(max(code, 0), 32767)))

    return softmax16
