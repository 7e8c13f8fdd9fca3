"""SPARSE_TO_DENSE: a default value, with others at the places that the indices name.

indices: int32 or int64, a scalar or [n] for a vector, [n, rank] else; output_shape: int32 or int64 [rank], rank <= 4;
values: T scalar or [n]; default_value: T of one element; output: T[output_shape]. Of values for one place the last one
counts.
"""

from __future__ import annotations

import numpy as np

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count
from int8rt.kernels.layout import integers
from int8rt.kernels.signature import signatures

_MAX_RANK = 4


def prepare(context: OperatorContext) -> Params:
    """Check that there is a value for each row of the indices."""
    indices, output_shape, values = context.input(0), context.input(1), context.input(2)
    if indices.rank > 2 or output_shape.rank != 1 or values.rank > 1:
        raise context.invalid(
            f"indices {list(indices.shape)}, output shape {list(output_shape.shape)} and values {list(values.shape)} "
            "must have at most 2, exactly 1 and at most 1 dimensions"
        )
    if element_count(context.input(3).shape) != 1:
        raise context.invalid(f"default value {context.input(3).name!r} must have one element")
    count, depth = (element_count(indices.shape), 1) if indices.rank < 2 else indices.shape
    if output_shape.shape != (depth,) or depth > _MAX_RANK:
        raise context.invalid(
            f"indices {list(indices.shape)} do not fit {output_shape.shape[0]} dimensions, of which 4 are the most"
        )
    if values.rank == 1 and values.shape != (count,):
        raise context.invalid(f"has {values.shape[0]} values for {count} indices")
    shape = integers(context, 1)
    if any(size < 0 for size in shape):
        raise context.invalid(f"the shape {list(shape)} must not be negative")
    return Params(output_shapes=(shape,))


def evaluate(params: Params, indices: Array, output_shape: Array, values: Array, default_value: Array) -> Array:
    """The dense tensor; `EvaluationError` for an index outside of it."""
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.full(shape, default_value.reshape(-1)[0], values.dtype)
    count = indices.shape[0] if indices.ndim == 2 else indices.size
    rows = indices.reshape(count, len(shape)).astype(np.int64)
    if np.any((rows < 0) | (rows >= np.array(shape, np.int64))):
        raise EvaluationError(f"an index is outside of the shape {list(shape)}")
    output[tuple(rows.T)] = values
    return output


SPARSE_TO_DENSE = Kernel(
    name="SPARSE_TO_DENSE",
    signatures=signatures("int32|int64,int32|int64,T,T -> T", T=("int8", "uint8", "int32", "int64", "float32")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/sparse_to_dense.cc, reference/reference_ops.h",
    max_version=3,
)
