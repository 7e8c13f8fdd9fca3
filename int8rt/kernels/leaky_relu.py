"""LEAKY_RELU: x for x >= 0, else alpha · x, from one scale to another.

int8, uint8, int16: the code without its zero point is rescaled by input_scale / output_scale, or, where it is negative,
by input_scale · alpha / output_scale. A negative alpha is rounded as its absolute value, then the sign is put back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from int8rt.kernels.arithmetic import all_codes, is_8bit, subtract_zero_point
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.layout import check_int16_zero_point
from int8rt.kernels.real_multipliers import product_ratio, ratio
from int8rt.kernels.signature import signatures
from int8rt.kernels.unary import within_spec
from int8rt.model import TensorType
from int8rt.quantization.effective_scales import scale_ratio
from int8rt.quantization.lookup_table import lookup
from int8rt.quantization.multiplier import quantize_multiplier
from int8rt.quantization.requantize import multiply_by_quantized_multiplier
from int8rt.quantization.rounding import saturate, wrap_int32
from int8rt.schema.options import LeakyReluOptions


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LeakyReluParams(Params):
    """output_multiplier_alpha has the sign of alpha. table: the output of each 8-bit input code, None for int16.

    with_sign: values are multiplied by a negative multiplier as it is, so that ties round the other way.
    """

    input_zero_point: int
    output_zero_point: int
    output_multiplier_alpha: int
    output_shift_alpha: int
    output_multiplier_identity: int
    output_shift_identity: int
    with_sign: bool = False
    table: Array | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatLeakyReluParams(Params):
    """alpha: a float32."""

    alpha: float


def prepare(context: OperatorContext) -> LeakyReluParams | FloatLeakyReluParams:
    """Derive the integers of a LEAKY_RELU."""
    options = context.options(LeakyReluOptions)
    input, output = context.input(0), context.output()
    if input.type == TensorType.FLOAT32:
        return FloatLeakyReluParams(output_shapes=(input.shape,), alpha=options.alpha)
    check_int16_zero_point(context, input, output)
    (input_scale, input_zero_point), (scale, zero_point) = context.per_tensor(input), context.per_tensor(output)
    alpha = product_ratio(context, input_scale, options.alpha, scale)
    identity = ratio(context, input_scale, scale)
    if context.profile.name == "tosa":
        if options.alpha < 0:
            raise context.unsupported(f"a negative alpha in profile {context.profile.name} is not done")
        identity = scale_ratio(input_scale, scale)
        alpha = identity * float(np.float32(options.alpha))
    alpha_multiplier, alpha_shift = within_spec(context, quantize_multiplier, alpha)
    identity_multiplier, identity_shift = within_spec(context, quantize_multiplier, identity)
    params = LeakyReluParams(
        output_shapes=(input.shape,),
        input_zero_point=input_zero_point,
        output_zero_point=zero_point,
        output_multiplier_alpha=alpha_multiplier,
        output_shift_alpha=alpha_shift,
        output_multiplier_identity=identity_multiplier,
        output_shift_identity=identity_shift,
        with_sign=context.profile.before_2_20,
    )
    return replace(params, table=_rescale(params, all_codes(input.type))) if is_8bit(input.type) else params


def _rescale(params: LeakyReluParams, codes: Array) -> Array:
    value = subtract_zero_point(codes, params.input_zero_point).reshape(-1)
    identity = multiply_by_quantized_multiplier(value, params.output_multiplier_identity, params.output_shift_identity)
    multiplier = params.output_multiplier_alpha
    negated = multiplier < 0 and not params.with_sign
    scaled = multiply_by_quantized_multiplier(value, -multiplier if negated else multiplier, params.output_shift_alpha)
    if negated:
        scaled = -scaled
    return saturate(wrap_int32(np.where(value >= 0, identity, scaled) + params.output_zero_point), codes.dtype).reshape(
        codes.shape
    )


def evaluate(params: LeakyReluParams | FloatLeakyReluParams, input: Array) -> Array:
    """LEAKY_RELU of an array."""
    if isinstance(params, FloatLeakyReluParams):
        with np.errstate(all="ignore"):
            return np.asarray(np.where(input > 0, input, input * np.float32(params.alpha)))
    return _rescale(params, input) if params.table is None else lookup(input, params.table)


LEAKY_RELU = Kernel(
    name="LEAKY_RELU",
    signatures=signatures("T -> T", T=("int8", "uint8", "int16", "float32")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/activations.cc, reference/leaky_relu.h",
    max_version=2,
)
