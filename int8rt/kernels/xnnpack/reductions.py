"""MEAN, SUM, REDUCE_MAX and REDUCE_MIN of 8-bit codes in XNNPACK.

MEAN and SUM: the sum of the codes times a float32 scale, plus a float32 offset, ties to even. The others compare codes,
whatever the scales of input and output say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels import reduce
from int8rt.kernels.base import Array, OperatorContext
from int8rt.kernels.reduce import ReduceParams, shaped
from int8rt.kernels.xnnpack.delegation import Delegated, check_codes, declared_shape, holds_codes, is_stored
from int8rt.model import TensorType
from int8rt.quantization.xnnpack import reduced_codes


@dataclass(frozen=True, slots=True, kw_only=True)
class ReducedCodesParams(ReduceParams):
    """mean: whether the sum is divided by the count. input, output: (scale, zero point)."""

    mean: bool
    input: tuple[float, int]
    output: tuple[float, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedCodesParams(ReduceParams):
    """largest: the largest code, else the smallest."""

    largest: bool


def takes(context: OperatorContext) -> bool:
    """Whether the delegate takes this reduction of codes."""
    return len(context.inputs) == 2 and holds_codes(context.input(0), context.output()) and takes_axes(context)


def takes_axes(context: OperatorContext) -> bool:
    """Whether the delegate takes the axes of a reduction: few of them, that the file holds."""
    axis = context.input(1)
    if axis.type != TensorType.INT32 or len(declared_shape(context, axis)) > 1 or not is_stored(context, axis):
        return False
    values = context.value(1).reshape(-1)
    scalar = not declared_shape(context, context.input(0))
    return 0 < values.size <= 6 and not (scalar and values.size == 1 and values[0] == 0)


def prepare(context: OperatorContext) -> ReducedCodesParams | ComparedCodesParams:
    """The axes, and the scales."""
    input, output, name = context.input(0), context.output(), context.operator.name
    check_codes(context, input, output)
    if input.type != output.type:
        raise context.invalid("XNNPACK wants one type for input and output")
    if not context.per_tensor(input)[0] / context.per_tensor(output)[0] < 2.0**64:
        raise context.unsupported(f"an output scale as small in profile {context.profile.name} is not done")
    plain = reduce.prepare(context)
    if len(plain.axis) != context.value(1).size or 0 in input.shape:
        raise context.unsupported(f"repeated axes and empty tensors in profile {context.profile.name} is not done")
    if name in ("REDUCE_MAX", "REDUCE_MIN"):
        return ComparedCodesParams(
            output_shapes=plain.output_shapes, axis=plain.axis, count=plain.count, largest=name == "REDUCE_MAX"
        )
    return ReducedCodesParams(
        output_shapes=plain.output_shapes,
        axis=plain.axis,
        count=plain.count,
        mean=name == "MEAN",
        input=context.per_tensor(input),
        output=context.per_tensor(output),
    )


def evaluate(params: ReducedCodesParams | ComparedCodesParams, input: Array, axis: Array) -> Array:
    """The reduction of an array."""
    if isinstance(params, ComparedCodesParams):
        return shaped(params, (np.max if params.largest else np.min)(input, axis=params.axis))
    total = np.asarray(np.sum(input, axis=params.axis, dtype=np.int32))
    return shaped(params, reduced_codes(total, params.count, params.mean, params.input, params.output, input.dtype))


REDUCTIONS = tuple(
    Delegated(name, takes, prepare, "src/operators/reduce-nd.c", evaluate, (ReducedCodesParams, ComparedCodesParams))
    for name in ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN")
)
