"""FILL, ZEROS_LIKE and BROADCAST_TO: tensors made of few values.

FILL: dims int32 or int64 [rank], value T scalar -> T[dims]. ZEROS_LIKE: T -> T of the same shape.
BROADCAST_TO: input T, shape int32 or int64 [rank] -> T[shape], dimensions of size 1 repeated.
"""

from __future__ import annotations

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.layout import COPIED_TYPES, check_int16_zero_point, check_same_quantization, integers
from int8rt.kernels.signature import signatures


def prepare_fill(context: OperatorContext) -> Params:
    """Check the shape, and that the value means the same in the output."""
    dims, value = context.input(0), context.input(1)
    if dims.rank != 1 or value.rank != 0:
        raise context.invalid(f"expected a vector and a scalar, found {list(dims.shape)} and {list(value.shape)}")
    check_same_quantization(context, value, context.output())
    check_int16_zero_point(context, value)
    shape = integers(context, 0)
    if any(size < 0 for size in shape):
        raise context.invalid(f"the shape {list(shape)} must not be negative")
    return Params(output_shapes=(shape,))


def evaluate_fill(params: Params, dims: Array, value: Array) -> Array:
    """The value, everywhere."""
    return _broadcast(params, value)


def prepare_zeros_like(context: OperatorContext) -> Params:
    """The shape is that of the input."""
    return Params(output_shapes=(context.input(0).shape,))


def evaluate_zeros_like(params: Params, input: Array) -> Array:
    """Zeros."""
    return np.zeros_like(input)


def prepare_broadcast_to(context: OperatorContext) -> Params:
    """Check that the input fits the shape."""
    input = context.input(0)
    if context.input(1).rank != 1:
        raise context.invalid(f"shape {context.input(1).name!r} must be a vector")
    shape = integers(context, 1)
    last = shape[len(shape) - input.rank :] if input.rank <= len(shape) else ()
    if any(size < 0 for size in shape) or len(last) != input.rank:
        raise context.invalid(f"{input.name!r} {list(input.shape)} does not broadcast to {list(shape)}")
    if any(old not in (1, new) for old, new in zip(input.shape, last, strict=True)):
        raise context.invalid(f"{input.name!r} {list(input.shape)} does not broadcast to {list(shape)}")
    return Params(output_shapes=(shape,))


def evaluate_broadcast_to(params: Params, input: Array, shape: Array) -> Array:
    """The repetitions."""
    return _broadcast(params, input)


def _broadcast(params: Params, value: Array) -> Array:
    (shape,) = params.output_shapes
    assert shape is not None
    return np.broadcast_to(value, shape).copy()


FILL = Kernel(
    name="FILL",
    signatures=signatures("int32|int64,T -> T", T=(*COPIED_TYPES, "string")),
    prepare=prepare_fill,
    evaluate=evaluate_fill,
    source="kernels/fill.cc",
    max_version=5,
)

ZEROS_LIKE = Kernel(
    name="ZEROS_LIKE",
    signatures=signatures("T -> T", T=("int32", "int64", "float32")),
    prepare=prepare_zeros_like,
    evaluate=evaluate_zeros_like,
    source="kernels/zeros_like.cc",
    max_version=1,
)

BROADCAST_TO = Kernel(
    name="BROADCAST_TO",
    signatures=signatures("T,int32|int64 -> T", T=(*COPIED_TYPES, "complex128")),
    prepare=prepare_broadcast_to,
    evaluate=evaluate_broadcast_to,
    source="kernels/broadcast_to.cc",
    max_version=4,
    others="LiteRT writes nothing where several elements share a byte",
)
