"""Operators on quantized rows and recurrent cells whose sizes need several panels and blocks: every level as NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from int8rt.kernels.jit.executor import JitExecutor
from int8rt.kernels.jit.isa.levels import Level, available_levels
from int8rt.kernels.lstm.tensors import SINGLE
from int8rt.memory import MemoryLimits
from int8rt.model import ActivationFunctionType, Model, Padding, Quantization, Shape, TensorType
from int8rt.quantization.profiles import TFLITE_REF
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import (
    Conv2DOptions,
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
    SVDFOptions,
    UnidirectionalSequenceLSTMOptions,
)
from tests.differential.harness import assert_equal, run_int8rt

FLOAT32, INT16, INT8 = TensorType.FLOAT32, TensorType.INT16, TensorType.INT8
TANH, RELU = ActivationFunctionType.TANH, ActivationFunctionType.RELU
RNG = np.random.default_rng(11)


def weights(*shape: int, axis: int | None = None) -> TensorSpec:
    count = 1 if axis is None else shape[axis]
    scales = Quantization.per_axis(RNG.uniform(1e-3, 1e-2, count), np.zeros(count, np.int64), axis or 0)
    return TensorSpec.constant(RNG.integers(-127, 128, shape, np.int8), scales)


def reals(*shape: int) -> TensorSpec:
    return TensorSpec.constant(RNG.normal(0, 1, shape).astype(np.float32))


def image(*shape: int) -> TensorSpec:
    return TensorSpec(FLOAT32, shape)


def dense(rows: int, depth: int, channels: int, asymmetric: bool) -> Model:
    options = FullyConnectedOptions(TANH if asymmetric else RELU, asymmetric_quantize_inputs=asymmetric)
    inputs = [image(rows, depth), weights(channels, depth, axis=0 if asymmetric else None), reals(channels)]
    return single_operator_model("FULLY_CONNECTED", inputs, [image(rows, channels)], options, 9)


def convolution(shape: Shape, kernel: int, channels: int, stride: int, per_channel: bool) -> Model:
    filter = weights(channels, kernel, kernel, shape[3], axis=0 if per_channel else None)
    options = Conv2DOptions(Padding.SAME, stride, stride, RELU)
    return single_operator_model("CONV_2D", [image(*shape), filter, reals(channels)], [image()], options, 5)


def depthwise(shape: Shape, multiplier: int) -> Model:
    channels = shape[3] * multiplier
    options = DepthwiseConv2DOptions(Padding.SAME, 2, 1, multiplier, RELU)
    inputs = [image(*shape), weights(1, 3, 3, channels, axis=3), reals(channels)]
    return single_operator_model("DEPTHWISE_CONV_2D", inputs, [image()], options, 6)


def svdf(batch: int, depth: int, units: int, rank: int) -> Model:
    memory, filters = 7, units * rank
    inputs = [
        TensorSpec(INT8, (batch, depth), Quantization.per_tensor(0.05, 3)),
        weights(filters, depth),
        TensorSpec.constant(RNG.integers(-32767, 32768, (filters, memory), np.int16), Quantization.per_tensor(3e-5)),
        TensorSpec.constant(RNG.integers(-9000, 9000, units, np.int32), Quantization.per_tensor(1e-6)),
        TensorSpec(INT16, (batch, filters * memory), Quantization.per_tensor(0.002), is_variable=True),
    ]
    output = TensorSpec(INT8, (batch, units), Quantization.per_tensor(0.05, -128))
    return single_operator_model("SVDF", inputs, [output], SVDFOptions(rank, RELU), 3)


def lstm(batch: int, depth: int, cells: int, integer: bool) -> Model:
    time = 5
    specs: list[TensorSpec | None] = [None] * 24
    q = Quantization.per_tensor
    specs[0] = TensorSpec(INT8, (time, batch, depth), q(0.05, 3)) if integer else image(time, batch, depth)
    for gate in range(4):
        specs[SINGLE.input_weights[gate]], specs[SINGLE.recurrent_weights[gate]] = (
            weights(cells, depth),
            weights(cells, cells),
        )
        bias = TensorSpec.constant(RNG.integers(-9000, 9000, cells, np.int32), q(1e-4))
        specs[SINGLE.bias[gate]] = bias if integer else reals(cells)
    types = (INT8, INT16) if integer else (FLOAT32, FLOAT32)
    for index, type, quantization in zip((18, 19), types, (q(1 / 128, 1), q(2.0**-11)), strict=True):
        specs[index] = TensorSpec(type, (batch, cells), quantization if integer else None, is_variable=True)
    output = TensorSpec(types[0], (time, batch, cells), q(1 / 128, 1) if integer else None)
    intermediates = [TensorSpec(INT16, (0,), q(1 / 4096))] * 4 + [TensorSpec(INT8, (0,), q(1 / 128, 2))]
    options = UnidirectionalSequenceLSTMOptions(TANH, time_major=True, asymmetric_quantize_inputs=True)
    name = "UNIDIRECTIONAL_SEQUENCE_LSTM"
    return single_operator_model(name, specs, [output], options, intermediates=intermediates if integer else [])


MODELS: dict[str, Callable[[], Model]] = {
    "dense": lambda: dense(61, 301, 203, asymmetric=True),
    "dense, few rows": lambda: dense(1, 77, 130, asymmetric=False),
    "1x1": lambda: convolution((2, 9, 11, 37), 1, 150, 1, per_channel=True),
    "3x3": lambda: convolution((2, 9, 11, 19), 3, 70, 2, per_channel=False),
    "depthwise": lambda: depthwise((2, 9, 7, 75), 1),
    "depthwise, three filters": lambda: depthwise((1, 9, 7, 11), 3),
    "SVDF": lambda: svdf(3, 101, 70, 2),
    "LSTM, integers": lambda: lstm(7, 33, 47, integer=True),
    "LSTM, hybrid": lambda: lstm(7, 33, 48, integer=False),
}


@pytest.mark.parametrize("level", available_levels(), ids=lambda level: level.name)
@pytest.mark.parametrize("name", MODELS)
def test_large_rows(name: str, level: Level) -> None:
    # Each test has the same numbers, whichever ran before.
    RNG.bit_generator.state = np.random.default_rng(11).bit_generator.state
    model = MODELS[name]()
    executor = JitExecutor(model, 0, TFLITE_REF, MemoryLimits(), level=level)
    executor.allocate()
    assert executor.step_backends() == ["jit"]
    (graph,) = model.subgraphs
    tensor = graph.tensors[graph.inputs[0]]
    data = RNG.normal(0.3, 2, tensor.shape).astype(np.float32)
    if tensor.type == INT8:
        data = RNG.integers(-128, 128, tensor.shape, np.int8)
    expected = run_int8rt(model, [data])
    for shares in (1, 3):
        found = run_int8rt(model, [data], level=level, shares=shares)
        for index in graph.outputs:
            assert_equal(found[index], expected[index], f"{name} in {shares}")
