from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from int8rt.errors import SpecError
from int8rt.model import ActivationFunctionType as Activation
from int8rt.model import TensorType
from int8rt.quantization.activation_range import calculate_activation_range, calculate_float_activation_range
from tests.quantization.exact import float32, half_away

BOUNDS = {
    Activation.NONE: (None, None),
    Activation.RELU: (0, None),
    Activation.RELU_N1_TO_1: (-1, 1),
    Activation.RELU6: (0, 6),
    Activation.TANH: (None, None),
    Activation.SIGN_BIT: (None, None),
}
# With 4 and 12, 6 / scale and 1 / scale lie between two codes.
scales = st.sampled_from([4.0, 12.0, 2.0, 0.0235, 6 / 255, 0.1]) | st.floats(2.0**-20, 2.0**6, width=32)


@given(st.sampled_from(list(BOUNDS)), scales, st.integers(-300, 300), st.sampled_from(["INT8", "UINT8", "INT16"]))
def test_bounds(activation: Activation, scale: float, zero_point: int, name: str) -> None:
    scale = float(np.float32(scale))
    type = TensorType[name]
    info = np.iinfo(type.dtype)

    def code(bound: int) -> int:
        return zero_point + half_away(float32(bound / Fraction(scale)))

    low, high = BOUNDS[activation]
    expected = (
        info.min if low is None else max(info.min, code(low)),
        info.max if high is None else min(info.max, code(high)),
    )
    assert calculate_activation_range(activation, scale, zero_point, type) == expected


def test_the_zero_point_is_added_after_rounding() -> None:
    assert calculate_activation_range(Activation.RELU6, 4.0, 1, TensorType.INT8) == (1, 3)
    assert calculate_activation_range(Activation.RELU_N1_TO_1, 2.0, -1, TensorType.INT8) == (-2, 0)


@pytest.mark.parametrize("scale", [0.0, 1e-12, float("nan")])
def test_bounds_beyond_int32_are_refused(scale: float) -> None:
    with pytest.raises(SpecError, match="activation bound"):
        calculate_activation_range(Activation.RELU6, scale, 0, TensorType.INT8)
    assert calculate_activation_range(Activation.NONE, scale, 0, TensorType.INT8) == (-128, 127)


def test_float_bounds() -> None:
    lowest, largest = float(np.finfo(np.float32).min), float(np.finfo(np.float32).max)
    assert calculate_float_activation_range(Activation.NONE) == (lowest, largest)
    assert calculate_float_activation_range(Activation.RELU) == (0, largest)
    assert calculate_float_activation_range(Activation.RELU6) == (0, 6)
    assert calculate_float_activation_range(Activation.RELU_N1_TO_1) == (-1, 1)
