"""Compiles kernels before they are needed: those of given models, or those of the layers that most models have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from int8rt.kernels.jit import run, team
from int8rt.kernels.jit.executor import JitExecutor
from int8rt.memory import MemoryLimits
from int8rt.model import ActivationFunctionType, Model, Padding, Quantization, TensorType
from int8rt.quantization.profiles import TFLITE_REF
from int8rt.schema import ModelBuilder
from int8rt.schema.options import (
    AddOptions,
    Conv2DOptions,
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
    Pool2DOptions,
    ReducerOptions,
    SoftmaxOptions,
)

_INT8 = TensorType.INT8
_Q = Quantization.per_tensor


def warm(model: Model) -> None:
    """Compile the kernels that all subgraphs of a model need, and the loops that run them."""
    for index in range(len(model.subgraphs)):
        JitExecutor(model, index, TFLITE_REF, MemoryLimits()).allocate()
    for loop in (run.alone, team.lead, team.follow, team.dismiss):
        run.entry(loop)


def common_models() -> Iterator[Model]:
    """Small models with the layers of usual int8 convolutional networks, and uint8 ones in the older style."""
    yield _network(_INT8, ActivationFunctionType.RELU6)
    yield _network(_INT8, ActivationFunctionType.NONE)
    yield _network(TensorType.UINT8, ActivationFunctionType.RELU6)


class _Chain:
    """Builds layer upon layer; quantized so that activations clamp at zero points, weights per channel for int8."""

    def __init__(self, type: TensorType, activation: ActivationFunctionType) -> None:
        self._type = type
        self._activation = activation
        self._zero = -128 if type is _INT8 else 0
        self._count = 0
        self.last = "input"
        self.builder = ModelBuilder().input("input", type, (1, 16, 16, 3), _Q(1 / 128, self._zero + 128))

    def layer(self, name: str, shape: tuple[int, ...], more: tuple[str, ...], options: Any, version: int = 1) -> str:
        output, self._count = f"layer{self._count}", self._count + 1
        scale = 1 / 256 if name == "SOFTMAX" else 6 / 255
        self.builder.tensor(output, self._type, shape, _Q(scale, self._zero))
        self.builder.operator(name, [self.last, *more], [output], options, version=version)
        self.last = output
        return output

    def weights(self, shape: tuple[int, ...], axis: int) -> tuple[str, str]:
        """Names of weights with their channels along `axis`, and of a bias."""
        generator, channels = np.random.default_rng(self._count), shape[axis]
        values = generator.integers(self._zero + 1, self._zero + 256, shape).astype(self._type.dtype)
        if self._type is _INT8 and len(shape) == 4:
            scales, zeros = np.full(channels, 1 / 512, np.float32), np.zeros(channels, np.int64)
            quantization = Quantization.per_axis(scales, zeros, axis)
        else:
            quantization = _Q(1 / 512, 0 if self._type is _INT8 else 128)
        weights, bias = f"weights{self._count}", f"bias{self._count}"
        self.builder.constant(weights, values, quantization)
        self.builder.constant(bias, np.zeros(channels, np.int32))
        return weights, bias

    def convolution(self, channels: int, kernel: int, depth: int, size: int) -> str:
        options = Conv2DOptions(Padding.SAME, 1, 1, self._activation)
        weights = self.weights((channels, kernel, kernel, depth), 0)
        return self.layer("CONV_2D", (1, size, size, channels), weights, options, 3)

    def depthwise(self, channels: int, kernel: int, stride: int, size: int) -> str:
        options = DepthwiseConv2DOptions(Padding.SAME, stride, stride, 1, self._activation)
        weights = self.weights((1, kernel, kernel, channels), 3)
        return self.layer("DEPTHWISE_CONV_2D", (1, size, size, channels), weights, options, 3)


def _network(type: TensorType, activation: ActivationFunctionType) -> Model:
    chain = _Chain(type, activation)
    chain.convolution(16, 3, 3, 16)
    chain.depthwise(16, 3, 1, 16)
    chain.convolution(64, 1, 16, 16)
    chain.depthwise(64, 3, 2, 8)
    chain.depthwise(64, 5, 1, 8)
    before = chain.convolution(80, 3, 64, 8)
    chain.convolution(80, 1, 80, 8)
    chain.layer("ADD", (1, 8, 8, 80), (before,), AddOptions(), 2)
    chain.layer("MAX_POOL_2D", (1, 4, 4, 80), (), Pool2DOptions(Padding.VALID, 2, 2, 2, 2), 2)
    chain.layer("AVERAGE_POOL_2D", (1, 2, 2, 80), (), Pool2DOptions(Padding.VALID, 2, 2, 2, 2), 2)
    chain.builder.constant("axes", np.array([1, 2], np.int32))
    chain.layer("MEAN", (1, 80), ("axes",), ReducerOptions(), 2)
    chain.layer("FULLY_CONNECTED", (1, 100), chain.weights((100, 80), 0), FullyConnectedOptions(), 4)
    chain.layer("SOFTMAX", (1, 100), (), SoftmaxOptions(1.0), 2)
    return chain.builder.output(chain.last).build()
