from __future__ import annotations

import numpy as np
import pytest

from int8rt.quantization.fake_quant import fake_quantize, nudge_quantization_range


@pytest.mark.parametrize(("minimum", "maximum"), [(-1.0, 2.0), (0.0, 6.0), (-3.3, 0.0), (-0.1, 12.7)])
@pytest.mark.parametrize("num_bits", [1, 4, 8, 16])
def test_zero_is_a_value_and_the_ends_are_near(minimum: float, maximum: float, num_bits: int) -> None:
    low, high, scale = nudge_quantization_range(minimum, maximum, num_bits)
    assert scale == np.float32(np.float32(maximum) - np.float32(minimum)) / np.float32(2**num_bits - 1)
    assert max(abs(low - minimum), abs(high - maximum)) <= scale * 0.500001
    steps = -low / scale
    assert abs(steps - round(steps)) < 1e-3


def test_every_value_is_kept_and_others_go_to_the_nearest() -> None:
    x = np.array([-5.0, -1.0, -0.51, -0.49, 0.0, 0.49, 0.51, 2.0, 9.0, np.nan], np.float32)
    found = fake_quantize(x, *nudge_quantization_range(-1.0, 2.0, 2))
    assert found.tolist() == [-1.0, -1.0, -1.0, 0.0, 0.0, 0.0, 1.0, 2.0, 2.0, -1.0]
