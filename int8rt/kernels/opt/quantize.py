"""QUANTIZE and DEQUANTIZE in the optimized kernels: blocks of elements in vectors, which multiply where others divide.

float32 to codes with one scale: blocks of eight. 8-bit codes to 8-bit codes of another scale: blocks of 16. Codes to
float32 with one scale: blocks of eight. Parameters along an axis, four bits, and other pairs of types, as the
reference kernels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from int8rt.kernels import dequantize, quantize
from int8rt.kernels.arithmetic import is_8bit, subtract_zero_point
from int8rt.kernels.base import Array, OperatorContext, Params
from int8rt.kernels.dequantize import DequantizeParams
from int8rt.kernels.quantize import QuantizeParams, RequantizeParams
from int8rt.quantization.affine import dequantize_in_eights
from int8rt.quantization.vector_body import quantize_in_eights, requantize_in_sixteens


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VectorQuantizeParams(QuantizeParams):
    """One scale and one zero point."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VectorRequantizeParams(RequantizeParams):
    """From 8 bits to 8 bits, the scale or more than the type differing."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VectorDequantizeParams(Params):
    """scale, zero_point: of all elements."""

    scale: float
    zero_point: int


def prepare(context: OperatorContext) -> QuantizeParams | RequantizeParams:
    """As the reference kernel, with the vectors where there are any."""
    params = quantize.prepare(context)
    if isinstance(params, QuantizeParams):
        if params.scale.size > 1 or context.output().type.bits < 8:
            return params
        return VectorQuantizeParams(
            output_shapes=params.output_shapes,
            scale=params.scale,
            zero_point=params.zero_point,
            dtype=params.dtype,
            low=params.low,
            high=params.high,
        )
    if not is_8bit(context.input(0).type) or not is_8bit(context.output().type):
        return params
    return VectorRequantizeParams(
        output_shapes=params.output_shapes,
        input_zero_point=params.input_zero_point,
        requantization=params.requantization,
        table=None,
    )


def evaluate(params: QuantizeParams | RequantizeParams, input: Array) -> Array:
    """Codes of real numbers or of codes."""
    flat = np.ascontiguousarray(input).reshape(-1)
    if isinstance(params, VectorQuantizeParams):
        scale, zero_point = float(params.scale), int(params.zero_point)
        codes = quantize_in_eights(flat, scale, zero_point, params.dtype, params.low, params.high)
        return codes.reshape(input.shape)
    if isinstance(params, VectorRequantizeParams):
        steps = subtract_zero_point(flat, params.input_zero_point)
        return requantize_in_sixteens(steps, params.requantization).reshape(input.shape)
    return quantize.evaluate(params, input)


def prepare_dequantize(context: OperatorContext) -> DequantizeParams | VectorDequantizeParams | Params:
    """As the reference kernel, with the vectors where there is one scale."""
    params = dequantize.prepare(context)
    if not isinstance(params, DequantizeParams) or params.scale.size > 1:
        return params
    return VectorDequantizeParams(
        output_shapes=params.output_shapes, scale=float(params.scale), zero_point=int(params.zero_point)
    )


def evaluate_dequantize(params: DequantizeParams | VectorDequantizeParams | Params, input: Array) -> Array:
    """The real numbers, float32."""
    if isinstance(params, VectorDequantizeParams):
        flat = np.ascontiguousarray(input).reshape(-1)
        return dequantize_in_eights(flat, params.scale, params.zero_point).reshape(input.shape)
    return dequantize.evaluate(params, input)


QUANTIZE = replace(
    quantize.QUANTIZE, prepare=prepare, evaluate=evaluate, source="kernels/quantize.cc, optimized/optimized_ops.h"
)
DEQUANTIZE = replace(
    dequantize.DEQUANTIZE,
    prepare=prepare_dequantize,
    evaluate=evaluate_dequantize,
    source="kernels/dequantize.cc, optimized/optimized_ops.h",
)
