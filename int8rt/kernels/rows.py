"""Evaluation along the last axis, a few rows at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array

# Elements worked on at once: 64-bit intermediates of that many stay in a core's cache.
_BLOCK_ELEMENTS = 1 << 15


def by_rows(input: Array, dtype: npt.DTypeLike, function: Callable[[Array], npt.NDArray[Any]]) -> Array:
    """`function` of blocks [rows, n] of the input [..., n], put together in `dtype`; not called for empty inputs."""
    output = np.empty(input.shape, dtype)
    if output.size == 0:
        return output
    depth = input.shape[-1]
    rows, results = input.reshape(-1, depth), output.reshape(-1, depth)
    step = max(1, _BLOCK_ELEMENTS // depth)
    for row in range(0, rows.shape[0], step):
        results[row : row + step] = function(rows[row : row + step])
    return output


def differences_to_maximum(rows: Array) -> npt.NDArray[np.uint8]:
    """max(q) - q for rows [n, depth] of int8 or uint8, from 0 to 255."""
    codes = rows.view(np.uint8)
    maximum = rows.max(axis=1, keepdims=True).view(np.uint8)
    difference: npt.NDArray[np.uint8] = maximum - codes  # modulo 256, so the sign of the type does not matter
    return difference
