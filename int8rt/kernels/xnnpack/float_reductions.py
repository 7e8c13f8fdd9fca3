"""SOFTMAX, MEAN, SUM, REDUCE_MAX and REDUCE_MIN of float32 in XNNPACK, with its kernels for AVX-512F.

Neighbouring axes count as one if all are reduced, or none is. The innermost reduced one is summed up (or compared) by
a kernel, whose results, scaled for a MEAN, are added up along the others in order.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.kernels import reduce
from int8rt.kernels.base import Array, OperatorContext, Params
from int8rt.kernels.reduce import ReduceParams, shaped
from int8rt.kernels.xnnpack.delegation import Delegated
from int8rt.kernels.xnnpack.reductions import takes_axes
from int8rt.model import ActivationFunctionType, TensorType
from int8rt.quantization import xnnpack_sums
from int8rt.quantization.xnnpack import flush
from int8rt.schema.options import SoftmaxOptions

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatReductionParams(ReduceParams):
    """name: of the operator."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftmaxParams(Params):
    """SOFTMAX over the last axis."""


def _is_real(context: OperatorContext) -> bool:
    return context.input(0).type == context.output().type == TensorType.FLOAT32


def takes(context: OperatorContext) -> bool:
    """Whether the delegate takes this reduction of float32 tensors."""
    return len(context.inputs) == 2 and _is_real(context) and takes_axes(context)


def prepare(context: OperatorContext) -> FloatReductionParams:
    """The axes; for a sum of squares also what was squared, which XNNPACK reads instead."""
    name = context.operator.name
    plain = reduce.prepare(context)
    if 0 in context.input(0).shape:
        raise context.unsupported(f"empty tensors in profile {context.profile.name} is not done")
    return FloatReductionParams(
        output_shapes=plain.output_shapes,
        axis=plain.axis,
        count=plain.count,
        name=name,
        reads=_squared(context) if name in ("MEAN", "SUM") else (),
    )


def _squared(context: OperatorContext) -> tuple[int, ...]:
    """The tensor of which the input is the square, if it is one that XNNPACK takes."""
    if context.subgraph is None:
        return ()
    tensors = context.subgraph.tensors
    for operator in context.subgraph.operators:
        if context.input(0).index in operator.outputs:
            squares = operator.name == "SQUARE" or (operator.name == "MUL" and len(set(operator.inputs)) == 1)
            activation = getattr(operator.options, "fused_activation_function", ActivationFunctionType.NONE)
            if not squares or tensors[operator.inputs[0]].type != TensorType.FLOAT32:
                return ()
            if activation != ActivationFunctionType.NONE:
                raise context.unsupported(f"a sum of clamped squares in profile {context.profile.name} is not done")
            return operator.inputs[:1]
    return ()


def evaluate(params: FloatReductionParams, input: Array, axis: Array, squared: Array | None = None) -> Array:
    """The reduction of an array. squared: of which it is the square."""
    of_rows: Callable[[Float32, Float32], Float32]
    of_columns: Callable[[Float32, Float32], Float32]
    if params.name in ("MEAN", "SUM"):
        scale = np.float32(1) / np.float32(params.count if params.name == "MEAN" else 1)
        initial = np.float32(0)
        rows, columns = xnnpack_sums.add_rows, xnnpack_sums.add_columns
        if squared is not None:
            rows, columns = xnnpack_sums.add_squares_of_rows, xnnpack_sums.add_squares_of_columns
        of_rows, of_columns = functools.partial(rows, scale=scale), functools.partial(columns, scale=scale)
    else:
        largest = params.name == "REDUCE_MAX"
        initial = np.float32(-np.inf if largest else np.inf)
        of_rows = functools.partial(xnnpack_sums.extreme_of_rows, largest=largest)
        of_columns = functools.partial(xnnpack_sums.extreme_of_columns, largest=largest)
    values = flush(input if squared is None else squared)
    with np.errstate(all="ignore"):
        return shaped(params, _reduced(values, params.axis, initial, of_rows, of_columns))


def _reduced(
    input: Float32,
    axis: tuple[int, ...],
    initial: np.float32,
    of_rows: Callable[[Float32, Float32], Float32],
    of_columns: Callable[[Float32, Float32], Float32],
) -> Float32:
    """of_rows, of_columns: take float32[n] and float32[n,k] or [k,n]."""
    groups: list[tuple[int, bool]] = []
    for index, size in enumerate(input.shape):
        reduced = index in axis
        if groups and groups[-1][1] == reduced:
            size *= groups.pop()[0]
        groups.append((size, reduced))
    reduced_axes = [index for index, (_, reduced) in enumerate(groups) if reduced]
    kept = [index for index, (_, reduced) in enumerate(groups) if not reduced]
    *outer, inner = reduced_axes
    values = input.reshape([size for size, _ in groups])
    in_rows = inner == len(groups) - 1
    values = values.transpose([*outer, *kept, inner] if in_rows else [*outer, inner, *kept])
    count = int(np.prod([groups[index][0] for index in kept], dtype=np.int64))
    size = groups[inner][0]
    total = np.full(count, initial, np.float32)
    for part in values.reshape((-1, count, size) if in_rows else (-1, size, count)):
        total = (of_rows if in_rows else of_columns)(total, part)
    return total


def takes_softmax(context: OperatorContext) -> bool:
    """Whether the delegate takes this SOFTMAX of a float32 tensor: its beta is 1."""
    return len(context.inputs) == 1 and _is_real(context) and context.options(SoftmaxOptions).beta == 1


def prepare_softmax(context: OperatorContext) -> SoftmaxParams:
    """The shape."""
    input = context.input(0)
    if input.rank < 1 or 0 in input.shape:
        raise context.unsupported(f"a scalar or an empty tensor in profile {context.profile.name} is not done")
    return SoftmaxParams(output_shapes=(input.shape,))


def evaluate_softmax(params: SoftmaxParams, input: Array) -> Array:
    """SOFTMAX of an array."""
    return xnnpack_sums.softmax(flush(input).reshape(-1, input.shape[-1])).reshape(input.shape)


FLOAT_REDUCTIONS = (
    *(
        Delegated(name, takes, prepare, "src/f32-rsum, src/f32-rminmax", evaluate, (FloatReductionParams,))
        for name in ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN")
    ),
    Delegated(
        "SOFTMAX",
        takes_softmax,
        prepare_softmax,
        "src/f32-raddstoreexpminusmax",
        evaluate_softmax,
        (SoftmaxParams,),
    ),
)
