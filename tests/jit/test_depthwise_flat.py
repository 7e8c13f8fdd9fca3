"""DEPTHWISE_CONV_2D with so few channels that a tile holds several pixels of a row."""

from __future__ import annotations

import numpy as np
import pytest

from int8rt.kernels.jit.isa.levels import Level, available_levels
from int8rt.model import Padding, Quantization, TensorType
from int8rt.schema import ModelBuilder
from int8rt.schema.options import DepthwiseConv2DOptions
from tests.differential.harness import run_int8rt

# Height, width and rows of the window: rows that fill no tile, one or several, with and without what is left over.
SHAPES = [(7, 9, 3), (3, 48, 3), (9, 20, 4), (5, 6, 3), (6, 7, 4)]


@pytest.mark.parametrize("level", available_levels(), ids=lambda level: level.name)
@pytest.mark.parametrize("channels", [1, 4, 8, 16])
def test_bits(channels: int, level: Level) -> None:
    rng = np.random.default_rng(channels)
    for number, (height, width, rows) in enumerate(SHAPES):
        type, zero, middle = ((TensorType.INT8, 5, 0), (TensorType.UINT8, 130, 120))[number % 2]
        low, high = (-127, 128) if type is TensorType.INT8 else (60, 180)
        shape = (2, height, width, channels)
        builder = ModelBuilder().input("x", type, shape, Quantization.per_tensor(0.05, zero))
        filter = rng.integers(low, high, (1, rows, 3, channels)).astype(type.dtype)
        builder.constant("w", filter, Quantization.per_tensor(0.01, middle))
        builder.constant("b", rng.integers(-500, 500, channels, np.int32), Quantization.per_tensor(0.0005))
        builder.output("y", type, (), Quantization.per_tensor(0.1, zero))
        padding = (Padding.SAME, Padding.VALID)[number // 2 % 2]
        options = DepthwiseConv2DOptions(padding, stride_w=1, stride_h=1, depth_multiplier=1)
        model = builder.operator("DEPTHWISE_CONV_2D", ["x", "w", "b"], ["y"], options, version=3).build()
        x = rng.integers(0, 256, shape, np.uint8).view(type.dtype)
        (output,) = model.subgraphs[0].outputs
        expected = run_int8rt(model, [x])[output]
        for shares in (1, 3):
            np.testing.assert_array_equal(run_int8rt(model, [x], level=level, shares=shares)[output], expected)
