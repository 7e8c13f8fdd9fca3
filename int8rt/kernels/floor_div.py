"""FLOOR_DIV and FLOOR_MOD: the quotient rounded down and its remainder, which has the divisor's sign; broadcast.

inputs, output: T of shapes that broadcast; int8, int16, int32, float32, for the remainder int64 too.
Codes are divided as they are, without scales. A quotient that does not fit its type wraps around.
"""

from __future__ import annotations

import numpy as np

from int8rt.errors import EvaluationError
from int8rt.kernels.arithmetic import broadcast_operation, broadcast_pair
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.signature import signatures


def prepare(context: OperatorContext) -> Params:
    """Check that the inputs broadcast."""
    return Params(output_shapes=(broadcast_pair(context),))


def evaluate_floor_div(params: Params, input1: Array, input2: Array) -> Array:
    """FLOOR_DIV; `EvaluationError` for a divisor of 0, also of 0.0."""
    _check_divisors(input2)
    if input1.dtype.kind != "f":
        quotient = broadcast_operation(np.floor_divide, input1.astype(np.int64), input2.astype(np.int64), np.int64)
        return quotient.astype(input1.dtype)
    quotient = broadcast_operation(np.divide, input1.astype(np.float64), input2.astype(np.float64), np.float64)
    np.floor(quotient, out=quotient)
    with np.errstate(all="ignore"):
        return quotient.astype(input1.dtype)


def evaluate_floor_mod(params: Params, input1: Array, input2: Array) -> Array:
    """FLOOR_MOD; `EvaluationError` for an integer divisor of 0, and where the quotient does not fit 32 or 64 bits."""
    if input1.dtype.kind != "f":
        _check_divisors(input2)
        # The processor's division raises an exception here, which ends the process.
        overflows = input1.dtype.itemsize >= 4 and np.any((input1 == np.iinfo(input1.dtype).min) & (input2 == -1))
        if overflows:
            raise EvaluationError(f"{np.iinfo(input1.dtype).min} divided by -1 does not fit {input1.dtype}")
        return broadcast_operation(np.remainder, input1, input2, input1.dtype)
    remainder = broadcast_operation(np.fmod, input1, input2, input1.dtype)
    with np.errstate(all="ignore"):
        other_sign = (remainder != 0) & ((input2 < 0) != (remainder < 0))
        return np.asarray(np.where(other_sign, remainder + input2, remainder))


def _check_divisors(divisor: Array) -> None:
    if np.any(divisor == 0):
        raise EvaluationError("division by 0")


FLOOR_DIV = Kernel(
    name="FLOOR_DIV",
    signatures=signatures("T,T -> T", T=("int8", "int16", "int32", "float32")),
    prepare=prepare,
    evaluate=evaluate_floor_div,
    source="kernels/floor_div.cc, reference/floor_div.h",
    max_version=3,
)

FLOOR_MOD = Kernel(
    name="FLOOR_MOD",
    signatures=signatures("T,T -> T", T=("int8", "int16", "int32", "int64", "float32")),
    prepare=prepare,
    evaluate=evaluate_floor_mod,
    source="kernels/floor_mod.cc, reference/floor_mod.h",
    max_version=2,
)
