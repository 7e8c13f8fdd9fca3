"""VRSQRT14PS and the roots that XNNPACK makes of it."""

from __future__ import annotations

import numpy as np

from int8rt.quantization import rsqrt14


def test_approximation_has_fourteen_bits() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0x00800000, 0x7F800000, 100_000, np.uint32).view(np.float32)
    error = rsqrt14.rsqrt14(x).astype(np.float64) * np.sqrt(x.astype(np.float64)) - 1
    assert np.abs(error).max() < 2.0**-14


def test_known_numbers() -> None:
    # Just above 1 and 2; powers of four are exact.
    x = np.array([1, 4, 0.25, 1.00001, 2, 2.01], np.float32)
    found = rsqrt14.rsqrt14(x).view(np.uint32)
    assert [hex(value) for value in found.tolist()] == [
        *("0x3f800000", "0x3f000000", "0x40000000", "0x3f7ffd00", "0x3f350280", "0x3f349200"),
    ]
    special = np.array([0.0, -0.0, np.inf, -1, np.nan], np.float32)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(rsqrt14.rsqrt14(special), [np.inf, -np.inf, 0, np.nan, np.nan])
        np.testing.assert_array_equal(rsqrt14.rsqrt(special), [np.nan, np.nan, 0, np.nan, np.nan])
        np.testing.assert_array_equal(rsqrt14.sqrt(special), [0, -0.0, np.inf, np.nan, np.nan])


def test_roots() -> None:
    x = np.geomspace(1e-30, 1e30, 2000).astype(np.float32)
    exact = np.sqrt(x.astype(np.float64))
    np.testing.assert_allclose(rsqrt14.sqrt(x), exact, rtol=2e-7)
    np.testing.assert_allclose(rsqrt14.rsqrt(x), 1 / exact, rtol=2e-7)
    # The square of the reciprocal is subnormal, and counts as 0.
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(rsqrt14.sqrt(np.float32([3e38])), np.sqrt(3e38) * 1.5, rtol=1e-4)
