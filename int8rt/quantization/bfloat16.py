"""bfloat16, which NumPy lacks: the upper half of a float32, held as uint16."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def bfloat16_to_float32(bits: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """The numbers that uint16 `bits` stand for."""
    return (bits.astype(np.uint32) << np.uint32(16)).view(np.float32)


def float32_to_bfloat16(x: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    """The bits of the nearest bfloat16, ties to even; NaN becomes the quiet NaN of its sign.

    Source: Eigen, bfloat16_impl::float_to_bfloat16_rtne.
    """
    bits = np.asarray(x, np.float32, order="C").view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
    quiet = np.where(np.signbit(x), np.uint32(0xFFC0), np.uint32(0x7FC0))
    return np.where(np.isnan(x), quiet, rounded).astype(np.uint16)
