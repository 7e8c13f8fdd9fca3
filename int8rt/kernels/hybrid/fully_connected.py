"""FULLY_CONNECTED with float activations and integer weights.

input: float32[..] (rows of K), filter: int8[O,K], bias: float32[O] or none, output: float32[N,O].
Each row is quantized on its own; output = bias + float(Σ codes · filter - zero_point · Σ filter) · scale. The filter's
zero point is taken for 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, OperatorContext, Params
from int8rt.kernels.hybrid.activation import apply_activation_to_vector
from int8rt.kernels.hybrid.product import matrix_batch_vector_multiply_accumulate
from int8rt.kernels.hybrid.scales import HybridScales, hybrid_scales
from int8rt.model import ActivationFunctionType, Shape
from int8rt.quantization.hybrid import batch_quantize_floats
from int8rt.schema.options import FullyConnectedOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class HybridFullyConnectedParams(Params):
    """rows, depth: the matrix that the input is taken for. Elements that do not fill a row are not read."""

    rows: int
    depth: int
    asymmetric_quantize_inputs: bool
    scales: HybridScales
    activation: ActivationFunctionType


def prepare(context: OperatorContext, shape: Shape, rows: int) -> HybridFullyConnectedParams:
    """The parameters, given the output's shape and the number of rows; the shapes have been checked."""
    options, filter = context.options(FullyConnectedOptions), context.input(1)
    return HybridFullyConnectedParams(
        output_shapes=(shape,),
        rows=rows,
        depth=filter.shape[1],
        asymmetric_quantize_inputs=options.asymmetric_quantize_inputs,
        scales=hybrid_scales(context, filter, filter.shape[0]),
        activation=options.fused_activation_function,
    )


def evaluate(params: HybridFullyConnectedParams, input: Array, filter: Array, bias: Array | None = None) -> Array:
    """FULLY_CONNECTED of rows that are quantized first."""
    (shape,) = params.output_shapes
    assert shape is not None
    result: npt.NDArray[np.float32] = np.zeros((params.rows, filter.shape[0]), np.float32)
    if bias is not None:
        result[...] = bias.reshape(-1)
    if result.size and np.any(input):
        rows = input.reshape(-1)[: params.rows * params.depth].reshape(params.rows, params.depth)
        quantized = batch_quantize_floats(rows, params.asymmetric_quantize_inputs)
        scale, channel_scale = params.scales.factors(quantized.scale)
        matrix_batch_vector_multiply_accumulate(
            result, filter.view(np.int8), quantized.codes, scale, quantized.zero_point, channel_scale
        )
    return apply_activation_to_vector(result, params.activation).reshape(shape)
