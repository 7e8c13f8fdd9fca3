"""UNSORTED_SEGMENT_SUM, _PROD, _MAX, _MIN and SEGMENT_SUM: slices of one number combined in the order of the data.

data: T[*batch, *inner], segment_ids: int32[batch], num_segments: int32 of one element, output: T[num_segments, *inner];
T is int32, which wraps around, or float32. Slices with a negative number are left out; a number without slices gets 0,
1, the lowest or the highest finite number.
SEGMENT_SUM has as many segments as its numbers say, which begin at 0 and go up by at most 1. BUILTIN_REF has no kernel
for it; `tflite-ref` takes the arithmetic of the optimized one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count
from int8rt.kernels.layout import scalar
from int8rt.kernels.signature import signatures


@dataclass(frozen=True, slots=True)
class _Operation:
    """combine: (what there is, what comes) to the new value. initial: of a dtype, what there is at first."""

    combine: Callable[[Array, Array], Any]
    initial: Callable[[np.dtype[Any]], Any]


def prepare(context: OperatorContext) -> Params:
    """Check that the numbers belong to slices of the data."""
    data, segment_ids, num_segments = context.input(0), context.input(1), context.input(2)
    rank = segment_ids.rank
    if segment_ids.shape != data.shape[:rank]:
        raise context.invalid(
            f"segment ids {list(segment_ids.shape)} do not fit the first dimensions of {data.name!r} {list(data.shape)}"
        )
    if num_segments.shape not in ((), (1,)):
        raise context.invalid(f"the number of segments must be one number, found {list(num_segments.shape)}")
    segments = scalar(context, 2)
    if segments < 0:
        raise context.invalid(f"the number of segments {segments} must not be negative")
    return Params(output_shapes=((segments, *data.shape[rank:]),))


def prepare_segment_sum(context: OperatorContext) -> Params:
    """Check that the numbers are in order, and count the segments."""
    data, segment_ids = context.input(0), context.input(1)
    if data.rank < 1 or segment_ids.shape != data.shape[:1]:
        raise context.invalid(f"segment ids {list(segment_ids.shape)} do not fit {data.name!r} {list(data.shape)}")
    numbers = context.value(1).astype(np.int64)
    steps = np.diff(numbers, prepend=0)
    if np.any((steps < 0) | (steps > 1)) or np.any(numbers[:1]):
        raise context.invalid("the numbers of segments must begin at 0 and go up by at most 1")
    return Params(output_shapes=((int(numbers.max(initial=-1)) + 1, *data.shape[1:]),))


def evaluate(
    operation: _Operation, params: Params, data: Array, segment_ids: Array, num_segments: Array | None = None
) -> Array:
    """The combinations; `EvaluationError` for a number that there is not."""
    (shape,) = params.output_shapes
    assert shape is not None
    numbers = segment_ids.reshape(-1).astype(np.int64)
    if np.any(numbers >= shape[0]):
        raise EvaluationError(f"segment {numbers.max()} is beyond the {shape[0]} segments")
    output = np.full((shape[0], element_count(shape[1:])), operation.initial(data.dtype), data.dtype)
    slices = data.reshape(len(numbers), output.shape[1])
    with np.errstate(all="ignore"):
        for chosen in _rounds(numbers):
            output[numbers[chosen]] = operation.combine(output[numbers[chosen]], slices[chosen])
    return output.reshape(shape)


def _rounds(numbers: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    """Positions of the first elements of all segments, then of the second ones, and so on."""
    order = np.argsort(numbers, kind="stable")
    order = order[numbers[order] >= 0]
    ordered = numbers[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    sizes = np.diff(starts, append=len(order))
    for position in range(int(sizes.max(initial=0))):
        yield order[starts[sizes > position] + position]


def _lowest(dtype: np.dtype[Any]) -> Any:
    return (np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)).min


def _highest(dtype: np.dtype[Any]) -> Any:
    return (np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)).max


def _kernel(name: str, operation: _Operation) -> Kernel:
    return Kernel(
        name=name,
        signatures=signatures("T,int32,int32 -> T", T=("int32", "float32")),
        prepare=prepare,
        evaluate=functools.partial(evaluate, operation),
        source="kernels/unsorted_segment.cc, reference/reference_ops.h",
        max_version=1,
    )


_SUM = _Operation(np.add, lambda dtype: 0)

UNSORTED_SEGMENT_SUM = _kernel("UNSORTED_SEGMENT_SUM", _SUM)
UNSORTED_SEGMENT_PROD = _kernel("UNSORTED_SEGMENT_PROD", _Operation(np.multiply, lambda dtype: 1))
UNSORTED_SEGMENT_MAX = _kernel("UNSORTED_SEGMENT_MAX", _Operation(lambda a, b: np.where(a < b, b, a), _lowest))
UNSORTED_SEGMENT_MIN = _kernel("UNSORTED_SEGMENT_MIN", _Operation(lambda a, b: np.where(b < a, b, a), _highest))

SEGMENT_SUM = Kernel(
    name="SEGMENT_SUM",
    signatures=signatures("T,int32 -> T", T=("int32", "float32")),
    prepare=prepare_segment_sum,
    evaluate=functools.partial(evaluate, _SUM),
    source="kernels/segment_sum.cc, reference/reference_ops.h",
    max_version=1,
)
