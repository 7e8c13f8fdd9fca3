"""Models large enough for their steps to be shared by threads, and what else the tests of the compiled backend need."""

from __future__ import annotations

import numpy as np

from int8rt.model import Model, Padding, Quantization, TensorType
from int8rt.schema import ModelBuilder
from int8rt.schema.options import AddOptions, Conv2DOptions, DepthwiseConv2DOptions, ReshapeOptions, SoftmaxOptions

Q = Quantization.per_tensor


def convolutions(type: TensorType = TensorType.INT8, size: int = 40, channels: int = 32) -> Model:
    """CONV_2D, DEPTHWISE_CONV_2D, CONV_2D and an ADD over all of them, then a SOFTMAX."""
    generator = np.random.default_rng(0)
    dtype, zero = type.dtype, 0 if type is TensorType.INT8 else 128
    shape = (1, size, size, channels)
    builder = ModelBuilder().input("x", type, (1, size, size, 3), Q(0.5, zero))

    def filter(name: str, *dimensions: int, bias: int) -> None:
        low, high = (-127, 128) if type is TensorType.INT8 else (0, 256)
        values = generator.integers(low, high, dimensions).astype(dtype)
        builder.constant(name, values, Q(0.01, zero)).constant(f"{name}_bias", np.zeros(bias, np.int32), Q(0.005, 0))

    filter("w1", channels, 3, 3, 3, bias=channels)
    filter("w2", 1, 3, 3, channels, bias=channels)
    filter("w3", channels, 1, 1, channels, bias=channels)
    for name in ("a", "b", "c", "d"):
        builder.tensor(name, type, shape, Q(0.5, zero))
    same = Conv2DOptions(padding=Padding.SAME, stride_w=1, stride_h=1)
    depthwise = DepthwiseConv2DOptions(padding=Padding.SAME, stride_w=1, stride_h=1, depth_multiplier=1)
    builder.operator("CONV_2D", ["x", "w1", "w1_bias"], ["a"], same, version=3)
    builder.operator("DEPTHWISE_CONV_2D", ["a", "w2", "w2_bias"], ["b"], depthwise, version=3)
    builder.operator("CONV_2D", ["b", "w3", "w3_bias"], ["c"], same, version=3)
    builder.operator("ADD", ["a", "c"], ["d"], AddOptions(), version=2)
    builder.output("s", type, shape, Q(1 / 256, zero - 128))
    return builder.operator("SOFTMAX", ["d"], ["s"], SoftmaxOptions(beta=1.0), version=2).output("a").build()


def computed_shape() -> Model:
    """ABS, then a RESHAPE to a shape that is an input, then RELU and ABS on what comes of it."""
    builder = ModelBuilder().input("x", TensorType.INT8, (2, 6), Q(0.5)).input("shape", TensorType.INT32, (2,))
    builder.tensor("a", TensorType.INT8, (2, 6), Q(0.5)).tensor("b", TensorType.INT8, (), Q(0.5))
    builder.output("y", TensorType.INT8, (), Q(0.5)).output("a")
    builder.operator("ABS", ["x"], ["a"]).operator("RESHAPE", ["a", "shape"], ["b"], ReshapeOptions())
    return builder.operator("RELU", ["b"], ["y"], version=2).build()
