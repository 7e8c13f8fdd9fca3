"""CUMSUM: running sums along an axis, which wrap around for integers.

input: T[...], axis: int32 of one element, output: T[...]. exclusive: each sum without its own element; reverse: from
the end. float32 sums start from 0 and are added up in order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, normalize_axis
from int8rt.kernels.layout import scalar
from int8rt.kernels.signature import signatures
from int8rt.schema.options import CumsumOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class CumsumParams(Params):
    """axis: in [0, rank)."""

    axis: int
    exclusive: bool
    reverse: bool


def prepare(context: OperatorContext) -> CumsumParams:
    """Check the axis."""
    input, options = context.input(0), context.options(CumsumOptions)
    if input.rank < 1:
        raise context.invalid(f"input {input.name!r} must have at least rank 1")
    axis = normalize_axis(context, scalar(context, 1), input.rank)
    return CumsumParams(output_shapes=(input.shape,), axis=axis, exclusive=options.exclusive, reverse=options.reverse)


def evaluate(params: CumsumParams, input: Array, axis: Array) -> Array:
    """The sums."""
    rows = np.moveaxis(input, params.axis, 0)
    if params.reverse:
        rows = rows[::-1]
    sums = np.zeros((len(rows) + 1, *rows.shape[1:]), input.dtype)
    sums[1:] = rows
    with np.errstate(all="ignore"):
        np.add.accumulate(sums, axis=0, dtype=input.dtype, out=sums)
    sums = sums[:-1] if params.exclusive else sums[1:]
    if params.reverse:
        sums = sums[::-1]
    return np.ascontiguousarray(np.moveaxis(sums, 0, params.axis))


CUMSUM = Kernel(
    name="CUMSUM",
    signatures=signatures("T,int32 -> T", T=("int32", "int64", "float32")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/cumsum.cc, Eigen's TensorScan",
    max_version=1,
)
