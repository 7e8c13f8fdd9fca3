"""RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR after a conversion to TOSA: positions are exact fractions.

Output pixel i lies at (d · i + offset) / n of the input, with n / d the ratio of the sizes, both even. The nearest
pixel of one half way is the later one. A bilinear mean is an exact sum of four products, divided with one rounding by a
multiplier: of 31 bits for 8-bit codes, of 15 bits for int16. Source: the TOSA specification 1.0, RESIZE.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, OperatorContext, Params
from int8rt.kernels.resize_nearest_neighbor import image_size
from int8rt.kernels.unary import within_spec
from int8rt.model import TensorType
from int8rt.quantization.rounding import saturate
from int8rt.quantization.tosa import apply_scale_32, multiplier_and_shift
from int8rt.schema.options import ResizeBilinearOptions, ResizeNearestNeighborOptions

# TOSA's limit on n, beyond which sums would leave int32.
_LARGEST = (1 << 11) // 2


@dataclass(frozen=True, slots=True, eq=False)
class Positions:
    """Of the pixels of one dimension: input[lower] and input[upper], and `weight` of `unit` parts for the latter."""

    lower: npt.NDArray[np.int64]
    upper: npt.NDArray[np.int64]
    weight: npt.NDArray[np.int64]
    unit: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TosaResizeParams(Params):
    """scale: (multiplier, shift) of a division by both units. nearest: no mean is taken. offset: what uint8 loses."""

    rows: Positions
    columns: Positions
    scale: tuple[int, int]
    nearest: bool
    offset: int


def prepare(context: OperatorContext, nearest: bool) -> TosaResizeParams:
    """Find the pixels."""
    options: ResizeNearestNeighborOptions | ResizeBilinearOptions = (
        context.options(ResizeNearestNeighborOptions) if nearest else context.options(ResizeBilinearOptions)
    )
    input = context.input(0)
    if options.half_pixel_centers and options.align_corners:
        raise context.invalid("half_pixel_centers and align_corners exclude each other")
    sizes = image_size(context, 1)
    if min(*input.shape[1:3], *sizes) < 1 or max(sizes) > _LARGEST:
        raise context.unsupported(f"{list(input.shape)} to {list(sizes)} in profile {context.profile.name} is not done")
    rows, columns = (
        _positions(*pair, options.align_corners, options.half_pixel_centers)
        for pair in zip(input.shape[1:3], sizes, strict=True)
    )
    bits = 15 if input.type == TensorType.INT16 else 31
    return TosaResizeParams(
        output_shapes=((input.shape[0], *sizes, input.shape[3]),),
        rows=rows,
        columns=columns,
        scale=within_spec(context, multiplier_and_shift, 1 / (rows.unit * columns.unit), bits),
        nearest=nearest,
        offset=128 if input.type == TensorType.UINT8 else 0,
    )


def _positions(size: int, output_size: int, align_corners: bool, half_pixel_centers: bool) -> Positions:
    if size == 1:
        zeros = np.zeros(output_size, np.int64)
        return Positions(zeros, zeros, zeros, output_size)
    corners = align_corners and output_size > 1
    n, d = (output_size - 1, size - 1) if corners else (output_size, size)
    common = math.gcd(n, d)
    n, d = 2 * n // common, 2 * d // common
    numerator = np.arange(output_size, dtype=np.int64) * d + ((d - n) // 2 if half_pixel_centers else 0)
    lower = numerator // n
    return Positions(np.maximum(lower, 0), np.minimum(lower + 1, size - 1), numerator - lower * n, n)


def evaluate(params: TosaResizeParams, input: Array, size: Array) -> Array:
    """The resized images."""
    rows, columns = params.rows, params.columns
    if params.nearest:
        chosen = (np.where(p.weight >= p.unit // 2, p.upper, p.lower) for p in (rows, columns))
        row, column = chosen
        return input[:, row][:, :, column]
    codes: npt.NDArray[np.int64] = input.astype(np.int64) - params.offset
    down = rows.weight[:, np.newaxis, np.newaxis]
    across = columns.weight[:, np.newaxis]
    mixed = codes[:, rows.lower] * (rows.unit - down) + codes[:, rows.upper] * down
    total = mixed[:, :, columns.lower] * (columns.unit - across) + mixed[:, :, columns.upper] * across
    result: Any = apply_scale_32(total, params.scale, double_round=False) + params.offset
    return saturate(result, input.dtype)
