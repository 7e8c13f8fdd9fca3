"""BATCH_MATMUL in float32: each sum goes from the first term to the last. Source: reference/batch_matmul.h."""

from __future__ import annotations

import numpy as np

from int8rt.kernels.base import Array
from int8rt.kernels.float32.sequential_product import BLOCK_ELEMENTS, sequential_product
from int8rt.kernels.matrices import MatrixParams, batches, in_rows


def evaluate(params: MatrixParams, lhs: Array, rhs: Array) -> Array:
    """BATCH_MATMUL of float32 matrices."""
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.empty(shape, np.float32)
    if not output.size:
        return output
    for x, weights, target in batches(*in_rows(params, lhs, rhs), output):
        step = max(1, BLOCK_ELEMENTS // len(weights))
        for row in range(0, len(x), step):
            target[row : row + step] = sequential_product(x[row : row + step], weights)
    return output
