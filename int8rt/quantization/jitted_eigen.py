"""Scalar twins of `eigen` for jitted loops; LLVM makes vector code of them again."""

from __future__ import annotations

from typing import Any

import numpy as np

from int8rt.kernels.jit.numba_later import njit

_jit = njit(inline="always", error_model="numpy")
_TANH_CLAMP = np.float32(7.90738964080810547)


@_jit
def tanh(x: Any) -> Any:
    """`eigen.tanh` of a float32."""
    x = x if x < _TANH_CLAMP else _TANH_CLAMP
    x = x if x > -_TANH_CLAMP else -_TANH_CLAMP
    square = x * x
    p = np.float32(1.394553628e-8) * square + np.float32(2.102733560e-5)
    p = p * square + np.float32(3.520756727e-3)
    p = p * square + np.float32(1.340216100e-1)
    q = np.float32(8.015776984e-7) * square + np.float32(3.326951409e-4)
    q = q * square + np.float32(2.597254514e-2)
    q = q * square + np.float32(4.673548340e-1)
    q = q * square + np.float32(1)
    return ((square * x) * p + x) / q
