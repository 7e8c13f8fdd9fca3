"""Plain int32: ADD, SUB, MUL, and CAST to float32."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.arithmetic import PlainParams
from int8rt.kernels.base import element_count
from int8rt.kernels.jit.abi import carray, fields, helper, kernel, load_i32, share, store_f32, store_i32
from int8rt.kernels.jit.lowering import At, LowerContext, Lowered
from int8rt.kernels.jit.moves import MOVE
from int8rt.kernels.jit.tables import broadcast_steps
from int8rt.model import TensorType

INT32 = fields("input1 input2 output low high outer middle inner outer1 middle1 inner1 outer2 middle2 inner2")
_SUM, _DIFFERENCE, _PRODUCT = range(3)
_OPERATIONS = {"ADD": _SUM, "SUB": _DIFFERENCE, "MUL": _PRODUCT}


def lower(params: Any, context: LowerContext) -> Lowered | None:
    """The step of an operator of two int32 tensors; None for shapes that no [outer, middle, inner] describes."""
    one, other, output = context.input(0), context.input(1), context.outputs[0]
    if not isinstance(params, PlainParams) or {one.type, other.type, output.type} != {TensorType.INT32}:
        return None
    steps = broadcast_steps(one, other, output)
    if steps is None:
        return None
    values: dict[str, Any] = {
        "input1": At(one.index),
        "input2": At(other.index),
        "output": At(output.index),
        "low": int(params.activation_min),
        "high": int(params.activation_max),
    }
    return Lowered(int32_kernel(_OPERATIONS[context.name]), INT32, values | steps)


def lower_cast(params: Any, context: LowerContext) -> Lowered | None:
    """The step of a CAST from int32 to float32."""
    input, output = context.input(0), context.outputs[0]
    if (input.type, output.type) != (TensorType.INT32, TensorType.FLOAT32):
        return None
    values = {"input": At(input.index), "output": At(output.index), "count": element_count(output.shape)}
    return Lowered(cast_kernel(), MOVE, values, in_place=True)


@helper
def joined(operation, x, y, low, high):  # type: ignore[no-untyped-def]
    """One element: in int32 with wrap-around, then the clamp."""
    value = np.int32(x * y)
    if operation == _SUM:
        value = np.int32(x + y)
    elif operation == _DIFFERENCE:
        value = np.int32(x - y)
    return min(max(value, low), high)


@cache
def int32_kernel(operation: int) -> Any:
    """The compiled operation."""

    @kernel
    def plain_int32(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, INT32)[0]
        # All in variables: a store may change the block, for all that the compiler knows.
        inner, inner1, inner2, low, high = p.inner, p.inner1, p.inner2, np.int32(p.low), np.int32(p.high)
        first, last = share(p.outer * p.middle, thread, threads)
        for row in range(first, last):
            outer, middle = row // p.middle, row % p.middle
            one = p.input1 + 4 * (outer * p.outer1 + middle * p.middle1)
            other = p.input2 + 4 * (outer * p.outer2 + middle * p.middle2)
            target = p.output + 4 * row * inner
            for i in range(inner):
                x, y = load_i32(one, i * inner1), load_i32(other, i * inner2)
                store_i32(target, i, joined(operation, x, y, low, high))

    return plain_int32


@cache
def cast_kernel() -> Any:
    """The compiled CAST."""

    @kernel
    def cast_int32(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, MOVE)[0]
        source, target = p.input, p.output
        first, last = share(p.count, thread, threads)
        for i in range(first, last):
            store_f32(target, i, np.float32(load_i32(source, i)))

    return cast_int32
