"""STRIDED_SLICE: every stride-th element from begin up to end, in each dimension.

input: T, begin, end, strides: int32[n] for the first n dimensions; further ones are taken whole. Bit i of a mask is
about element i of these vectors: begin_mask and end_mask leave a bound open, ellipsis_mask stands for all dimensions
that the others do not name, new_axis_mask adds a dimension of size 1, shrink_axis_mask takes one element and drops the
dimension. A bit of new_axis_mask behind the vectors' ends takes the place of a dimension: TensorFlow Lite then slices
the beginning of the input, in the smaller shape. Negative bounds count from the end and are clamped; strides may be
negative. offset: end counts from begin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count
from int8rt.kernels.layout import COPIED_TYPES, integers
from int8rt.kernels.signature import signatures
from int8rt.model import Shape
from int8rt.schema.options import StridedSliceOptions

_MAX_INDICES = 31
_INT32_MIN = -(1 << 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class StridedSliceParams(Params):
    """input_shape: of what is sliced, the input with the new axes, or its beginning. ranges: what is taken along each
    of its dimensions.
    """

    input_shape: Shape
    ranges: tuple[range, ...]


@dataclass(frozen=True, slots=True)
class _Axis:
    """One dimension of the input, or a new one. `index`: its element of begin, end and strides; None: taken whole."""

    size: int
    index: int | None


def prepare(context: OperatorContext) -> StridedSliceParams:
    """Resolve masks and bounds into one range for each dimension."""
    options, input = context.options(StridedSliceOptions), context.input(0)
    count = element_count(context.input(1).shape)
    for i in (1, 2, 3):
        if context.input(i).shape != (count,):
            raise context.invalid("begin, end and strides must be vectors of one length")
    if count > _MAX_INDICES:
        raise context.invalid(f"has {count} indices, the most is {_MAX_INDICES}")
    axes = _axes(context, options, count)
    begin, end, strides = (integers(context, i) for i in (1, 2, 3))
    ranges: list[range] = []
    shape: list[int] = []
    nothing_to_shrink = False
    for position, axis in enumerate(axes):
        taken = range(axis.size)
        if axis.index is not None:
            i = axis.index
            taken = _range(context, options, axis, begin[i], end[i], strides[i])
        ranges.append(taken)
        if axis.index is not None and _bit(options.shrink_axis_mask, axis.index):
            nothing_to_shrink |= len(taken) != 1
            continue
        shape.append(len(taken))
        # With an offset TensorFlow Lite takes the sizes from `end` alone, whatever is there to take.
        if options.offset and (position >= count or len(range(0, end[position], taken.step)) != len(taken)):
            raise context.invalid(f"begin {list(begin)} + end {list(end)} leaves the input {list(input.shape)}")
    if nothing_to_shrink and element_count(shape) > 0:
        raise context.invalid(
            f"begin {list(begin)} with strides {list(strides)} names no element of the input {list(input.shape)}"
        )
    return StridedSliceParams(
        output_shapes=(tuple(shape),), input_shape=tuple(axis.size for axis in axes), ranges=tuple(ranges)
    )


def _axes(context: OperatorContext, options: StridedSliceOptions, count: int) -> list[_Axis]:
    """The dimensions of the input and the new ones, each with its element of begin, end and strides."""
    shape = context.input(0).shape
    added = sum(_bit(options.new_axis_mask, i) and not _bit(options.ellipsis_mask, i) for i in range(count))
    total = len(shape) + added
    ellipses = [i for i in range(count) if _bit(options.ellipsis_mask, i)]
    if len(ellipses) > 1:
        raise context.invalid(f"ellipsis_mask {options.ellipsis_mask:#b} has more than one bit")
    axes: list[_Axis] = []
    taken = iter(shape)
    try:
        for i in range(count):
            if len(axes) == total:
                break  # TensorFlow Lite does not look at indices beyond the rank
            if i in ellipses:
                # At least one dimension, even where the indices after it leave none.
                named = max(1, min(total - count + 1, total - i))
                axes.extend([_Axis(next(taken), None) for _ in range(named)])
            elif _bit(options.new_axis_mask, i):
                axes.append(_Axis(1, None))
            else:
                axes.append(_Axis(next(taken), i))
    except StopIteration:
        raise context.invalid(f"{count} indices are too many for the input {list(shape)}") from None
    # Bits behind the indices have added no dimension to `total`, but are looked at.
    behind = range(count, count + total - len(axes))
    return axes + [_Axis(1 if _bit(options.new_axis_mask, i) else next(taken), None) for i in behind]


def _range(
    context: OperatorContext, options: StridedSliceOptions, axis: _Axis, begin: int, end: int, stride: int
) -> range:
    """The elements that are taken along one dimension."""
    assert axis.index is not None
    shrink = _bit(options.shrink_axis_mask, axis.index)
    if stride == 0 or (stride == _INT32_MIN and not shrink):
        raise context.invalid(f"stride {stride} of dimension {axis.index} is not possible")
    start = _clamp(begin, axis.size, stride)
    if _bit(options.begin_mask, axis.index):
        start = 0 if stride > 0 else axis.size - 1
    if shrink:
        return range(start, start if start >= axis.size else start + 1, stride)
    if _bit(options.end_mask, axis.index):
        return range(start, axis.size if stride > 0 else -1, stride)
    return range(start, _clamp(end + (start if options.offset else 0), axis.size, stride), stride)


def _bit(mask: int, index: int) -> bool:
    return bool(mask >> index & 1)


def _clamp(bound: int, size: int, stride: int) -> int:
    """A bound that may count from the end as one that counts from the front, within what the stride can reach."""
    low, high = (0, size) if stride > 0 else (-1, size - 1)
    return min(max(bound + size if bound < 0 else bound, low), high)


def evaluate(params: StridedSliceParams, input: Array, begin: Array, end: Array, strides: Array) -> Array:
    """A copy of the elements taken."""
    (shape,) = params.output_shapes
    assert shape is not None
    return taken_view(params, input).reshape(shape).copy()


def taken_view(params: StridedSliceParams, input: Array) -> Array:
    """The elements taken, in the dimensions of `ranges`; a view of a contiguous input."""
    sliced = input.reshape(-1)[: element_count(params.input_shape)].reshape(params.input_shape)
    box: tuple[Any, ...] = (*(_slice(r) for r in params.ranges), Ellipsis)
    view: Array = sliced[box]
    return view


def _slice(taken: range) -> slice:
    """A range as a slice, where -1 would not mean the position before the first element."""
    if len(taken) == 0:
        return slice(0, 0)
    return slice(taken.start, None if taken.stop < 0 else taken.stop, taken.step)


STRIDED_SLICE = Kernel(
    name="STRIDED_SLICE",
    signatures=signatures("T,int32,int32,int32 -> T", T=(*COPIED_TYPES, "string")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/strided_slice.cc, reference/strided_slice.h, internal/strided_slice_logic.h",
    max_version=8,  # BUILTIN_REF knows versions up to 4; the others are the same kernel of the optimized resolver
)
