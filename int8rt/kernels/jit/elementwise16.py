"""ADD, SUB, MUL, MAXIMUM and MINIMUM of int16 codes."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.add import AddParams, PotAddParams
from int8rt.kernels.jit.abi import carray, fields, helper, kernel, load_i16, share, store_i16
from int8rt.kernels.jit.lowering import At, LowerContext, Lowered
from int8rt.kernels.jit.requantize import DOUBLE, REQUANTIZATION, requantization_fields, requantized
from int8rt.kernels.jit.tables import broadcast_steps
from int8rt.kernels.mul import MulParams
from int8rt.model import TensorType
from int8rt.quantization.jitted import multiply_by_quantized_multiplier, rounding_divide_by_pot_int16

BINARY16 = fields(
    "input1 input2 output outer middle inner outer1 middle1 inner1 outer2 middle2 inner2 offset1 multiplier1 shift1 "
    f"left_shift1 offset2 multiplier2 shift2 left_shift2 {REQUANTIZATION}"
)
_SCALED_SUM, _POT_SUM, _PRODUCT, _MAXIMUM, _MINIMUM = range(5)


def lower(params: Any, context: LowerContext) -> Lowered | None:
    """The step of an operator of two int16 tensors; None for shapes that no [outer, middle, inner] describes."""
    one, other, output = context.input(0), context.input(1), context.outputs[0]
    if {one.type, other.type, output.type} != {TensorType.INT16}:
        return None
    steps, found = broadcast_steps(one, other, output), _operation(params, context.name)
    if steps is None or found is None:
        return None
    operation, values = found
    places = {"input1": At(one.index), "input2": At(other.index), "output": At(output.index)}
    sign = -1 if context.name == "SUB" else 1
    return Lowered(binary16_kernel(operation, sign), BINARY16, values | steps | places)


def _operation(params: Any, name: str) -> tuple[int, dict[str, Any]] | None:
    if name in ("MAXIMUM", "MINIMUM"):
        return (_MAXIMUM if name == "MAXIMUM" else _MINIMUM), {}
    if isinstance(params, PotAddParams):
        shifts = {"shift1": -params.input1_shift, "shift2": -params.input2_shift}
        return _POT_SUM, shifts | {"low": params.activation_min, "high": params.activation_max}
    if not isinstance(params, AddParams | MulParams):
        return None
    found = requantization_fields(params.requantization, 1)
    if found is None or found[0] != DOUBLE:
        return None
    values = found[1]
    if isinstance(params, MulParams):
        return _PRODUCT, values | {"offset1": -params.input1_zero_point, "offset2": -params.input2_zero_point}
    for i, input in ((1, params.input1), (2, params.input2)):
        if not -31 <= input.shift <= 0:
            return None
        values |= {
            f"offset{i}": input.offset,
            f"multiplier{i}": input.multiplier,
            f"shift{i}": input.shift,
            f"left_shift{i}": input.left_shift,
        }
    return _SCALED_SUM, values


@helper
def scaled(code, offset, left_shift, multiplier, shift):  # type: ignore[no-untyped-def]
    """`add.ScaledInput` of one code."""
    return multiply_by_quantized_multiplier(np.int64(np.int32((code + offset) << left_shift)), multiplier, shift)


@helper
def combined(p, operation, sign, x, y):  # type: ignore[no-untyped-def]
    """The output code of two input codes."""
    if operation == _SCALED_SUM:
        one = scaled(x, p.offset1, p.left_shift1, p.multiplier1, p.shift1)
        other = scaled(y, p.offset2, p.left_shift2, p.multiplier2, p.shift2)
        return requantized(p, DOUBLE, one + sign * other, 0)
    if operation == _POT_SUM:
        total = rounding_divide_by_pot_int16(x, p.shift1) + sign * rounding_divide_by_pot_int16(y, p.shift2)
        return min(max(total, p.low), p.high)
    if operation == _PRODUCT:
        return requantized(p, DOUBLE, (x + p.offset1) * (y + p.offset2), 0)
    return max(x, y) if operation == _MAXIMUM else min(x, y)


@cache
def binary16_kernel(operation: int, sign: int) -> Any:
    """The compiled operation; sign: of the second input in sums."""

    @kernel
    def binary16(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, BINARY16)[0]
        rows = p.outer * p.middle
        first, last, begin, end = 0, rows, 0, p.inner
        if rows >= threads:
            first, last = share(rows, thread, threads)
        else:
            begin, end = share(p.inner, thread, threads)
        for row in range(first, last):
            outer, middle = row // p.middle, row % p.middle
            a, b = outer * p.outer1 + middle * p.middle1, outer * p.outer2 + middle * p.middle2
            for i in range(begin, end):
                x = np.int64(load_i16(p.input1, a + i * p.inner1))
                y = np.int64(load_i16(p.input2, b + i * p.inner2))
                store_i16(p.output, row * p.inner + i, np.int16(combined(p, operation, sign, x, y)))

    return binary16
