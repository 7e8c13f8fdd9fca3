"""QUANTIZE of real numbers, RELU and its kin, and SUM after a conversion to TOSA.

QUANTIZE multiplies by the reciprocal of the scale and rounds ties to even. Where there is a zero point (of uint8, one
other than 128), what lies beyond the type's ends wraps around, a defect of the converter. SUM rescales every code to 20
fractional bits, adds them up in int32, and rescales the sum. RELU rescales with one rounding, by a multiplier that is
computed in float64.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from int8rt.kernels import quantize, relu
from int8rt.kernels.arithmetic import single_requantization
from int8rt.kernels.base import Array, OperatorContext, Params
from int8rt.kernels.layout import QUANTIZED_TYPES
from int8rt.kernels.reduce import ReduceParams, shaped
from int8rt.kernels.reduce import prepare as prepare_axes
from int8rt.kernels.relu import ReluParams
from int8rt.kernels.unary import within_spec
from int8rt.model import TensorType
from int8rt.quantization.effective_scales import scale_ratio
from int8rt.quantization.requantization import Rounding
from int8rt.quantization.rounding import saturate, wrap_int32
from int8rt.quantization.tosa import apply_scale_32, multiplier_and_shift

_SUM_BITS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizeRealParams(Params):
    """inverse: the reciprocal of the scale, in float32. zero_point: of uint8 less 128."""

    inverse: np.float32
    zero_point: int
    type: TensorType


@dataclass(frozen=True, slots=True, kw_only=True)
class TosaSumParams(ReduceParams):
    """Multipliers of each code and of the sum; zero points."""

    input_zero_point: int
    output_zero_point: int
    input_scale: tuple[int, int]
    output_scale: tuple[int, int]


def prepare_quantize(context: OperatorContext) -> Params:
    """Of codes as the reference kernel's."""
    input, output = context.input(0), context.output()
    if input.type in QUANTIZED_TYPES:
        return quantize.QUANTIZE.prepare(context)
    scale, zero_point = context.per_tensor(output)
    if not 0 < scale < np.inf:
        raise context.invalid(f"output {output.name!r} has scale {scale:g}, expected a finite one above 0")
    with np.errstate(all="ignore"):
        inverse = np.float32(1 / np.float64(scale))
    offset = 128 if output.type == TensorType.UINT8 else 0
    return QuantizeRealParams(
        output_shapes=(input.shape,), inverse=inverse, zero_point=zero_point - offset, type=output.type
    )


def evaluate_quantize(params: Any, input: Array) -> Any:
    """The codes."""
    if not isinstance(params, QuantizeRealParams):
        return quantize.QUANTIZE.evaluate(params, input)
    signed = np.dtype(np.int16) if params.type == TensorType.INT16 else np.dtype(np.int8)
    with np.errstate(all="ignore"):
        steps = np.nan_to_num(np.rint(input * params.inverse), nan=0.0).astype(np.float64)
    ends = np.iinfo(np.int32 if params.zero_point else signed)
    codes = (np.clip(steps, ends.min, ends.max).astype(np.int64) + params.zero_point).astype(signed)
    return (codes.view(np.uint8) ^ np.uint8(0x80)) if params.type == TensorType.UINT8 else codes


def prepare_relu(context: OperatorContext) -> Params:
    """As the reference kernel's, but for the rescaling."""
    params = relu.prepare(context)
    if not isinstance(params, ReluParams):
        return params
    bounds = params.requantization.activation_min, params.requantization.activation_max
    scales = (context.per_tensor(tensor)[0] for tensor in (context.input(0), context.output()))
    rescaling = single_requantization(context, scale_ratio(*scales), bounds)
    return replace(params, requantization=replace(rescaling, rounding=Rounding.SINGLE), table=None)


def prepare_sum(context: OperatorContext) -> TosaSumParams:
    """Resolve the axes and derive both multipliers."""
    params = prepare_axes(context)
    (scale, zero_point), (output_scale, output_zero_point) = map(
        context.per_tensor, (context.input(0), context.output())
    )
    with np.errstate(all="ignore"):
        inverse = float(1 / np.float64(output_scale * (1 << _SUM_BITS)))
    return TosaSumParams(
        output_shapes=params.output_shapes,
        axis=params.axis,
        count=params.count,
        input_zero_point=zero_point,
        output_zero_point=output_zero_point,
        input_scale=within_spec(context, multiplier_and_shift, scale * (1 << _SUM_BITS)),
        output_scale=within_spec(context, multiplier_and_shift, inverse),
    )


def evaluate_sum(params: TosaSumParams, input: Array, axis: Array) -> Array:
    """The sum."""
    terms = apply_scale_32(input.astype(np.int64) - params.input_zero_point, params.input_scale, double_round=True)
    total = wrap_int32(terms.sum(axis=params.axis))
    codes = apply_scale_32(total, params.output_scale, double_round=True) + params.output_zero_point
    return shaped(params, saturate(codes, input.dtype))
