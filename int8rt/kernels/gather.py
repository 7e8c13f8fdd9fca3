"""GATHER and GATHER_ND: elements or slices of a tensor, picked by index.

GATHER: input T, positions int16, int32 or int64 -> T[input.shape[:axis], positions.shape[batch_dims:], input.shape[axis
+ 1:]], where the first batch_dims dimensions of both belong together.
GATHER_ND: input T, indices int16, int32 or int64 [.., n] -> T[.., input.shape[n:]]: each n numbers name one slice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count, normalize_axis
from int8rt.kernels.signature import signatures
from int8rt.model import TensorType
from int8rt.schema.options import GatherOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class GatherParams(Params):
    """The dimension that is indexed, and how many before it are shared with the positions; both from the front."""

    axis: int
    batch_dims: int


def prepare_gather(context: OperatorContext) -> GatherParams:
    """Check that the shapes fit together; what the positions are is seen while running."""
    options, input, positions = context.options(GatherOptions), context.input(0), context.input(1)
    if input.type == TensorType.STRING and input.rank != 1:
        raise context.invalid(f"strings {input.name!r} must have rank 1, found {list(input.shape)}")
    axis = normalize_axis(context, options.axis, input.rank)
    batch_dims = options.batch_dims + (positions.rank if options.batch_dims < 0 else 0)
    if not 0 <= batch_dims <= min(axis, positions.rank):
        raise context.invalid(f"batch_dims {options.batch_dims} does not fit axis {axis} and {list(positions.shape)}")
    if input.shape[:batch_dims] != positions.shape[:batch_dims]:
        raise context.invalid(
            f"the first {batch_dims} dimensions of {list(input.shape)} and {list(positions.shape)} differ"
        )
    if input.type == TensorType.INT4 and element_count(input.shape[axis + 1 :]) % 2:
        raise context.unsupported(f"slices of an odd number of int4 codes, which share bytes: {list(input.shape)}")
    shape = input.shape[:axis] + positions.shape[batch_dims:] + input.shape[axis + 1 :]
    return GatherParams(output_shapes=(shape,), axis=axis, batch_dims=batch_dims)


def evaluate_gather(params: GatherParams, input: Array, positions: Array) -> Array:
    """The slices at the positions; `EvaluationError` for one that is not there."""
    (shape,) = params.output_shapes
    assert shape is not None
    _check_range(positions, input.shape[params.axis])
    if params.batch_dims == 0:
        picked = np.empty(shape, input.dtype)
        return np.take(input, positions, params.axis, out=picked, mode="clip")  # in range: no need to check again
    batches = element_count(input.shape[: params.batch_dims])
    outer = element_count(input.shape[params.batch_dims : params.axis])
    inner = element_count(input.shape[params.axis + 1 :])
    slices = input.reshape(batches, outer, input.shape[params.axis], inner)
    count = element_count(positions.shape[params.batch_dims :])
    batch, row = np.ogrid[:batches, :outer]
    chosen: Array = slices[batch[..., np.newaxis], row[..., np.newaxis], positions.reshape(batches, 1, count)]
    return chosen.reshape(shape)


def _check_range(positions: Array, size: int) -> None:
    if positions.size and not 0 <= int(positions.min()) <= int(positions.max()) < size:
        raise EvaluationError(f"index {positions.min()} or {positions.max()} is outside a dimension of size {size}")


def prepare_gather_nd(context: OperatorContext) -> Params:
    """Check how many dimensions an index names."""
    input, indices = context.input(0), context.input(1)
    if input.rank < 1 or indices.rank < 1:
        raise context.invalid(f"{list(input.shape)} and {list(indices.shape)} must have at least rank 1")
    named = indices.shape[-1]
    if named > input.rank:
        raise context.invalid(f"indices of {named} numbers are too long for a tensor of rank {input.rank}")
    if element_count(input.shape) == 0 != element_count(indices.shape):
        raise context.invalid(f"input {input.name!r} {list(input.shape)} has no elements")
    return Params(output_shapes=(indices.shape[:-1] + input.shape[named:],))


def evaluate_gather_nd(params: Params, input: Array, indices: Array) -> Array:
    """The slices at the indices; `EvaluationError` for one that is not there."""
    (shape,) = params.output_shapes
    assert shape is not None
    named = indices.shape[-1]
    for i in range(named):
        _check_range(indices[..., i], input.shape[i])
    if named == 0:
        return np.broadcast_to(input, shape).copy()
    chosen: Array = input[(*np.moveaxis(indices, -1, 0), Ellipsis)]
    return chosen.copy()


_TYPES = ("int8", "uint8", "int16", "int32", "int64", "float32", "bool", "float16", "bfloat16", "string")

GATHER = Kernel(
    name="GATHER",
    signatures=signatures("T,int16|int32|int64 -> T", T=(*_TYPES, "int4")),
    prepare=prepare_gather,
    evaluate=evaluate_gather,
    source="kernels/gather.cc, reference/gather.h",
    max_version=8,
)

GATHER_ND = Kernel(
    name="GATHER_ND",
    signatures=signatures("T,int16|int32|int64 -> T", T=_TYPES),
    prepare=prepare_gather_nd,
    evaluate=evaluate_gather_nd,
    source="kernels/gather_nd.cc, reference/reference_ops.h",
    max_version=6,
)
