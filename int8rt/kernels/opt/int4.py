"""FULLY_CONNECTED of float activations and 4-bit weights in the optimized kernels, which have a function for them.

input: float32 rows of K (even, at least 32), filter: constant int4[O,K], O at least 4. Rows are quantized without a
zero point, whatever the options say. Source: TensorFlow Lite kernels/fully_connected.cc, EvalHybridDenseInt4, and
optimized/fully_connected_4bit.h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, OperatorContext
from int8rt.kernels.hybrid.activation import apply_activation_to_vector
from int8rt.kernels.hybrid.fully_connected import HybridFullyConnectedParams
from int8rt.kernels.hybrid.product import dot_products
from int8rt.kernels.opt import blockwise
from int8rt.model import TensorType
from int8rt.quantization.hybrid import quantize_for_4_bits

_LEAST_OUTPUTS, _LEAST_DEPTH = 4, 32
# The weights are stored with this added.
_OFFSET = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Int4Params(HybridFullyConnectedParams):
    """As of other integer weights."""


def prepare(context: OperatorContext, params: HybridFullyConnectedParams) -> HybridFullyConnectedParams:
    """The parameters, of the class above where that function computes them."""
    filter = context.input(1)
    if filter.type != TensorType.INT4 or filter.value is None:
        return params
    if filter.shape[0] < _LEAST_OUTPUTS or params.depth < _LEAST_DEPTH or params.depth % 2 or not params.rows:
        return params
    if filter.quantization is not None and filter.quantization.blockwise is not None:
        return blockwise.prepare(context, params)
    if np.any(filter.value == -8):
        raise context.unsupported(f"4-bit weights of -8 in profile {context.profile.name} is not done")
    return Int4Params(
        output_shapes=params.output_shapes,
        rows=params.rows,
        depth=params.depth,
        asymmetric_quantize_inputs=False,
        scales=params.scales,
        activation=params.activation,
    )


def evaluate(params: Int4Params, input: Array, filter: Array, bias: Array | None) -> Array:
    """bias + (offset + Σ (weights + 7) · codes) · scales, where the offset takes the 7 back."""
    (shape,) = params.output_shapes
    assert shape is not None
    codes, scale = quantize_for_4_bits(input.reshape(-1)[: params.rows * params.depth].reshape(params.rows, -1))
    scales = params.scales
    weight_scale = scales.channels if scales.channels is not None else np.full(len(filter), scales.filter, np.float32)
    offsets = (-_OFFSET * codes.sum(axis=1, dtype=np.int32)).astype(np.float32)
    sums = dot_products(codes, filter.view(np.int8) + np.int8(_OFFSET)).astype(np.float32)
    with np.errstate(all="ignore"):
        result = (offsets * scale)[:, np.newaxis] * weight_scale
        if bias is not None:
            result = result + bias.reshape(-1)
        result = result + (sums * scale[:, np.newaxis]) * weight_scale
    return apply_activation_to_vector(result, params.activation).reshape(shape)
