"""Profile tosa: numbers that the TOSA reference model gave, and the model itself where there is one.

The environment variable INT8RT_TOSA_PYTHON names a Python that has `pip install tosa-tools tosa-converter-for-tflite`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from int8rt.conformance.cases import all_cases
from int8rt.errors import SpecError, UnsupportedError
from int8rt.kernels import leaky_relu
from int8rt.kernels.base import OperatorContext, TensorInfo
from int8rt.model import ActivationFunctionType, Model, Operator, Padding, Quantization, TensorType
from int8rt.quantization.profiles import get_profile
from int8rt.quantization.tosa import divide_by_count, multiplier_and_shift, reciprocal_scale
from int8rt.schema import write_model
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import (
    BatchMatMulOptions,
    Conv2DOptions,
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
    LeakyReluOptions,
    Pool2DOptions,
    ReducerOptions,
    ResizeBilinearOptions,
    ResizeNearestNeighborOptions,
    SoftmaxOptions,
    TransposeConvOptions,
)
from int8rt.verify.runtimes.base import Fault, Runtime
from int8rt.verify.runtimes.choose import open_runtime
from tests.differential.harness import Array, run_int8rt

INT8, UINT8, INT16, FLOAT32 = TensorType.INT8, TensorType.UINT8, TensorType.INT16, TensorType.FLOAT32


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


@pytest.mark.parametrize(
    "operator", ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "BATCH_MATMUL"]
)
def test_int16_multipliers_just_below_a_power_of_two(operator: str) -> None:
    """0.99999 · 2^15 rounds to 2^15: TOSA multiplies by 1, TensorFlow Lite by (2^15 - 1) / 2^15."""
    shape = {"FULLY_CONNECTED": (5, 1), "BATCH_MATMUL": (1, 5, 1)}.get(operator, (1, 1, 5, 1))
    type = INT16 if operator == "BATCH_MATMUL" else TensorType.INT8
    weights = TensorSpec(type, (1,) * len(shape), Quantization.per_tensor(1.0), np.ones((1,) * len(shape), type.dtype))
    input = TensorSpec(INT16, shape, Quantization.per_tensor(0.5))
    bias = TensorSpec(TensorType.INT64, (1,), Quantization.per_tensor(0.5), np.zeros(1, np.int64))
    specs = {
        "BATCH_MATMUL": [input, weights],
        "TRANSPOSE_CONV": [TensorSpec(TensorType.INT32, (4,), None, np.array(shape, np.int32)), weights, input, bias],
    }.get(operator, [input, weights, bias])
    options = {
        "CONV_2D": Conv2DOptions(Padding.VALID, 1, 1),
        "DEPTHWISE_CONV_2D": DepthwiseConv2DOptions(Padding.VALID, 1, 1, 1),
        "FULLY_CONNECTED": FullyConnectedOptions(),
        "TRANSPOSE_CONV": TransposeConvOptions(Padding.VALID, 1, 1),
        "BATCH_MATMUL": BatchMatMulOptions(),
    }[operator]
    output = TensorSpec(INT16, shape, Quantization.per_tensor(float(np.float32(0.5 / 0.99999))))
    model = single_operator_model(operator, specs, [output], options, 4 if operator != "TRANSPOSE_CONV" else 3)
    data = np.array([-32768, -16385, 1, 16385, 32767], np.int16).reshape(shape)
    index = model.subgraphs[0].outputs[0]
    assert run_int8rt(model, [data], "tosa")[index].tolist() == data.tolist()  # as the reference model
    assert run_int8rt(model, [data], "tflite-ref@2.19")[index].ravel().tolist() == [-32767, -16384, 1, 16384, 32766]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 49, 64, 65, 1000])
def test_the_reciprocal(count: int) -> None:
    multiplier, shift = (int(value) for value in reciprocal_scale(count))
    assert 1 << 30 <= multiplier < 1 << 31
    assert 0 <= multiplier * count - (1 << shift) <= 2 * count
    totals = np.arange(-128 * count, 127 * count + 1, max(1, count // 7))
    halves = 2 * np.abs(totals) + count
    assert np.array_equal(divide_by_count(totals, count), np.sign(totals) * (halves // (2 * count)))


def answer(model: Model, *inputs: Array) -> list[Any]:
    """The output's elements in profile tosa."""
    found: list[Any] = run_int8rt(model, list(inputs), "tosa")[model.subgraphs[0].outputs[0]].reshape(-1).tolist()
    return found


def one(name: str, input: TensorSpec, output: TensorSpec, *constants: Array, options: Any = None) -> Model:
    return single_operator_model(name, [input, *map(TensorSpec.constant, constants)], [output], options, 2)


