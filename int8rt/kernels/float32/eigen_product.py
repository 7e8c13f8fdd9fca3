"""Matrix products in float32 whose sums are grouped as Eigen groups them on x86 with SSE, without fused multiply-add.

TensorFlow Lite's recurrent operators use Eigen even in its reference kernels. Which partial sums there are depends on
the matrices' sizes. Source: Eigen, Core/products/GeneralMatrixVector.h, GeneralBlockPanelKernel.h, Core/InnerProduct.h
and Core/Redux.h; TensorFlow Lite kernels/cpu_backend_gemm_eigen.cc.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from int8rt.kernels.float32.sequential_product import sequential_product

Float32 = npt.NDArray[np.float32]

_LANES = 4
# Matrices the sum of whose sizes is less are multiplied one element of the result after the other.
_SMALL = 20
_UNROLLED_DEPTH = 8
# Rows of two vectors, and columns, that are computed at once.
_PANEL_ROWS, _PANEL_COLUMNS = 2 * _LANES, 4
# Depth for which a panel of both factors fits a level 1 data cache of 32 KiB; deeper products are added up in parts.
_LARGEST_DEPTH = 680


def eigen_product(x: Float32, weights: Float32) -> Float32:
    """x [n,K] times weights [O,K]: float32[n,O]."""
    (rows, depth), columns = x.shape, len(weights)
    with np.errstate(all="ignore"):
        if rows == columns == 1:
            return _inner_product(x, weights)
        if rows == 1 or columns == 1:
            return _matrix_vector(x, weights)
        if rows + columns + depth < _SMALL:
            return _from_first_term(_small(x, weights), x, weights)
        return _panels(x, weights)


def _from_first_term(total: Float32, x: Float32, weights: Float32) -> Float32:
    """The sums without the zero that they began with: it only changes those of nothing but negative zeros."""
    products = x[:, np.newaxis] * weights
    return np.where(np.all((products == 0) & np.signbit(products), axis=2), np.float32(-0.0), total)


def _partial_sums(x: Float32, weights: Float32, count: int) -> list[Float32]:
    """Sums of the terms 0, count, 2 · count, ..; of 1, 1 + count, ..; and so on."""
    return [sequential_product(x[:, i::count], weights[:, i::count]) for i in range(count)]


def _add_terms(total: Float32, x: Float32, weights: Float32, start: int) -> Float32:
    """The sums with the terms from `start` on added one after the other."""
    for k in range(start, x.shape[1]):
        total = total + x[:, k, np.newaxis] * weights[:, k]
    return total


def _across(lanes: list[Float32]) -> Float32:
    """The sum of the four elements of a vector."""
    return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])


def _matrix_vector(x: Float32, weights: Float32) -> Float32:
    end = x.shape[1] // _LANES * _LANES
    return _add_terms(_across(_partial_sums(x[:, :end], weights[:, :end], _LANES)), x, weights, end)


def _inner_product(x: Float32, weights: Float32) -> Float32:
    depth = x.shape[1]
    end, unrolled = depth // _LANES * _LANES, depth // (4 * _LANES) * 4 * _LANES
    if not end:
        return _add_terms(np.zeros((1, 1), np.float32), x, weights, 0)
    sums = _partial_sums(x[:, :unrolled], weights[:, :unrolled], 4 * _LANES)
    vectors = [sums[i : i + _LANES] for i in range(0, len(sums), _LANES)]
    for i, start in enumerate(range(unrolled, end, _LANES)):
        vectors[i] = [
            total + x[:, start + lane, np.newaxis] * weights[:, start + lane] for lane, total in enumerate(vectors[i])
        ]
    first, second, third, fourth = vectors
    if unrolled:
        third = [a + b for a, b in zip(third, fourth, strict=True)]
    if end >= 3 * _LANES:
        second = [a + b for a, b in zip(second, third, strict=True)]
    if end >= 2 * _LANES:
        first = [a + b for a, b in zip(first, second, strict=True)]
    return _add_terms(_across(first), x, weights, end)


def _small(x: Float32, weights: Float32) -> Float32:
    depth = x.shape[1]
    end, unrolled = depth // _LANES * _LANES, depth // (2 * _LANES) * 2 * _LANES
    if not end:
        return _add_terms(np.zeros((len(x), len(weights)), np.float32), x, weights, 0)
    if not unrolled:
        return _matrix_vector(x, weights)
    sums = _partial_sums(x[:, :unrolled], weights[:, :unrolled], 2 * _LANES)
    lanes = [sums[i] + sums[i + _LANES] for i in range(_LANES)]
    if end > unrolled:
        lanes = [total + x[:, unrolled + i, np.newaxis] * weights[:, unrolled + i] for i, total in enumerate(lanes)]
    return _add_terms(_across(lanes), x, weights, end)


def _panels(x: Float32, weights: Float32) -> Float32:
    depth = x.shape[1]
    step = depth
    if depth > _LARGEST_DEPTH:
        step = _LARGEST_DEPTH
        if rest := depth % step:
            step -= _UNROLLED_DEPTH * ((step - 1 - rest) // (_UNROLLED_DEPTH * (depth // step + 1)))
    total = np.zeros((len(x), len(weights)), np.float32)
    for start in range(0, depth, step):
        total += _panel(x[:, start : start + step], weights[:, start : start + step])
    return total


def _panel(x: Float32, weights: Float32) -> Float32:
    """Most sums go from the first term to the last; those of the last rows of the weights have partial sums."""
    depth, columns = x.shape[1], len(weights)
    total = sequential_product(x, weights)
    whole = len(x) // _PANEL_COLUMNS * _PANEL_COLUMNS
    start = columns // _PANEL_ROWS * _PANEL_ROWS
    if columns - start >= _LANES:
        rows, end = slice(start, start + _LANES), depth // _UNROLLED_DEPTH * _UNROLLED_DEPTH
        even, odd = _partial_sums(x[:whole, :end], weights[rows, :end], 2)
        total[:whole, rows] = _add_terms(even + odd, x[:whole], weights[rows], end)
        start += _LANES
    if start < columns:
        end = depth // _LANES * _LANES
        first, second, third, fourth = _partial_sums(x[:whole, :end], weights[start:, :end], 4)
        sums = (first + second) + (third + fourth)
        total[:whole, start:] = _add_terms(sums, x[:whole], weights[start:], end)
    return total
