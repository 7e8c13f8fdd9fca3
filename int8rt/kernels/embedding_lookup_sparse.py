"""EMBEDDING_LOOKUP_SPARSE: weighted sums of rows of a table.

ids: int32[n], indices: int32[n,rank] (ids[i] stands at indices[i] of a sparse tensor), dense_shape: int32[rank],
weights: float32[n], params: float32[rows,..] -> float32[*dense_shape[:-1],..]
The rows params[ids[i]] · weights[i] are added up along the sparse tensor's last dimension, in the order of i. MEAN then
divides by the sum of the weights, SQRTN by the root of the sum of their squares; that happens when the next id has
another place, so ids of one place that do not follow each other are divided more than once. Float32 throughout.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count
from int8rt.kernels.layout import integers
from int8rt.kernels.signature import signatures
from int8rt.schema.enums import CombinerType
from int8rt.schema.options import EmbeddingLookupSparseOptions

_INT32_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingLookupSparseParams(Params):
    """places: the sparse tensor's shape without its last dimension."""

    combiner: CombinerType
    places: tuple[int, ...]


def prepare(context: OperatorContext) -> EmbeddingLookupSparseParams:
    """Check that the shapes fit together."""
    ids, indices, dense_shape, weights, table = (context.input(index) for index in range(5))
    if ids.rank != 1 or indices.rank != 2 or dense_shape.rank != 1 or weights.rank != 1 or table.rank < 2:
        ranks = [tensor.rank for tensor in (ids, indices, dense_shape, weights, table)]
        raise context.invalid(f"inputs have the ranks {ranks}, expected 1, 2, 1, 1 and at least 2")
    if not ids.shape == weights.shape == indices.shape[:1] or dense_shape.shape != indices.shape[1:]:
        raise context.invalid(
            f"{list(indices.shape)} indices do not fit {ids.shape[0]} ids, {weights.shape[0]} weights"
        )
    if indices.shape[1] < 1:
        raise context.invalid("the sparse tensor must have at least one dimension")
    places = integers(context, 2)[:-1]
    if any(size < 0 for size in places):
        raise context.invalid(f"the dense shape {list(places)} must not be negative")
    shape = (*places, *table.shape[1:])
    if element_count(shape) > _INT32_MAX or element_count(table.shape) > _INT32_MAX:
        raise context.invalid(f"shapes {list(shape)} and {list(table.shape)} overflow int32")
    combiner = context.options(EmbeddingLookupSparseOptions).combiner
    return EmbeddingLookupSparseParams(output_shapes=(shape,), combiner=combiner, places=places)


def evaluate(
    params: EmbeddingLookupSparseParams, ids: Array, indices: Array, dense_shape: Array, weights: Array, table: Array
) -> Array:
    """The sums; `EvaluationError` for an id that is not in the table or an index beyond the dense shape."""
    (shape,) = params.output_shapes
    assert shape is not None
    if ids.size and not 0 <= int(ids.min()) <= int(ids.max()) < table.shape[0]:
        raise EvaluationError(f"id {ids.min()} or {ids.max()} is outside a table of {table.shape[0]} rows")
    places = _places(params, indices)
    sums = np.zeros((element_count(params.places), element_count(table.shape[1:])), np.float32)
    rows = table.reshape(table.shape[0], sums.shape[1])
    starts = np.flatnonzero(np.diff(places, prepend=-1)).tolist()
    with np.errstate(all="ignore"):
        for start, stop in zip(starts, [*starts[1:], len(places)], strict=True):
            target = sums[places[start]]
            total = squares = np.float32(0)
            for id, weight in zip(ids[start:stop], weights[start:stop], strict=True):
                target += rows[id] * weight
                total, squares = total + weight, squares + weight * weight
            if params.combiner == CombinerType.MEAN:
                target /= total
            elif params.combiner == CombinerType.SQRTN:
                target /= np.sqrt(squares)
    return sums.reshape(shape)


def _places(params: EmbeddingLookupSparseParams, indices: Array) -> Array:
    """The place of each id, counted row by row."""
    place, stride = np.zeros(len(indices), np.int64), 1
    for axis, size in reversed(list(enumerate(params.places))):
        place += indices[:, axis].astype(np.int64) * stride
        stride *= size
    if place.size and not 0 <= int(place.min()) <= int(place.max()) < stride:
        raise EvaluationError(f"index {place.min()} or {place.max()} is outside the dense shape {list(params.places)}")
    return place


EMBEDDING_LOOKUP_SPARSE = Kernel(
    name="EMBEDDING_LOOKUP_SPARSE",
    signatures=signatures("int32,int32,int32,float32,float32 -> float32"),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/embedding_lookup_sparse.cc",
    max_version=1,
)
