from __future__ import annotations

import numpy as np
import pytest

from int8rt.kernels.exact_product import ExactProduct


# 1000 terms of 128 · 127 fit float32, 1100 need two parts, 40000 of them thirty-two; with int16 it takes float64.
@pytest.mark.parametrize(("depth", "largest"), [(1, 128), (1000, 128), (1100, 128), (40000, 128), (64, 32768)])
def test_sums_at_the_limit(depth: int, largest: int) -> None:
    weights = np.full((3, depth), 127, np.int8)
    weights[1] = -128
    weights[2, ::2] = -127
    x = np.full((2, depth), -largest, np.int32)
    x[1] += np.arange(depth) % 3
    product = ExactProduct(weights, largest)
    expected = x.astype(np.int64) @ weights.T.astype(np.int64)
    np.testing.assert_array_equal(product(x, 2).astype(np.int64), expected)
    np.testing.assert_array_equal(product.sums, weights.sum(axis=1, dtype=np.int64))
    assert np.all(product.bound >= np.abs(expected).max(axis=0))


def test_blocks_of_different_lengths() -> None:
    rng = np.random.default_rng(0)
    weights, x = rng.integers(-128, 128, (5, 12), np.int8), rng.integers(0, 256, (30, 2, 6), np.uint8)
    product = ExactProduct(weights, 255)
    for rows in (3, 30, 7, 0):
        expected = x[:rows].reshape(rows, 12).astype(int) @ weights.T.astype(int)
        np.testing.assert_array_equal(product(x[:rows], rows), expected)


def test_no_terms_at_all() -> None:
    product = ExactProduct(np.zeros((4, 0), np.int8), 128)
    np.testing.assert_array_equal(product(np.zeros((3, 0), np.int8), 3), np.zeros((3, 4)))
