from __future__ import annotations

import numpy as np

from int8rt.kernels.jit.pooling_means import MOST_TAPS


def test_products_with_the_reciprocal_truncate_to_quotients() -> None:
    """For every number of taps: the smallest and the largest sum of each quotient."""
    quotients = np.arange(257)
    for taps in range(1, MOST_TAPS):
        for sums in (quotients * taps, quotients * taps + taps - 1):
            product = (sums.astype(np.float32) + np.float32(0.5)) * (np.float32(1) / np.float32(taps))
            np.testing.assert_array_equal(product.astype(np.int32), quotients)
