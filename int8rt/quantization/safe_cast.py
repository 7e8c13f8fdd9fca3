"""Real numbers to integers without undefined behaviour."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def safe_cast(x: npt.ArrayLike, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Truncate real numbers toward zero, in the integer type `dtype`; beyond its ends, the end. NaN: the largest.

    Source: TensorFlow Lite kernels/internal/quantization_util.h, SafeCast, with CAST's own choice for NaN.
    """
    info = np.iinfo(np.dtype(dtype))
    with np.errstate(invalid="ignore"):  # signalling NaN
        wide = np.asarray(x).astype(np.float64)
    # info.max itself may not be a float64, the power of two above it is.
    limit = 2.0 * (info.max // 2 + 1)
    inside = (wide >= info.min) & (wide < limit)
    result = np.where(inside, wide, 0).astype(dtype)
    result[wide < info.min] = info.min
    result[(wide >= limit) | np.isnan(wide)] = info.max
    return result
