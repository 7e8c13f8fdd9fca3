"""FULLY_CONNECTED of float activations and int4 weights with a scale for each block, in the optimized kernels.

input: float32 rows of K (even, at least 32), filter: constant int4[O,K], O at least 4, scales: float16[O, K / block].
Rows are quantized with a zero point, whatever the options say; each block's sum of products is scaled and added in
float32, block after block; columns that fill no block are left out, and so is the activation.
Source: TensorFlow Lite kernels/fully_connected.cc, EvalBlockwise4Bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, OperatorContext
from int8rt.kernels.hybrid.fully_connected import HybridFullyConnectedParams
from int8rt.quantization.hybrid import batch_quantize_floats

# A block's sum is held in float32 while it grows: it has no rounding below 2^24.
_LARGEST_BLOCK = (1 << 24) // (128 * 8)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BlockwiseParams(HybridFullyConnectedParams):
    """block_scales: float32[O, blocks]."""

    block_size: int
    block_scales: npt.NDArray[np.float32]


def prepare(context: OperatorContext, params: HybridFullyConnectedParams) -> BlockwiseParams:
    """Check the blocks; of a filter that has them, and that the function for 4 bits takes."""
    filter = context.input(1)
    assert filter.quantization is not None
    assert filter.quantization.blockwise is not None
    size, scales = filter.quantization.blockwise.block_size, filter.block_scales
    if size < 1:
        raise context.invalid(f"filter {filter.name!r} has blocks of {size}, expected at least 1")
    blocks = params.depth // size
    if size > _LARGEST_BLOCK:
        raise context.unsupported(f"blocks of {size} weights in profile {context.profile.name} is not done")
    if scales is None or scales.dtype != np.float16 or scales.size < filter.shape[0] * blocks:
        raise context.invalid(
            f"the scales of filter {filter.name!r} are no float16 constant of {filter.shape[0]} x {blocks}"
        )
    return BlockwiseParams(
        output_shapes=params.output_shapes,
        rows=params.rows,
        depth=params.depth,
        asymmetric_quantize_inputs=True,
        scales=params.scales,
        activation=params.activation,
        block_size=size,
        block_scales=scales.reshape(-1)[: filter.shape[0] * blocks].reshape(-1, blocks).astype(np.float32),
    )


def evaluate(params: BlockwiseParams, input: Array, filter: Array, bias: Array | None) -> Array:
    """(Σ blocks scale · Σ codes · weights - zero_point · Σ blocks scale · Σ weights) · row scale + bias."""
    (shape,) = params.output_shapes
    assert shape is not None
    quantized = batch_quantize_floats(input.reshape(-1)[: params.rows * params.depth].reshape(params.rows, -1), True)
    outputs, blocks = params.block_scales.shape
    used = blocks * params.block_size
    codes = quantized.codes[:, :used].reshape(params.rows, blocks, params.block_size).astype(np.float32)
    weights = filter.view(np.int8)[:, :used].reshape(outputs, blocks, params.block_size).astype(np.float32)
    result = np.zeros((params.rows, outputs), np.float32)
    total = np.zeros(outputs, np.float32)
    with np.errstate(all="ignore"):
        for block in range(blocks):
            scale = params.block_scales[:, block]
            # Whole numbers below 2^24: exact in any order.
            result += (codes[:, block] @ weights[:, block].T) * scale
            total += scale * weights[:, block].sum(axis=1)
        result -= quantized.zero_point.astype(np.float32)[:, np.newaxis] * total
        result *= quantized.scale[:, np.newaxis]
        if bias is not None:
            result += bias.reshape(-1)
    return result.reshape(shape)
