"""Profile tosa: AVERAGE_POOL_2D by hand, and beside the TOSA reference model where there is one.

The environment variable INT8RT_TOSA_PYTHON names a Python that has `pip install tosa-tools tosa-converter-for-tflite`.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from int8rt.errors import UnsupportedError
from int8rt.model import Model, Padding, Quantization, TensorType
from int8rt.quantization.tosa import divide_by_count, reciprocal_scale
from int8rt.schema import write_model
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import Pool2DOptions, ReducerOptions
from int8rt.verify.runtimes.base import Fault
from int8rt.verify.runtimes.choose import open_runtime
from tests.differential.harness import run_int8rt

INT8, UINT8, INT16 = TensorType.INT8, TensorType.UINT8, TensorType.INT16


def pool(type: TensorType, shape: tuple[int, ...], window: tuple[int, int], padding: Padding, stride: int) -> Model:
    height, width = window
    options = Pool2DOptions(padding, stride_w=stride, stride_h=stride, filter_width=width, filter_height=height)
    sizes = [
        -(-size // stride) if padding == Padding.SAME else (size - kernel) // stride + 1
        for size, kernel in zip(shape[1:3], window, strict=True)
    ]
    quantization = Quantization.per_tensor(0.1, 0 if type == INT16 else 3)
    output = TensorSpec(type, (shape[0], *sizes, shape[3]), quantization)
    return single_operator_model("AVERAGE_POOL_2D", [TensorSpec(type, shape, quantization)], [output], options, 2)


def test_ties_of_uint8_go_away_from_128() -> None:
    data = np.array([[127, 128], [128, 129], [5, 6]], np.uint8).reshape(3, 1, 2, 1)
    model = pool(UINT8, data.shape, (1, 2), Padding.VALID, 1)
    assert run_int8rt(model, [data], "tosa")[1].reshape(-1).tolist() == [127, 129, 5]
    assert run_int8rt(model, [data])[1].reshape(-1).tolist() == [128, 129, 6]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 49, 64, 65, 1000])
def test_the_reciprocal(count: int) -> None:
    multiplier, shift = (int(value) for value in reciprocal_scale(count))
    assert 1 << 30 <= multiplier < 1 << 31
    assert 0 <= multiplier * count - (1 << shift) <= 2 * count
    totals = np.arange(-128 * count, 127 * count + 1, max(1, count // 7))
    halves = 2 * np.abs(totals) + count
    assert np.array_equal(divide_by_count(totals, count), np.sign(totals) * (halves // (2 * count)))


def test_what_was_not_measured_equal_is_refused() -> None:
    spec = TensorSpec(INT8, (4,), Quantization.per_tensor(0.1, 0))
    axis = TensorSpec.constant(np.array([0], np.int32))
    model = single_operator_model("SUM", [spec, axis], [spec], ReducerOptions())
    with pytest.raises(UnsupportedError, match=r"SUM.*in profile tosa is not done"):
        run_int8rt(model, [np.zeros(4, np.int8)], "tosa")


@pytest.mark.slow
@pytest.mark.skipif("INT8RT_TOSA_PYTHON" not in os.environ, reason="INT8RT_TOSA_PYTHON names no Python")
@pytest.mark.parametrize("type", [INT8, UINT8, INT16])
def test_average_pool_beside_the_reference_model(type: TensorType) -> None:
    runtime, rng = open_runtime("tosa", python=os.environ["INT8RT_TOSA_PYTHON"], timeout=60), np.random.default_rng(3)
    info, compared = np.iinfo(type.dtype), 0
    try:
        for _ in range(8):
            height, width = (int(size) for size in rng.integers(2, 12, 2))
            window = int(rng.integers(1, height + 1)), int(rng.integers(1, width + 1))
            padding, stride = Padding(int(rng.integers(0, 2))), int(rng.integers(1, 3))
            model = pool(type, (1, height, width, 4), window, padding, stride)
            data = rng.integers(info.min, info.max, (1, height, width, 4), type.dtype, endpoint=True)
            try:
                runtime.prepare(model, write_model(model))
            except Fault:  # windows that do not fit the image are not converted
                continue
            (answer,) = runtime.run([data]).outputs
            np.testing.assert_array_equal(run_int8rt(model, [data], "tosa")[1], answer)
            compared += 1
    finally:
        runtime.close()
    assert compared >= 3
