"""What the profiles compute differently: FULLY_CONNECTED on sums where the roundings differ, and SUM of int16."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from int8rt.errors import ModelError
from int8rt.interpreter import Backend, Interpreter
from int8rt.model import Model, Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import FullyConnectedOptions
from tests.quantization.exact import half_away, high_mul

# The multiplier is 0.3 = 0.6 · 2^-1. A sum of 8 becomes 2.4, or first 4.8, rounded 5, and then 2.5, rounded 3.
INPUT_SCALE, FILTER_SCALE, OUTPUT_SCALE = 0.5, 0.375, 0.625
MULTIPLIER, RIGHT_SHIFT = round(0.6 * 2**31), 1


@pytest.mark.parametrize("backend", ["numpy", "jit"])
@pytest.mark.parametrize("profile", ["tflite-ref", "tflite-ref@2.19", "tflite-opt"])
def test_fully_connected(profile: str, backend: Backend) -> None:
    q = Quantization.per_tensor
    sums = np.arange(-128, 128, dtype=np.int8).reshape(256, 1)
    model = single_operator_model(
        "FULLY_CONNECTED",
        [
            TensorSpec(TensorType.INT8, (256, 1), q(INPUT_SCALE)),
            TensorSpec.constant(np.int8([[1]]), q(FILTER_SCALE)),
            None,
        ],
        [TensorSpec(TensorType.INT8, (256, 1), q(OUTPUT_SCALE))],
        FullyConnectedOptions(),
    )
    interpreter = Interpreter(model_content=model, profile=profile, backend=backend)
    interpreter.allocate_tensors()
    interpreter.set_tensor(0, sums)
    interpreter.invoke()
    found = interpreter.get_tensor(model.subgraphs[0].outputs[0]).ravel().tolist()

    real = Fraction(INPUT_SCALE) * Fraction(FILTER_SCALE) / Fraction(OUTPUT_SCALE)
    once = [half_away(real * code) for code in range(-128, 128)]
    products = [high_mul(code, MULTIPLIER) for code in range(-128, 128)]
    twice = [half_away(product, 2**RIGHT_SHIFT) for product in products]
    up = [(product + 2 ** (RIGHT_SHIFT - 1)) >> RIGHT_SHIFT for product in products]
    assert (once[128 + 8], twice[128 + 8], up[128 + 8]) == (2, 3, 3)
    assert (twice[128 - 8], up[128 - 8]) == (-3, -2)
    assert found == {"tflite-ref": once, "tflite-ref@2.19": twice, "tflite-opt": up}[profile]


def int16_sum(output_scale: float) -> Model:
    q = Quantization.per_tensor
    inputs = [TensorSpec(TensorType.INT16, (2, 3), q(0.5)), TensorSpec.constant(np.int32([1]))]
    return single_operator_model("SUM", inputs, [TensorSpec(TensorType.INT16, (2,), q(output_scale))])


@pytest.mark.parametrize("backend", ["numpy", "jit"])
def test_older_int16_sums(backend: Backend) -> None:
    interpreter = Interpreter(model_content=int16_sum(0.5), profile="tflite-ref@2.19", backend=backend)
    interpreter.allocate_tensors()
    interpreter.set_tensor(0, np.int16([[1, 2, 3], [32767, 1, -5]]))
    interpreter.invoke()
    assert interpreter.get_tensor(2).tolist() == [6, 32763]


def test_older_int16_sums_of_other_scales_are_refused() -> None:
    with pytest.raises(ModelError, match="an int16 sum needs one scale"):
        Interpreter(model_content=int16_sum(0.25), profile="tflite-ref@2.19").allocate_tensors()
