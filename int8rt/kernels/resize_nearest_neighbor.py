"""RESIZE_NEAREST_NEIGHBOR: an image of another size, each pixel that of the input which lies nearest.

input: T[N,H,W,C], size: int32[2] (height, width), output: T[N,size[0],size[1],C]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.layout import integers
from int8rt.kernels.signature import signatures
from int8rt.quantization.rounding import round_half_away
from int8rt.schema.options import ResizeNearestNeighborOptions


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResizeNearestNeighborParams(Params):
    """rows[OH], columns[OW]: the row and the column of the input that each one of the output is."""

    rows: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]


def image_size(context: OperatorContext, smallest: int) -> tuple[int, int]:
    """(height, width) of the resized image, from input 1; `ModelError` where input or size is not that of an image."""
    input, size = context.input(0), context.input(1)
    if input.rank != 4:
        raise context.invalid(f"input {input.name!r} must have rank 4, found {list(input.shape)}")
    if size.shape != (2,):
        raise context.invalid(f"size {size.name!r} has shape {list(size.shape)}, expected [2]")
    height, width = integers(context, 1)
    if min(height, width) < smallest:
        raise context.invalid(f"size ({height}, {width}) must be at least {smallest}")
    if 0 in input.shape[1:3] and 0 not in (height, width):
        raise context.invalid(f"input {input.name!r} {list(input.shape)} has no pixels")
    return height, width


def prepare(context: OperatorContext) -> ResizeNearestNeighborParams:
    """Find the pixel of the input for each one of the output."""
    options = context.options(ResizeNearestNeighborOptions)
    height, width = image_size(context, 0)
    batches, input_height, input_width, channels = context.input(0).shape
    return ResizeNearestNeighborParams(
        output_shapes=((batches, height, width, channels),),
        rows=nearest_positions(input_height, height, options),
        columns=nearest_positions(input_width, width, options),
    )


def nearest_positions(
    input_size: int, output_size: int, options: ResizeNearestNeighborOptions
) -> npt.NDArray[np.int64]:
    """The nearest of `input_size` positions for each of the output's, in float32 as TensorFlow Lite computes it."""
    if output_size == 0:
        return np.zeros(0, np.int64)
    if options.align_corners and output_size > 1:
        scale = np.float32(input_size - 1) / np.float32(output_size - 1)
    else:
        scale = np.float32(input_size) / np.float32(output_size)
    offset = np.float32(0.5 if options.half_pixel_centers else 0)
    position = (np.arange(output_size).astype(np.float32) + offset) * scale
    whole = round_half_away(position) if options.align_corners else np.floor(position)
    return np.clip(whole.astype(np.int64), 0, input_size - 1)


def evaluate(params: ResizeNearestNeighborParams, input: Array, size: Array) -> Array:
    """The chosen pixels."""
    chosen: Array = input[:, params.rows[:, np.newaxis], params.columns]
    return chosen


RESIZE_NEAREST_NEIGHBOR = Kernel(
    name="RESIZE_NEAREST_NEIGHBOR",
    signatures=signatures(
        "T,int32 -> T",
        T=(
            "int8",
            "uint8",
            "int16",
            "int32",
            "float32",
            "bool",
            "float16",
            "bfloat16",
            "uint16",
            "uint32",
            "float8_e4m3fn",
            "float8_e5m2",
        ),
    ),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/resize_nearest_neighbor.cc, reference/resize_nearest_neighbor.h",
    max_version=4,
)
