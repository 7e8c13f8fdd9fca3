"""Operators that choose codes and compute nothing: another pixel, another bound."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from int8rt.kernels.relu import ReluParams
from int8rt.kernels.resize_nearest_neighbor import ResizeNearestNeighborParams, nearest_positions
from int8rt.quantization.rounding import round_half_away
from int8rt.verify.identify.mutants.changes import Array, Wrong
from int8rt.verify.identify.piece import Piece, quantization


def without_options(**lost: bool) -> Wrong:
    """RESIZE_NEAREST_NEIGHBOR with some options as they are by default."""

    def run(piece: Piece) -> Array | None:
        options: Any = piece.operator.options
        plain = replace(options, **lost)
        if plain == options:
            return None
        sizes = zip(piece.value(0).shape[1:3], piece.found.shape[1:3], strict=True)
        return _chosen(piece, *(nearest_positions(size, output, plain) for size, output in sizes))

    return run


def rounded_positions(piece: Piece) -> Array | None:
    """RESIZE_NEAREST_NEIGHBOR without options: the nearest pixel, where the reference takes the one before."""
    options: Any = piece.operator.options
    if options.align_corners or options.half_pixel_centers:
        return None
    sizes = zip(piece.value(0).shape[1:3], piece.found.shape[1:3], strict=True)
    return _chosen(
        piece, *(np.minimum(round_half_away(np.arange(n) * (size / n)).astype(int), size - 1) for size, n in sizes)
    )


def _chosen(piece: Piece, rows: Array, columns: Array) -> Array | None:
    p: ResizeNearestNeighborParams = piece.params
    if np.array_equal(rows, p.rows) and np.array_equal(columns, p.columns):
        return None
    return piece.run(replace(p, rows=rows, columns=columns))


def negative(piece: Piece) -> Array | None:
    """REDUCE_MAX and REDUCE_MIN of signed codes: none above -1."""
    right = piece.run()
    return np.minimum(right, -1).astype(right.dtype) if right.dtype.kind == "i" else None


def cut_bound(piece: Piece) -> Array | None:
    """RELU6 with the code of 6, its fraction cut off, as the largest one."""
    p: ReluParams = piece.params
    scale, zero_point = quantization(piece.output)
    bound = int(np.float32(6) / np.float32(scale)) + zero_point
    if bound >= p.requantization.activation_max:
        return None
    return np.minimum(piece.run(), bound).astype(piece.found.dtype)


def other_sign(piece: Piece) -> Array | None:
    """MAXIMUM and MINIMUM of unsigned codes as signed ones, and the other way round."""
    dtype = piece.found.dtype
    other = np.dtype(f"{'u' if dtype.kind == 'i' else 'i'}{dtype.itemsize}")
    swapped = [piece.value(place).view(other) for place in (0, 1)]
    chosen: Array = (np.maximum if piece.operator.name == "MAXIMUM" else np.minimum)(*swapped)
    return chosen.view(dtype)
