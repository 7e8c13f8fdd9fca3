"""ARG_MAX and ARG_MIN: where along an axis the largest or smallest code is; the first of equals.

input: T[..], axis: int32 or int64, one element; output: int32 or int64, the input's shape without that axis.
Codes are compared as they are. Of real numbers NaN is never chosen, unless there is nothing else; along the last axis
TensorFlow Lite takes four numbers at a time, and what NaN does then depends on where it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count, normalize_axis
from int8rt.kernels.layout import scalar
from int8rt.kernels.signature import signatures
from int8rt.schema.options import ArgMaxOptions, ArgMinOptions

_LANES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgMinMaxParams(Params):
    """`axis` is reduced; in_lanes: whether its elements lie side by side, so that the vector code takes them."""

    is_arg_max: bool
    axis: int
    in_lanes: bool
    dtype: np.dtype[Any]


def prepare(context: OperatorContext) -> ArgMinMaxParams:
    """Check the axis and the output's type."""
    is_arg_max = context.operator.name == "ARG_MAX"
    options = context.options(ArgMaxOptions) if is_arg_max else context.options(ArgMinOptions)
    input, output = context.input(0), context.output()
    if options.output_type != output.type:
        raise context.invalid(
            f"output_type {options.output_type.label} is not that of {output.name!r}, {output.type.label}"
        )
    axis = normalize_axis(context, scalar(context, 1), input.rank)
    if input.shape[axis] == 0:
        raise context.invalid(f"axis {axis} of input {list(input.shape)} is empty")
    return ArgMinMaxParams(
        output_shapes=(input.shape[:axis] + input.shape[axis + 1 :],),
        is_arg_max=is_arg_max,
        axis=axis,
        in_lanes=element_count(input.shape[axis + 1 :]) == 1,
        dtype=output.type.dtype,
    )


def evaluate(params: ArgMinMaxParams, input: Array, axis: Array) -> Array:
    """The indices. `axis` is already in the parameters."""
    rows = np.moveaxis(input, params.axis, -1)
    index = np.asarray(np.argmax(rows, -1) if params.is_arg_max else np.argmin(rows, -1))
    if input.dtype.kind == "f":
        for position in np.argwhere(np.isnan(rows).any(-1)):
            row = rows[tuple(position)] if params.is_arg_max else -rows[tuple(position)]
            index[tuple(position)] = _largest_in_lanes(row) if params.in_lanes else _largest(row)
    return index.astype(params.dtype)


def _largest(row: npt.NDArray[np.float32]) -> int:
    """Index of the first largest number that is not NaN; 0 if all are."""
    usable = ~np.isnan(row)
    if not usable.any():
        return 0
    return int(np.argmax(usable & (row == row[usable].max())))


def _largest_in_lanes(row: npt.NDArray[np.float32]) -> int:
    """What the vector code finds: the largest of each lane, the lanes in pairs, then what is left beyond them.

    A lane of nothing but NaN hides the other lane of its pair if it comes first. Source: optimized/optimized_ops.h,
    ArgMaxVector, with NEON instructions emulated by SSE ones.
    """
    count = row.size - row.size % _LANES
    if count == 0:
        return _largest(row)
    places = [lane + _LANES * _largest(row[lane:count:_LANES]) for lane in range(_LANES)]
    first, second = _later_if_larger(row, *places[:2]), _later_if_larger(row, *places[2:])
    best = row[_later_if_larger(row, first, second)]
    place = min((p for p in places if row[p] == best), default=0)
    beyond = _largest(np.concatenate([[best], row[count:]]))
    return place if beyond == 0 else count + beyond - 1


def _later_if_larger(row: npt.NDArray[np.float32], a: int, b: int) -> int:
    return b if row[b] > row[a] else a


_SIGNATURES = signatures("int8|uint8|int32|bool|float32,int32|int64 -> int32|int64")

ARG_MAX = Kernel(
    name="ARG_MAX",
    signatures=_SIGNATURES,
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/arg_min_max.cc, reference/arg_min_max.h",
    max_version=3,  # BUILTIN_REF knows versions up to 2; the optimized resolver takes bool by the next
)

ARG_MIN = Kernel(
    name="ARG_MIN",
    signatures=_SIGNATURES,
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/arg_min_max.cc, reference/arg_min_max.h",
    max_version=3,  # BUILTIN_REF knows versions up to 2; the optimized resolver takes bool by the next
)
