"""L2_NORMALIZATION: x over the square root of the sum of x² along the last axis.

input: T[..., n], output: T[..., n]; T is int8 (output scale 1/128, zero point 0) or uint8 (1/128, 128).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.float32.functions import FloatParams, l2_normalization, row_params, with_float32
from int8rt.kernels.rows import by_rows
from int8rt.kernels.signature import signatures
from int8rt.kernels.unary import require_output
from int8rt.model import ActivationFunctionType, TensorType
from int8rt.quantization.reciprocal import get_inv_sqrt_quantized_multiplier_exp
from int8rt.quantization.requantize import multiply_by_quantized_multiplier
from int8rt.quantization.rounding import saturate, wrap_int32
from int8rt.schema.options import L2NormOptions

_OUTPUT_BITS = 7  # of the scale 1/128
_UINT8_ZERO_POINT = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class L2NormalizationParams(Params):
    """`input_zero_point`: in quantized steps. The output's parameters are fixed by the operator."""

    input_zero_point: int


def prepare(context: OperatorContext) -> L2NormalizationParams:
    """Check the output's parameters and that there is no fused activation."""
    input = context.input(0)
    if input.rank < 1:
        raise context.invalid(f"input {input.name!r} must have at least one dimension")
    check_activation(context)
    require_output(context, 1 / 128, _UINT8_ZERO_POINT if input.type == TensorType.UINT8 else 0)
    return L2NormalizationParams(output_shapes=(input.shape,), input_zero_point=context.per_tensor(input)[1])


def prepare_float(context: OperatorContext) -> FloatParams:
    """Check that there is no fused activation."""
    check_activation(context)
    return row_params(context)


def check_activation(context: OperatorContext) -> None:
    """`ModelError` where there is a fused activation."""
    activation = context.options(L2NormOptions).fused_activation_function
    if activation != ActivationFunctionType.NONE:
        raise context.invalid(f"has fused activation {activation.name}, expected NONE")


def evaluate(params: L2NormalizationParams, input: Array) -> Array:
    """L2_NORMALIZATION of each row; rows of zeros stay zero."""
    return by_rows(input, input.dtype, functools.partial(_normalize, params))


def _normalize(params: L2NormalizationParams, rows: Array) -> Array:
    steps = rows.astype(np.int64) - params.input_zero_point
    squared_norm = wrap_int32((steps * steps).sum(axis=1, keepdims=True))
    multiplier, shift = get_inv_sqrt_quantized_multiplier_exp(squared_norm)
    if rows.dtype == np.int8:
        return saturate(multiply_by_quantized_multiplier(steps, multiplier, shift + _OUTPUT_BITS), np.int8)
    # The older kernel scales the input by 128 first, and only ever shifts to the right afterwards.
    normalized = multiply_by_quantized_multiplier(steps << _OUTPUT_BITS, multiplier, shift)
    return saturate(normalized + _UINT8_ZERO_POINT, np.uint8)


L2_NORMALIZATION = with_float32(
    Kernel(
        name="L2_NORMALIZATION",
        signatures=signatures("T -> T", T=("int8", "uint8")),
        prepare=prepare,
        evaluate=evaluate,
        source="kernels/l2norm.cc, reference/integer_ops/l2normalization.h, reference/l2normalization.h",
        max_version=2,
    ),
    l2_normalization,
    prepare_float,
)
