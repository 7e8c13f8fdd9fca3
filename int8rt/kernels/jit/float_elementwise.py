"""ADD, SUB, MUL, DIV, MAXIMUM, MINIMUM, PRELU, the RELU family, LEAKY_RELU and HARD_SWISH in float32."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.arithmetic import PlainParams
from int8rt.kernels.float32.functions import FloatParams
from int8rt.kernels.jit.abi import carray, fields, helper, kernel, load_f32, share, store_f32
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered
from int8rt.kernels.jit.tables import broadcast_steps
from int8rt.kernels.leaky_relu import FloatLeakyReluParams
from int8rt.kernels.relu import FloatReluParams
from int8rt.model import TensorType

FLOAT_BINARY = fields("input1 input2 output bounds outer middle inner outer1 middle1 inner1 outer2 middle2 inner2")
_SUM, _DIFFERENCE, _PRODUCT, _MAXIMUM, _MINIMUM, _PRELU, _CLAMP, _LEAKY, _HARD_SWISH, _QUOTIENT = range(10)
_OF_TWO = {"ADD": _SUM, "SUB": _DIFFERENCE, "MUL": _PRODUCT, "DIV": _QUOTIENT}
_UNBOUNDED = {"MAXIMUM": _MAXIMUM, "MINIMUM": _MINIMUM, "PRELU": _PRELU}


def lower(params: Any, context: LowerContext) -> Lowered | None:
    """The step of an operator of two float32 tensors; None for shapes that no [outer, middle, inner] describes."""
    one, other, output = context.input(0), context.input(1), context.outputs[0]
    if {one.type, other.type, output.type} != {TensorType.FLOAT32}:
        return None
    if context.name in _OF_TWO and isinstance(params, PlainParams):
        return _lower(context, _OF_TWO[context.name], 1, params.activation_min, params.activation_max)
    return _lower(context, _UNBOUNDED[context.name], 1, 0, 0) if context.name in _UNBOUNDED else None


def lower_unary(params: Any, context: LowerContext) -> Lowered | None:
    """The step of an operator of one float32 tensor."""
    if {context.input(0).type, context.outputs[0].type} != {TensorType.FLOAT32}:
        return None
    if isinstance(params, FloatReluParams):
        high = np.inf if params.activation_max is None else params.activation_max
        return _lower(context, _CLAMP, 0, params.activation_min, high)
    if isinstance(params, FloatLeakyReluParams):
        return _lower(context, _LEAKY, 0, params.alpha, 0)
    if context.name == "HARD_SWISH" and isinstance(params, FloatParams):
        return _lower(context, _HARD_SWISH, 0, 0, 0)
    return None


def _lower(context: LowerContext, operation: int, second: int, low: float, high: float) -> Lowered | None:
    one, other = context.input(0), context.input(second)
    steps = broadcast_steps(one, other, context.outputs[0])
    if steps is None:
        return None
    values: dict[str, Any] = {
        "input1": At(one.index),
        "input2": At(other.index),
        "output": At(context.outputs[0].index),
        "bounds": Data(np.array([low, high], np.float32)),
    }
    return Lowered(float_elementwise_kernel(operation), FLOAT_BINARY, values | steps)


@helper
def joined(operation, x, y, low, high):  # type: ignore[no-untyped-def]
    """One element. Comparisons are those of the NumPy definitions, for NaN and zeros of either sign."""
    if operation == _MAXIMUM:
        return x if x > y else y
    if operation == _MINIMUM:
        return x if x < y else y
    if operation == _PRELU:
        return x if x >= np.float32(0) else x * y
    if operation == _LEAKY:
        return x if x > np.float32(0) else x * low
    if operation == _HARD_SWISH:
        held = x + np.float32(3)
        held = held if held > np.float32(0) else np.float32(0)
        held = held if held < np.float32(6) else np.float32(6)
        return x * held / np.float32(6)
    value = x
    if operation == _SUM:
        value = x + y
    elif operation == _DIFFERENCE:
        value = x - y
    elif operation == _PRODUCT:
        value = x * y
    elif operation == _QUOTIENT:
        value = x / y
    value = low if value < low else value
    return high if value > high else value


@cache
def float_elementwise_kernel(operation: int) -> Any:
    """The compiled operation."""

    @kernel
    def float_elementwise(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, FLOAT_BINARY)[0]
        # All in variables: a store may change the block, for all that the compiler knows.
        inner1, inner2, inner, low, high = p.inner1, p.inner2, p.inner, load_f32(p.bounds, 0), load_f32(p.bounds, 1)
        rows = p.outer * p.middle
        first, last, begin, end = 0, rows, 0, inner
        if rows >= threads:
            first, last = share(rows, thread, threads)
        else:
            begin, end = share(inner, thread, threads)
        for row in range(first, last):
            outer, middle = row // p.middle, row % p.middle
            one = p.input1 + 4 * (outer * p.outer1 + middle * p.middle1)
            other = p.input2 + 4 * (outer * p.outer2 + middle * p.middle2)
            target = p.output + 4 * row * inner
            # One loop for each way in which the inputs lie, so that each is vector code.
            if inner1 and inner2:
                for i in range(begin, end):
                    store_f32(target, i, joined(operation, load_f32(one, i), load_f32(other, i), low, high))
            elif inner1:
                y = load_f32(other, 0)
                for i in range(begin, end):
                    store_f32(target, i, joined(operation, load_f32(one, i), y, low, high))
            else:
                x = load_f32(one, 0)
                for i in range(begin, end):
                    store_f32(target, i, joined(operation, x, load_f32(other, i * inner2), low, high))

    return float_elementwise
