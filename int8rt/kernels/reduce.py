"""REDUCE_MAX, REDUCE_MIN, REDUCE_ANY, REDUCE_ALL over chosen axes, and what MEAN, SUM and REDUCE_PROD share with them.

input: T of any rank, axis: int32 of any shape, output: T without the reduced axes, or with size 1 there (keep_dims).
Maximum and minimum compare codes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count, normalize_axis
from int8rt.kernels.layout import QUANTIZED_TYPES, check_int16_zero_point, check_same_quantization, integers
from int8rt.kernels.signature import Signature, signatures
from int8rt.schema.options import ReducerOptions

SOURCE = "kernels/reduce.cc, reference/reduce.h"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReduceParams(Params):
    """axis: the reduced axes, each once and in order. count: how many elements go into one output."""

    axis: tuple[int, ...]
    count: int


def prepare(context: OperatorContext) -> ReduceParams:
    """Resolve the axes of any reduction, and the shape of its output."""
    input = context.input(0)
    check_int16_zero_point(context, input, context.output())
    axis: tuple[int, ...] = ()
    if input.rank > 0:  # TensorFlow Lite does not look at the axes of a scalar
        axis = tuple(sorted({normalize_axis(context, value, input.rank) for value in integers(context, 1)}))
    if context.options(ReducerOptions).keep_dims:
        shape = tuple(1 if i in axis else size for i, size in enumerate(input.shape))
    else:
        shape = tuple(size for i, size in enumerate(input.shape) if i not in axis)
    return ReduceParams(output_shapes=(shape,), axis=axis, count=element_count([input.shape[i] for i in axis]))


def prepare_comparison(context: OperatorContext) -> ReduceParams:
    """As `prepare`; codes can only be compared where input and output mean the same by them."""
    input = context.input(0)
    if input.type in QUANTIZED_TYPES:
        check_same_quantization(context, input, context.output())
    return prepare(context)


def evaluate_max(params: ReduceParams, input: Array, axis: Array) -> Array:
    """The largest code; the lowest one of the type where there is none."""
    if input.dtype.kind == "f":
        return _extreme(params, input, largest=True)
    if input.dtype == np.bool_:
        return evaluate_any(params, input, axis)
    return shaped(params, np.max(input, axis=params.axis, initial=np.iinfo(input.dtype).min))


def evaluate_min(params: ReduceParams, input: Array, axis: Array) -> Array:
    """The smallest code; the highest one of the type where there is none."""
    if input.dtype.kind == "f":
        return _extreme(params, input, largest=False)
    if input.dtype == np.bool_:
        return evaluate_all(params, input, axis)
    return shaped(params, np.min(input, axis=params.axis, initial=np.iinfo(input.dtype).max))


def _extreme(params: ReduceParams, input: Array, largest: bool) -> Array:
    """The first of the largest (smallest) numbers, none of them NaN, starting from the lowest (highest) finite one.

    Where everything becomes one number, TensorFlow Lite starts from the first element instead, and a NaN there stays.
    """
    limit = np.finfo(np.float32).min if largest else np.finfo(np.float32).max
    values = in_columns(params, input)
    if values.size == 0:
        return shaped(params, np.full(values.shape[1], limit, np.float32))
    comparable = np.where(np.isnan(values), np.float32(-np.inf if largest else np.inf), values)
    best = (np.argmax if largest else np.argmin)(comparable, axis=0)
    found = np.take_along_axis(comparable, best[np.newaxis], 0)[0]
    if len(params.axis) == input.ndim:
        found = np.where(np.isnan(values[0]), values[0], found)
    else:
        found = np.where(found > limit if largest else found < limit, found, limit)
    return shaped(params, found)


def in_columns(params: ReduceParams, input: Array) -> Array:
    """[count, outputs]: a column for each output, with its elements in the order of the input."""
    moved = np.moveaxis(input, params.axis, range(len(params.axis)))
    kept = [size for i, size in enumerate(input.shape) if i not in params.axis]
    return moved.reshape(params.count, element_count(kept))


def evaluate_any(params: ReduceParams, input: Array, axis: Array) -> Array:
    """Whether any element is true."""
    return shaped(params, np.any(input, axis=params.axis))


def evaluate_all(params: ReduceParams, input: Array, axis: Array) -> Array:
    """Whether all elements are true."""
    return shaped(params, np.all(input, axis=params.axis))


def shaped(params: ReduceParams, result: Array | np.generic) -> Array:
    """A reduction's result in the shape of the output."""
    (shape,) = params.output_shapes
    assert shape is not None
    return np.asarray(result).reshape(shape)


def reduction_signatures(*types: str) -> tuple[Signature, ...]:
    """The signatures of a reduction of these types."""
    return signatures("T,int32 -> T", T=types)


REDUCE_MAX = Kernel(
    name="REDUCE_MAX",
    signatures=reduction_signatures("int8", "uint8", "int16", "int32", "int64", "float32", "bool"),
    prepare=prepare_comparison,
    evaluate=evaluate_max,
    source=SOURCE,
    max_version=3,
)

REDUCE_MIN = Kernel(
    name="REDUCE_MIN",
    signatures=reduction_signatures("int8", "uint8", "int16", "int32", "int64", "float32", "bool"),
    prepare=prepare_comparison,
    evaluate=evaluate_min,
    source=SOURCE,
    max_version=3,
)

REDUCE_ANY = Kernel(
    name="REDUCE_ANY",
    signatures=reduction_signatures("bool"),
    prepare=prepare,
    evaluate=evaluate_any,
    source=SOURCE,
    max_version=1,
)

REDUCE_ALL = Kernel(
    name="REDUCE_ALL",
    signatures=reduction_signatures("bool"),
    prepare=prepare,
    evaluate=evaluate_all,
    source=SOURCE,
    max_version=1,
)
