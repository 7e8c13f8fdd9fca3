"""Profile tflite-single-rounding beside the formula of TensorFlow Lite's source in integers of any size.

There is no oracle: no release is built so. What is computed here shares no code with int8rt.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from int8rt.errors import UnsupportedError
from int8rt.model import Model, Padding, Quantization, TensorType
from int8rt.quantization.multiplier import quantize_multiplier
from int8rt.quantization.requantize import multiply_by_quantized_multiplier
from int8rt.quantization.single_rounding import single_rounding
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import (
    AddOptions,
    Conv2DOptions,
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
    LeakyReluOptions,
    ReducerOptions,
    ResizeBilinearOptions,
)
from tests.differential.harness import run_int8rt

PROFILE = "tflite-single-rounding"
INT8, UINT8 = TensorType.INT8, TensorType.UINT8


def multiplier(real: float) -> tuple[int, int]:
    """(m, e) with real = m · 2^(e - 31), m rounded to 31 bits."""
    significand, exponent = math.frexp(real)
    m = math.floor(Fraction(significand) * 2**31 + Fraction(1, 2))
    return (m // 2, exponent + 1) if m == 2**31 else (m, exponent)


def once(x: int, real: float) -> int:
    """x · real with one rounding, ties up."""
    m, e = multiplier(real)
    return math.floor(Fraction(x * m, 2 ** (31 - e)) + Fraction(1, 2))


def held(value: int) -> int:
    return max(-128, min(127, value))


def run(model: Model, *inputs: np.ndarray, profile: str = PROFILE) -> list[int]:
    return run_int8rt(model, list(inputs), profile)[model.subgraphs[0].outputs[0]].reshape(-1).tolist()


def scales(*values: float) -> list[float]:
    return [float(np.float32(value)) for value in values]


@pytest.mark.parametrize(("input_scale", "output_scale"), [(0.5, 0.5), (0.05, 0.3), (0.05, 4.0), (0.05, 0.011)])
def test_conv_and_depthwise_conv(input_scale: float, output_scale: float) -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(-128, 127, (1, 40, 40, 1), np.int8, endpoint=True)
    s_in, s_w, s_out = scales(input_scale, 0.25, output_scale)
    source = TensorSpec(INT8, x.shape, Quantization.per_tensor(s_in, 3))
    weights = TensorSpec.constant(np.full((1, 1, 1, 1), 77, np.int8), Quantization.per_tensor(s_w, 0))
    bias = TensorSpec.constant(np.array([9], np.int32), Quantization.per_tensor(s_in * s_w, 0))
    output = TensorSpec(INT8, (), Quantization.per_tensor(s_out, -7))
    expected = [held(once((int(q) - 3) * 77 + 9, s_in * s_w / s_out) - 7) for q in x.reshape(-1)]
    conv = single_operator_model("CONV_2D", [source, weights, bias], [output], Conv2DOptions(Padding.VALID, 1, 1))
    assert run(conv, x) == expected
    if input_scale == output_scale:  # every second sum is a tie
        assert run(conv, x, profile="tflite-ref") != expected
    options = DepthwiseConv2DOptions(Padding.VALID, stride_w=1, stride_h=1, depth_multiplier=1)
    assert run(single_operator_model("DEPTHWISE_CONV_2D", [source, weights, bias], [output], options), x) == expected


@pytest.mark.parametrize(("first", "second", "sum_scale"), [(0.5, 0.25, 0.75), (0.1, 0.2, 0.3), (1.0, 0.0625, 0.9)])
def test_add(first: float, second: float, sum_scale: float) -> None:
    a, b = (np.ascontiguousarray(v.reshape(-1)).astype(np.int8) for v in np.mgrid[-128:128:3, -128:128:3])
    s1, s2, so = scales(first, second, sum_scale)
    twice = 2 * max(s1, s2)
    specs = [TensorSpec(INT8, a.shape, Quantization.per_tensor(s, 5)) for s in (s1, s2)]
    output = TensorSpec(INT8, a.shape, Quantization.per_tensor(so, -3))
    expected = [
        held(
            once(once((p - 5) << 20, s1 / twice) + once((q - 5) << 20, s2 / twice), twice / (2**20 * so)) - 3,
        )
        for p, q in zip(a.tolist(), b.tolist(), strict=True)
    ]
    assert run(single_operator_model("ADD", specs, [output], AddOptions(), 2), a, b) == expected


def test_leaky_relu_and_mean() -> None:
    x = np.arange(-128, 128).astype(np.int8)
    s_in, s_out, alpha = scales(0.1, 0.07, 0.3)
    source = TensorSpec(INT8, x.shape, Quantization.per_tensor(s_in, 4))
    output = TensorSpec(INT8, (), Quantization.per_tensor(s_out, -9))
    kept = float(np.float32(s_in) / np.float32(s_out))
    scaled = float(np.float32(np.float32(s_in) * np.float32(alpha)) / np.float32(s_out))
    expected = [held(once(int(q) - 4, kept if q >= 4 else scaled) - 9) for q in x.tolist()]
    assert run(single_operator_model("LEAKY_RELU", [source], [output], LeakyReluOptions(alpha)), x) == expected

    rows = np.random.default_rng(0).integers(-128, 127, (200, 3), np.int8, endpoint=True)
    source = TensorSpec(INT8, rows.shape, Quantization.per_tensor(s_in, 4))
    model = single_operator_model("MEAN", [source, TensorSpec.constant(np.array([1], np.int32))], [output],
                                  ReducerOptions())  # fmt: skip
    m, e = multiplier(s_in / s_out)
    m, e = m * 2 // 3, e - 1
    means = [math.floor(Fraction((sum(row) - 12) * m, 2 ** (31 - e)) + Fraction(1, 2)) - 9 for row in rows.tolist()]
    assert run(model, rows) == [held(mean) for mean in means]


def test_resize_bilinear_takes_ties_up() -> None:
    image = np.array([[-1, -2], [0, 1]], np.int8).reshape(1, 2, 2, 1)
    spec = TensorSpec(INT8, image.shape, Quantization.per_tensor(0.1, 0))
    size = TensorSpec.constant(np.array([4, 4], np.int32))
    output = TensorSpec(INT8, (), Quantization.per_tensor(0.1, 0))
    model = single_operator_model("RESIZE_BILINEAR", [spec, size], [output], ResizeBilinearOptions())
    # Halfway between -1 and -2: -1.5 becomes -1, where the reference has -2.
    assert run(model, image)[:4] == [-1, -1, -2, -2]
    assert run(model, image, profile="tflite-ref")[:4] == [-1, -2, -2, -2]


def test_what_keeps_its_rounding() -> None:
    rng = np.random.default_rng(2)
    x = rng.integers(0, 255, (1, 60, 60, 1), np.uint8, endpoint=True)
    source = TensorSpec(UINT8, x.shape, Quantization.per_tensor(0.5, 128))
    weights = TensorSpec.constant(np.full((1, 1, 1, 1), 131, np.uint8), Quantization.per_tensor(0.5, 128))
    bias = TensorSpec.constant(np.array([0], np.int32), Quantization.per_tensor(0.25, 0))
    output = TensorSpec(UINT8, (), Quantization.per_tensor(1.0, 128))
    options = DepthwiseConv2DOptions(Padding.VALID, stride_w=1, stride_h=1, depth_multiplier=1)
    depthwise = single_operator_model("DEPTHWISE_CONV_2D", [source, weights, bias], [output], options)
    conv = single_operator_model("CONV_2D", [source, weights, bias], [output], Conv2DOptions(Padding.VALID, 1, 1))
    assert run(depthwise, x) == run(depthwise, x, profile="tflite-ref")
    assert run(conv, x) != run(conv, x, profile="tflite-ref")
    flat = TensorSpec(UINT8, (60, 60), source.quantization)
    matrix = TensorSpec.constant(rng.integers(0, 255, (5, 60), np.uint8), weights.quantization)
    product = single_operator_model("FULLY_CONNECTED", [flat, matrix, None], [output], FullyConnectedOptions())
    assert run(product, x.reshape(60, 60)) == run(product, x.reshape(60, 60), profile="tflite-ref")


def test_the_function_that_is_switched() -> None:
    assert multiply_by_quantized_multiplier(-3, 1 << 30, 0).tolist() == -1  # -1.5, by a doubling high multiply alone
    assert multiply_by_quantized_multiplier(-3, 1 << 30, -1).tolist() == -1  # -0.75
    assert multiply_by_quantized_multiplier(-2, 1 << 30, -1).tolist() == -1  # -0.5
    with single_rounding():
        assert multiply_by_quantized_multiplier(-2, 1 << 30, -1).tolist() == 0
        assert quantize_multiplier(2.0**40) == (2**31 - 1, 30)
    assert quantize_multiplier(2.0**40) == (1 << 30, 41)
    assert multiply_by_quantized_multiplier(-2, 1 << 30, -1).tolist() == -1


def test_what_the_source_does_not_define() -> None:
    spec = TensorSpec(INT8, (3,), Quantization.per_tensor(0.1, 0))
    with pytest.raises(UnsupportedError, match=r"DIV.*codes in profile tflite-single-rounding is not done"):
        run(single_operator_model("DIV", [spec, spec], [spec]), np.ones(3, np.int8), np.ones(3, np.int8))
