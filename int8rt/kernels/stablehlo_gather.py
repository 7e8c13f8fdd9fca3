"""STABLEHLO_GATHER: slices of a tensor from computed places.

operand: T[..], start_indices: int32 or int64, whose dimension `index_vector_dim` holds the vectors -> T[..]: for each
vector a slice of `slice_sizes` elements, its dimensions in `offset_dims`. Vectors count in the dimensions
`start_index_map`, 0 in the others, and are moved so that the slice lies inside of the operand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, TensorInfo
from int8rt.kernels.layout import COPIED_TYPES
from int8rt.kernels.signature import signatures
from int8rt.model import Shape
from int8rt.schema.options import StablehloGatherOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class GatherParams(Params):
    """The options, and the shape of a slice; collapsed_slice_dims are missing from the result."""

    offset_dims: tuple[int, ...]
    collapsed_slice_dims: tuple[int, ...]
    start_index_map: tuple[int, ...]
    index_vector_dim: int
    slice_sizes: Shape


def check_dimensions(context: OperatorContext, what: str, dimensions: Sequence[int], rank: int) -> None:
    """`ModelError` unless these are different dimensions of a tensor of this rank."""
    if len(set(dimensions)) != len(dimensions) or not all(0 <= dimension < rank for dimension in dimensions):
        raise context.invalid(f"{what} {list(dimensions)} are not different dimensions of rank {rank}")


def check_index_vectors(context: OperatorContext, indices: TensorInfo, dimension: int, length: int) -> Shape:
    """The shape of `indices` without the dimension that holds vectors of this length."""
    # With the dimension after the last one StableHLO means vectors of one number; LiteRT reads beyond its memory.
    if not 0 <= dimension < indices.rank or indices.shape[dimension] != length:
        raise context.invalid(
            f"{indices.name!r} {list(indices.shape)} has no {length} numbers in dimension {dimension}"
        )
    return indices.shape[:dimension] + indices.shape[dimension + 1 :]


def prepare(context: OperatorContext) -> GatherParams:
    """Check that the options fit each other and the shapes."""
    options, operand, starts = context.options(StablehloGatherOptions), context.input(0), context.input(1)
    sizes, collapsed, offsets = options.slice_sizes, options.collapsed_slice_dims, options.offset_dims
    if len(sizes) != operand.rank or not all(0 <= n <= most for n, most in zip(sizes, operand.shape, strict=True)):
        raise context.invalid(f"slice sizes {list(sizes)} do not fit the operand {list(operand.shape)}")
    check_dimensions(context, "collapsed_slice_dims", collapsed, operand.rank)
    check_dimensions(context, "start_index_map", options.start_index_map, operand.rank)
    if any(sizes[dimension] != 1 for dimension in collapsed):
        raise context.invalid(f"collapsed dimensions {list(collapsed)} of the slice sizes {list(sizes)} must be 1")
    batch = check_index_vectors(context, starts, options.index_vector_dim, len(options.start_index_map))
    kept = [size for dimension, size in enumerate(sizes) if dimension not in collapsed]
    rank = len(batch) + len(kept)
    check_dimensions(context, "offset_dims", offsets, rank)
    if len(offsets) != len(kept) or len(context.output().shape) != rank:
        raise context.invalid(f"{len(offsets)} offset_dims and an output of rank {rank} do not fit each other")
    from_batch, from_slice = iter(batch), iter(kept)
    shape = tuple(next(from_slice) if dimension in offsets else next(from_batch) for dimension in range(rank))
    return GatherParams(
        output_shapes=(shape,),
        offset_dims=tuple(sorted(offsets)),
        collapsed_slice_dims=tuple(collapsed),
        start_index_map=tuple(options.start_index_map),
        index_vector_dim=options.index_vector_dim,
        slice_sizes=tuple(sizes),
    )


def evaluate(params: GatherParams, operand: Array, start_indices: Array) -> Array:
    """The slices, picked by one index array for each dimension of the operand."""
    (shape,) = params.output_shapes
    assert shape is not None
    vectors = np.moveaxis(start_indices, params.index_vector_dim, 0).astype(np.int64)
    batch_dims = [dimension for dimension in range(len(shape)) if dimension not in params.offset_dims]
    offsets, index = iter(params.offset_dims), []
    for dimension, (size, most) in enumerate(zip(params.slice_sizes, operand.shape, strict=True)):
        place = np.zeros((1,) * len(shape), np.int64)
        if dimension in params.start_index_map:
            start = np.clip(vectors[params.start_index_map.index(dimension)], 0, most - size)
            place = place + np.expand_dims(start, params.offset_dims)
        if dimension not in params.collapsed_slice_dims:
            place = place + _along(np.arange(size), next(offsets), len(shape))
        index.append(place)
    assert len(batch_dims) == vectors.ndim - 1
    picked = operand[tuple(index)] if index else operand
    return np.broadcast_to(picked, shape).copy()


def _along(values: Array, dimension: int, rank: int) -> Array:
    return values.reshape([-1 if axis == dimension else 1 for axis in range(rank)])


STABLEHLO_GATHER = Kernel(
    name="STABLEHLO_GATHER",
    signatures=signatures("T,int32|int64 -> T", T=COPIED_TYPES),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/stablehlo_gather.cc",
    max_version=1,
)
