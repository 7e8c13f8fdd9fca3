"""The TOSA specification's division by a count: a fixed-point reciprocal, and one rounding.

Source: the TOSA specification 1.0, reciprocal_scale and apply_scale_32.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from int8rt.quantization.rounding import Int64Array, rounding_shift_right


def reciprocal_scale(count: npt.ArrayLike) -> tuple[Int64Array, Int64Array]:
    """(multiplier, shift), multiplier / 2^shift just above 1 / count; 2^30 <= multiplier < 2^31, 0 < count < 2^31."""
    count = np.maximum(np.asarray(count, np.int64), 1)
    bits = np.ceil(np.log2(count)).astype(np.int64)  # exact: (1 << bits) / 2 < count <= (1 << bits)
    return (((1 << 30) + 1) << bits) // count, 30 + bits


def divide_by_count(total: npt.ArrayLike, count: npt.ArrayLike) -> Int64Array:
    """total / count in int32, by `reciprocal_scale` and with one rounding."""
    multiplier, shift = reciprocal_scale(count)
    return rounding_shift_right(np.asarray(total, np.int64) * multiplier, shift)
