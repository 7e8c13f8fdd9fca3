"""DYNAMIC_UPDATE_SLICE: a tensor with one box of it replaced.

operand: T[...], update: T[...] of the same rank and nowhere larger, start_indices: int32 or int64 [rank], output: T of
the operand's shape. Start indices are moved so that the box lies within the operand.
"""

from __future__ import annotations

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.layout import COPIED_TYPES
from int8rt.kernels.signature import signatures

_MAX_RANK = 8


def prepare(context: OperatorContext) -> Params:
    """Check that the update fits into the operand."""
    operand, update, start_indices = context.input(0), context.input(1), context.input(2)
    if start_indices.shape != (operand.rank,):
        raise context.invalid(
            f"start indices {list(start_indices.shape)} must be a vector of {operand.rank} elements, one a dimension"
        )
    fits = update.rank == operand.rank and all(u <= o for u, o in zip(update.shape, operand.shape, strict=True))
    if not fits:
        raise context.invalid(f"update {list(update.shape)} does not fit into {operand.name!r} {list(operand.shape)}")
    if operand.rank > _MAX_RANK:
        raise context.invalid(f"{operand.name!r} has rank {operand.rank}, the most is {_MAX_RANK}")
    return Params(output_shapes=(operand.shape,))


def evaluate(params: Params, operand: Array, update: Array, start_indices: Array) -> Array:
    """A copy with the box replaced."""
    output = np.array(operand)
    room = np.array(operand.shape, np.int64) - np.array(update.shape, np.int64)
    starts = np.clip(start_indices.astype(np.int64), 0, room).tolist()
    output[tuple(slice(s, s + size) for s, size in zip(starts, update.shape, strict=True))] = update
    return output


DYNAMIC_UPDATE_SLICE = Kernel(
    name="DYNAMIC_UPDATE_SLICE",
    signatures=signatures("T,T,int32|int64 -> T", T=(*COPIED_TYPES, "complex128", "int4")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/dynamic_update_slice.cc",
    max_version=6,
)
