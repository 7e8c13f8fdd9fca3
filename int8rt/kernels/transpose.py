"""TRANSPOSE: the dimensions of a tensor in another order.

input: T of rank 1 to 8, perm: int32[rank], output: T with size input.shape[perm[i]] in dimension i
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, normalize_axis
from int8rt.kernels.layout import COPIED_TYPES, integers
from int8rt.kernels.signature import signatures

_MAX_RANK = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class TransposeParams(Params):
    """`perm`: the dimension of the input that each dimension of the output is."""

    perm: tuple[int, ...]


def prepare(context: OperatorContext) -> TransposeParams:
    """Check the permutation."""
    input, perm = context.input(0), context.input(1)
    if not 1 <= input.rank <= _MAX_RANK:
        raise context.invalid(f"input {input.name!r} has rank {input.rank}, expected 1 to {_MAX_RANK}")
    if perm.shape != (input.rank,):
        raise context.invalid(f"perm {perm.name!r} has shape {list(perm.shape)}, expected {[input.rank]}")
    values = tuple(normalize_axis(context, axis, input.rank) for axis in integers(context, 1))
    if len(set(values)) != input.rank:
        raise context.invalid(f"perm {list(values)} names a dimension twice")
    return TransposeParams(output_shapes=(tuple(input.shape[axis] for axis in values),), perm=values)


def evaluate(params: TransposeParams, input: Array, perm: Array) -> Array:
    """A copy in the new order."""
    return np.asarray(np.transpose(input, params.perm), order="C")


TRANSPOSE = Kernel(
    name="TRANSPOSE",
    signatures=signatures("T,int32 -> T", T=(*COPIED_TYPES, "int4", "uint4")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/transpose.cc, reference/transpose.h",
    max_version=9,  # BUILTIN_REF knows versions up to 8; version 9 is the same copy in the optimized resolver
)
