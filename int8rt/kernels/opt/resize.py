"""RESIZE_BILINEAR of uint8 and float32 and RESIZE_NEAREST_NEIGHBOR of one-byte types in the optimized kernels.

Bilinear: each pixel by the product of its two weights, all in float32; but float32 images that become twice as large
by halves. Nearest: positions in fixed point with 16
fractional bits, unless corners are aligned or pixels have half centers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from int8rt.kernels import resize_bilinear, resize_nearest_neighbor
from int8rt.kernels.base import Array, OperatorContext
from int8rt.kernels.resize_bilinear import ResizeBilinearParams
from int8rt.kernels.resize_nearest_neighbor import ResizeNearestNeighborParams
from int8rt.model import TensorType
from int8rt.schema.options import ResizeBilinearOptions, ResizeNearestNeighborOptions

_POSITION_BITS = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProductWeightParams(ResizeBilinearParams):
    """Of uint8 and float32 images. halves: float32 images that become twice as large."""

    halves: bool = False


def prepare_bilinear(context: OperatorContext) -> ResizeBilinearParams:
    """As the reference kernel's."""
    params = resize_bilinear.prepare(context)
    input, (shape,), options = context.input(0), params.output_shapes, context.options(ResizeBilinearOptions)
    if input.type not in (TensorType.UINT8, TensorType.FLOAT32):
        return params
    assert shape is not None
    if input.type == TensorType.FLOAT32:
        twice = shape[1:3] == (2 * input.shape[1], 2 * input.shape[2])
        return ProductWeightParams(
            output_shapes=params.output_shapes,
            rows=params.rows,
            columns=params.columns,
            halves=twice and not options.align_corners and not options.half_pixel_centers,
        )
    eightfold = shape[1:3] == (8 * input.shape[1], 8 * input.shape[2]) and input.shape[3] % 8 == 0
    if eightfold and options.half_pixel_centers:
        raise context.unsupported(
            f"eightfold uint8 with half pixel centers in profile {context.profile.name} is not done"
        )
    return ProductWeightParams(output_shapes=params.output_shapes, rows=params.rows, columns=params.columns)


def evaluate_bilinear(params: ResizeBilinearParams, input: Array, size: Array) -> Array:
    """Bilinear interpolation; of codes ties up."""
    if not isinstance(params, ProductWeightParams):
        return resize_bilinear.evaluate(params, input, size)
    if params.halves:
        return _twice_as_large(input)
    rows, columns, one = params.rows, params.columns, np.float32(1)
    down, across = rows.weight[:, np.newaxis, np.newaxis], columns.weight[:, np.newaxis]
    upper, lower = input[:, rows.lower].astype(np.float32), input[:, rows.upper].astype(np.float32)
    with np.errstate(all="ignore"):
        total = upper[:, :, columns.lower] * ((one - down) * (one - across)) + np.float32(0)
        total += upper[:, :, columns.upper] * ((one - down) * across)
        total += lower[:, :, columns.lower] * (down * (one - across))
        total += lower[:, :, columns.upper] * (down * across)
    if input.dtype == np.float32:
        return total
    total += np.float32(0.5)
    output: Array = total.astype(np.uint8)
    return output


def _twice_as_large(input: Array) -> Array:
    """float32 [N,H,W,C] to [N,2H,2W,C]: the pixels themselves, means of two, and means of two such means."""
    batches, height, width, depth = input.shape
    half, output = np.float32(0.5), np.empty((batches, 2 * height, 2 * width, depth), np.float32)
    right = input[:, :, np.minimum(np.arange(width) + 1, width - 1)]
    next_row = np.minimum(np.arange(height) + 1, height - 1)
    with np.errstate(all="ignore"):
        left_column, right_column = ((side + side[:, next_row]) * half for side in (input, right))
        output[:, ::2, ::2] = input
        output[:, ::2, 1::2] = (input + right) * half
        output[:, 1::2, ::2] = left_column
        output[:, 1::2, 1::2] = (left_column + right_column) * half
    return output


def prepare_nearest(context: OperatorContext) -> ResizeNearestNeighborParams:
    """As the reference kernel's, but with positions in fixed point."""
    params, input = resize_nearest_neighbor.prepare(context), context.input(0)
    options = context.options(ResizeNearestNeighborOptions)
    if options.align_corners or options.half_pixel_centers or input.type.dtype.itemsize != 1:
        return params
    (height, width), (shape,) = input.shape[1:3], params.output_shapes
    assert shape is not None
    return replace(params, rows=_positions(height, shape[1]), columns=_positions(width, shape[2]))


def _positions(input_size: int, output_size: int) -> npt.NDArray[np.int64]:
    step = (input_size << _POSITION_BITS) // max(output_size, 1) + 1
    positions: npt.NDArray[np.int64] = np.minimum((np.arange(output_size) * step) >> _POSITION_BITS, input_size - 1)
    return positions


RESIZE_BILINEAR = replace(
    resize_bilinear.RESIZE_BILINEAR,
    prepare=prepare_bilinear,
    evaluate=evaluate_bilinear,
    source="kernels/resize_bilinear.cc, optimized/resize_bilinear.h",
)
RESIZE_NEAREST_NEIGHBOR = replace(
    resize_nearest_neighbor.RESIZE_NEAREST_NEIGHBOR,
    prepare=prepare_nearest,
    source="kernels/resize_nearest_neighbor.cc, optimized/optimized_ops.h",
)
