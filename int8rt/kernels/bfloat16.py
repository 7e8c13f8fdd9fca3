"""bfloat16 in memory: the upper half of a float32, which NumPy holds as uint16."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array


def bfloat16_to_float32(bits: Array) -> npt.NDArray[np.float32]:
    """The numbers that uint16 `bits` stand for."""
    return (bits.astype(np.uint32) << np.uint32(16)).view(np.float32)
