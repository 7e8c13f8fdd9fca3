"""RESIZE_BILINEAR in XNNPACK: of 8-bit codes with weights of 11 fractional bits, ties up; or of float32.

input: T[N,H,W,C], size: int32[2] (height, width), output: T[N,size[0],size[1],C]
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from int8rt.kernels.base import Array, OperatorContext, Params
from int8rt.kernels.resize_bilinear import Interpolation
from int8rt.kernels.resize_nearest_neighbor import image_size
from int8rt.kernels.xnnpack.delegation import (
    Delegated,
    check_same_codes,
    declared_shape,
    has_elements,
    holds_codes,
    is_stored,
)
from int8rt.model import Shape, TensorType
from int8rt.quantization.rounding import rounding_shift_right
from int8rt.quantization.xnnpack import flush
from int8rt.schema.options import ResizeBilinearOptions

_FRACTION_BITS = 11


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PixelParams(Params):
    """How the rows and the columns of the output are made from those of the input."""

    rows: Interpolation
    columns: Interpolation


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResizeCodesParams(PixelParams):
    """Weights are integers in steps of 2^-11."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResizeFloatParams(PixelParams):
    """Weights are float32."""


def takes(context: OperatorContext) -> bool:
    """Whether the delegate takes this RESIZE_BILINEAR of codes: to a size that the file holds."""
    return holds_codes(context.input(0), context.output()) and _takes_size(context)


def takes_float(context: OperatorContext) -> bool:
    """Whether the delegate takes this RESIZE_BILINEAR of float32 tensors."""
    return context.input(0).type == context.output().type == TensorType.FLOAT32 and _takes_size(context)


def _takes_size(context: OperatorContext) -> bool:
    if len(context.inputs) != 2:
        return False
    input, size, output = context.input(0), context.input(1), context.output()
    return (
        has_elements(context, input, 4)
        and has_elements(context, output, 4)
        and size.type == TensorType.INT32
        and len(declared_shape(context, size)) == 1
        and is_stored(context, size)
        and bool(np.all(context.value(1) > 0))
    )


def prepare(context: OperatorContext) -> ResizeCodesParams:
    """Find the four pixels and their weights for each pixel of the output."""
    check_same_codes(context, context.input(0), context.output())
    rows, columns, shape = _pixels(context)
    return ResizeCodesParams(output_shapes=(shape,), rows=_in_2048ths(rows), columns=_in_2048ths(columns))


def prepare_float(context: OperatorContext) -> ResizeFloatParams:
    """Find the four pixels and their weights for each pixel of the output."""
    rows, columns, shape = _pixels(context)
    return ResizeFloatParams(output_shapes=(shape,), rows=rows, columns=columns)


def _pixels(context: OperatorContext) -> tuple[Interpolation, Interpolation, Shape]:
    options, input = context.options(ResizeBilinearOptions), context.input(0)
    if min(input.shape[1:]) < 1 or input.rank != 4:
        raise context.invalid(f"the input {list(input.shape)} must not be empty")
    height, width = image_size(context, 1)
    if max(height, width, *input.shape[1:3]) >= 1 << 24:
        raise context.invalid("XNNPACK wants images of less than 2^24 rows and columns")
    rows, columns = (
        _interpolation(size, output_size, options)
        for size, output_size in zip(input.shape[1:3], (height, width), strict=True)
    )
    return rows, columns, (input.shape[0], height, width, input.shape[3])


def _interpolation(input_size: int, output_size: int, options: ResizeBilinearOptions) -> Interpolation:
    corners = int(options.align_corners and output_size != 1)
    scale = np.float32(input_size - corners) / np.float32(output_size - corners)
    position = np.arange(output_size).astype(np.float32) * scale
    if options.half_pixel_centers and not options.align_corners:
        position = position + (np.float32(0.5) * scale - np.float32(0.5))
    position = np.clip(position, np.float32(0), np.float32(input_size - 1))
    lower = position.astype(np.int64)
    return Interpolation(lower, np.minimum(lower + 1, input_size - 1), position - lower.astype(np.float32))


def _in_2048ths(pixels: Interpolation) -> Interpolation:
    weight = np.rint(pixels.weight * np.float32(1 << _FRACTION_BITS)).astype(np.int64)
    return replace(pixels, weight=weight)


def evaluate(params: ResizeCodesParams, input: Array, size: Array) -> Array:
    """Bilinear interpolation: along the columns exactly, then along the rows, with one rounding."""
    across = params.columns.weight.astype(np.int32)[:, np.newaxis]
    down = params.rows.weight.astype(np.int32)[:, np.newaxis, np.newaxis]
    one = np.int32(1 << _FRACTION_BITS)
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.empty(shape, input.dtype)
    for image, result in zip(input, output, strict=True):
        lines = image.astype(np.int32)
        left = lines[:, params.columns.lower]
        mixed = left * one + (lines[:, params.columns.upper] - left) * across
        top = mixed[params.rows.lower]
        # |sum| < 2^30 in 8 bits and 22 fractional ones.
        total = top * one + (mixed[params.rows.upper] - top) * down
        result[...] = rounding_shift_right(total, 2 * _FRACTION_BITS)
    return output


def evaluate_float(params: ResizeFloatParams, input: Array, size: Array) -> Array:
    """Bilinear interpolation: along the columns, then along the rows; each operation is rounded."""
    input = flush(input)
    with np.errstate(all="ignore"):
        mixed = _between(input, 2, params.columns)
        return _between(mixed, 1, params.rows)


def _between(input: Array, axis: int, pixels: Interpolation) -> Array:
    lower, upper = np.take(input, pixels.lower, axis), np.take(input, pixels.upper, axis)
    weight = pixels.weight.reshape((-1,) + (1,) * (input.ndim - 1 - axis))
    return flush(lower + flush(flush(upper - lower) * weight))


RESIZE_BILINEAR = Delegated(
    "RESIZE_BILINEAR", takes, prepare, "src/s8-ibilinear, src/indirection.c", evaluate, (ResizeCodesParams,)
)
FLOAT_RESIZE_BILINEAR = Delegated(
    "RESIZE_BILINEAR", takes_float, prepare_float, "src/f32-ibilinear", evaluate_float, (ResizeFloatParams,)
)
