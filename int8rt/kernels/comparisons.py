"""EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL: truth values of two tensors, broadcast.

int8, uint8 (int16 in EQUAL and NOT_EQUAL): each side is rescaled by its own scale, with 8 more bits, and the integers
are compared. That is coarse, and TensorFlow Lite's way is only defined for scales below 1; int8rt takes no others.
Everything else is compared as it is, int16 in the other four too. Only LESS and GREATER take bfloat16.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from int8rt.kernels.add import ScaledInput, scaled_input
from int8rt.kernels.arithmetic import broadcast_operation, broadcast_pair, is_8bit, is_quantized
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.signature import signatures
from int8rt.model import TensorType
from int8rt.quantization.bfloat16 import bfloat16_to_float32

_LEFT_SHIFT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonParams(Params):
    """How the codes of each input become comparable; None: they are compared as they are. type: of the inputs."""

    type: TensorType
    input1: ScaledInput | None
    input2: ScaledInput | None


def prepare(context: OperatorContext) -> ComparisonParams:
    """Check that the inputs broadcast, and derive the integers of quantized ones."""
    input1, input2 = context.input(0), context.input(1)
    shape, scaled = broadcast_pair(context), is_8bit(input1.type)
    if input1.type == TensorType.INT16 and context.operator.name in ("EQUAL", "NOT_EQUAL"):
        scaled = is_quantized(input1) and not context.profile.before_2_20
        if not scaled and context.operator.name == "NOT_EQUAL":  # TensorFlow Lite leaves the output unwritten
            raise context.unsupported(f"int16 tensor {input1.name!r} has no quantization parameters")
    if not scaled:
        return ComparisonParams(output_shapes=(shape,), type=input1.type, input1=None, input2=None)
    first, second = (
        scaled_input(context, tensor, context.per_tensor(tensor)[0], _LEFT_SHIFT) for tensor in (input1, input2)
    )
    return ComparisonParams(output_shapes=(shape,), type=input1.type, input1=first, input2=second)


def evaluate(operation: Callable[..., Array], params: ComparisonParams, input1: Array, input2: Array) -> Array:
    """The truth values; `operation`: NumPy's comparison of that name."""
    if params.type == TensorType.BFLOAT16:
        input1, input2 = bfloat16_to_float32(input1), bfloat16_to_float32(input2)
    first = input1 if params.input1 is None else params.input1.scale(input1)
    second = input2 if params.input2 is None else params.input2.scale(input2)
    return broadcast_operation(operation, first, second, np.bool_)


def _kernel(name: str, operation: Callable[..., Array], max_version: int, *more_types: str) -> Kernel:
    return Kernel(
        name=name,
        signatures=signatures(
            "T,T -> bool", T=("int8", "uint8", "int16", "int32", "int64", "float16", "float32", *more_types)
        ),
        prepare=prepare,
        evaluate=functools.partial(evaluate, operation),
        source="kernels/comparisons.cc, reference/comparisons.h",
        max_version=max_version,
    )


EQUAL = _kernel("EQUAL", np.equal, 5, "bool", "string")
NOT_EQUAL = _kernel("NOT_EQUAL", np.not_equal, 4, "bool", "string")
LESS = _kernel("LESS", np.less, 3, "bfloat16")
LESS_EQUAL = _kernel("LESS_EQUAL", np.less_equal, 2)
GREATER = _kernel("GREATER", np.greater, 2, "bfloat16")
GREATER_EQUAL = _kernel("GREATER_EQUAL", np.greater_equal, 3)
