"""SPLIT and SPLIT_V: a tensor cut along an axis, into equal parts or parts of given sizes.

SPLIT: axis int32, input T -> T × n. SPLIT_V: input T, size_splits int32 or int64 [n], axis int32 -> T × n, where one of
the sizes may be -1 and takes the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, TensorInfo, normalize_axis
from int8rt.kernels.layout import integers, scalar
from int8rt.kernels.signature import signatures
from int8rt.schema.options import SplitOptions, SplitVOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitParams(Params):
    """axis: the dimension that is cut. begin: where each part starts."""

    axis: int
    begin: tuple[int, ...]


def prepare_split(context: OperatorContext) -> SplitParams:
    """Cut into as many equal parts as there are outputs."""
    count, input = len(context.outputs), context.input(1)
    _check_count(context, context.options(SplitOptions).num_splits)
    axis = normalize_axis(context, scalar(context, 0), input.rank)
    if count == 0 or input.shape[axis] % count:
        raise context.invalid(f"dimension {axis} of {list(input.shape)} cannot be cut into {count} equal parts")
    return _params(input, axis, (input.shape[axis] // count,) * count)


def prepare_split_v(context: OperatorContext) -> SplitParams:
    """Cut into parts of the given sizes, which must add up."""
    input, size_splits = context.input(0), context.input(1)
    _check_count(context, context.options(SplitVOptions).num_splits)
    if size_splits.shape != (len(context.outputs),):
        raise context.invalid(f"size_splits has shape {list(size_splits.shape)} for {len(context.outputs)} outputs")
    axis = normalize_axis(context, scalar(context, 2), input.rank)
    sizes = integers(context, 1)
    rest = input.shape[axis] - sum(size for size in sizes if size != -1)
    if sizes.count(-1) > 1 or any(size < -1 for size in sizes) or rest < 0 or (rest > 0 and -1 not in sizes):
        raise context.invalid(f"sizes {list(sizes)} do not add up to dimension {axis} of {list(input.shape)}")
    return _params(input, axis, tuple(rest if size == -1 else size for size in sizes))


def _check_count(context: OperatorContext, num_splits: int) -> None:
    if num_splits != len(context.outputs):
        raise context.invalid(f"has {len(context.outputs)} outputs, num_splits says {num_splits}")


def _params(input: TensorInfo, axis: int, sizes: tuple[int, ...]) -> SplitParams:
    before, after = input.shape[:axis], input.shape[axis + 1 :]
    return SplitParams(
        output_shapes=tuple((*before, size, *after) for size in sizes),
        axis=axis,
        begin=tuple(sum(sizes[:i]) for i in range(len(sizes))),
    )


def evaluate_split(params: SplitParams, axis: Array, input: Array) -> tuple[Array, ...]:
    """Copies of the parts."""
    return _cut(params, input)


def evaluate_split_v(params: SplitParams, input: Array, size_splits: Array, axis: Array) -> tuple[Array, ...]:
    """Copies of the parts."""
    return _cut(params, input)


def _cut(params: SplitParams, input: Array) -> tuple[Array, ...]:
    parts: list[Array] = []
    for begin, shape in zip(params.begin, params.output_shapes, strict=True):
        assert shape is not None
        part = (slice(None),) * params.axis + (slice(begin, begin + shape[params.axis]),)
        parts.append(input[part].copy())
    return tuple(parts)


_TYPES = ("int8", "uint8", "int16", "int32", "int64", "float32")

SPLIT = Kernel(
    name="SPLIT",
    signatures=signatures("int32,T -> T*", T=_TYPES),
    prepare=prepare_split,
    evaluate=evaluate_split,
    source="kernels/split.cc",
    max_version=5,
)

SPLIT_V = Kernel(
    name="SPLIT_V",
    signatures=signatures("T,int32|int64,int32 -> T*", T=_TYPES),
    prepare=prepare_split_v,
    evaluate=evaluate_split_v,
    source="kernels/split_v.cc",
    max_version=3,
)
