"""ADD, SUB, MUL, MAXIMUM and MINIMUM of int16 codes."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.add import AddParams, PotAddParams
from int8rt.kernels.jit.abi import carray, fields, helper, kernel, load_i16, load_i64, share, store_i16
from int8rt.kernels.jit.lowering import At, LowerContext, Lowered
from int8rt.kernels.jit.requantize import DOUBLE, REQUANTIZATION, clamped, requantization_fields
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


@cache
def binary16_kernel(operation: int, sign: int) -> Any:
    """The compiled operation; sign: of the second input in sums."""

    @kernel
    def binary16(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, BINARY16)[0]
        # All in variables: a store may change the block, for all that the compiler knows.
        offset1, left1, multiplier1, shift1, inner1 = p.offset1, p.left_shift1, p.multiplier1, p.shift1, p.inner1
        offset2, left2, multiplier2, shift2, inner2 = p.offset2, p.left_shift2, p.multiplier2, p.shift2, p.inner2
        multiplier, shift, zero_point, low, high = np.int64(0), np.int64(0), p.zero_point, p.low, p.high
        if operation in (_SCALED_SUM, _PRODUCT):
            multiplier, shift = load_i64(p.multipliers, 0), load_i64(p.shifts, 0)
        rows = p.outer * p.middle
        first, last, begin, end = 0, rows, 0, p.inner
        if rows >= threads:
            first, last = share(rows, thread, threads)
        else:
            begin, end = share(p.inner, thread, threads)
        for row in range(first, last):
            outer, middle = row // p.middle, row % p.middle
            one = p.input1 + 2 * (outer * p.outer1 + middle * p.middle1)
            other = p.input2 + 2 * (outer * p.outer2 + middle * p.middle2)
            target = p.output + 2 * row * p.inner
            for i in range(begin, end):
                x, y = np.int64(load_i16(one, i * inner1)), np.int64(load_i16(other, i * inner2))
                if operation == _SCALED_SUM:
                    total = scaled(x, offset1, left1, multiplier1, shift1)
                    total = np.int64(np.int32(total + sign * scaled(y, offset2, left2, multiplier2, shift2)))
                    code = clamped(multiply_by_quantized_multiplier(total, multiplier, shift), zero_point, low, high)
                elif operation == _PRODUCT:
                    total = np.int64(np.int32((x + offset1) * (y + offset2)))
                    code = clamped(multiply_by_quantized_multiplier(total, multiplier, shift), zero_point, low, high)
                elif operation == _POT_SUM:
                    total = rounding_divide_by_pot_int16(x, shift1) + sign * rounding_divide_by_pot_int16(y, shift2)
                    code = min(max(total, low), high)
                else:
                    code = max(x, y) if operation == _MAXIMUM else min(x, y)
                store_i16(target, i, np.int16(code))

    return binary16