def spec(type: TensorType, scale: float, zero_point: int, *shape: int) -> TensorSpec:
    return TensorSpec(type, shape, Quantization.per_tensor(scale, zero_point))


@pytest.mark.parametrize("name", ["AVERAGE_POOL_2D", "MAX_POOL_2D"])
def test_pools_lose_their_activation(name: str) -> None:
    options = Pool2DOptions(Padding.VALID, 1, 1, 1, 1, ActivationFunctionType.RELU6)
    tensor = spec(INT8, 0.1, 3, 1, 1, 3, 1)
    data = np.array([-100, 3, 127], np.int8).reshape(1, 1, 3, 1)
    assert answer(one(name, tensor, tensor, options=options), data) == [-100, 3, 127]


@pytest.mark.parametrize(
    ("type", "zero_point", "codes"),
    [
        (INT8, 0, [-128, -128, -2, 2, 2, 4, 127]),  # ties to even; without a zero point there is saturation
        (INT8, 5, [11, 121, 3, 7, 7, 9, -1]),
        (UINT8, 133, [139, 249, 131, 135, 135, 137, 127]),
        (INT16, 0, [-250, -140, -2, 2, 2, 4, 250]),
    ],
)
def test_quantize_wraps_around(type: TensorType, zero_point: int, codes: list[int]) -> None:
    data = np.array([-125, -70, -0.75, 0.75, 1.25, 2, 125], np.float32)
    assert answer(one("QUANTIZE", TensorSpec(FLOAT32, (7,)), spec(type, 0.5, zero_point, 7)), data) == codes


def test_relu_rescales_with_one_rounding() -> None:
    model = one("RELU", spec(INT8, 0.00516259, -3, 256), spec(INT8, 0.02632805, 17, 256))
    data = np.arange(-128, 128).astype(np.int8)
    codes = [max(17, 17 + ((code + 3) * 1684375131 + (1 << 32) >> 33)) for code in range(-128, 128)]
    assert answer(model, data) == codes
    assert run_int8rt(model, [data])[1].tolist() != codes


@pytest.mark.parametrize(("profile", "multiplier"), [("tosa", 1684375131), ("tflite-ref@2.19", 1684375168)])
def test_multipliers_are_computed_in_float64(profile: str, multiplier: int) -> None:
    tensors = [
        TensorInfo(name, INT8, (4,), Quantization.per_tensor(scale, 0))
        for name, scale in (("input", 0.00516259), ("output", 0.02632805))
    ]
    operator = Operator("LEAKY_RELU", (0,), (1,), 1, LeakyReluOptions(0.25))
    context = OperatorContext(operator, (tensors[0],), (tensors[1],), get_profile(profile))
    params: Any = leaky_relu.prepare(context)
    assert (params.output_multiplier_identity, params.output_shift_identity) == (multiplier, -2)
    negative = replace(context, operator=replace(operator, options=LeakyReluOptions(-0.5)))
    if profile == "tosa":
        with pytest.raises(UnsupportedError, match="negative alpha"):
            leaky_relu.prepare(negative)


def test_sum_in_20_fractional_bits() -> None:
    axis = np.array([1], np.int32)
    model = one("SUM", spec(INT8, 0.0371, -3, 1, 6), spec(INT8, 0.292, 7, 1), axis, options=ReducerOptions())
    assert answer(model, np.array([[90, 80, 7, -5, 31, 40]], np.int8)) == [40]


@pytest.mark.parametrize("type", [INT8, INT16])
def test_resizing(type: TensorType) -> None:
    input, output, size = spec(type, 0.1, 0, 1, 2, 3, 1), spec(type, 0.1, 0, 1, 2, 6, 1), np.array([2, 6], np.int32)
    data = np.array([0, 127, 0, -5, 5, 90], type.dtype).reshape(1, 2, 3, 1)
    bilinear = one("RESIZE_BILINEAR", input, output, size, options=ResizeBilinearOptions())
    nearest = one("RESIZE_NEAREST_NEIGHBOR", input, output, size, options=ResizeNearestNeighborOptions())
    assert answer(bilinear, data) == [0, 64, 127, 64, 0, 0, -5, 0, 5, 48, 90, 90]
    assert answer(nearest, data) == [0, 127, 127, 0, 0, 0, -5, 5, 5, 90, 90, 90]


