"""Models of one operator for the tile registers of AMX: shapes on both sides of 16 rows, 16 channels and 64 bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from int8rt.model import ActivationFunctionType, Model, Padding, Quantization, TensorType
from int8rt.schema import ModelBuilder
from int8rt.schema.options import Conv2DOptions, FullyConnectedOptions, TransposeConvOptions

Q = Quantization.per_tensor
INT8, UINT8 = TensorType.INT8, TensorType.UINT8


def convolution(
    shape: tuple[int, ...],
    filter: tuple[int, ...],
    stride: int = 1,
    padding: Padding = Padding.SAME,
    dilation: int = 1,
    relu: bool = False,
    type: TensorType = INT8,
) -> Model:
    """CONV_2D. shape: NHWC; filter: OHWI, in groups where it has fewer channels than the input.

    uint8 weights have a zero point that takes them beyond int8.
    """
    generator = np.random.default_rng([*shape, *filter])
    low, high, zero = (-127, 128, -3) if type is INT8 else (0, 256, 11)
    outputs = filter[0]
    weights = generator.integers(low, high, filter).astype(type.dtype)
    bias = generator.integers(-2000, 2000, outputs).astype(np.int32)
    builder = ModelBuilder().input("x", type, shape, Q(0.5, zero))
    if type is INT8:
        scales, zeros = generator.uniform(0.001, 0.02, outputs).astype(np.float32), np.zeros(outputs, np.int64)
        builder.constant("w", weights, Quantization.per_axis(scales, zeros, 0))
        builder.constant("b", bias, Quantization.per_axis(scales / 2, zeros, 0))
    else:
        builder.constant("w", weights, Q(0.01, 40)).constant("b", bias, Q(0.005))
    builder.output("y", type, (), Q(2.0, 5))
    options = Conv2DOptions(
        padding=padding,
        stride_w=stride,
        stride_h=stride,
        dilation_w_factor=dilation,
        dilation_h_factor=dilation,
        fused_activation_function=ActivationFunctionType.RELU if relu else ActivationFunctionType.NONE,
    )
    return builder.operator("CONV_2D", ["x", "w", "b"], ["y"], options, version=3).build()


def fully_connected(rows: int, depth: int, outputs: int) -> Model:
    """FULLY_CONNECTED of a batch."""
    generator = np.random.default_rng([rows, depth, outputs])
    builder = ModelBuilder().input("x", INT8, (rows, depth), Q(0.5, 7))
    builder.constant("w", generator.integers(-127, 128, (outputs, depth)).astype(np.int8), Q(0.01))
    builder.constant("b", generator.integers(-2000, 2000, outputs).astype(np.int32), Q(0.005))
    builder.output("y", INT8, (rows, outputs), Q(2.0, 5))
    return builder.operator("FULLY_CONNECTED", ["x", "w", "b"], ["y"], FullyConnectedOptions(), version=4).build()


def transposed(size: int, channels: int, outputs: int) -> Model:
    """TRANSPOSE_CONV with a 3 x 3 filter and steps of 2."""
    generator = np.random.default_rng([size, channels, outputs])
    shape = np.array([1, 2 * size, 2 * size, outputs], np.int32)
    builder = ModelBuilder().input("x", INT8, (1, size, size, channels), Q(0.5, 7))
    builder.constant("shape", shape)
    builder.constant("w", generator.integers(-127, 128, (outputs, 3, 3, channels)).astype(np.int8), Q(0.01))
    builder.output("y", INT8, tuple(int(n) for n in shape), Q(2.0, 5))
    options = TransposeConvOptions(padding=Padding.SAME, stride_w=2, stride_h=2)
    return builder.operator("TRANSPOSE_CONV", ["shape", "w", "x"], ["y"], options, version=1).build()


# 112 channels are a panel of four vectors, one of two and a single one.
MODELS: Mapping[str, Callable[[], Model]] = {
    "1x1, 49 rows of 80 bytes": partial(convolution, (1, 7, 7, 80), (112, 1, 1, 80)),
    "1x1, 16 rows of 64 bytes": partial(convolution, (1, 4, 4, 64), (16, 1, 1, 64), relu=True),
    "1x1, 17 rows of 1 byte": partial(convolution, (1, 1, 17, 1), (33, 1, 1, 1)),
    "1x1, two images": partial(convolution, (2, 5, 5, 130), (48, 1, 1, 130)),
    "3x3": partial(convolution, (1, 9, 20, 20), (112, 3, 3, 20)),
    "3x3, narrow": partial(convolution, (1, 30, 3, 5), (20, 3, 3, 5), relu=True),
    "3x3, steps of 2": partial(convolution, (1, 33, 33, 3), (32, 3, 3, 3), stride=2),
    "3x3, no border": partial(convolution, (1, 8, 24, 16), (48, 3, 3, 16), padding=Padding.VALID),
    "3x3, dilated": partial(convolution, (1, 10, 10, 24), (40, 3, 3, 24), dilation=2),
    "5x5, many channels": partial(convolution, (1, 6, 6, 70), (80, 5, 5, 70), relu=True),
    "uint8, 1x1": partial(convolution, (1, 7, 7, 80), (112, 1, 1, 80), type=UINT8),
    "uint8, 3x3": partial(convolution, (1, 9, 9, 20), (40, 3, 3, 20), type=UINT8),
    "in groups": partial(convolution, (1, 9, 9, 24), (48, 3, 3, 12)),
    "FULLY_CONNECTED, 50 rows": partial(fully_connected, 50, 100, 70),
    "FULLY_CONNECTED, 3 rows": partial(fully_connected, 3, 100, 70),
    "TRANSPOSE_CONV": partial(transposed, 20, 20, 24),
}
