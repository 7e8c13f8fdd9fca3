"""FULLY_CONNECTED with float activations and sparse int8 weights.

As of dense weights, but the zero points of asymmetric rows are taken out before the sums come in, in float32:
output = bias - (scale · zero_point) · Σ filter + float(Σ codes · filter) · scale.
Source: TensorFlow Lite kernels/fully_connected.cc, EvalSparseHybridImpl, and sse_tensor_utils.cc.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, Params
from int8rt.kernels.hybrid.activation import apply_activation_to_vector
from int8rt.kernels.hybrid.fully_connected import HybridFullyConnectedParams
from int8rt.kernels.hybrid.product import flawed_dot_products
from int8rt.quantization.hybrid import batch_quantize_floats


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseHybridFullyConnectedParams(Params):
    """dense: the parameters if the weights were dense."""

    dense: HybridFullyConnectedParams


def evaluate(params: SparseHybridFullyConnectedParams, input: Array, filter: Array, bias: Array | None) -> Array:
    """FULLY_CONNECTED of rows that are quantized first."""
    (shape,), dense = params.output_shapes, params.dense
    assert shape is not None
    result = np.zeros((dense.rows, filter.shape[0]), np.float32)
    if bias is not None:
        result[...] = bias.reshape(-1)
    if result.size and np.any(input):
        rows = input.reshape(-1)[: dense.rows * dense.depth].reshape(dense.rows, dense.depth)
        quantized = batch_quantize_floats(rows, dense.asymmetric_quantize_inputs)
        scale, channel_scale = dense.scales.factors(quantized.scale)
        channels = np.float32(1) if channel_scale is None else channel_scale
        with np.errstate(all="ignore"):
            if dense.asymmetric_quantize_inputs:
                offset = scale * quantized.zero_point.astype(np.float32)
                sums = filter.sum(axis=1, dtype=np.int64).astype(np.float32)
                result -= offset[:, np.newaxis] * channels * sums
            dots = flawed_dot_products(quantized.codes, filter).astype(np.float32)
            result += dots * (channels * scale[:, np.newaxis])
    return apply_activation_to_vector(result, dense.activation).reshape(shape)
