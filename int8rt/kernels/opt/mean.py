"""MEAN, SUM, REDUCE_MAX and REDUCE_MIN in the optimized kernels.

MEAN of 8-bit images [N,H,W,C] over height and width that keeps them: the sum of the codes is rescaled by a multiplier
from float32 and a bias is added; channels in blocks of 16 take ties up. Other means are the reference kernel's. With
several threads each takes a range of channels, and blocks start again with each: this is one thread.
SUM of quantized types is rescaled in float32. Reductions of float32 start with the first element, and a maximum or
minimum is the later one of two that do not compare; a mean over the last dimensions is Eigen's, which adds by groups.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np

from int8rt.kernels import mean, reduce
from int8rt.kernels.base import Array, OperatorContext
from int8rt.kernels.layout import QUANTIZED_TYPES
from int8rt.kernels.mean import QuantizedSumParams
from int8rt.kernels.reduce import ReduceParams, in_columns, prepare, shaped
from int8rt.model import TensorType
from int8rt.quantization.eigen_exp import sums_of_rows
from int8rt.quantization.multiplier import quantize_multiplier
from int8rt.quantization.vector_body import mean_bias_and_scale, requantize_in_sixteens, sum_in_float32
from int8rt.schema.options import ReducerOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageMeanParams(QuantizedSumParams):
    """The bias is the requantization's zero point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatSumParams(ReduceParams):
    """input, output: (scale, zero point)."""

    input: tuple[float, int]
    output: tuple[float, int]


def prepare_mean(context: OperatorContext) -> ReduceParams:
    """As the reference kernel, but for images."""
    params = mean.prepare_mean(context)
    input, keep = context.input(0), context.options(ReducerOptions).keep_dims
    image = input.rank == 4 and params.axis == (1, 2) and keep and input.type != TensorType.INT16
    if not isinstance(params, QuantizedSumParams) or not image or params.count == 0:
        return params
    return of_image(params, context.per_tensor(input), context.per_tensor(context.output()))


def of_image(params: QuantizedSumParams, input: tuple[float, int], output: tuple[float, int]) -> ImageMeanParams:
    """The mean over height and width with the optimized kernel's numbers. input, output: (scale, zero point)."""
    bias, scale = mean_bias_and_scale(input, output, params.count)
    multiplier, shift = quantize_multiplier(scale)
    return ImageMeanParams(
        output_shapes=params.output_shapes,
        axis=params.axis,
        count=params.count,
        input_zero_point=0,
        requantization=replace(
            params.requantization,
            multiplier=np.array([multiplier], np.int32),
            shift=np.array([shift], np.int32),
            zero_point=bias,
        ),
    )


def evaluate_mean(params: ReduceParams, input: Array, axis: Array) -> Array:
    """The mean, of an image channel by channel."""
    if input.dtype.kind == "f" and input.size:
        columns = in_columns(params, input)
        with np.errstate(all="ignore"):
            total = sums_of_rows(columns.T) if _of_rows(params, input) else np.add.accumulate(columns)[-1]
            return shaped(params, total / np.float32(params.count))
    if not isinstance(params, ImageMeanParams) or input.size == 0:
        return mean.evaluate_mean(params, input, axis)
    rows = [requantize_in_sixteens(row, params.requantization) for row in input.sum(axis=(1, 2), dtype=np.int32)]
    return shaped(params, np.stack(rows))


def _of_rows(params: ReduceParams, input: Array) -> bool:
    """Whether the reduced dimensions are the last ones and not all, not counting those of size 1: Eigen sums these."""
    reduced = [axis in params.axis for axis, size in enumerate(input.shape) if size > 1]
    return any(reduced) and not all(reduced) and reduced == sorted(reduced)


def prepare_sum(context: OperatorContext) -> ReduceParams:
    """Resolve the axes; for quantized types also take the scales."""
    params = prepare(context)
    if context.input(0).type not in QUANTIZED_TYPES:
        return params
    input, output = context.per_tensor(context.input(0)), context.per_tensor(context.output())
    if output[0] == 0:
        raise context.invalid(f"output {context.output().name!r} has scale 0")
    return FloatSumParams(
        output_shapes=params.output_shapes, axis=params.axis, count=params.count, input=input, output=output
    )


def evaluate_sum(params: ReduceParams, input: Array, axis: Array) -> Array:
    """The sum."""
    if input.dtype.kind == "f" and input.size:
        with np.errstate(all="ignore"):
            return shaped(params, np.add.accumulate(in_columns(params, input))[-1])
    if not isinstance(params, FloatSumParams):
        return mean.evaluate_sum(params, input, axis)
    total = np.asarray(np.sum(input, axis=params.axis, dtype=np.int32))
    return shaped(params, sum_in_float32(total, params.count, params.input, params.output, input.dtype))


MEAN = replace(
    mean.MEAN,
    prepare=prepare_mean,
    evaluate=evaluate_mean,
    source="kernels/reduce.cc, optimized/integer_ops/mean.h, optimized/optimized_ops.h",
)

SUM = replace(mean.SUM, prepare=prepare_sum, evaluate=evaluate_sum, source="kernels/reduce.cc, optimized/reduce.h")


def evaluate_max(params: ReduceParams, input: Array, axis: Array) -> Array:
    """The largest element."""
    if input.dtype.kind != "f" or not input.size:
        return reduce.evaluate_max(params, input, axis)
    first, *others = in_columns(params, input)
    return shaped(params, functools.reduce(lambda best, value: np.where(best > value, best, value), others, first))


def evaluate_min(params: ReduceParams, input: Array, axis: Array) -> Array:
    """The smallest element."""
    if input.dtype.kind != "f" or not input.size:
        return reduce.evaluate_min(params, input, axis)
    first, *others = in_columns(params, input)
    return shaped(params, functools.reduce(lambda best, value: np.where(best < value, best, value), others, first))


REDUCE_MAX = replace(reduce.REDUCE_MAX, evaluate=evaluate_max, source="kernels/reduce.cc, optimized/reduce.h")
REDUCE_MIN = replace(reduce.REDUCE_MIN, evaluate=evaluate_min, source="kernels/reduce.cc, optimized/reduce.h")
