"""REDUCE_MAX and REDUCE_MIN of 8-bit codes over neighbouring axes."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.base import element_count
from int8rt.kernels.jit.abi import carray, fields, kernel, load_u8, share, store_u8
from int8rt.kernels.jit.lowering import At, LowerContext, Lowered
from int8rt.kernels.reduce import ReduceParams
from int8rt.model import TensorType

REDUCE = fields("input output outer count inner flip")


def lower(params: ReduceParams, context: LowerContext) -> Lowered | None:
    """The step of a REDUCE_MAX or REDUCE_MIN of 8-bit codes; None where the reduced axes are not neighbours."""
    input, output, axes = context.input(0), context.outputs[0], params.axis
    if input.type not in (TensorType.INT8, TensorType.UINT8):
        return None
    if not axes or axes != tuple(range(axes[0], axes[-1] + 1)):
        return None
    values: dict[str, Any] = {
        "input": At(input.index),
        "output": At(output.index),
        "outer": element_count(input.shape[: axes[0]]),
        "count": params.count,
        "inner": element_count(input.shape[axes[-1] + 1 :]),
        "flip": 0 if context.name == "REDUCE_MAX" else 255,
    }
    return Lowered(reduce_kernel(), REDUCE, values)


@cache
def reduce_kernel() -> Any:
    """The compiled maximum; the minimum is that of flipped codes."""

    @kernel
    def reduce_max(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, REDUCE)[0]
        inner, flip = p.inner, np.uint8(p.flip)
        first, last = share(p.outer, thread, threads)
        for outer in range(first, last):
            source, target = p.input + outer * p.count * inner, p.output + outer * inner
            if inner == 1:
                largest = np.uint8(0)
                for i in range(p.count):
                    largest = max(largest, np.uint8(load_u8(source, i) ^ flip))
                store_u8(target, 0, np.uint8(largest ^ flip))
                continue
            for c in range(inner):
                store_u8(target, c, load_u8(source, c))
            for i in range(1, p.count):
                for c in range(inner):
                    code = np.uint8(load_u8(source + i * inner, c) ^ flip)
                    store_u8(target, c, np.uint8(max(np.uint8(load_u8(target, c) ^ flip), code) ^ flip))

    return reduce_max
