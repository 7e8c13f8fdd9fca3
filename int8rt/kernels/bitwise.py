"""BITWISE_XOR and RIGHT_SHIFT of integers, broadcast.

RIGHT_SHIFT keeps the sign of signed integers; a shift below 0 counts as 0, one beyond the type's bits as all but one.
"""

from __future__ import annotations

import numpy as np

from int8rt.kernels.arithmetic import broadcast_operation, broadcast_pair
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.signature import signatures


def prepare(context: OperatorContext) -> Params:
    """Check that the inputs broadcast."""
    return Params(output_shapes=(broadcast_pair(context),))


def evaluate_bitwise_xor(params: Params, input1: Array, input2: Array) -> Array:
    """The bits in which the inputs differ."""
    return broadcast_operation(np.bitwise_xor, input1, input2, input1.dtype)


def evaluate_right_shift(params: Params, input1: Array, input2: Array) -> Array:
    """input1 / 2^input2, rounded down."""
    distance = np.clip(input2, 0, input1.dtype.itemsize * 8 - 1)
    return broadcast_operation(np.right_shift, input1, distance, input1.dtype)


_SIGNATURES = signatures("T,T -> T", T=("int8", "uint8", "int16", "uint16", "int32", "uint32"))

BITWISE_XOR = Kernel(
    name="BITWISE_XOR",
    signatures=_SIGNATURES,
    prepare=prepare,
    evaluate=evaluate_bitwise_xor,
    source="kernels/bitwise_xor.cc",
    max_version=1,
)

RIGHT_SHIFT = Kernel(
    name="RIGHT_SHIFT",
    signatures=_SIGNATURES,
    prepare=prepare,
    evaluate=evaluate_right_shift,
    source="kernels/right_shift.cc",
    max_version=1,
)
