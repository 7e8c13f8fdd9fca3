"""ABS, LOG, SQRT and RSQRT, element by element.

input: T[...], output: T[...]; T is int8 or int16 (zero points 0); for ABS int32 and float32 too, and int16 without
quantization parameters.
ABS rescales |q - zero_point| where the scales differ. LOG, and RSQRT on int16, look the result up in a table of the
real function. SQRT computes in float32 and truncates the quotient by the output's scale. RSQRT on int8 takes the
inverse square root of q - zero_point in fixed point. SQRT and RSQRT of negative numbers are run-time errors.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.float32.functions import elementwise, rsqrt, with_float32
from int8rt.kernels.layout import check_int16_zero_point
from int8rt.kernels.real_multipliers import ratio
from int8rt.kernels.signature import signatures
from int8rt.kernels.unary import LookupTableParams, evaluate_lookup_table, prepare_lookup_table, within_spec
from int8rt.model import TensorType
from int8rt.quantization import libm
from int8rt.quantization.multiplier import quantize_multiplier
from int8rt.quantization.reciprocal import get_inv_sqrt_quantized_multiplier_exp
from int8rt.quantization.requantize import multiply_by_quantized_multiplier
from int8rt.quantization.rounding import float_to_int32, saturate, wrap_int32

# RSQRT on int8 keeps its intermediate result with so many fractional bits.
_RSQRT_SHIFT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RescaleParams(Params):
    """Zero points in quantized steps, and what takes input steps to output steps."""

    input_zero_point: int
    output_zero_point: int
    multiplier: int
    shift: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsParams(RescaleParams):
    """needs_rescale: whether the scales differ; without, the multiplier is 0 and not used."""

    needs_rescale: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SqrtParams(Params):
    """Scales as float32 numbers, zero points in quantized steps."""

    input_scale: float
    input_zero_point: int
    output_scale: float
    output_zero_point: int


def prepare_abs(context: OperatorContext) -> Params:
    """Derive the multiplier of a quantized ABS."""
    input, output = context.input(0), context.output()
    quantized = input.quantization is not None and input.quantization.scale.size > 0
    if input.type in (TensorType.INT32, TensorType.FLOAT32) or (input.type == TensorType.INT16 and not quantized):
        return Params(output_shapes=(input.shape,))
    check_int16_zero_point(context, input, output)
    (input_scale, input_zero_point), (output_scale, output_zero_point) = map(context.per_tensor, (input, output))
    multiplier, shift = 0, 0
    if input_scale != output_scale:
        multiplier, shift = within_spec(context, quantize_multiplier, ratio(context, input_scale, output_scale))
    return AbsParams(
        output_shapes=(input.shape,),
        input_zero_point=input_zero_point,
        output_zero_point=output_zero_point,
        multiplier=multiplier,
        shift=shift,
        needs_rescale=input_scale != output_scale,
    )


def evaluate_abs(params: Params, input: Array) -> Array:
    """ABS of each element; without quantization parameters the most negative integer stays as it is."""
    if not isinstance(params, AbsParams):
        plain: Array = np.abs(input)
        return plain
    value = np.abs(input.astype(np.int64) - params.input_zero_point)
    if params.needs_rescale:
        value = multiply_by_quantized_multiplier(value, params.multiplier, params.shift)
    return saturate(wrap_int32(value + params.output_zero_point), input.dtype)


def prepare_log(context: OperatorContext) -> LookupTableParams:
    """Make the table; where there is no logarithm, it holds the smallest output."""
    output = context.output()
    check_int16_zero_point(context, context.input(0), output)
    scale, zero_point = context.per_tensor(output)
    with np.errstate(over="ignore"):
        smallest = np.float32(int(np.iinfo(output.type.dtype).min) - zero_point) * np.float32(scale)

    def log(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.where(x <= 0, smallest, libm.log(x))

    return prepare_lookup_table(context, log)


def prepare_sqrt(context: OperatorContext) -> SqrtParams:
    """Collect scales and zero points."""
    input, output = context.input(0), context.output()
    check_int16_zero_point(context, input, output)
    (input_scale, input_zero_point), (output_scale, output_zero_point) = map(context.per_tensor, (input, output))
    return SqrtParams(
        output_shapes=(input.shape,),
        input_scale=input_scale,
        input_zero_point=input_zero_point,
        output_scale=output_scale,
        output_zero_point=output_zero_point,
    )


def evaluate_sqrt(params: SqrtParams, input: Array) -> Array:
    """SQRT of each element; `EvaluationError` where one is negative."""
    steps = (input.astype(np.int32) - params.input_zero_point).astype(np.float32)
    real = np.float32(params.input_scale) * steps
    if not np.all(real >= 0):
        raise EvaluationError("the input holds negative numbers")
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        quotient = np.sqrt(real) / np.float32(params.output_scale)
    whole = float_to_int32(quotient).astype(np.int64)
    return saturate(wrap_int32(whole + params.output_zero_point), input.dtype)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RsqrtTableParams(LookupTableParams):
    """The table of int16; codes below 0 are refused."""


def prepare_rsqrt(context: OperatorContext) -> RescaleParams | RsqrtTableParams:
    """Make the table of int16, or derive the multiplier of int8."""
    input, output = context.input(0), context.output()
    if input.type != TensorType.INT16:
        return prepare_rsqrt_in_fixed_point(context)
    check_int16_zero_point(context, input, output)
    largest = np.float32(32767) * np.float32(context.per_tensor(output)[0])
    table = prepare_lookup_table(context, functools.partial(_rsqrt, largest)).table
    return RsqrtTableParams(output_shapes=(input.shape,), table=table)


def prepare_rsqrt_in_fixed_point(context: OperatorContext) -> RescaleParams:
    """Derive the multiplier: 1 / (sqrt(input scale) · output scale), in the precision that the profile has."""
    input, output = context.input(0), context.output()
    (input_scale, input_zero_point), (output_scale, output_zero_point) = map(context.per_tensor, (input, output))
    precision = np.float64 if context.profile.float64_multipliers else np.float32
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        real = 1 / np.float64(np.sqrt(precision(input_scale)) * precision(output_scale))
    multiplier, shift = within_spec(context, quantize_multiplier, float(real))
    return RescaleParams(
        output_shapes=(input.shape,),
        input_zero_point=input_zero_point,
        output_zero_point=output_zero_point,
        multiplier=multiplier,
        shift=shift,
    )


def _rsqrt(largest: np.float32, x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.where(x <= 0, largest, np.float32(1) / np.sqrt(x))


def evaluate_rsqrt(params: RescaleParams | RsqrtTableParams, input: Array) -> Array:
    """RSQRT of each element, of 0 the largest code; `EvaluationError` where one is negative."""
    if np.any(input < (params.input_zero_point if isinstance(params, RescaleParams) else 0)):
        raise EvaluationError("the input holds negative numbers")
    if isinstance(params, RsqrtTableParams):
        return evaluate_lookup_table(params, input)
    steps = input.astype(np.int64) - params.input_zero_point
    multiplier, shift = get_inv_sqrt_quantized_multiplier_exp(steps)
    value = multiply_by_quantized_multiplier(np.ones_like(steps), multiplier, shift + _RSQRT_SHIFT)
    value = multiply_by_quantized_multiplier(value, params.multiplier, params.shift - _RSQRT_SHIFT)
    output = saturate(wrap_int32(value + params.output_zero_point), input.dtype)
    return np.where(steps == 0, np.iinfo(input.dtype).max, output).astype(input.dtype)


ABS = Kernel(
    name="ABS",
    signatures=signatures("T -> T", T=("int8", "int16", "int32", "float32")),
    prepare=prepare_abs,
    evaluate=evaluate_abs,
    source="kernels/elementwise.cc",
    max_version=5,  # BUILTIN_REF knows versions up to 3; the optimized resolver takes more types by the next
)

LOG = with_float32(
    Kernel(
        name="LOG",
        signatures=signatures("T -> T", T=("int8", "int16")),
        prepare=prepare_log,
        evaluate=evaluate_lookup_table,
        source="kernels/elementwise.cc, internal/common.h",
        max_version=2,
    ),
    elementwise(libm.log),
)

SQRT = with_float32(
    Kernel(
        name="SQRT",
        signatures=signatures("T -> T", T=("int8", "int16")),
        prepare=prepare_sqrt,
        evaluate=evaluate_sqrt,
        source="kernels/elementwise.cc",
        max_version=2,
    ),
    elementwise(np.sqrt),
)

RSQRT = with_float32(
    Kernel(
        name="RSQRT",
        signatures=signatures("T -> T", T=("int8", "int16")),
        prepare=prepare_rsqrt,
        evaluate=evaluate_rsqrt,
        source="kernels/elementwise.cc, internal/common.h",
        max_version=3,
    ),
    elementwise(rsqrt),
)
