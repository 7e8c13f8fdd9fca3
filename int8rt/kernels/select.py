"""SELECT and SELECT_V2: elements of x where a condition holds, of y elsewhere.

SELECT: condition bool of the shape of x and y, or a scalar, or one element for each row x[i]. SELECT_V2: all three
broadcast. Codes are copied, whatever the scales say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, broadcast_shape, element_count
from int8rt.kernels.layout import COPIED_TYPES
from int8rt.kernels.signature import signatures
from int8rt.model import Shape

_MAX_RANK = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectParams(Params):
    """`condition_shape`: the condition under this shape broadcasts as NumPy broadcasts."""

    condition_shape: Shape


def prepare_select(context: OperatorContext) -> SelectParams:
    """Check the shapes of SELECT."""
    condition, x, y = (context.input(index) for index in range(3))
    shape = x.shape
    if x.shape != y.shape and not _all_single(context):
        raise context.invalid(f"{x.name!r} {list(x.shape)} and {y.name!r} {list(y.shape)} must have one shape")
    if condition.shape == shape or element_count(shape) == element_count(condition.shape) == 1:
        condition_shape = shape
    elif condition.rank == 0:
        condition_shape = ()
    elif condition.rank == 1 and x.rank > 0 and condition.shape[0] == shape[0]:
        condition_shape = (shape[0],) + (1,) * (x.rank - 1)
    else:
        raise context.invalid(f"condition {list(condition.shape)} does not fit {list(shape)}")
    return SelectParams(output_shapes=(_single_shape(context, shape),), condition_shape=condition_shape)


def prepare_select_v2(context: OperatorContext) -> SelectParams:
    """Check the shapes of SELECT_V2."""
    inputs = [context.input(index) for index in range(3)]
    shape = broadcast_shape(context, *inputs)
    if len(shape) > _MAX_RANK:
        raise context.invalid(f"the output has rank {len(shape)}, the most is {_MAX_RANK}")
    return SelectParams(output_shapes=(_single_shape(context, shape),), condition_shape=inputs[0].shape)


def _all_single(context: OperatorContext) -> bool:
    return all(element_count(context.input(index).shape) == 1 for index in range(3))


def _single_shape(context: OperatorContext, shape: Shape) -> Shape:
    """Where all tensors have one element TensorFlow Lite keeps the shape that the file gives the output."""
    declared = context.output().shape
    return declared if _all_single(context) and element_count(declared) == 1 else shape


def evaluate(params: SelectParams, condition: Array, x: Array, y: Array) -> Array:
    """The chosen elements."""
    (shape,) = params.output_shapes
    assert shape is not None
    return np.where(condition.reshape(params.condition_shape), x, y).reshape(shape)


SELECT = Kernel(
    name="SELECT",
    signatures=signatures("bool,T,T -> T", T=COPIED_TYPES),
    prepare=prepare_select,
    evaluate=evaluate,
    source="kernels/select.cc, reference/select.h",
    max_version=4,
)

SELECT_V2 = Kernel(
    name="SELECT_V2",
    signatures=signatures("bool,T,T -> T", T=COPIED_TYPES),
    prepare=prepare_select_v2,
    evaluate=evaluate,
    source="kernels/select.cc, reference/select.h",
    max_version=2,
)
