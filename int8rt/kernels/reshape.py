"""RESHAPE, SQUEEZE, EXPAND_DIMS: the same elements in the same order under another shape.

RESHAPE: the shape comes from a vector of int32, else from the options; one dimension may be -1, which takes the rest.
SQUEEZE: leaves out the given dimensions of size 1, or all of them. EXPAND_DIMS: adds one of size 1.
"""

from __future__ import annotations

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count
from int8rt.kernels.layout import (
    RESHAPED_TYPES,
    check_int16_zero_point,
    check_same_quantization,
    integers,
    scalar,
)
from int8rt.kernels.signature import signatures
from int8rt.model import Shape, TensorType
from int8rt.schema.options import ReshapeOptions, SqueezeOptions


def prepare_reshape(context: OperatorContext) -> Params:
    """Resolve the new shape; `ModelError` where it has another number of elements."""
    input, shape = context.input(0), context.optional_input(1)
    if shape is not None and shape.rank == 1 and shape.type == TensorType.INT32:
        requested = integers(context, 1)
    else:
        requested = context.options(ReshapeOptions).new_shape
        if requested == (0,):  # how old converters write the shape of a scalar
            requested = ()
    if any(size < -1 for size in requested) or requested.count(-1) > 1:
        raise context.invalid(f"the shape {list(requested)} must not be negative, but for one -1")
    resolved = _fill_in(requested, input.shape)
    if element_count(resolved) != element_count(input.shape):
        raise context.invalid(f"{input.name!r} {list(input.shape)} cannot take the shape {list(requested)}")
    return Params(output_shapes=(resolved,))


def _fill_in(requested: Shape, shape: Shape) -> Shape:
    """The requested shape with a number for -1, the quotient without dimensions of size 0."""
    others = [size for size in requested if size != -1]
    if element_count(shape) == 0 and element_count(others) != 0:
        rest = 0
    else:
        rest = element_count([s for s in shape if s]) // element_count([s for s in others if s])
    return tuple(rest if size == -1 else size for size in requested)


def prepare_squeeze(context: OperatorContext) -> Params:
    """Leave out dimensions of size 1."""
    shape = context.input(0).shape
    rank = len(shape)
    if rank > 8:
        raise context.invalid(f"input {context.input(0).name!r} has rank {rank}, the most is 8")
    dimensions = context.options(SqueezeOptions).squeeze_dims
    squeezed = (
        {d + rank if d < 0 else d for d in dimensions} if dimensions else {i for i in range(rank) if shape[i] == 1}
    )
    if any(not 0 <= d < rank or shape[d] != 1 for d in squeezed):
        raise context.invalid(f"dimensions {list(dimensions)} of {list(shape)} are not all of size 1")
    return Params(output_shapes=(tuple(size for i, size in enumerate(shape) if i not in squeezed),))


def prepare_expand_dims(context: OperatorContext) -> Params:
    """Add a dimension of size 1 before the given one."""
    input = context.input(0)
    check_same_quantization(context, input, context.output())
    check_int16_zero_point(context, input)
    axis = scalar(context, 1)
    if not -input.rank - 1 <= axis <= input.rank:
        raise context.invalid(f"axis {axis} is outside a tensor of rank {input.rank + 1}")
    at = axis + input.rank + 1 if axis < 0 else axis
    return Params(output_shapes=((*input.shape[:at], 1, *input.shape[at:]),))


def evaluate(params: Params, input: Array, *_: Array) -> Array:
    """The elements under the new shape, without a copy where that is possible."""
    (shape,) = params.output_shapes
    assert shape is not None
    return input.reshape(shape)


RESHAPE = Kernel(
    name="RESHAPE",
    signatures=signatures("T,any -> T", "T -> T", T=RESHAPED_TYPES),
    prepare=prepare_reshape,
    evaluate=evaluate,
    source="kernels/reshape.cc, internal/reshape_utils.h",
    max_version=1,
)

SQUEEZE = Kernel(
    name="SQUEEZE",
    signatures=signatures("T -> T", T=RESHAPED_TYPES),
    prepare=prepare_squeeze,
    evaluate=evaluate,
    source="kernels/squeeze.cc",
    max_version=2,  # BUILTIN_REF knows version 1 only; version 2 is the same kernel of the optimized resolver
)

EXPAND_DIMS = Kernel(
    name="EXPAND_DIMS",
    signatures=signatures("T,int32|int64 -> T", T=RESHAPED_TYPES),
    prepare=prepare_expand_dims,
    evaluate=evaluate,
    source="kernels/expand_dims.cc",
    max_version=1,
)