def test_tables_are_computed_in_float64() -> None:
    model = one("LOGISTIC", spec(INT8, 0.0078125, 0, 3), spec(INT8, 1 / 256, -128, 3))
    assert answer(model, np.array([1, -128, 127], np.int8)) == [1, -59, 59]
    model = one("LOGISTIC", spec(INT16, 0.0003, 0, 4), spec(INT16, 1 / 32768, 0, 4))
    assert answer(model, np.array([1, -30000, 12345, 32767], np.int16)) == [16385, 4, 31980, 32766]
    model = one("TANH", spec(INT16, 0.0003, 0, 4), spec(INT16, 1 / 32768, 0, 4))
    assert answer(model, np.array([1, -30000, 12345, 32767], np.int16)) == [5, -32768, 32728, 32767]


def test_softmax_of_int16_wraps_around() -> None:
    model = one("SOFTMAX", spec(INT16, 0.0003, 0, 1, 4), spec(INT16, 1 / 32768, 0, 1, 4), options=SoftmaxOptions(1.0))
    assert answer(model, np.array([[30000, 25000, 20000, -9000]], np.int16)) == [22511, 5023, 1121, 4113]


def test_what_was_not_measured_equal_is_refused() -> None:
    tensor = spec(INT8, 0.1, -128, 4)
    model = one("RSQRT", tensor, tensor)
    with pytest.raises(UnsupportedError, match=r"RSQRT.*in profile tosa is not done"):
        run_int8rt(model, [np.zeros(4, np.int8)], "tosa")


def test_int16_with_large_scales_or_biases_of_int32_is_refused() -> None:
    table = one("TANH", spec(INT16, 0.5, 0, 4), spec(INT16, 1 / 32768, 0, 4))
    with pytest.raises(UnsupportedError, match=r"TANH.*an input scale above 0.00390625 in profile tosa is not done"):
        run_int8rt(table, [np.zeros(4, np.int16)], "tosa")
    inputs = [spec(INT16, 0.1, 0, 1, 2), replace(spec(INT8, 0.1, 0, 1, 2), data=np.ones((1, 2), np.int8))]
    bias = replace(spec(TensorType.INT32, 0.01, 0, 1), data=np.zeros(1, np.int32))
    product = single_operator_model("FULLY_CONNECTED", [*inputs, bias], [spec(INT16, 0.1, 0, 1, 1)])
    with pytest.raises(
        UnsupportedError, match=r"FULLY_CONNECTED.*a bias of int32 for int16 in profile tosa is not done"
    ):
        run_int8rt(product, [np.zeros((1, 2), np.int16)], "tosa")


@pytest.mark.parametrize(("bits", "scale", "found"), [(31, 0.5, (1 << 30, 31)), (15, 1 / 468, (17924, 23))])
def test_multipliers(bits: int, scale: float, found: tuple[int, int]) -> None:
    assert multiplier_and_shift(scale, bits) == found


def test_scales_without_a_multiplier() -> None:
    assert multiplier_and_shift(2.0**-40) == (1 << 22, 62)
    for scale in (0.0, float("inf"), 2.0**30):
        with pytest.raises(SpecError, match="scale"):
            multiplier_and_shift(scale)


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    if "INT8RT_TOSA_PYTHON" not in os.environ:
        pytest.skip("INT8RT_TOSA_PYTHON names no Python")
    opened = open_runtime("tosa", python=os.environ["INT8RT_TOSA_PYTHON"], timeout=60)
    yield opened
    opened.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({case.operator for case in all_cases()}))
def test_operator_suite_beside_the_reference_model(runtime: Runtime, name: str) -> None:
    """Every fortieth case of the operator suite; INT8RT_EXAMPLES=1 in the environment takes every one."""
    step, compared, refused = int(os.environ.get("INT8RT_EXAMPLES", "40")), 0, 0
    for case in [case for case in all_cases() if case.operator == name and case.expect == "exact"][::step]:
        model, inputs = case.make()
        try:
            found = run_int8rt(model, inputs, "tosa")[model.subgraphs[0].outputs[0]]
            runtime.prepare(model, write_model(model))
            (expected,) = runtime.run(inputs).outputs
        except (Fault, UnsupportedError):
            refused += 1
            continue
        np.testing.assert_array_equal(found, expected, case.name)
        compared += 1
    assert compared or name in ("ABS", "L2_NORMALIZATION", "LOG_SOFTMAX"), f"{refused} refused"


@pytest.mark.slow
@pytest.mark.parametrize("type", [INT8, UINT8, INT16])
def test_average_pool_beside_the_reference_model(runtime: Runtime, type: TensorType) -> None:
    rng, info, compared = np.random.default_rng(3), np.iinfo(type.dtype), 0
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
    assert compared >= 3
