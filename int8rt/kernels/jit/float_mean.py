"""MEAN and SUM in float32 over neighbouring axes: numbers are added one after the other, as the definition does."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.base import element_count
from int8rt.kernels.jit.abi import carray, fields, kernel, load_f32, share, store_f32
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered
from int8rt.kernels.reduce import ReduceParams
from int8rt.model import TensorType

# factors: what the sums start from, and what they are divided by.
FLOAT_MEAN = fields("input output outer count inner factors")
_ROWS = 4  # sums that are added up side by side: one addition need not wait for another


def lower(params: ReduceParams, context: LowerContext) -> Lowered | None:
    """The step of a MEAN or SUM; None where the reduced axes are not neighbours, or other types than float32."""
    input, output, axes = context.input(0), context.outputs[0], params.axis
    if {input.type, output.type} != {TensorType.FLOAT32}:
        return None
    if not axes or axes != tuple(range(axes[0], axes[-1] + 1)):
        return None
    # What becomes one number starts from its first element, where -0.0 stays: as if it started from -0.0.
    start = -0.0 if context.name == "SUM" and len(axes) == len(input.shape) else 0.0
    values = {
        "input": At(input.index),
        "output": At(output.index),
        "outer": element_count(input.shape[: axes[0]]),
        "count": params.count,
        "inner": element_count(input.shape[axes[-1] + 1 :]),
        "factors": Data(np.array([start, params.count if context.name == "MEAN" else 1], np.float32)),
    }
    return Lowered(float_mean_kernel(), FLOAT_MEAN, values)


@cache
def float_mean_kernel() -> Any:
    """The compiled sums, each divided by the second factor."""

    @kernel
    def float_mean(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, FLOAT_MEAN)[0]
        # All in variables: a store may change the block, for all that the compiler knows.
        count, inner = p.count, p.inner
        start, divisor = load_f32(p.factors, 0), load_f32(p.factors, 1)
        first, last, begin, end = 0, p.outer, 0, inner
        if p.outer >= threads:
            first, last = share(p.outer, thread, threads)
        else:
            begin, end = share(inner, thread, threads)
        if inner == 1:
            line, row = 4 * count, first if begin < end else last
            while row + _ROWS <= last:
                a = p.input + row * line
                b, c, d = a + line, a + 2 * line, a + 3 * line
                one, two, three, four = start, start, start, start
                for i in range(count):
                    one += load_f32(a, i)
                    two += load_f32(b, i)
                    three += load_f32(c, i)
                    four += load_f32(d, i)
                store_f32(p.output, row, one / divisor)
                store_f32(p.output, row + 1, two / divisor)
                store_f32(p.output, row + 2, three / divisor)
                store_f32(p.output, row + 3, four / divisor)
                row += _ROWS
            while row < last:
                total = start
                for i in range(count):
                    total += load_f32(p.input + row * line, i)
                store_f32(p.output, row, total / divisor)
                row += 1
            return
        for outer in range(first, last):
            target = p.output + 4 * outer * inner
            for c in range(begin, end):
                store_f32(target, c, start)
            for row in range(count):
                source = p.input + 4 * (outer * count + row) * inner
                for c in range(begin, end):
                    store_f32(target, c, load_f32(target, c) + load_f32(source, c))
            for c in range(begin, end):
                store_f32(target, c, load_f32(target, c) / divisor)

    return float_mean
