"""Integer matrix products by floating-point BLAS, exact.

A sum of integers in floating point is exact, in whatever order, as long as no partial sum can leave the integers that
the type holds: all up to 2^24 in float32, up to 2^53 in float64. Where a row of weights could, but halves of it could
not, it is multiplied in parts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

FLOAT32_INTEGERS = 1 << 24

# With parts of fewer terms than this, float64 is quicker than float32.
_SMALLEST_PART = 32


def largest_magnitude(dtype: np.dtype[Any]) -> int:
    """The largest |x| of an integer type."""
    info = np.iinfo(dtype)
    return max(-int(info.min), int(info.max))


class ExactProduct:
    """Products x @ weights.T of integers x [n,K], |x| <= largest, with integer weights [O,K].

    groups: x is [groups,n,K], and each of its matrices is for its own share of the rows of weights.
    sums: int64[O], the sum of each row of weights. bound: float64[O], at least the largest |product| with each row.
    """

    def __init__(self, weights: Array, largest: int, groups: int = 1) -> None:
        matrix: Array = weights.astype(np.float32)
        magnitudes: Array = np.abs(matrix).sum(axis=1)  # exact where it is below 2^24
        self._parts = [slice(0, weights.shape[1])]
        if magnitudes.max(initial=0) * largest < FLOAT32_INTEGERS:
            self.sums = matrix.sum(axis=1).astype(np.int64)
        else:
            exact = np.abs(weights, dtype=np.int64)
            magnitudes, self.sums = exact.sum(axis=1), weights.sum(axis=1, dtype=np.int64)
            self._parts = _parts(exact, (FLOAT32_INTEGERS - 1) // largest)
            # A single product of two 16-bit integers may be too large for float32.
            wide = exact.max(initial=0) * largest >= FLOAT32_INTEGERS
            if wide or weights.shape[1] < _SMALLEST_PART * len(self._parts):
                self._parts, matrix = [slice(0, weights.shape[1])], weights.astype(np.float64)
        self.bound = magnitudes.astype(np.float64) * largest
        self._weights = matrix.reshape(groups, weights.shape[0] // groups, weights.shape[1])
        self._x = self._product = np.empty(0, matrix.dtype)

    def __call__(self, x: Array, rows: int) -> Array:
        """The products [rows,O] as floating-point numbers, valid until the next call.

        x: integers of any shape that holds groups · rows · K elements in this order.
        """
        groups, outputs, depth = self._weights.shape
        if self._product.size < groups * rows * outputs:
            self._product = np.empty(groups * rows * outputs, self._weights.dtype)
            self._x = np.empty(groups * rows * depth, self._weights.dtype)
        terms: Array = self._x[: x.size].reshape(x.shape)
        np.copyto(terms, x)
        terms = terms.reshape(groups, rows, depth)
        product: Array = self._product[: groups * rows * outputs].reshape(groups, rows, outputs)
        first, *rest = self._parts
        np.matmul(terms[..., first], self._weights[..., first].swapaxes(1, 2), out=product)
        for part in rest:
            more = terms[..., part] @ self._weights[..., part].swapaxes(1, 2)
            product = np.add(product, more, dtype=np.float64)
        return product.swapaxes(0, 1).reshape(rows, groups * outputs)


def _parts(magnitudes: Array, limit: int) -> list[slice]:
    """Consecutive parts of the columns in which no row's sum exceeds `limit`, as few as halving finds."""
    columns = magnitudes.shape[1]
    if columns <= 1 or magnitudes.sum(axis=1).max() <= limit:
        return [slice(0, columns)]
    half = columns // 2
    left, right = _parts(magnitudes[:, :half], limit), _parts(magnitudes[:, half:], limit)
    return left + [slice(part.start + half, part.stop + half) for part in right]
