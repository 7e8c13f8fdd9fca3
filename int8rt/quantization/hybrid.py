"""Dynamic range: float activations quantized while running, one row at a time, as TensorFlow Lite does it on x86.

Its vector code handles the elements of a row in blocks of 8 and rounds there by adding one half and truncating; what
remains of the row is rounded properly, ties away from zero. The two differ just below one half.
Source: TensorFlow Lite kernels/internal/optimized/neon_tensor_utils.cc, whose NEON instructions become SSE ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.quantization.nan_ranges import asymmetric_ends, symmetric_range
from int8rt.quantization.rounding import (
    INT32_MAX,
    float_to_int32,
    round_half_away,
    saturating_truncate,
    wrap_int32,
)

FloatRows = npt.NDArray[np.float32]

_BLOCK = 8


@dataclass(frozen=True, slots=True, eq=False)
class QuantizedRows:
    """real = (codes - zero_point) · scale. codes: int8[n, size]; scale: float32[n]; zero_point: int32[n]."""

    codes: npt.NDArray[np.int8]
    scale: npt.NDArray[np.float32]
    zero_point: npt.NDArray[np.int32]


def batch_quantize_floats(rows: FloatRows, asymmetric: bool) -> QuantizedRows:
    """Quantize each row of float32[n, size] with a scale (and a zero point) of its own.

    Source: TensorFlow Lite kernels/internal/portable_tensor_utils.h, BatchQuantizeFloats.
    """
    with np.errstate(all="ignore"):
        return asymmetric_quantize_floats(rows) if asymmetric else symmetric_quantize_floats(rows)


def symmetric_quantize_floats(rows: FloatRows) -> QuantizedRows:
    """Codes in [-127, 127], zero point 0: the largest |value| of a row becomes 127. A row of zeros has scale 1."""
    largest = np.abs(rows).max(axis=1, initial=0.0)
    for row in np.flatnonzero(np.isnan(largest)):
        largest[row] = symmetric_range(rows[row])
    zero = largest == 0
    scale = np.where(zero, np.float32(1), largest / np.float32(127))
    inverse = np.where(zero, np.float32(0), np.float32(127) / largest)
    scaled = rows * inverse[:, np.newaxis]
    split = scaled.shape[1] // _BLOCK * _BLOCK
    codes = np.empty(rows.shape, np.int8)
    codes[:, :split] = np.clip(_round_blocks(scaled[:, :split]), -127, 127)
    codes[:, split:] = np.clip(float_to_int32(round_half_away(scaled[:, split:])), -127, 127)
    codes[zero] = 0
    return QuantizedRows(codes, scale, np.zeros(len(rows), np.int32))


def asymmetric_quantize_floats(rows: FloatRows) -> QuantizedRows:
    """Codes in [-128, 127]: from the least value of a row, at most 0, to the largest, at least 0.

    The zero point is the one of the end at which it is more precise. A row of zeros has scale 1 and zero point 0.
    """
    least, largest = rows.min(axis=1, initial=0.0), rows.max(axis=1, initial=0.0)
    for row in np.flatnonzero(np.isnan(least)):
        least[row], largest[row] = asymmetric_ends(rows[row])
    zero = least == largest
    wide = (largest - least).astype(np.float64) / 255.0
    from_least, from_largest = least / wide, largest / wide
    nearer = 128.0 + np.abs(from_least) < 127.0 + np.abs(from_largest)
    exact = np.clip(np.where(nearer, -128.0 - from_least, 127.0 - from_largest), -128.0, 127.0)
    zero_point = np.where(zero | np.isnan(exact), 0.0, round_half_away(exact)).astype(np.int32)
    scale = np.where(zero, 1.0, wide).astype(np.float32)
    inverse = np.where(scale == 0, 0.0, 1.0 / scale.astype(np.float64)).astype(np.float32)
    scaled, offset = rows * inverse[:, np.newaxis], zero_point[:, np.newaxis]
    split = scaled.shape[1] // _BLOCK * _BLOCK
    codes = np.empty(rows.shape, np.int8)
    blocks = _round_blocks(scaled[:, :split]).astype(np.int64) + offset
    codes[:, :split] = np.clip(wrap_int32(blocks), -128, 127)
    codes[:, split:] = saturating_truncate(round_half_away(scaled[:, split:]) + offset.astype(np.float32), np.int8)
    codes[zero] = 0
    return QuantizedRows(codes, scale, zero_point)


def _round_blocks(scaled: FloatRows) -> npt.NDArray[np.int32]:
    """Round as the vector code does; beyond int32 it saturates, except that NaN becomes -2^31."""
    halves = scaled + np.where(scaled < 0, np.float32(-0.5), np.float32(0.5))
    return np.where(halves >= 2.0**31, np.int32(INT32_MAX), float_to_int32(halves))


def quantize_for_4_bits(rows: FloatRows) -> tuple[npt.NDArray[np.int8], FloatRows]:
    """(codes int8[n,K], scale float32[n]) of rows that meet 4-bit weights: no zero point, ties away from zero.

    Source: TensorFlow Lite kernels/internal/optimized/4bit/neon_fully_connected.cc and sse_fully_connected.cc,
    BatchQuantizeFloats4Bit.
    """
    largest = np.abs(rows).max(axis=1, initial=0)
    divisor = np.where(largest == 0, np.float32(127), largest).astype(np.float64)
    with np.errstate(all="ignore"):
        multiplier, scale = (127.0 / divisor).astype(np.float32), (divisor / 127.0).astype(np.float32)
        codes = float_to_int32(round_half_away(rows * multiplier[:, np.newaxis]))
    return codes.astype(np.int8), scale
