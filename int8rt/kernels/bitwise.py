"""BITWISE_XOR and RIGHT_SHIFT of integers, broadcast; STABLEHLO_AND and STABLEHLO_SHIFT_LEFT of tensors of one shape.

RIGHT_SHIFT keeps the sign of signed integers; a shift below 0 counts as 0, one beyond the type's bits as all but one.
STABLEHLO_SHIFT_LEFT keeps the low bits, shifts from 0 to 31; what TensorFlow Lite makes of others depends on where they
stand in the tensor.
BUILTIN_REF has no kernel for the two of StableHLO; `tflite-ref` takes the arithmetic of the optimized ones.
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


def evaluate_bitwise_xor(params: Params, input1: Array, input2: Array) -> Array:
    """The bits in which the inputs differ."""
    return broadcast_operation(np.bitwise_xor, input1, input2, input1.dtype)


def evaluate_right_shift(params: Params, input1: Array, input2: Array) -> Array:
    """input1 / 2^input2, rounded down."""
    distance = np.clip(input2, 0, input1.dtype.itemsize * 8 - 1)
    return broadcast_operation(np.right_shift, input1, distance, input1.dtype)


def prepare_same_shape(context: OperatorContext) -> Params:
    """Check that the shapes are equal."""
    input1, input2 = context.input(0), context.input(1)
    if input1.shape != input2.shape:
        raise context.invalid(f"the shapes {list(input1.shape)} and {list(input2.shape)} must be equal")
    return Params(output_shapes=(input1.shape,))


def evaluate_stablehlo_shift_left(params: Params, input1: Array, input2: Array) -> Array:
    """input1 · 2^input2, without the bits that do not fit; `EvaluationError` for shifts outside of 32 bits."""
    if np.any((input2 < 0) | (input2 > 31)):
        raise EvaluationError("a shift is outside of 32 bits")
    return np.asarray(np.left_shift(input1.astype(np.int64), input2.astype(np.int64))).astype(input1.dtype)


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

STABLEHLO_AND = Kernel(
    name="STABLEHLO_AND",
    signatures=signatures(
        "T,T -> T", T=("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "bool")
    ),
    prepare=prepare_same_shape,
    evaluate=lambda params, input1, input2: broadcast_operation(np.bitwise_and, input1, input2, input1.dtype),
    source="kernels/stablehlo_elementwise.h",
    max_version=1,
)

STABLEHLO_SHIFT_LEFT = Kernel(
    name="STABLEHLO_SHIFT_LEFT",
    signatures=signatures("T,T -> T", T=("int8", "int16", "int32")),
    prepare=prepare_same_shape,
    evaluate=evaluate_stablehlo_shift_left,
    source="kernels/stablehlo_shift_left.cc",
    max_version=1,
)
