"""FULLY_CONNECTED of real numbers with int4 weights and a scale for each block of them, in XNNPACK.

Rows are quantized as in `hybrid`. Scales are rounded to bfloat16. The sum begins with the zero point times the weights'
own sum, 16 columns after the other, and goes on with a fused multiply-add of each block's sum of products and its
scale; then come the scale of the row, and the bias. Codes and zero points count from 0, as the kernels for AVX-512 VNNI
have them. Source: XNNPACK src/qd8-f32-qb4w-gemm, src/reference/packing.cc.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels import fully_connected
from int8rt.kernels.arithmetic import clamp
from int8rt.kernels.base import Array, OperatorContext, element_count
from int8rt.kernels.xnnpack.delegation import is_stored
from int8rt.kernels.xnnpack.hybrid import Scaled, quantize_rows
from int8rt.model import TensorType
from int8rt.quantization.bfloat16 import bfloat16_to_float32, float32_to_bfloat16
from int8rt.quantization.xnnpack import multiply_add, real_bounds
from int8rt.schema.options import FullyConnectedOptions

# Columns whose weights are added up at once.
_COLUMNS = 16
# To count codes from 0.
_OFFSET = 128


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BlockParams(Scaled):
    """scale: float32[O, blocks]."""

    block: int


def has_blocks(context: OperatorContext) -> bool:
    """Whether the weights have a scale for each block."""
    quantization = context.input(1).quantization
    return quantization is not None and quantization.blockwise is not None


def prepare(context: OperatorContext) -> BlockParams:
    """The parameters; `UnsupportedError` for blocks that are not of whole 32 columns, or do not fill the rows."""
    (shape,), (outputs, depth) = fully_connected.prepare(context).output_shapes, context.input(1).shape
    if element_count(context.input(0).shape) % depth:
        raise context.invalid(f"XNNPACK wants an input {list(context.input(0).shape)} of whole rows of {depth}")
    filter, bias, profile = context.input(1), context.optional_input(2), context.profile.name
    quantization, scales, options = filter.quantization, filter.block_scales, context.options(FullyConnectedOptions)
    assert quantization is not None
    assert quantization.blockwise is not None
    block = quantization.blockwise.block_size
    known = filter.type == TensorType.INT4 and scales is not None and scales.dtype == np.float16
    if not known or block < 1 or block % 32 or depth % block:
        raise context.unsupported(f"such blocks of weights in profile {profile} is not done")
    if bias is not None and (bias.type != TensorType.FLOAT32 or not is_stored(context, bias)):
        raise context.unsupported(f"a bias that the file does not hold in profile {profile} is not done")
    assert scales is not None
    if scales.size != outputs * (depth // block) or not np.all(np.isfinite(scales) & (scales > 0)):
        raise context.invalid(f"XNNPACK does not take the scales of {filter.name!r}")
    low, high = real_bounds(options.fused_activation_function)
    return BlockParams(
        output_shapes=(shape,),
        scale=bfloat16_to_float32(float32_to_bfloat16(scales.reshape(outputs, -1).astype(np.float32))),
        block=block,
        activation_min=low,
        activation_max=high,
        profile=profile,
    )


def evaluate(params: BlockParams, input: Array, filter: Array, bias: Array | None = None) -> Array:
    """FULLY_CONNECTED of rows that are quantized first."""
    (shape,) = params.output_shapes
    assert shape is not None
    (outputs, depth), block = filter.shape, params.block
    rows = quantize_rows(input.reshape(-1, depth), params.scale, params.profile)
    weights = filter.view(np.int8).astype(np.float64)
    own = np.zeros(outputs, np.float32)
    for column in range(0, depth, _COLUMNS):
        part = weights[:, column : column + _COLUMNS].sum(axis=1).astype(np.float32)
        own -= part * params.scale[:, column // block]
    total = np.multiply.outer((rows.zero_point + _OFFSET).astype(np.float32), own)
    codes = rows.codes.astype(np.float64) + _OFFSET
    for index, column in enumerate(range(0, depth, block)):
        # Whole numbers: exact in float64.
        sums = codes[:, column : column + block] @ weights[:, column : column + block].T
        total = multiply_add(sums.astype(np.float32), params.scale[:, index], total)
    result = total * rows.inverse_scale[:, np.newaxis] + (np.float32(0) if bias is None else bias.reshape(-1))
    clamp(result, float(params.activation_min), float(params.activation_max))
    return result.reshape(shape)
