"""UNIQUE: the different elements of a vector in the order in which they first appear, and each element's number there.

input: T[n], outputs: T[m], int32[n] or int64[n]; m follows from the data. Both zeros of float32 count as one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.signature import signatures
from int8rt.schema.options import UniqueOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class UniqueParams(Params):
    """`index_dtype`: the type of the numbers."""

    index_dtype: np.dtype[np.signedinteger]


def prepare(context: OperatorContext) -> UniqueParams:
    """Count the different elements."""
    input, index_type = context.input(0), context.output(1).type
    if input.rank != 1:
        raise context.invalid(f"input {input.name!r} {list(input.shape)} must be a vector")
    if context.operator.options is None:
        raise context.invalid("has no options in the file, and so no type of the indices")
    requested = context.options(UniqueOptions).idx_out_type
    if requested != index_type:
        raise context.invalid(f"idx_out_type {requested.label} is not the type of output 1, {index_type.label}")
    count = len(np.unique(context.value(0)))
    return UniqueParams(output_shapes=((count,), input.shape), index_dtype=index_type.dtype)


def evaluate(params: UniqueParams, input: Array) -> tuple[Array, Array]:
    """Both; `EvaluationError` for NaN, which compares equal to anything in TensorFlow Lite's search tree."""
    if input.dtype.kind == "f" and np.any(np.isnan(input)):
        raise EvaluationError("NaN has no place among different numbers")
    _, first, number = np.unique(input, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), params.index_dtype)
    rank[order] = np.arange(len(order))
    return input[first[order]], rank[number.reshape(-1)]


UNIQUE = Kernel(
    name="UNIQUE",
    signatures=signatures("T -> T,int32|int64", T=("int8", "uint8", "int16", "int32", "int64", "float32")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/unique.cc",
    max_version=1,
)
