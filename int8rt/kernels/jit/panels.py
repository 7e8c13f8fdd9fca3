"""Weights as the matrix tile takes them: panels of output channels, each with its constants beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.jit.abi import helper, load_u8, store_i32
from int8rt.kernels.jit.isa.levels import Level
from int8rt.kernels.jit.lowering import Data, clamp, unsigned
from int8rt.model import TensorType
from int8rt.quantization import vectorized
from int8rt.quantization.requantize import Requantization

# Weights that are held in 32 bits at a time while they are packed.
_WIDE_ELEMENTS = 1 << 16


def pack_weights(level: Level, vectors: int, weights: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """int8[channels, depth] to panels int8[tiles, ceil(depth / 4), vectors, lanes, 4], zero where there is nothing."""
    channels, depth = weights.shape
    tile = vectors * level.lanes
    padded = np.zeros((-(-channels // tile) * tile, -(-depth // 4) * 4), np.int8)
    padded[:channels, :depth] = weights
    panels = padded.reshape(padded.shape[0] // tile, tile, padded.shape[1] // 4, 4)[:, level.channels(vectors)]
    return np.ascontiguousarray(panels.transpose(0, 3, 1, 2, 4))


def pack_words(level: Level, vectors: int, words: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """int32[rows, channels] to int32[tiles, rows, vectors, lanes], zero where there is nothing."""
    rows, channels = words.shape
    tile = vectors * level.lanes
    padded = np.zeros((rows, -(-channels // tile) * tile), np.int32)
    padded[:, :channels] = words
    panels = padded.reshape(rows, padded.shape[1] // tile, tile)[:, :, level.channels(vectors)]
    return np.ascontiguousarray(panels.transpose(1, 0, 2, 3))


def words_stride(level: Level, vectors: int, variant: str) -> int:
    """Bytes of one tile of `pack_words`: the constant and the rows of the requantization."""
    return (1 + vectorized.ROWS[variant]) * vectors * level.lanes * 4


def lower_matrix(
    level: Level,
    filter: npt.NDArray[Any],
    segments: int,
    filter_zero_point: int,
    bias: npt.NDArray[np.int32] | None,
    requantization: Requantization,
    input_zero_point: int,
    output_type: TensorType,
) -> tuple[str, int, dict[str, Any]] | None:
    """(variant, asymmetric, values of the MATRIX fields but the output) of a filter [O, depth]; None: left to NumPy.

    segments: how many runs a row of the input comes in, each filled up to a multiple of `level.run` bytes.
    input_zero_point: of the unsigned input. The constant bias - input_zero_point · Σ weights is folded, in int32.
    Weights that leave int8 once their zero point is subtracted stay codes of int8 with another zero point, and a
    multiple of the sum of each row of the input makes up for it.
    """
    channels, depth = filter.shape
    sums, magnitudes = _row_sums(filter, filter_zero_point)
    factor = row_factor(filter, filter_zero_point)
    # Modulo 256, which loses nothing: the differences fit int8.
    weights = (filter.view(np.uint8) - np.uint8((filter_zero_point + factor) % 256)).view(np.int8)
    constant = -input_zero_point * sums + (0 if bias is None else bias.astype(np.int64))
    bound = 255 * magnitudes + np.abs(constant)
    variant = vectorized.choose(requantization, bound)
    if variant is None or depth == 0:
        return None
    words = vectorized.words(variant, requantization, unsigned(output_type, requantization.zero_point), constant)
    run = -(-(depth // segments) // level.run) * level.run
    padded = np.zeros((channels, segments, run), np.int8)
    padded[:, :, : depth // segments] = weights.reshape(channels, segments, -1)
    values: dict[str, Any] = {
        **_panels(level, padded.reshape(channels, -1), words),
        "panel_bytes": segments * run * 4 * level.lanes,
        "words_bytes": words_stride(level, 4, variant),
        "panel_channels": 4 * level.lanes,
        "outputs": channels,
        "segments": segments,
        "segment_stride": 0,
        "segment_bytes": run,
        "row_factor": factor,
        **clamp(output_type, requantization.activation_min, requantization.activation_max),
    }
    return variant, int(factor != 0), values


def _panels(level: Level, weights: npt.NDArray[np.int8], words: npt.NDArray[np.int32]) -> dict[str, Any]:
    """The fields that hold weights [channels, depth] and words [rows, channels].

    Panels of four vectors; what remains takes one more of them, or a pair of vectors, a single one, or both.
    """
    channels, panel = len(weights), 4 * level.lanes
    rest = -(-(channels % panel) // level.lanes)
    whole = channels if rest == 4 else channels // panel * panel
    middle = min(whole + 2 * level.lanes, channels) if rest in (2, 3) else whole
    values: dict[str, Any] = {
        "panels": -(-whole // panel),
        "pairs": int(middle > whole),
        "singles": int(channels > middle),
        "parts": -(-whole // panel) + int(channels > whole),
    }
    for vectors, name, first, last in (
        (4, "", 0, whole),
        (2, "pair_", whole, middle),
        (1, "single_", middle, channels),
    ):
        values[f"{name}weights"] = Data(pack_weights(level, vectors, weights[first:last]))
        values[f"{name}words"] = Data(pack_words(level, vectors, words[:, first:last]))
    return values


def _row_sums(filter: npt.NDArray[Any], zero_point: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Σ (weight - zero_point) and Σ |weight - zero_point| of each row; a few rows at a time, they are wider then."""
    sums, magnitudes = (np.zeros(len(filter), np.int64) for _ in range(2))
    rows = max(1, _WIDE_ELEMENTS // max(1, filter.shape[1]))
    for first in range(0, len(filter), rows):
        wide = filter[first : first + rows].astype(np.int32) - zero_point
        sums[first : first + rows] = wide.sum(axis=1, dtype=np.int64)
        magnitudes[first : first + rows] = np.abs(wide).sum(axis=1, dtype=np.int64)
    return sums, magnitudes


def row_factor(filter: npt.NDArray[Any], zero_point: int) -> int:
    """0 where filter - zero_point fits int8; else what the codes as int8 lack, a multiple of the sum of the inputs."""
    lowest, highest = int(filter.min(initial=0)) - zero_point, int(filter.max(initial=0)) - zero_point
    middle = 128 if filter.dtype == np.uint8 else 0
    return middle - zero_point if lowest < -128 or highest > 127 else 0


@helper
def sum_rows(p, a, stride, count, terms):  # type: ignore[no-untyped-def]
    """terms[r] = row_factor · the sum of row r's `depth` bytes."""
    for r in range(count):
        total = np.int32(0)
        for k in range(p.depth):
            total += np.int32(load_u8(a + r * stride, k))
        store_i32(terms, r, np.int32(total * p.row_factor))
