"""BATCH_MATMUL of float activations and int8 weights.

lhs: float32[..,A,K], rhs: int8[..,K,C], output: float32[..,A,C]. Each row of lhs is quantized on its own. TensorFlow
Lite counts wrongly where it looks for the scales of a batch with several dimensions (see `_block`), and so do we.
Source: TensorFlow Lite kernels/batch_matmul.cc, Eval and EvalHybrid, and reference/batch_matmul.h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, OperatorContext
from int8rt.kernels.hybrid.product import dot_products, row_sums
from int8rt.kernels.hybrid.scales import HybridScales, hybrid_scales
from int8rt.kernels.matrices import MatrixParams, in_rows
from int8rt.model import Shape
from int8rt.quantization.hybrid import batch_quantize_floats
from int8rt.quantization.rounding import float_to_int32
from int8rt.schema.options import BatchMatMulOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class HybridMatrixParams(MatrixParams):
    """asymmetric_quantize_inputs: rows are quantized with zero points."""

    asymmetric_quantize_inputs: bool
    scales: HybridScales


def prepare(context: OperatorContext, plain: MatrixParams) -> HybridMatrixParams:
    """The parameters, given those of the shapes."""
    options, lhs, rhs = context.options(BatchMatMulOptions), context.input(0), context.input(1)
    first, *others = _three_dimensions(rhs.shape[:-3] if _merges(plain, lhs.rank, rhs.shape) else rhs.shape[:-2])
    if options.asymmetric_quantize_inputs and first > 1 and first + sum(others) - 3 >= others[0] * others[1]:
        # TensorFlow Lite sums the weights of the first of those batches only, and here uses memory never written.
        raise context.unsupported(f"asymmetric_quantize_inputs with weights {list(rhs.shape)}")
    (shape,) = plain.output_shapes
    assert shape is not None
    return HybridMatrixParams(
        output_shapes=plain.output_shapes,
        adj_x=plain.adj_x,
        adj_y=plain.adj_y,
        depth=plain.depth,
        asymmetric_quantize_inputs=options.asymmetric_quantize_inputs,
        scales=hybrid_scales(context, rhs, shape[-1]),
    )


def evaluate(params: HybridMatrixParams, lhs: Array, rhs: Array) -> Array:
    """BATCH_MATMUL of rows that are quantized first."""
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.zeros(shape, np.float32)
    if not output.size:
        return output
    left, right = in_rows(params, lhs, rhs)
    if _merges(params, lhs.ndim, rhs.shape):
        left = left.reshape(*left.shape[:-3], -1, params.depth)
        right = right.reshape(*right.shape[:-3], *right.shape[-2:])
    left = left.reshape(*_three_dimensions(left.shape[:-2]), *left.shape[-2:])
    right = right.reshape(*_three_dimensions(right.shape[:-2]), *right.shape[-2:])
    quantized = batch_quantize_floats(left.reshape(-1, params.depth), params.asymmetric_quantize_inputs)
    codes = quantized.codes.reshape(left.shape)
    scale, channel_scale = params.scales.factors(quantized.scale)
    sums_of_rows = row_sums(right[0].reshape(-1, params.depth)).reshape(-1, right.shape[3]).astype(np.float32)
    leading = np.broadcast_shapes(left.shape[:3], right.shape[:3])
    result = output.reshape(*leading, left.shape[3], right.shape[3])
    for index in np.ndindex(leading):
        block = _block(index, left.shape) * left.shape[3]
        rows = slice(block, block + left.shape[3])
        weights = right[_place(index, right.shape)]
        sums = dot_products(codes[_place(index, left.shape)], weights).astype(np.float32)
        zero_point = quantized.zero_point[rows, np.newaxis].astype(np.float32)
        if np.any(zero_point):
            # The zero points' part is subtracted in float32, and the difference made an integer again.
            sums = sums - sums_of_rows[_block(index, right.shape)] * zero_point
        factor = scale[rows, np.newaxis]
        with np.errstate(all="ignore"):
            factor = factor if channel_scale is None else channel_scale * factor
            result[index] += float_to_int32(sums).astype(np.float32) * factor
    return output


def _merges(params: MatrixParams, lhs_rank: int, rhs_shape: Shape) -> bool:
    """Whether the last dimension of the batch goes into the rows, because all of them meet the same matrix."""
    return not params.adj_x and lhs_rank > 2 and len(rhs_shape) > 2 and rhs_shape[-3] == 1


def _three_dimensions(leading: Shape) -> Shape:
    """The dimensions of a batch as three."""
    return (1,) * (3 - len(leading)) + leading


def _place(index: Shape, shape: Shape) -> Shape:
    """Where the matrix of a batch's element is in a tensor that broadcasts."""
    return tuple(0 if size == 1 else i for i, size in zip(index, shape, strict=False))


def _block(index: Shape, shape: Shape) -> int:
    """The matrix whose scales are taken: TensorFlow Lite adds the indices up, whatever the sizes of the dimensions."""
    return sum(_place(index, shape))
