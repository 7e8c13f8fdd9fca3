"""RESIZE_BILINEAR: the reference's weights of 10 fractional bits, or weights that are exact, as in TOSA."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from int8rt.quantization import dialects
from int8rt.quantization.multiplier import quantize_multiplier
from int8rt.quantization.requantize import multiply_by_quantized_multiplier_int64
from int8rt.verify.identify.piece import Array, Candidates, Piece
from int8rt.verify.identify.whole import in_profile

TEN_BITS = "weights of 10 bits (int8, int16) or float32 (uint8), as TensorFlow Lite"
PRODUCTS = "products of two weights in float32, ties up (LiteRT's optimized kernels)"
ELEVEN_BITS = "weights of 11 bits, ties up (XNNPACK)"
SIXTEEN_BITS = "exact weights, a multiplier of 16 bits, ties up (TOSA)"
_NO_CENTERS = "; half_pixel_centers is ignored"
_NO_FLAGS = "; align_corners and half_pixel_centers are ignored"


def resize_bilinear(piece: Piece) -> Candidates:
    """The reference, and sums with exact weights by each rounding; then with options that a converter may lose."""
    options: Any = piece.operator.options
    corners, centers = options.align_corners, options.half_pixel_centers
    yield TEN_BITS, piece.run()
    if piece.found.dtype == np.uint8 and (value := in_profile(piece, "tflite-opt")) is not None:
        yield PRODUCTS, value
    if piece.found.dtype != np.int16 and (value := in_profile(piece, "xnnpack")) is not None:
        yield ELEVEN_BITS, value
    whole = _interpolated(piece, corners, centers)
    for how in ("half away", "half even", "half up", "truncate"):
        yield f"exact weights, {how}", piece.finish(dialects.divide(*whole, how))
    if piece.found.dtype == np.uint8 and (value := in_profile(piece, "tosa")) is not None:
        yield "exact weights, a multiplier of 32 bits, as codes of int8 (TOSA)", value
    if piece.found.dtype == np.int16:
        yield SIXTEEN_BITS, piece.finish(_multiplied(*whole, _steps(piece, corners, centers)))
    for suffix, kept in ((_NO_CENTERS, corners), (_NO_FLAGS, False)):
        lost = whole if (kept, False) == (corners, centers) else _interpolated(piece, kept, False)
        for how in ("half away", "half even", "truncate"):
            yield f"exact weights, {how}{suffix}", piece.finish(dialects.divide(*lost, how))


def _interpolated(piece: Piece, corners: bool, centers: bool) -> tuple[Array, Array]:
    """(weighted sums of four codes, the sum of the weights), both int64."""
    x = piece.value(0).astype(np.int64)
    _, height, width, _ = piece.found.shape
    rows, row_weights, down = _positions(x.shape[1], height, corners, centers)
    columns, column_weights, across = _positions(x.shape[2], width, corners, centers)
    lines = sum(w[:, None, None] * x[:, row] for row, w in zip(rows, row_weights, strict=True))
    assert isinstance(lines, np.ndarray)
    total = sum(w[:, None] * lines[:, :, column] for column, w in zip(columns, column_weights, strict=True))
    return np.asarray(total), np.asarray(down * across, np.int64)


def _multiplied(total: Array, weights: Array, steps: int) -> Array:
    """The sums, with weights that add up to `steps`, times 1 / steps."""
    multiplier, shift = quantize_multiplier(1 / steps)
    return multiply_by_quantized_multiplier_int64(total * steps // weights, multiplier, shift)


def _steps(piece: Piece, corners: bool, centers: bool) -> int:
    """In how many steps TOSA divides a pixel: the denominators of the reduced ratios of sizes, times 2 for centers."""
    steps = 1
    for size, output in zip(piece.value(0).shape[1:3], piece.found.shape[1:3], strict=True):
        size, output = (size - 1, output - 1) if corners and output > 1 else (size, output)
        steps *= output // math.gcd(size, output) * (2 if centers else 1)
    return steps


def _positions(size: int, output: int, corners: bool, centers: bool) -> tuple[list[Array], list[Array], int]:
    """(lower and upper pixels, their weights, the sum of two weights) along one dimension."""
    i = np.arange(output, dtype=np.int64)
    if centers:
        numerator, denominator = (2 * i + 1) * size - output, 2 * output
    elif corners and output > 1:
        numerator, denominator = i * (size - 1), output - 1
    else:
        numerator, denominator = i * size, output
    lower = np.maximum(numerator // denominator, 0)
    upper = np.minimum(-(-numerator // denominator), size - 1)
    weight = numerator - lower * denominator
    return [lower, upper], [denominator - weight, weight], denominator
