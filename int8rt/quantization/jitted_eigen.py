"""Scalar twins of `eigen` for jitted loops; LLVM makes vector code of them again."""

from __future__ import annotations

from typing import Any

import numpy as np

from int8rt.kernels.jit.isa.bits import float32_of
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


@_jit
def logistic(x: Any) -> Any:
    """`eigen.logistic` of a float32 in a whole group of four."""
    high = np.float32(16.6355324)
    half = (x if x < high else high) * np.float32(0.5)
    m = np.floor(half * np.float32(1.44269504088896341) + np.float32(0.5))
    r = m * np.float32(2.12194440e-4) + (m * np.float32(-0.693359375) + half)
    square = r * r
    even = np.float32(4.1898667812347412109375e-2) * square + np.float32(0.49999141693115234375)
    odd = np.float32(8.33471305668354034423828125e-3) * square + np.float32(0.16666877269744873046875)
    p = square * (r * odd + even) + (r + np.float32(1))
    # m is between -75 and 12 for all that is not far below, and there the result is 0.
    biased = m + np.float32(127)
    biased = biased if biased > 0 else np.float32(0)
    e = p * float32_of(np.uint32(np.uint32(np.int32(biased)) << np.uint32(23)))
    e = e * e
    return np.float32(0) if x < np.float32(-104) else e / (np.float32(1) + e)
