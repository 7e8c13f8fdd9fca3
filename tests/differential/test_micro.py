"""Profile tflm beside TensorFlow Lite Micro's wheel, on drawn models.

The environment variable INT8RT_TFLM_PYTHON names a Python that has `pip install tflite-micro`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from int8rt.kernels.lstm.tensors import GATES, SINGLE
from int8rt.model import ActivationFunctionType, Model, Quantization, TensorType
from int8rt.schema import TensorSpec, single_operator_model, write_model
from int8rt.schema.options import SoftmaxOptions, UnidirectionalSequenceLSTMOptions
from int8rt.verify.runtimes.base import Runtime
from int8rt.verify.runtimes.choose import open_runtime
from tests.differential.cases import random_data
from tests.differential.harness import Array, run_int8rt

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("INT8RT_TFLM_PYTHON" not in os.environ, reason="INT8RT_TFLM_PYTHON names no Python"),
]

INT8, INT16, FLOAT32 = TensorType.INT8, TensorType.INT16, TensorType.FLOAT32
_EXAMPLES = int(os.environ.get("INT8RT_EXAMPLES", "100"))


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    opened = open_runtime("tflm", python=os.environ["INT8RT_TFLM_PYTHON"], timeout=60)
    yield opened
    opened.close()


def q(scale: float, zero_point: int = 0) -> Quantization:
    return Quantization.per_tensor(scale, zero_point)


def lstm(type: TensorType, seed: int) -> tuple[Model, list[Array]]:
    """A cell with sums of about 16 bits, so that gates are between their ends."""
    rng = np.random.default_rng(seed)
    time, batch, n_input, n_cell = (int(rng.integers(1, limit)) for limit in (6, 4, 40, 24))
    time_major = bool(rng.random() < 0.5)
    floating = type == FLOAT32
    input_scale, state_scale = (
        (1 / 32768, 1 / 32768) if type == INT16 else (rng.choice([0.5, 0.0039]), rng.choice([1 / 128, 0.0078, 1 / 64]))
    )
    cell_scale = rng.choice([2.0**-15, 2.0**-13, 2.0**-12, 2.0**-11, 2.0**-9, 2.0**-4, 2.0 * 0.7, 0.0003])
    input_zero_point, state_zero_point = (int(rng.choice([0, -128, 127, 5])) for _ in range(2))
    if type == INT16 and rng.random() < 0.7:
        input_zero_point = state_zero_point = 0
    specs: list[TensorSpec | None] = [None] * 24
    for gate in GATES:
        for index, terms, factor in (
            (SINGLE.input_weights[gate], n_input, input_scale),
            (SINGLE.recurrent_weights[gate], n_cell, state_scale),
        ):
            codes = rng.integers(-127, 128, (n_cell, terms)).astype(np.int8)
            real = 2.0 ** rng.uniform(-8, 1) / (74 * (74 if type == INT8 else 18918) * np.sqrt(terms)) * 8 / factor
            weights = TensorSpec.constant(codes, q(real))
            specs[index] = TensorSpec.constant(codes.astype(np.float32) * np.float32(0.01)) if floating else weights
        bias = rng.integers(-20000, 20000, n_cell)
        kind = np.float32 if floating else np.int64 if type == INT16 else np.int32
        specs[SINGLE.bias[gate]] = TensorSpec.constant((bias / 8192 if floating else bias).astype(kind), q(1e-4))
    shape = (time, batch, n_input) if time_major else (batch, time, n_input)
    specs[0] = input = TensorSpec(type, shape, None if floating else q(input_scale, input_zero_point))
    state = None if floating else q(state_scale, state_zero_point)
    specs[18] = TensorSpec(type, (batch, n_cell), state, is_variable=True)
    cell_type = FLOAT32 if floating else INT16
    specs[19] = TensorSpec(cell_type, (batch, n_cell), None if floating else q(cell_scale), is_variable=True)
    activation = ActivationFunctionType.NONE if rng.random() < 0.1 else ActivationFunctionType.TANH
    clip = float(rng.choice([0, 0, 10, 0.5, 1e-6, -1]))
    model = single_operator_model(
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        specs,
        [TensorSpec(type, (*shape[:2], n_cell), state)],
        UnidirectionalSequenceLSTMOptions(activation, clip, 0.0, time_major),
    )
    # Real numbers are plain ones: of NaN only the sign would differ, and nobody looks at it.
    return model, [rng.normal(0, 3, shape).astype(np.float32) if floating else random_data(rng, input)]


def function(name: str, type: TensorType, seed: int) -> tuple[Model, list[Array]]:
    """An operator on codes, element by element."""
    rng = np.random.default_rng(seed)
    zero_points = (int(rng.integers(-128, 128)) for _ in range(3)) if type == INT8 else iter((0, 0, 0))
    step = 1 if type == INT8 else 2.0**-8
    scales = [2.0 ** rng.uniform(-8, 0) * step for _ in range(3)]
    specs = [TensorSpec(type, (50,), q(scale, zero)) for scale, zero in zip(scales, zero_points, strict=True)]
    count = 1 if name == "RSQRT" else 2
    model = single_operator_model(name, specs[:count], [specs[2]], version=2)
    inputs = [random_data(rng, spec) for spec in specs[:count]]
    if name == "RSQRT":
        quantization = specs[0].quantization
        assert quantization is not None
        inputs = [np.maximum(inputs[0], quantization.zero_point.astype(type.dtype))]
    return model, inputs


@pytest.mark.parametrize("type", [INT8, INT16])
@pytest.mark.parametrize("name", ["RSQRT", "SQUARED_DIFFERENCE"])
def test_functions(runtime: Runtime, name: str, type: TensorType) -> None:
    assert_equal(runtime, lambda seed: function(name, type, seed))


def softmax(type: TensorType, seed: int) -> tuple[Model, list[Array]]:
    """Rows of up to 300 codes."""
    rng = np.random.default_rng(seed)
    scale = 2.0 ** rng.uniform(-14, -6) if type == INT16 else 2.0 ** rng.uniform(-8, 0)
    shape = (3, int(rng.integers(1, 300)))
    input = TensorSpec(type, shape, q(scale, 0 if type == INT16 else 3))
    output = TensorSpec(type, shape, q(1 / 32768) if type == INT16 else q(1 / 256, -128))
    options = SoftmaxOptions(float(rng.choice([1, 0.1, 0.7])))
    return single_operator_model("SOFTMAX", [input], [output], options), [random_data(rng, input)]


@pytest.mark.parametrize("type", [INT8, INT16])
def test_softmax(runtime: Runtime, type: TensorType) -> None:
    assert_equal(runtime, lambda seed: softmax(type, seed))


@pytest.mark.parametrize("type", [INT8, INT16, FLOAT32])
def test_lstm(runtime: Runtime, type: TensorType) -> None:
    assert_equal(runtime, lambda seed: lstm(type, seed))


def assert_equal(runtime: Runtime, draw: Callable[[int], tuple[Model, list[Array]]]) -> None:
    """The wheel runs every model that is drawn, and gives the same bits."""
    results: Counter[str] = Counter()
    for seed in range(_EXAMPLES):
        model, inputs = draw(seed)
        runtime.prepare(model, write_model(model))
        (answer,) = runtime.run(inputs).outputs
        found = run_int8rt(model, inputs, "tflm")[model.subgraphs[0].outputs[0]]
        assert answer is not None
        same = np.array_equal(found, answer)
        results["equal" if same else "differ"] += 1
        if not same:
            print(f"seed {seed}: {model.subgraphs[0].operators[0].options}")
    print(dict(results))
    assert results == {"equal": _EXAMPLES}
