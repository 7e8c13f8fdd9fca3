"""SCATTER_ND: zeros, to which slices are added at the places that the indices name.

indices: int32[.., n], updates: T[.., *shape[n:]], shape: int32[rank], output: T[shape]. Slices for one place are added
in their order; integers wrap around, and of bool it is "or".
"""

from __future__ import annotations

import numpy as np

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count
from int8rt.kernels.layout import integers
from int8rt.kernels.signature import signatures


def prepare(context: OperatorContext) -> Params:
    """Check that there is a slice of the right shape for each row of the indices."""
    indices, updates, shape_input = context.input(0), context.input(1), context.input(2)
    if indices.rank < 1 or updates.rank < 1 or shape_input.rank != 1:
        raise context.invalid(
            f"indices {list(indices.shape)}, updates {list(updates.shape)} and shape {list(shape_input.shape)} must "
            "have at least one dimension, the shape exactly one"
        )
    shape, outer, depth = integers(context, 2), indices.shape[:-1], indices.shape[-1]
    if any(size < 0 for size in shape):
        raise context.invalid(f"the shape {list(shape)} must not be negative")
    if depth > len(shape) or updates.shape != (*outer, *shape[depth:]):
        raise context.invalid(
            f"updates {updates.name!r} {list(updates.shape)} do not fit indices {list(indices.shape)} into the shape "
            f"{list(shape)}"
        )
    return Params(output_shapes=(shape,))


def evaluate(params: Params, indices: Array, updates: Array, shape: Array) -> Array:
    """The sums; `EvaluationError` for an index outside of the output."""
    (output_shape,) = params.output_shapes
    assert output_shape is not None
    depth = indices.shape[-1]
    places, inner = output_shape[:depth], output_shape[depth:]
    rows = indices.reshape(element_count(indices.shape[:-1]), depth).astype(np.int64)
    if np.any((rows < 0) | (rows >= np.array(places, np.int64))):
        raise EvaluationError(f"an index is outside of the shape {list(output_shape)}")
    position = np.zeros(len(rows), np.int64)
    for column, size in zip(rows.T, places, strict=True):
        position = position * size + column
    output = np.zeros((element_count(places), *inner), updates.dtype)
    add = np.logical_or if updates.dtype == np.bool_ else np.add
    with np.errstate(all="ignore"):
        add.at(output, position, updates.reshape(len(rows), *inner))
    return output.reshape(output_shape)


SCATTER_ND = Kernel(
    name="SCATTER_ND",
    signatures=signatures("int32,T,int32 -> T", T=("int8", "uint8", "int32", "int64", "float32", "bool")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/scatter_nd.cc, reference/reference_ops.h",
    max_version=1,
)
