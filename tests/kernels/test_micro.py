"""Profile tflm: numbers that the wheel tflite-micro 0.dev20261023 gave; `test_older_runtimes` runs it itself."""

from __future__ import annotations

import numpy as np
import pytest

from int8rt.errors import UnsupportedError
from int8rt.model import Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import AddOptions, MulOptions, ReducerOptions
from tests.differential.harness import run_int8rt

INT8, INT16, FLOAT32 = TensorType.INT8, TensorType.INT16, TensorType.FLOAT32


def spec(type: TensorType, scale: float, zero_point: int, count: int = 1) -> TensorSpec:
    return TensorSpec(type, (count,), Quantization.per_tensor(scale, zero_point))


@pytest.mark.parametrize(
    ("name", "scale", "zero_point", "code", "micro", "lite"),
    [
        ("TANH", 0.0045547205954790115, 122, -19, -73, None),
        ("LOGISTIC", 0.0034873969852924347, -58, 120, 38, 39),
        ("LOGISTIC", 0.009096896275877953, 2, 34, 18, 19),
    ],
)
def test_fixed_point(name: str, scale: float, zero_point: int, code: int, micro: int, lite: int | None) -> None:
    output = spec(INT8, 1 / 128, 0) if name == "TANH" else spec(INT8, 1 / 256, -128)
    model = single_operator_model(name, [spec(INT8, scale, zero_point)], [output])
    data = [np.array([code], np.int8)]
    found = {profile: int(run_int8rt(model, data, profile)[1][0]) for profile in ("tflm", "tflite-ref@2.19")}
    assert found["tflm"] == micro
    assert found["tflite-ref@2.19"] != micro
    assert lite in (None, found["tflite-ref@2.19"])


def test_the_multiplier_of_mul_is_computed_in_float64() -> None:
    inputs = [spec(INT16, scale, 0) for scale in (0.0039182561449706554, 0.026997024193406105)]
    model = single_operator_model("MUL", inputs, [spec(INT16, 0.003006390295922756, 0)], MulOptions(), 2)
    data = [np.array([code], np.int16) for code in (-182, 2681)]
    assert run_int8rt(model, data, "tflm")[2].tolist() == [-17168]
    assert run_int8rt(model, data, "tflite-ref@2.19")[2].tolist() == [-17169]


def test_relu6_does_not_rescale() -> None:
    model = single_operator_model("RELU6", [spec(INT8, 0.1, 3, 4)], [spec(INT8, 0.2, -7, 4)])
    data = [np.array([-128, 3, 40, 127], np.int8)]
    assert run_int8rt(model, data, "tflm")[1].tolist() == [3, 3, 40, 63]


def test_sum_is_right() -> None:
    axis = TensorSpec.constant(np.array([0], np.int32))
    model = single_operator_model("SUM", [spec(INT8, 0.5, -3, 4), axis], [spec(INT8, 1.0, 7, 0)], ReducerOptions())
    # (-100 + 20 + 5 + 6 + 4 · 3) / 2 = -28.5, by a doubling high multiply alone: ties up, and 7.
    assert run_int8rt(model, [np.array([-100, 20, 5, 6], np.int8)], "tflm")[2].tolist() == -21


def test_add_of_int16_knows_no_powers_of_two() -> None:
    inputs = [spec(INT16, 2.0**-10, 0), spec(INT16, 2.0**-11, 0)]
    model = single_operator_model("ADD", inputs, [spec(INT16, 2.0**-9, 0)], AddOptions(pot_scale_int16=True), 2)
    assert run_int8rt(model, [np.array([code], np.int16) for code in (400, 100)], "tflm")[2].tolist() == [225]


@pytest.mark.parametrize("name", ["UNIDIRECTIONAL_SEQUENCE_LSTM", "TOPK_V2"])
def test_what_is_not_done(name: str) -> None:
    model = single_operator_model(name, [TensorSpec(FLOAT32, (2,))], [TensorSpec(FLOAT32, (2,))])
    with pytest.raises(UnsupportedError, match=name):
        run_int8rt(model, [np.zeros(2, np.float32)], "tflm")
