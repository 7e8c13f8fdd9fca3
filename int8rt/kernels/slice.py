"""SLICE: a box of a tensor.

input: T, begin: int32 or int64 [rank], size: the same, -1 for everything up to the end; output: T[size]

Where the file says the output's shape in full, it must be that of the box, also after inputs were resized.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.layout import COPIED_TYPES, integers
from int8rt.kernels.signature import signatures
from int8rt.model import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceParams(Params):
    """`begin`: the first element of the box in each dimension."""

    begin: tuple[int, ...]


def prepare(context: OperatorContext) -> SliceParams:
    """Check that the box lies inside the input, and has the shape that the file says."""
    params, declared = prepare_box(context), _declared_shape(context)
    (shape,) = params.output_shapes
    if declared and declared != shape:
        raise context.invalid(f"takes a box of the shape {list(shape or ())}, but the file says {list(declared)}")
    return params


def prepare_box(context: OperatorContext) -> SliceParams:
    """Check that the box lies inside the input, whatever the file says of the output."""
    input = context.input(0)
    for index in (1, 2):
        if context.input(index).shape != (input.rank,):
            found = context.input(index)
            raise context.invalid(f"{found.name!r} has shape {list(found.shape)}, expected {[input.rank]}")
    begin, size = integers(context, 1), integers(context, 2)
    shape = tuple(n - b if s == -1 else s for n, b, s in zip(input.shape, begin, size, strict=True))
    if any(b < 0 or s < 0 or b + s > n for n, b, s in zip(input.shape, begin, shape, strict=True)):
        raise context.invalid(f"begin {list(begin)} and size {list(size)} leave the input {list(input.shape)}")
    return SliceParams(output_shapes=(shape,), begin=begin)


def _declared_shape(context: OperatorContext) -> Shape:
    """The output's shape in the file; () where that leaves a dimension open."""
    output = context.output()
    if context.subgraph is None or output.index < 0:
        return ()
    tensor = context.subgraph.tensors[output.index]
    return () if -1 in (tensor.shape_signature or ()) else tensor.shape


def evaluate(params: SliceParams, input: Array, begin: Array, size: Array) -> Array:
    """A copy of the box."""
    (shape,) = params.output_shapes
    assert shape is not None
    box: tuple[Any, ...] = (*(slice(b, b + s) for b, s in zip(params.begin, shape, strict=True)), Ellipsis)
    taken: Array = input[box]
    return taken.copy()


SLICE = Kernel(
    name="SLICE",
    signatures=signatures("T,int32,int32 -> T", "T,int64,int64 -> T", T=(*COPIED_TYPES, "int4", "string")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/slice.cc, reference/slice.h",
    max_version=8,
)
