"""The ends of a row of real numbers, some of which are NaN, as TensorFlow Lite finds them before it quantizes the row.

With NaN among them they depend on the order: what is compared with NaN is not less. Symmetric rows have those of
std::minmax_element; asymmetric ones four lanes by SSE's minimum and maximum, then what remains of the row.
Source: TensorFlow Lite kernels/internal/optimized/neon_tensor_utils.cc, and ARM_NEON_2_x86_SSE's vpmin_f32.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def symmetric_range(row: npt.NDArray[np.float32]) -> float:
    """The larger magnitude of both ends; NaN where the lower one is."""
    low, high = (abs(end) for end in _minmax_element(row.tolist()))
    return high if low < high else low


def asymmetric_ends(row: npt.NDArray[np.float32]) -> tuple[float, float]:
    """The lower end, at most 0, and the upper one, at least 0; neither is NaN."""
    least = largest = 0.0
    split = row.size // 4 * 4
    if split:
        lows = highs = row[:4]
        for first in range(4, split, 4):
            lanes = row[first : first + 4]
            lows, highs = np.where(lows < lanes, lows, lanes), np.where(highs > lanes, highs, lanes)
        (low0, low1), (high0, high1) = (
            np.where(lows[:2] < lows[2:], lows[:2], lows[2:]).tolist(),
            np.where(highs[:2] > highs[2:], highs[:2], highs[2:]).tolist(),
        )
        low, high = low1 if low0 > low1 else low0, high1 if high0 < high1 else high0
        least, largest = low if low < least else least, high if largest < high else largest
    if split < row.size:
        low, high = _minmax_element(row[split:].tolist())
        least, largest = low if low < least else least, high if largest < high else largest
    return least, largest


def _minmax_element(row: Sequence[float]) -> tuple[float, float]:
    low = high = row[0]
    if len(row) > 1:
        low, high = (row[1], low) if row[1] < low else (low, row[1])
    for first in range(2, len(row), 2):
        one = row[first]
        if first + 1 == len(row):
            if one < low:
                low = one
            elif not one < high:
                high = one
            break
        smaller, larger = (row[first + 1], one) if row[first + 1] < one else (one, row[first + 1])
        low = smaller if smaller < low else low
        high = high if larger < high else larger
    return low, high
