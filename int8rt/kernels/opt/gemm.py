"""Matrix products in float32 as the optimized kernels compute them on x86 with one thread: Eigen's, block by block.

Source: TensorFlow Lite kernels/cpu_backend_gemm.h and cpu_backend_gemm_x86.h.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from int8rt.kernels.float32.eigen_product import eigen_product
from int8rt.kernels.float32.sequential_product import BLOCK_ELEMENTS

Float32 = npt.NDArray[np.float32]

# Eigen computes four rows of x at once; fewer than these are never cut off, for small matrices are summed otherwise.
_ROWS = 32


def gemm(x: Float32, weights: Float32) -> Float32:
    """x [n,K] times weights [O,K]: float32[n,O]."""
    result = np.empty((len(x), len(weights)), np.float32)
    for rows in row_blocks(*result.shape, x.shape[1]):
        result[rows] = eigen_product(x[rows], weights)
    return result


def row_blocks(rows: int, columns: int, depth: int) -> Iterator[slice]:
    """The rows of a product [rows, columns] in parts that Eigen multiplies just as it does the whole.

    depth: terms of a sum.
    """
    step = max(_ROWS, BLOCK_ELEMENTS // max(1, columns, depth) // _ROWS * _ROWS)
    start = 0
    while start < rows:
        stop = rows if rows - start < step + _ROWS else start + step
        yield slice(start, stop)
        start = stop
