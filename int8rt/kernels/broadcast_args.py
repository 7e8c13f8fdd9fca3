"""BROADCAST_ARGS: the shape to which two shapes broadcast.

shape1: T[m], shape2: T[n], output: T[max(m, n)]; T is int32 or int64
"""

from __future__ import annotations

import numpy as np

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.signature import signatures


def prepare(context: OperatorContext) -> Params:
    """Check that both are vectors."""
    shape1, shape2 = context.input(0), context.input(1)
    if shape1.rank != 1 or shape2.rank != 1:
        raise context.invalid(f"expected two vectors, found {list(shape1.shape)} and {list(shape2.shape)}")
    return Params(output_shapes=((max(shape1.shape[0], shape2.shape[0]),),))


def evaluate(params: Params, shape1: Array, shape2: Array) -> Array:
    """The larger one where the other is 1; `EvaluationError` for dimensions that do not fit.

    TensorFlow Lite takes the low 32 bits of int64 dimensions.
    """
    (shape,) = params.output_shapes
    assert shape is not None
    first, second = (
        np.concatenate([np.ones(shape[0] - len(given), np.int32), given.astype(np.int32)]) for given in (shape1, shape2)
    )
    if np.any((first != second) & (first != 1) & (second != 1)):
        raise EvaluationError(f"{shape1.tolist()} and {shape2.tolist()} do not broadcast")
    return np.where(first == 1, second, first).astype(shape1.dtype)


BROADCAST_ARGS = Kernel(
    name="BROADCAST_ARGS",
    signatures=signatures("T,T -> T", T=("int32", "int64")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/broadcast_args.cc, reference/broadcast_args.h",
    max_version=1,
)
