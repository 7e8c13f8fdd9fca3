"""Profile tflite-ref@2.19 where it is plainer than 2.3.0's: numbers that ai-edge-litert 1.2.0 gave."""

from __future__ import annotations

import numpy as np
import pytest

from int8rt.kernels.jit.isa.levels import Level, available_levels
from int8rt.model import Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import LeakyReluOptions
from tests.differential.harness import run_int8rt


def test_a_negative_alpha_in_older_releases() -> None:
    """-5 times -0.5 is a tie: 2.3.0 rounds 2.5 down, for it rounds -2.5 up; 2.19 rounds it away from 0."""
    spec = TensorSpec(TensorType.INT16, (2,), Quantization.per_tensor(0.5))
    data = np.array([-5, -6], np.int16)
    model = single_operator_model("LEAKY_RELU", [spec], [spec], LeakyReluOptions(-0.5), 2)
    assert run_int8rt(model, [data])[1].tolist() == [2, 3]
    assert run_int8rt(model, [data], "tflite-ref@2.19")[1].tolist() == [3, 3]


@pytest.mark.parametrize("level", [None, *available_levels()])
def test_relu6_of_nan_in_older_releases(level: Level | None) -> None:
    spec = TensorSpec(TensorType.FLOAT32, (5,))
    data = np.array([np.nan, -0.0, 7, 2, -np.inf], np.float32)
    found = run_int8rt(single_operator_model("RELU6", [spec], [spec]), [data], "tflite-ref@2.19", level)[1]
    assert found.tolist() == [0, 0, 6, 2, 0]
    assert not np.any(np.signbit(found))


def test_int16_codes_are_equal_as_they_are_in_older_releases() -> None:
    inputs = [TensorSpec(TensorType.INT16, (2,), Quantization.per_tensor(scale)) for scale in (0.5, 0.25)]
    data = [np.array([4, 4], np.int16), np.array([8, 4], np.int16)]
    model = single_operator_model("EQUAL", inputs, [TensorSpec(TensorType.BOOL, (2,))])
    assert run_int8rt(model, data)[2].tolist() == [True, False]
    assert run_int8rt(model, data, "tflite-ref@2.19")[2].tolist() == [False, True]
