"""Compiled moves of bytes: shapes on both sides of every width that their kernels work with."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from int8rt.memory import MemoryLimits
from int8rt.model import Model, Quantization, TensorType
from int8rt.quantization.profiles import TFLITE_REF
from int8rt.schema import ModelBuilder
from int8rt.schema.options import PadOptions, TransposeOptions
from tests.jit.guarded import GuardedExecutor

Q = Quantization.per_tensor(0.5)


def run(model: Model, x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    executor = GuardedExecutor(model, 0, TFLITE_REF, MemoryLimits(), threads=2)
    executor.allocate()
    executor.set(model.subgraphs[0].inputs[0], x)
    executor.invoke()
    assert executor.step_backends() == ["jit"]
    return executor.get(model.subgraphs[0].outputs[0])


def codes(shape: tuple[int, ...]) -> npt.NDArray[np.int8]:
    return np.random.default_rng(0).integers(-128, 128, shape).astype(np.int8)


@pytest.mark.parametrize("depth", [1, 2, 3, 5, 8, 11, 16, 33])
@pytest.mark.parametrize("columns", [1, 7, 16, 17, 50])
@pytest.mark.parametrize("batches", [1, 2])
def test_transpose(depth: int, columns: int, batches: int) -> None:
    shape, perm = (batches, depth, columns), np.array([0, 2, 1], np.int32)
    builder = ModelBuilder().input("x", TensorType.INT8, shape, Q).constant("perm", perm)
    builder.output("y", TensorType.INT8, (batches, columns, depth), Q)
    x = codes(shape)
    y = run(builder.operator("TRANSPOSE", ["x", "perm"], ["y"], TransposeOptions(), version=2).build(), x)
    np.testing.assert_array_equal(y, x.transpose(0, 2, 1))


@pytest.mark.parametrize("columns", [1, 6, 40, 250, 260])
@pytest.mark.parametrize("outer", [(0, 0), (2, 1)])
@pytest.mark.parametrize("sides", [(0, 0), (1, 0), (0, 3), (9, 70)])
def test_pad(columns: int, outer: tuple[int, int], sides: tuple[int, int]) -> None:
    shape, padding = (2, 3, 4, columns), np.array([(0, 1), outer, (1, 0), sides], np.int32)
    x = codes(shape)
    expected = np.pad(x, padding)
    builder = ModelBuilder().input("x", TensorType.INT8, shape, Q).constant("padding", padding)
    builder.output("y", TensorType.INT8, expected.shape, Q)
    y = run(builder.operator("PAD", ["x", "padding"], ["y"], PadOptions(), version=2).build(), x)
    np.testing.assert_array_equal(y, expected)
