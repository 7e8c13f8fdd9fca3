"""Constants of the vector requantization."""

from __future__ import annotations

import numpy as np

from int8rt.quantization.vectorized import _rounding_offset


def test_an_offset_brings_the_rounding_term() -> None:
    generator = np.random.default_rng(0)
    multipliers = [1, 2, 3, (1 << 31) - 1, 1 << 30, 3 << 29, (1 << 30) + 1]
    multipliers += [1 << k for k in range(31)] + [(1 << 31) - (1 << k) for k in range(31)]
    multipliers += generator.integers(1, 1 << 31, 1000).tolist()
    offsets, excess = _rounding_offset(np.array(multipliers, np.int64))
    for multiplier, offset, more in zip(multipliers, offsets.tolist(), excess.tolist(), strict=True):
        assert offset * 2 * multiplier == (1 << 31) + (more << 32)
        assert 1 << 30 <= offset < (1 << 30) + (1 << 31)
