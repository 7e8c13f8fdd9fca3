"""TILE: a tensor repeated along each of its dimensions.

input: T, multipliers: int32 or int64 [rank], output: T[size · multiplier, ..]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count
from int8rt.kernels.layout import COPIED_TYPES, integers
from int8rt.kernels.signature import signatures


@dataclass(frozen=True, slots=True, kw_only=True)
class TileParams(Params):
    """`multipliers`: how often the tensor stands along each dimension."""

    multipliers: tuple[int, ...]


def prepare(context: OperatorContext) -> TileParams:
    """Check that there is a number for each dimension."""
    input, multipliers = context.input(0), context.input(1)
    if element_count(multipliers.shape) != input.rank:
        raise context.invalid(f"has {element_count(multipliers.shape)} multipliers for a tensor of rank {input.rank}")
    values = integers(context, 1)
    if any(value < 0 for value in values):
        raise context.invalid(f"multipliers {list(values)} must not be negative")
    shape = tuple(size * value for size, value in zip(input.shape, values, strict=True))
    return TileParams(output_shapes=(shape,), multipliers=values)


def evaluate(params: TileParams, input: Array, multipliers: Array) -> Array:
    """The repetitions."""
    return np.tile(input, params.multipliers)


TILE = Kernel(
    name="TILE",
    signatures=signatures("T,int32|int64 -> T", T=(*COPIED_TYPES, "string")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/tile.cc",
    max_version=3,  # BUILTIN_REF knows versions up to 2; version 3 is the same kernel of the optimized resolver
)
