"""HARD_SWISH: x · min(max(x + 3, 0), 6) / 6, element by element, in 16-bit fixed point.

input: T[...], output: T[...]; T is int8 or uint8.
The input is shifted up by 7 bits; one product brings it to the output's scale, another to a scale on which 3 is 2^15,
from which comes the "relu-ish" factor between 0 and 1; the product of both is shifted down to the output.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.float32 import functions
from int8rt.kernels.float32.functions import elementwise, with_float32
from int8rt.kernels.layout import check_zero_points
from int8rt.kernels.real_multipliers import product_ratio
from int8rt.kernels.signature import signatures
from int8rt.kernels.unary import within_spec
from int8rt.model import TensorType
from int8rt.quantization.lookup_table import lookup
from int8rt.quantization.multiplier import quantize_multiplier
from int8rt.quantization.rounding import saturate
from int8rt.quantization.rounding_int16 import (
    downscale_int32_to_int16_multiplier,
    rounding_divide_by_pot_int16,
    saturating_doubling_high_mul_int16,
    saturating_left_shift_int16,
    saturating_rounding_doubling_high_mul_int16,
    wrap_int16,
)

_HIRES_BITS = 7
_REAL_3 = 1 << 15  # 3.0 on the relu-ish scale


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HardSwishParams(Params):
    """The two multipliers (16 bits and a power of two), and the results they give: table, T[256] by unsigned code."""

    input_zero_point: int
    output_zero_point: int
    output_multiplier_fixedpoint_int16: int
    output_multiplier_exponent: int
    reluish_multiplier_fixedpoint_int16: int
    reluish_multiplier_exponent: int
    table: npt.NDArray[Any]


def prepare(context: OperatorContext) -> HardSwishParams:
    """Derive both multipliers and evaluate all 256 codes."""
    input, output = context.input(0), context.output()
    check_zero_points(context, TensorType.INT16, input, output)
    (input_scale, input_zero_point), (output_scale, output_zero_point) = map(context.per_tensor, (input, output))
    hires, reluish_scale = 1.0 / (1 << _HIRES_BITS), float(np.float32(3) / np.float32(_REAL_3))
    (output_multiplier, output_exponent), (reluish_multiplier, reluish_exponent) = (
        within_spec(context, quantize_multiplier, product_ratio(context, hires, input_scale, scale))
        for scale in (output_scale, reluish_scale)
    )
    if output_exponent > 0:
        raise context.invalid(f"input scale {input_scale:g} is too large for the output scale {output_scale:g}")
    if min(output_multiplier, reluish_multiplier) < 0 or reluish_exponent > 31:
        raise context.invalid(f"scale {input_scale:g} of input {input.name!r} is out of range")
    params = HardSwishParams(
        output_shapes=(input.shape,),
        input_zero_point=input_zero_point,
        output_zero_point=output_zero_point,
        output_multiplier_fixedpoint_int16=downscale_int32_to_int16_multiplier(output_multiplier),
        output_multiplier_exponent=output_exponent,
        reluish_multiplier_fixedpoint_int16=downscale_int32_to_int16_multiplier(reluish_multiplier),
        reluish_multiplier_exponent=reluish_exponent,
        table=np.empty(0, output.type.dtype),
    )
    codes = np.arange(256).astype(np.uint8).view(input.type.dtype)
    return dataclasses.replace(params, table=hard_swish(params, codes))


def hard_swish(params: HardSwishParams, q: Array) -> Array:
    """The output codes for input codes `q`, from the multipliers alone."""
    hires = wrap_int16(wrap_int16(q.astype(np.int64) - params.input_zero_point) << _HIRES_BITS)
    preshift = saturating_rounding_doubling_high_mul_int16(hires, params.output_multiplier_fixedpoint_int16)
    # All left shifts but the last come before the product, so that only the last one's saturation is felt.
    exponent = params.reluish_multiplier_exponent
    reluish = saturating_left_shift_int16(hires, max(exponent - 1, 0))
    reluish = saturating_rounding_doubling_high_mul_int16(reluish, params.reluish_multiplier_fixedpoint_int16)
    reluish = saturating_left_shift_int16(reluish, 1 if exponent > 0 else 0)
    reluish = rounding_divide_by_pot_int16(reluish, max(-exponent, 0))
    zero_to_one = (reluish + _REAL_3) >> 1
    product = saturating_doubling_high_mul_int16(zero_to_one, preshift)
    output = rounding_divide_by_pot_int16(product, -params.output_multiplier_exponent) + params.output_zero_point
    return saturate(wrap_int16(output), q.dtype)


def evaluate(params: HardSwishParams, input: Array) -> Array:
    """HARD_SWISH of each element."""
    return lookup(input, params.table)


HARD_SWISH = with_float32(
    Kernel(
        name="HARD_SWISH",
        signatures=signatures("T -> T", T=("int8", "uint8")),
        prepare=prepare,
        evaluate=evaluate,
        source="kernels/activations.cc, reference/hard_swish.h",
        max_version=1,
    ),
    elementwise(functions.hard_swish),
)
