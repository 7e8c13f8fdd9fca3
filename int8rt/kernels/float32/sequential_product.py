"""Matrix products in float32 whose sums go from the first term to the last, as the reference kernels' loops do."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]

# Elements of a result for which everything stays in a core's cache.
BLOCK_ELEMENTS = 1 << 15


def sequential_product(x: Float32, weights: Float32) -> Float32:
    """x [n,K] times weights [O,K]: float32[n,O]; every product and every partial sum is rounded."""
    # The longer of the two dimensions of the result is the inner one.
    outer, inner = (weights, x) if len(x) >= len(weights) else (x, weights)
    total = np.zeros((len(outer), len(inner)), np.float32)
    product = np.empty_like(total)
    columns = np.ascontiguousarray(outer.T)[:, :, np.newaxis]
    with np.errstate(all="ignore"):
        for column, row in zip(columns, np.ascontiguousarray(inner.T), strict=True):
            np.multiply(column, row, out=product)
            total += product
    return total.T if outer is weights else total
