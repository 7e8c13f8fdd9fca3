"""Variables over many runs, and variables that an operator gives their first value."""

from __future__ import annotations

import numpy as np
import pytest

from int8rt import Interpreter
from int8rt.errors import UnsupportedError
from int8rt.model import ActivationFunctionType, Model, Quantization, TensorType
from int8rt.schema.builder import ModelBuilder, TensorSpec
from int8rt.schema.options import RNNOptions, SVDFOptions
from tests.differential.stateful import assert_same_bits_in_a_row

pytestmark = pytest.mark.litert

FLOAT16, FLOAT32, INT16, INT8 = TensorType.FLOAT16, TensorType.FLOAT32, TensorType.INT16, TensorType.INT8
RELU, TANH = ActivationFunctionType.RELU, ActivationFunctionType.TANH


def q(scale: float, zero_point: int = 0) -> Quantization:
    return Quantization.per_tensor(scale, zero_point)


def keyword_model(rng: np.random.Generator, n_input: int, units: int, rank: int, memory: int) -> Model:
    """SVDF in integers, another one after it, both with states."""
    builder = ModelBuilder().input("input", INT8, (1, n_input), q(0.05, 3))
    source, size = "input", n_input
    for layer in range(2):
        weights = {
            f"feature{layer}": TensorSpec.constant(rng.integers(-127, 128, (units * rank, size), np.int8), q(0.01)),
            f"time{layer}": TensorSpec.constant(rng.integers(-32767, 32768, (units * rank, memory), np.int16), q(3e-5)),
            f"bias{layer}": TensorSpec.constant(rng.integers(-9000, 9000, units, np.int32), q(1e-6)),
            f"state{layer}": TensorSpec(INT16, (1, units * rank * memory), q(0.002), is_variable=True),
        }
        for name, spec in weights.items():
            builder.add(name, spec)
        builder.tensor(f"output{layer}", INT8, (1, units), q(0.2, -128))
        builder.operator("SVDF", [source, *weights], [f"output{layer}"], SVDFOptions(rank, RELU), version=3)
        source, size = f"output{layer}", units
    return builder.output("output1").build()


def test_a_thousand_frames() -> None:
    rng = np.random.default_rng(5)
    model = keyword_model(rng, n_input=40, units=16, rank=2, memory=9)
    frames = [[rng.integers(-128, 128, (1, 40), np.int8)] for _ in range(999)]
    # The last one shows whether a reset brings back the first.
    assert_same_bits_in_a_row(model, [*frames, frames[0]])


def begun_state(value: float) -> Model:
    """A cell whose state is the output of a DEQUANTIZE, as in float16 models."""
    weights = np.linspace(-1, 1, 6).astype(np.float32)
    builder = ModelBuilder().input("input", FLOAT32, (1, 2)).constant("zeros", np.full((1, 2), value, np.float16))
    for name, data in ("weights", weights[:4].reshape(2, 2)), ("recurrent", weights[2:].reshape(2, 2)):
        builder.constant(name, data)
    builder.constant("bias", weights[:2]).add("state", TensorSpec(FLOAT32, (1, 2), is_variable=True))
    builder.operator("DEQUANTIZE", ["zeros"], ["state"]).output("output", FLOAT32, (1, 2))
    cell = ["input", "weights", "recurrent", "bias", "state"]
    return builder.operator("RNN", cell, ["output"], RNNOptions(TANH)).build()


def test_a_state_that_begins_with_zeros_of_float16() -> None:
    data = np.array([[1, -2]], np.float32)
    assert_same_bits_in_a_row(begun_state(0), [[data]] * 3)
    with pytest.raises(UnsupportedError, match=r"DEQUANTIZE.*'state' that begins with other values than 0"):
        Interpreter(model_content=begun_state(0.5)).allocate_tensors()
