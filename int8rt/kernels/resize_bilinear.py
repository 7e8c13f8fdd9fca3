"""RESIZE_BILINEAR: an image of another size, each pixel a mean of four, weighted by distance.

input: T[N,H,W,C], size: int32[2] (height, width), output: T[N,size[0],size[1],C]
int8 and int16: weights of 10 fractional bits, exact sums, ties away from zero. uint8 and float32: float32 in the order
of operations of TensorFlow Lite, uint8 with ties up. Codes are interpolated as they are, whatever the scales say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.resize_nearest_neighbor import image_size
from int8rt.kernels.signature import signatures
from int8rt.model import TensorType
from int8rt.quantization.division import divide_by_pot_round_half_away
from int8rt.quantization.rounding import rounding_shift_right
from int8rt.quantization.single_rounding import rounds_once
from int8rt.schema.options import ResizeBilinearOptions

_FRACTION_BITS = 10
_ONE = 1 << _FRACTION_BITS
# Elements that are interpolated at once, so that what lies between input and output stays in a core's cache.
_BLOCK_ELEMENTS = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class Interpolation:
    """Along one dimension: output i = (one - weight[i]) · input[lower[i]] + weight[i] · input[upper[i]].

    weight: int64 in steps of 2^-10, or float32. It is negative where a pixel lies before the first one; lower and upper
    are both 0 there. `lower` can lie beyond the input: see `_with_pixels_beyond`.
    """

    lower: npt.NDArray[np.int64]
    upper: npt.NDArray[np.int64]
    weight: npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResizeBilinearParams(Params):
    """How the rows and the columns of the output are made from those of the input."""

    rows: Interpolation
    columns: Interpolation


def prepare(context: OperatorContext) -> ResizeBilinearParams:
    """Find the four pixels and their weights for each pixel of the output."""
    options, input = context.options(ResizeBilinearOptions), context.input(0)
    if options.half_pixel_centers and options.align_corners:
        raise context.invalid("half_pixel_centers and align_corners exclude each other")
    height, width = image_size(context, 1)
    integer = input.type in (TensorType.INT8, TensorType.INT16)
    interpolation = _integer_interpolation if integer else _float_interpolation
    rows, columns = (
        interpolation(size, output_size, options)
        for size, output_size in zip(input.shape[1:3], (height, width), strict=True)
    )
    return ResizeBilinearParams(
        output_shapes=((input.shape[0], height, width, input.shape[3]),), rows=rows, columns=columns
    )


def _integer_interpolation(input_size: int, output_size: int, options: ResizeBilinearOptions) -> Interpolation:
    scale = (_ONE * input_size + output_size // 2) // output_size
    if options.align_corners and output_size > 1:
        scale = (_ONE * (input_size - 1) + (output_size - 1) // 2) // (output_size - 1)
    position = np.arange(output_size) * scale
    if options.half_pixel_centers:
        position += scale // 2 - _ONE // 2
    lower = np.maximum(position >> _FRACTION_BITS, 0)
    upper = np.minimum((position + _ONE - 1) >> _FRACTION_BITS, input_size - 1)
    return Interpolation(lower, upper, position - _ONE * lower)


def _float_interpolation(input_size: int, output_size: int, options: ResizeBilinearOptions) -> Interpolation:
    scale = np.float32(input_size) / np.float32(output_size)
    if options.align_corners and output_size > 1:
        scale = np.float32(input_size - 1) / np.float32(output_size - 1)
    position = np.arange(output_size).astype(np.float32)
    if options.half_pixel_centers:
        position = (position + np.float32(0.5)) * scale - np.float32(0.5)
    else:
        position = position * scale
    lower = np.maximum(np.floor(position).astype(np.int64), 0)
    upper = np.minimum(np.ceil(position).astype(np.int64), input_size - 1)
    return Interpolation(lower, upper, position - lower.astype(np.float32))


def evaluate(params: ResizeBilinearParams, input: Array, size: Array) -> Array:
    """Bilinear interpolation, some rows at a time."""
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.empty(shape, input.dtype)
    mix = _mix_integers if input.dtype.kind == "i" else _mix_floats
    step = max(1, _BLOCK_ELEMENTS // max(1, shape[2] * shape[3]))
    for batch in range(shape[0]):
        image = _with_pixels_beyond(input, batch, params)
        for first in range(0, shape[1], step):
            block = slice(first, first + step)
            rows = Interpolation(params.rows.lower[block], params.rows.upper[block], params.rows.weight[block])
            output[batch, block] = mix(image, rows, params.columns)
    return output


def _with_pixels_beyond(input: Array, batch: int, params: ResizeBilinearParams) -> Array:
    """The image [H,W,C] of a batch, with pixels after its last row and column where the interpolation asks for them.

    A defect of BUILTIN_REF, kept: 2^10 · H / OH is rounded, so that an enlarged image (OH above √(2^11 · H)) can ask
    for row H, which is the first one of the next batch, and for column W, which is the first pixel of the next row.
    After the last pixel of all BUILTIN_REF reads whatever is there in memory; here it is the last pixel again.
    """
    batches, height, width, channels = input.shape
    rows, columns = (
        max(int(axis.lower[-1]) + 1, size) for axis, size in ((params.rows, height), (params.columns, width))
    )
    image: Array = input[batch]
    if (rows, columns) == (height, width):
        return image
    first = (np.arange(batch * height, batch * height + rows) * width)[:, np.newaxis]
    pixels = np.minimum(first + np.arange(columns), batches * height * width - 1)
    beyond: Array = input.reshape(-1, channels)[pixels]
    return beyond


def _mix_integers(image: Array, rows: Interpolation, columns: Interpolation) -> Array:
    """The exact weighted sum, divided by 2^20."""
    # |sum| < 2^30 for int8: weights are below 2^11, and below 2^10 unless both pixels are the same.
    wide = np.dtype(np.int32 if image.dtype == np.int8 else np.int64)
    across = columns.weight.astype(wide)[:, np.newaxis]
    down = rows.weight.astype(wide)[:, np.newaxis, np.newaxis]

    def along_rows(which: npt.NDArray[np.int64]) -> Array:
        lines = image[which].astype(wide)
        left = lines[:, columns.lower]
        difference = lines[:, columns.upper]
        difference -= left
        difference *= across
        left *= _ONE
        left += difference
        return left

    total = along_rows(rows.lower)
    difference = along_rows(rows.upper)
    difference -= total
    difference *= down
    total *= _ONE
    total += difference
    if rounds_once():
        return rounding_shift_right(total, 2 * _FRACTION_BITS)
    return divide_by_pot_round_half_away(total, 2 * _FRACTION_BITS)


def _mix_floats(image: Array, rows: Interpolation, columns: Interpolation) -> Array:
    """((q · row weight) · column weight) of four pixels, added up in float32; a half more for uint8, then truncated."""
    one = np.float32(1)
    down, across = rows.weight[:, np.newaxis, np.newaxis], columns.weight[:, np.newaxis]
    upper, lower = image[rows.lower].astype(np.float32), image[rows.upper].astype(np.float32)
    with np.errstate(invalid="ignore", over="ignore"):  # infinities in float32 images
        upper *= one - down
        lower *= down
        total = upper[:, columns.lower] * (one - across)
        total += lower[:, columns.lower] * (one - across)
        total += upper[:, columns.upper] * across
        total += lower[:, columns.upper] * across
    total += np.float32(0.5 if image.dtype == np.uint8 else 0)  # adding 0 is not nothing: -0.0 becomes 0.0
    return total.astype(image.dtype)


RESIZE_BILINEAR = Kernel(
    name="RESIZE_BILINEAR",
    signatures=signatures("T,int32 -> T", T=("int8", "uint8", "int16", "float32")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/resize_bilinear.cc, reference/resize_bilinear.h",
    max_version=4,
)
