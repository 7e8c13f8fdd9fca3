"""CONV_2D of shapes on both sides of every tile's height and width, with memory that is watched."""

from __future__ import annotations

import numpy as np
import pytest

from int8rt.executor import SubgraphExecutor
from int8rt.kernels.jit.isa.levels import Level, available_levels
from int8rt.memory import MemoryLimits
from int8rt.model import ActivationFunctionType, Model, Padding, Quantization, TensorType
from int8rt.quantization.profiles import TFLITE_REF
from int8rt.schema import ModelBuilder
from int8rt.schema.options import Conv2DOptions
from tests.jit.guarded import GuardedExecutor

Q = Quantization.per_tensor
# (batches, height, width, channels), (outputs, kernel height, kernel width), stride, dilation of the rows, padding
CASES = [
    ((1, 1, 1, 1), (1, 1, 1), 1, 1, Padding.SAME),
    ((1, 5, 3, 1), (8, 4, 3), 1, 1, Padding.SAME),
    ((2, 7, 7, 3), (17, 3, 3), 1, 1, Padding.SAME),
    ((1, 9, 13, 4), (33, 3, 3), 2, 1, Padding.SAME),
    ((1, 8, 8, 16), (48, 3, 3), 1, 1, Padding.VALID),
    ((3, 6, 4, 5), (64, 2, 4), 1, 1, Padding.VALID),
    ((1, 4, 4, 12), (70, 4, 4), 1, 1, Padding.VALID),
    ((1, 40, 1, 8), (16, 4, 1), 1, 1, Padding.SAME),
    ((1, 1, 29, 6), (10, 1, 5), 1, 1, Padding.SAME),
    ((1, 12, 11, 2), (20, 3, 2), 1, 3, Padding.SAME),
    ((1, 15, 15, 7), (5, 1, 1), 2, 1, Padding.VALID),
    ((1, 60, 50, 20), (3, 3, 3), 1, 1, Padding.SAME),
    ((1, 3, 2, 3), (130, 7, 5), 1, 1, Padding.SAME),
]


def convolution(case: int, relu: bool) -> Model:
    generator = np.random.default_rng(case)
    shape, (outputs, *window), stride, dilation, padding = CASES[case]
    weights = generator.integers(-127, 128, (outputs, *window, shape[3])).astype(np.int8)
    scales, zeros = generator.uniform(0.001, 0.02, outputs).astype(np.float32), np.zeros(outputs, np.int64)
    bias = generator.integers(-2000, 2000, outputs).astype(np.int32)
    builder = ModelBuilder().input("x", TensorType.INT8, shape, Q(0.5, -3))
    builder.constant("w", weights, Quantization.per_axis(scales, zeros, 0))
    builder.constant("b", bias, Quantization.per_axis(scales / 2, zeros, 0))
    options = Conv2DOptions(
        padding=padding,
        stride_w=stride,
        stride_h=stride,
        dilation_h_factor=dilation,
        fused_activation_function=ActivationFunctionType.RELU if relu else ActivationFunctionType.NONE,
    )
    builder.output("y", TensorType.INT8, (), Q(2.0, 5))
    return builder.operator("CONV_2D", ["x", "w", "b"], ["y"], options, version=3).build()


@pytest.mark.parametrize("level", available_levels(emulated=True), ids=lambda level: level.name)
@pytest.mark.parametrize("threads", [1, 3])
def test_bits(level: Level, threads: int) -> None:
    for case, (shape, *_) in enumerate(CASES):
        model = convolution(case, relu=case % 2 == 0)
        x = np.random.default_rng(case).integers(-128, 128, shape).astype(np.int8)
        results = []
        for executor in (
            SubgraphExecutor(model, 0, TFLITE_REF, MemoryLimits(), True),
            GuardedExecutor(model, 0, TFLITE_REF, MemoryLimits(), level=level, threads=threads),
        ):
            executor.allocate()
            executor.set(model.subgraphs[0].inputs[0], x)
            executor.invoke()
            results.append(executor.get(model.subgraphs[0].outputs[0]))
        assert isinstance(executor, GuardedExecutor)
        assert executor.step_backends() == ["jit"]
        np.testing.assert_array_equal(results[1], results[0], err_msg=f"case {case}")
