"""MEAN and SUM over chosen axes.

input: T of any rank, axis: int32 of any shape, output: T without the reduced axes, or with size 1 there (keep_dims).
Quantized types: Σ input - count · input_zero_point, in int32 with wrap-around, rescaled from the scale of the input to
that of the output. Plain integers: a mean is truncated toward zero, a sum wraps around in its type. Real numbers are
added up in float32 one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext
from int8rt.kernels.layout import QUANTIZED_TYPES
from int8rt.kernels.reduce import SOURCE, ReduceParams, evaluate_any, in_columns, prepare, reduction_signatures, shaped
from int8rt.model import TensorType
from int8rt.quantization.division import divide_truncate
from int8rt.quantization.multiplier import quantize_multiplier
from int8rt.quantization.requantize import Requantization, requantize


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizedSumParams(ReduceParams):
    """`requantization.dtype` is also the type as which the codes of the input are read."""

    input_zero_point: int
    requantization: Requantization


def prepare_mean(context: OperatorContext) -> ReduceParams:
    """Resolve the axes; for quantized types also the multiplier input_scale / output_scale / count.

    The count divides the fixed-point multiplier, which is first shifted left by as many bits as the count has.
    """
    params = prepare(context)
    if context.input(0).type not in QUANTIZED_TYPES:
        return params
    real_multiplier = _scale_ratio(context)
    multiplier, shift = quantize_multiplier(real_multiplier)
    if params.count > 0:
        widened = min(params.count.bit_length() - 1, 32, 31 + shift)
        multiplier = (multiplier << widened) // params.count
        shift -= widened
        real_multiplier /= params.count
    return _quantized_sum(context, params, real_multiplier, multiplier, shift, context.input(0).type.dtype)


def prepare_sum(context: OperatorContext) -> ReduceParams:
    """Resolve the axes; for quantized types that are rescaled, also the multiplier input_scale / output_scale."""
    params = prepare(context)
    type = context.input(0).type
    if type not in QUANTIZED_TYPES:
        return params
    if type == TensorType.INT16 and context.profile.plain_int16_sums:
        if context.per_tensor(context.input(0)) != context.per_tensor(context.output()):
            raise context.invalid("an int16 sum needs one scale and zero point for input and output")
        return params
    real_multiplier = _scale_ratio(context)
    # A defect of BUILTIN_REF, kept: whatever the type, the codes are read, clamped and written as bytes of uint8.
    return _quantized_sum(context, params, real_multiplier, *quantize_multiplier(real_multiplier), np.dtype(np.uint8))


def _scale_ratio(context: OperatorContext) -> float:
    (input_scale, _), (output_scale, _) = context.per_tensor(context.input(0)), context.per_tensor(context.output())
    if output_scale == 0:
        raise context.invalid(f"output {context.output().name!r} has scale 0")
    return input_scale / output_scale


def _quantized_sum(
    context: OperatorContext,
    params: ReduceParams,
    real_multiplier: float,
    multiplier: int,
    shift: int,
    dtype: np.dtype[Any],
) -> QuantizedSumParams:
    limits = np.iinfo(dtype)
    return QuantizedSumParams(
        output_shapes=params.output_shapes,
        axis=params.axis,
        count=params.count,
        input_zero_point=context.per_tensor(context.input(0))[1],
        requantization=Requantization(
            rounding=context.profile.rounding(context.operator.name),
            multiplier=np.array([multiplier], np.int32),
            shift=np.array([shift], np.int32),
            real_multiplier=np.array([real_multiplier]),
            zero_point=context.per_tensor(context.output())[1],
            activation_min=limits.min,
            activation_max=limits.max,
            dtype=dtype,
        ),
    )


def evaluate_mean(params: ReduceParams, input: Array, axis: Array) -> Array:
    """The mean; 0 (float32: NaN) where there is nothing to sum."""
    if isinstance(params, QuantizedSumParams):
        return _evaluate_quantized(params, input)
    if input.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            total = _sum_in_order(params, input) + np.float32(0)  # not -0.0: TensorFlow Lite starts from 0
            return shaped(params, total / np.float32(params.count if input.size else 0))
    if input.size == 0:
        return _zeros(params, input.dtype)
    total = np.sum(input, axis=params.axis, dtype=np.int64)
    return shaped(params, divide_truncate(total, params.count).astype(input.dtype))


def evaluate_sum(params: ReduceParams, input: Array, axis: Array) -> Array:
    """The sum, of bool "or"; quantized types as BUILTIN_REF computes it, right for uint8 only."""
    if input.dtype.kind == "f":
        total = _sum_in_order(params, input)
        # TensorFlow Lite starts from 0, so that -0.0 becomes 0.0; but from the first element if all become one number.
        return shaped(params, total if len(params.axis) == input.ndim else total + np.float32(0))
    if input.dtype == np.bool_:
        return evaluate_any(params, input, axis)
    if not isinstance(params, QuantizedSumParams):
        return shaped(params, np.sum(input, axis=params.axis, dtype=input.dtype))
    if input.dtype == np.uint8:
        return _evaluate_quantized(params, input)
    # int8: the same bytes. int16: the first half of the input is read, the first half of the output is written, and
    # BUILTIN_REF leaves the other half as it finds it in memory; here it is zero.
    codes = np.frombuffer(input.tobytes(), np.uint8, input.size).reshape(input.shape)
    written = _evaluate_quantized(params, codes).tobytes()
    return shaped(params, np.frombuffer(written.ljust(len(written) * input.itemsize, b"\0"), input.dtype))


def _sum_in_order(params: ReduceParams, input: Array) -> Array:
    """Sums in float32, which depend on the order: NumPy's own sums add in pairs."""
    columns = in_columns(params, input)
    if columns.size == 0:
        return np.zeros(columns.shape[1], np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        total: Array = np.add.accumulate(columns, axis=0)[-1]
    return total


def _evaluate_quantized(params: QuantizedSumParams, input: Array) -> Array:
    requantization = params.requantization
    if input.size == 0:
        return _zeros(params, requantization.dtype)
    total = np.asarray(np.sum(input, axis=params.axis, dtype=np.int32)).astype(np.int64)
    total -= params.input_zero_point * params.count
    return shaped(params, requantize(total.astype(np.int32), requantization))


def _zeros(params: ReduceParams, dtype: np.dtype[Any]) -> Array:
    (shape,) = params.output_shapes
    assert shape is not None
    return np.zeros(shape, dtype)


MEAN = Kernel(
    name="MEAN",
    signatures=reduction_signatures("int8", "uint8", "int16", "int32", "int64", "float32"),
    prepare=prepare_mean,
    evaluate=evaluate_mean,
    source=SOURCE,
    max_version=3,
)

SUM = Kernel(
    name="SUM",
    signatures=reduction_signatures("int8", "uint8", "int16", "int32", "int64", "float32", "bool"),
    prepare=prepare_sum,
    evaluate=evaluate_sum,
    source=SOURCE,
    max_version=2,
)
