"""ONE_HOT: a new dimension in which on_value stands where the position equals the index, off_value elsewhere.

indices: int32 or int64 [...], depth: int32 or int64, on_value, off_value: T, of one element each,
output: T[.., depth, ..] with `axis` for the new dimension; -1 is the last
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count
from int8rt.kernels.layout import scalar
from int8rt.kernels.signature import signatures
from int8rt.schema.options import OneHotOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class OneHotParams(Params):
    """axis: the position of the new dimension. depth: its size."""

    axis: int
    depth: int


def prepare(context: OperatorContext) -> OneHotParams:
    """Check the axis and the depth."""
    indices, axis = context.input(0), context.options(OneHotOptions).axis
    if axis == -1:
        axis = indices.rank
    if not 0 <= axis <= indices.rank:
        raise context.invalid(f"axis {axis} is outside of the output of rank {indices.rank + 1}")
    for index in (2, 3):
        if element_count(context.input(index).shape) != 1:
            raise context.invalid(f"{context.input(index).name!r} must have one element")
    depth = _low_bits(scalar(context, 1))
    if depth < 0:
        raise context.invalid(f"depth {depth} must not be negative")
    shape = (*indices.shape[:axis], depth, *indices.shape[axis:])
    return OneHotParams(output_shapes=(shape,), axis=axis, depth=depth)


def _low_bits(value: int) -> int:
    """TensorFlow Lite reads the low 32 bits of an int64 depth."""
    return (value + 2**31) % 2**32 - 2**31


def evaluate(params: OneHotParams, indices: Array, depth: Array, on_value: Array, off_value: Array) -> Array:
    """The choices; an index outside of the depth chooses nothing. TensorFlow Lite takes the low 32 bits of indices."""
    positions = np.arange(params.depth).reshape(-1, *[1] * (indices.ndim - params.axis))
    chosen = np.expand_dims(indices.astype(np.int32), params.axis) == positions
    return np.where(chosen, on_value.reshape(()), off_value.reshape(()))


ONE_HOT = Kernel(
    name="ONE_HOT",
    signatures=signatures("int32|int64,int32|int64,T,T -> T", T=("int8", "uint8", "int32", "int64", "float32", "bool")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/one_hot.cc",
    max_version=1,
)
