"""Profile tflm: numbers that the wheel tflite-micro 0.dev20261023 gave; `test_older_runtimes` runs it itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from int8rt.errors import UnsupportedError
from int8rt.model import ActivationFunctionType, Model, Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import (
    AddOptions,
    BatchMatMulOptions,
    Conv2DOptions,
    FullyConnectedOptions,
    LeakyReluOptions,
    MulOptions,
    ReducerOptions,
    SoftmaxOptions,
    SVDFOptions,
    TransposeConvOptions,
    UnidirectionalSequenceLSTMOptions,
)
from tests.differential.harness import run_int8rt

INT8, INT16, FLOAT32 = TensorType.INT8, TensorType.INT16, TensorType.FLOAT32


def spec(type: TensorType, scale: float, zero_point: int, count: int = 1) -> TensorSpec:
    return TensorSpec(type, (count,), Quantization.per_tensor(scale, zero_point))


@pytest.mark.parametrize(
    ("name", "scale", "zero_point", "code", "micro", "lite"),
    [
        ("TANH", 0.0045547205954790115, 122, -19, -73, None),
        ("LOGISTIC", 0.0034873969852924347, -58, 120, 38, 39),
        ("LOGISTIC", 0.009096896275877953, 2, 34, 18, 19),
    ],
)
def test_fixed_point(name: str, scale: float, zero_point: int, code: int, micro: int, lite: int | None) -> None:
    output = spec(INT8, 1 / 128, 0) if name == "TANH" else spec(INT8, 1 / 256, -128)
    model = single_operator_model(name, [spec(INT8, scale, zero_point)], [output])
    data = [np.array([code], np.int8)]
    found = {profile: int(run_int8rt(model, data, profile)[1][0]) for profile in ("tflm", "tflite-ref@2.19")}
    assert found["tflm"] == micro
    assert found["tflite-ref@2.19"] != micro
    assert lite in (None, found["tflite-ref@2.19"])


def test_the_multiplier_of_mul_is_computed_in_float64() -> None:
    inputs = [spec(INT16, scale, 0) for scale in (0.0039182561449706554, 0.026997024193406105)]
    model = single_operator_model("MUL", inputs, [spec(INT16, 0.003006390295922756, 0)], MulOptions(), 2)
    data = [np.array([code], np.int16) for code in (-182, 2681)]
    assert run_int8rt(model, data, "tflm")[2].tolist() == [-17168]
    assert run_int8rt(model, data, "tflite-ref@2.19")[2].tolist() == [-17169]


def test_the_multiplier_of_rsqrt_is_computed_in_float64() -> None:
    scales = 7.581554003991187e-05, 6.176992610562593e-05
    model = single_operator_model("RSQRT", [spec(INT16, scales[0], 0)], [spec(INT16, scales[1], 0)])
    assert run_int8rt(model, [np.array([3604], np.int16)], "tflm")[1].tolist() == [30971]


@pytest.mark.parametrize("type", [INT8, INT16])
@pytest.mark.parametrize(("name", "micro", "lite"), [("RELU", 2, 3), ("ABS", 2, 3), ("LEAKY_RELU", 2, 3)])
def test_the_ratio_of_two_scales_is_computed_in_float64(name: str, micro: int, lite: int, type: TensorType) -> None:
    """0.0625 / 0.1 is just below 0.625, and a tie in float32."""
    options = LeakyReluOptions(0.25) if name == "LEAKY_RELU" else None
    model = single_operator_model(name, [spec(type, 0.0625, 0)], [spec(type, 0.1, 0)], options, 2)
    data = [np.array([4], type.dtype)]
    assert run_int8rt(model, data, "tflm")[1].tolist() == [micro]
    assert run_int8rt(model, data, "tflite-ref@2.19")[1].tolist() == [lite]


@pytest.mark.parametrize(
    ("name", "types", "scales", "codes", "micro", "lite"),
    [
        ("DIV", (INT8, INT8), (0.0625, 0.125, 0.05), (1, 4), 2, 3),
        ("BATCH_MATMUL", (INT8, INT8), (0.1, 0.3, 3.8400001525878906), (-127, 65), -65, -64),
        ("FULLY_CONNECTED", (INT16, INT8), (0.9, 0.7, 1.26), (-299, 1), -150, -149),
        ("PRELU", (INT8, INT8), (0.125, 0.3, 0.1), (-126, 1), -48, -47),
    ],
)
def test_other_multipliers_are_computed_in_float64(
    name: str,
    types: tuple[TensorType, TensorType],
    scales: tuple[float, float, float],
    codes: tuple[int, int],
    micro: int,
    lite: int,
) -> None:
    specs = [
        replace(spec(type, scale, 0), shape=(1, 1), data=np.array([[code]], type.dtype))
        for type, scale, code in zip(types, scales[:2], codes, strict=True)
    ]
    inputs = [replace(specs[0], data=None), specs[1]]
    options = {
        "BATCH_MATMUL": BatchMatMulOptions(),
        "FULLY_CONNECTED": FullyConnectedOptions(quantized_bias_type=TensorType.INT32),
    }.get(name)
    model = single_operator_model(name, inputs, [replace(spec(types[0], scales[2], 0), shape=(1, 1))], options)
    data = [np.array([[codes[0]]], types[0].dtype)]
    assert run_int8rt(model, data, "tflm")[2].tolist() == [[micro]]
    assert run_int8rt(model, data, "tflite-ref@2.19")[2].tolist() == [[lite]]


def test_sums_of_int32_have_no_activation() -> None:
    tensor = TensorSpec(TensorType.INT32, (3,))
    model = single_operator_model("ADD", [tensor, tensor], [tensor], AddOptions(ActivationFunctionType.RELU), 2)
    data = [np.array([-5, 0, 7], np.int32)] * 2
    assert run_int8rt(model, data, "tflm")[2].tolist() == [-10, 0, 14]
    assert run_int8rt(model, data)[2].tolist() == [0, 0, 14]


def test_real_svdf_is_refused() -> None:
    """Its sums are in the order of plain loops there."""
    inputs = [TensorSpec(FLOAT32, (1, 2)), *(TensorSpec.constant(np.ones((1, 2), np.float32)) for _ in range(2)), None]
    state = TensorSpec(FLOAT32, (1, 2), is_variable=True)
    model = single_operator_model("SVDF", [*inputs, state], [TensorSpec(FLOAT32, (1, 1))], SVDFOptions(1))
    with pytest.raises(UnsupportedError, match=r"SVDF.*real numbers in profile tflm is not done"):
        run_int8rt(model, [np.ones((1, 2), np.float32)], "tflm")


def test_int32_biases_of_int16_transpose_conv_are_refused() -> None:
    """The kernel reads int64 there, and so past the end of the bias."""
    weights = TensorSpec.constant(np.ones((1, 1, 1, 1), np.int8), Quantization.per_tensor(1.0))
    inputs = [
        TensorSpec.constant(np.ones(4, np.int32)),
        weights,
        TensorSpec(INT16, (1, 1, 1, 1), Quantization.per_tensor(0.5)),
        TensorSpec.constant(np.ones(1, np.int32), Quantization.per_tensor(0.5)),
    ]
    options = TransposeConvOptions(stride_w=1, stride_h=1, quantized_bias_type=TensorType.INT32)
    output = TensorSpec(INT16, (1, 1, 1, 1), Quantization.per_tensor(0.5))
    model = single_operator_model("TRANSPOSE_CONV", inputs, [output], options, 3)
    data = [np.full((1, 1, 1, 1), 6, np.int16)]
    assert run_int8rt(model, data)[4].tolist() == [[[[7]]]]
    with pytest.raises(UnsupportedError, match=r"a bias of int32 for int16 in profile tflm is not done"):
        run_int8rt(model, data, "tflm")


def test_relu6_does_not_rescale() -> None:
    model = single_operator_model("RELU6", [spec(INT8, 0.1, 3, 4)], [spec(INT8, 0.2, -7, 4)])
    data = [np.array([-128, 3, 40, 127], np.int8)]
    assert run_int8rt(model, data, "tflm")[1].tolist() == [3, 3, 40, 63]


def test_sum_is_right() -> None:
    axis = TensorSpec.constant(np.array([0], np.int32))
    model = single_operator_model("SUM", [spec(INT8, 0.5, -3, 4), axis], [spec(INT8, 1.0, 7, 0)], ReducerOptions())
    # (-100 + 20 + 5 + 6 + 4 · 3) / 2 = -28.5, by a doubling high multiply alone: ties up, and 7.
    assert run_int8rt(model, [np.array([-100, 20, 5, 6], np.int8)], "tflm")[2].tolist() == -21


def test_add_of_int16_knows_no_powers_of_two() -> None:
    inputs = [spec(INT16, 2.0**-10, 0), spec(INT16, 2.0**-11, 0)]
    model = single_operator_model("ADD", inputs, [spec(INT16, 2.0**-9, 0)], AddOptions(pot_scale_int16=True), 2)
    assert run_int8rt(model, [np.array([code], np.int16) for code in (400, 100)], "tflm")[2].tolist() == [225]


@pytest.mark.parametrize(
    ("type", "scale", "first", "second", "micro"),
    [
        (INT16, 0.5, [30000, -32768, 5], [-30000, 32767, 2], [1152, 1374, 0]),
        (INT8, 0.00002, [100, -3, 5], [90, -3, 4], [127, 0, 5]),  # a multiplier above 1, which TensorFlow Lite refuses
    ],
)
def test_squared_difference(
    type: TensorType, scale: float, first: list[int], second: list[int], micro: list[int]
) -> None:
    inputs = [spec(type, 0.0004 if type == INT16 else 0.01, 0, 3) for _ in range(2)]
    model = single_operator_model("SQUARED_DIFFERENCE", inputs, [spec(type, scale, 0, 3)], version=2)
    assert run_int8rt(model, [np.array(codes, type.dtype) for codes in (first, second)], "tflm")[2].tolist() == micro


def test_rsqrt_of_int16_is_in_fixed_point() -> None:
    model = single_operator_model("RSQRT", [spec(INT16, 0.001, 0, 5)], [spec(INT16, 0.0007, 0, 5)])
    data = [np.array([0, 1, 3, 1000, 32767], np.int16)]
    assert run_int8rt(model, data, "tflm")[1].tolist() == [32767, 32767, 26082, 1429, 250]


def test_tables_of_int16_softmax_are_made_in_float32() -> None:
    input, output = spec(INT16, 0.0006275107583314595, 0, 4), spec(INT16, 1 / 32768, 0, 4)
    model = single_operator_model("SOFTMAX", [input], [output], SoftmaxOptions(0.699999988079071))
    data = [np.array([23488, 3544, 17312, 20297], np.int16)]
    assert run_int8rt(model, data, "tflm")[1].tolist() == [24962, 4, 1656, 6146]
    assert run_int8rt(model, data, "tflite-ref@2.19")[1].tolist() == [24963, 4, 1657, 6146]


def test_zero_points_of_filters_do_not_count() -> None:
    filter = TensorSpec.constant(np.array([-70, 90], np.int8).reshape(2, 1, 1, 1), Quantization.per_tensor(0.1, 11))
    model = single_operator_model(
        "CONV_2D",
        [
            TensorSpec(INT8, (1, 1, 1, 1), Quantization.per_tensor(0.5, 3)),
            filter,
            TensorSpec.constant(np.zeros(2, np.int32), Quantization.per_tensor(0.05, 0)),
        ],
        [TensorSpec(INT8, (1, 1, 1, 2), Quantization.per_tensor(5.0, 0))],
        Conv2DOptions(stride_w=1, stride_h=1),
    )
    data = [np.full((1, 1, 1, 1), 103, np.int8)]
    assert run_int8rt(model, data, "tflm")[3].ravel().tolist() == [-70, 90]


def lstm(type: TensorType, weights: TensorType, cell: TensorSpec, clip: float) -> Model:
    """Two inputs, two cells, two steps."""
    real, wide = type == FLOAT32, type == INT16
    input, state, scale = (
        Quantization.per_tensor(*numbers)
        for numbers in (
            (0.0001 if wide else 0.02, 0 if wide else -3),
            (2.0**-15 if wide else 0.01, 0 if wide else 7),
            (0.001 if wide else 0.02, 0),
        )
    )
    codes = np.array([[[90, -120], [50, 101]], [[-33, 77], [127, 13]]], np.int8)
    matrices = [codes[0], codes[1], codes[0].T, codes[1].T, codes[1], codes[0] // 2, codes[1] // 3, codes[0]]
    bias_type = np.float32 if real else np.int64 if wide else np.int32
    specs: list[TensorSpec | None] = [None] * 24
    specs[0] = TensorSpec(type, (1, 2, 2), None if real else input)
    for index, matrix in enumerate(matrices):
        held = matrix.astype(np.float32) / 64 if weights == FLOAT32 else matrix
        specs[1 + index] = TensorSpec.constant(held, None if weights == FLOAT32 else scale)
    for gate in range(4):
        specs[12 + gate] = TensorSpec.constant(np.array([gate * 400, 900 - gate], bias_type) // (1000 if real else 1))
    output = TensorSpec(type, (1, 2, 2), None if real else state)
    specs[18], specs[19] = replace(output, shape=(1, 2), is_variable=True), cell
    options = UnidirectionalSequenceLSTMOptions(ActivationFunctionType.TANH, clip)
    return single_operator_model("UNIDIRECTIONAL_SEQUENCE_LSTM", specs, [output], options)


def cell_state(scale: float) -> TensorSpec:
    return TensorSpec(INT16, (1, 2), Quantization.per_tensor(scale, 0), is_variable=True)


@pytest.mark.parametrize(
    ("type", "scale", "clip", "micro"),
    [
        (INT8, 2.0**-11, 0.0, [10, -47, 83, 9]),
        (INT8, 0.0003, 0.25, [8, -12, 27, 8]),
        (INT16, 2.0**-14, 0.0, [1100, -2851, 75, 2994]),
        (INT16, 2.0**-10, 1e-6, [0, 0, 0, 0]),
    ],
)
def test_lstm(type: TensorType, scale: float, clip: float, micro: list[int]) -> None:
    data = np.array([[[100, -50], [-128, 127]]], type.dtype) * (200 if type == INT16 else 1)
    found = run_int8rt(lstm(type, INT8, cell_state(scale), clip), [data.astype(type.dtype)], "tflm")
    assert found[max(found)].reshape(-1).tolist() == micro


def test_lstm_of_real_numbers() -> None:
    cell = TensorSpec(FLOAT32, (1, 2), is_variable=True)
    data = np.array([[[1.5, -0.75], [-0.3, 2]]], np.float32)
    found = run_int8rt(lstm(FLOAT32, FLOAT32, cell, 0.0), [data], "tflm")
    micro = [0.1562269777059555, -0.38565367460250854, 0.6889730095863342, 0.25145888328552246]
    assert found[max(found)].reshape(-1).tolist() == micro


def test_lstm_with_integer_weights_of_real_numbers() -> None:
    """TensorFlow Lite Micro reads the bytes of such weights as real numbers."""
    model = lstm(FLOAT32, INT8, TensorSpec(FLOAT32, (1, 2), is_variable=True), 0.0)
    with pytest.raises(UnsupportedError, match="UNIDIRECTIONAL_SEQUENCE_LSTM"):
        run_int8rt(model, [np.zeros((1, 2, 2), np.float32)], "tflm")


def test_what_is_not_done() -> None:
    model = single_operator_model("TOPK_V2", [TensorSpec(FLOAT32, (2,))], [TensorSpec(FLOAT32, (2,))])
    with pytest.raises(UnsupportedError, match="TOPK_V2"):
        run_int8rt(model, [np.zeros(2, np.float32)], "tflm")
