"""What quantizing takes: little more than the models themselves."""

from __future__ import annotations

import tracemalloc

import numpy as np

from int8rt.model import Model
from int8rt.ptq import Recipe, calibrate, quantize
from int8rt.quantization.from_ranges import quantize_weights, quantize_weights_in_float64, squared_error, weight_scales
from int8rt.schema import options as o
from int8rt.schema import read_model, write_model
from int8rt.schema.builder import ModelBuilder
from tests.ptq.networks import FLOAT


def one_large_matrix() -> Model:
    """FULLY_CONNECTED of 1024 x 1024 weights: all of the model is one tensor."""
    weights = np.random.default_rng(0).normal(0, 1, (1024, 1024)).astype(np.float32)
    builder = ModelBuilder().input("x", FLOAT, (1, 1024)).constant("w", weights).output("y", FLOAT, (1, 1024))
    return builder.operator("FULLY_CONNECTED", ["x", "w"], ["y"], o.FullyConnectedOptions()).build()


def test_quantizing_one_large_matrix() -> None:
    content = write_model(one_large_matrix())
    model = calibrate(read_model(content), [np.ones((1, 1024), np.float32)], backend="numpy")
    for recipe in (Recipe(), Recipe("dynamic"), Recipe("int16x8")):
        tracemalloc.start()
        quantize(model, recipe)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        # The codes, as an array and as bytes, in the writer and in the file, are a quarter of the weights each.
        assert peak < 1.3 * len(content)


def test_writing_takes_the_file_twice() -> None:
    model = one_large_matrix()
    tracemalloc.start()
    size = len(write_model(model))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2.1 * size


def test_blocks_make_no_difference() -> None:
    weights = np.random.default_rng(0).normal(0, 1, (3, 70_000)).astype(np.float32)
    weights[1, :5] = [0, -0.0, 1e-30, 50, -50]
    for axis in (None, 0, 1):
        scales = weight_scales(weights, axis)
        others = None if axis is None else (1 - axis,)
        expected = np.abs(weights).max(axis=others).astype(np.float64).reshape(-1)
        np.testing.assert_allclose(scales, expected / 127, rtol=2e-7)
        steps = (expected if axis is None else np.expand_dims(expected, 1 - axis)) / 127
        for codes in (quantize_weights(weights, scales, axis), quantize_weights_in_float64(weights, axis)):
            assert np.abs(codes * steps - weights).max() <= 0.5001 * steps.max()
            assert np.abs(codes.astype(int)).max() == 127


def test_squared_error() -> None:
    """Of 0.5 and 3 steps beyond the end; steps of 1/255 over [-1, 0] have 0 among them."""
    values, counts = np.array([-1.0, -0.5 / 255, 3.0]), np.array([2.0, 4.0, 1.0])
    assert np.isclose(squared_error(values, counts, -1.0, 0.0), 4 * (0.5 / 255) ** 2 + 9)
