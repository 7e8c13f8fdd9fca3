"""Operators of profile tflite-opt that were the last ones to be done, beside LiteRT's optimized kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from int8rt.errors import ModelError, UnsupportedError
from int8rt.model import ActivationFunctionType, BlockwiseQuantization, Model, Padding, Quantization, TensorType
from int8rt.schema import ModelBuilder
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import (
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
    LeakyReluOptions,
    ReducerOptions,
    SoftmaxOptions,
)
from tests.differential import test_custom, test_sparse_fully_connected
from tests.differential.cases import check_cases, vector
from tests.differential.elementwise import all_codes
from tests.differential.harness import assert_same_bits, run_int8rt

pytestmark = pytest.mark.litert

Array = Any


def assert_exact(model: Model, *inputs: Array, profile: str = "tflite-opt") -> dict[int, Array]:
    """It is computed, and right."""
    found = run_int8rt(model, inputs, profile)
    assert_same_bits(model, inputs, profile)
    return found


@pytest.mark.parametrize(("type", "zero_point"), [(TensorType.INT8, 0), (TensorType.INT8, 5), (TensorType.INT4, 0)])
@pytest.mark.parametrize("said", [False, True])
@pytest.mark.parametrize("per_axis", [False, True])
def test_int16_products_without_a_bias(type: TensorType, zero_point: int, said: bool, per_axis: bool) -> None:
    rng, int16 = np.random.default_rng(0), TensorType.INT16
    scale = np.full(9 if per_axis else 1, 2.0**-9, np.float32)
    weights = Quantization(scale, np.full(scale.size, zero_point))
    model = single_operator_model(
        "FULLY_CONNECTED",
        [
            TensorSpec(int16, (40, 6), Quantization.per_tensor(2.0**-9)),
            TensorSpec.constant(rng.integers(-7, 8, (9, 6)).astype(type.dtype), weights, type=type),
        ],
        [TensorSpec(int16, (), Quantization.per_tensor(2.0**-12))],
        FullyConnectedOptions(quantized_bias_type=TensorType.INT64 if said else TensorType.FLOAT32),
        version=11,
    )
    data = rng.integers(-999, 999, (40, 6)).astype(np.int16)
    found = assert_exact(model, data)
    # Ties are rounded up where the optimized kernel is, away from zero by the reference's.
    assert np.any(found[2] != run_int8rt(model, [data])[2]) == (not said and (per_axis or not zero_point))


@pytest.mark.parametrize("type", [TensorType.INT8, TensorType.INT16])
def test_dequantize_of_one_number(type: TensorType) -> None:
    input = TensorSpec(type, (), Quantization.per_tensor(0.1))
    assert_exact(single_operator_model("DEQUANTIZE", [input], [TensorSpec(TensorType.FLOAT32, ())]), type.dtype.type(7))


@pytest.mark.parametrize("alpha", [0.2, 0.25, -0.25, -0.3, -1.0, -4.0, 0.0, 3.0])
@pytest.mark.parametrize("scale", [0.5, 0.37, 8.0])
def test_leaky_relu_of_int16(alpha: float, scale: float) -> None:
    codes = all_codes(TensorType.INT16)
    input = TensorSpec(TensorType.INT16, codes.shape, Quantization.per_tensor(0.5, 0))
    output = TensorSpec(TensorType.INT16, codes.shape, Quantization.per_tensor(scale, 0))
    model = single_operator_model("LEAKY_RELU", [input], [output], LeakyReluOptions(alpha), 2)
    found = assert_exact(model, codes)
    if (alpha, scale) == (-0.25, 8.0):  # ties, and the one place where the reference's rounding shows
        assert np.any(found[1] != run_int8rt(model, [codes])[1])


@pytest.mark.parametrize("type", [TensorType.INT8, TensorType.INT16])
@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((2, 3, 5), [0]),
        ((2, 3, 5), [1]),
        ((2, 3, 5), [2, 0]),
        ((4, 6), [0, 1]),
        ((4, 1, 6), [1]),
        ((4, 6), []),
        ((), []),
    ],
    ids=str,
)
@pytest.mark.parametrize("keep", [False, True])
def test_products_of_codes(type: TensorType, shape: tuple[int, ...], axes: list[int], keep: bool) -> None:
    zero = -3 if type == TensorType.INT8 else 0
    spec = TensorSpec(type, shape, Quantization.per_tensor(0.07, zero))
    output = TensorSpec(type, (), Quantization.per_tensor(0.031, 2 * zero))
    model = single_operator_model("REDUCE_PROD", [spec, vector(axes)], [output], ReducerOptions(keep), 2)
    rng = np.random.default_rng(len(shape))
    for low, high in ((-128, 127), (-20, 20)):
        assert_exact(model, rng.integers(low, high, shape, type.dtype, endpoint=True))


# -0.0, 0.0, 1.5
BITS = {
    TensorType.FLOAT32: (np.uint32, 0x80000000, 0, 0x3FC00000),
    TensorType.FLOAT16: (np.uint16, 0x8000, 0, 0x3E00),
    TensorType.BFLOAT16: (np.uint16, 0x8000, 0, 0x3FC0),
}


@pytest.mark.parametrize("type", BITS)
@pytest.mark.parametrize("border", [0, 1, 2], ids=["-0.0", "0.0", "1.5"])
@pytest.mark.parametrize("paddings", [[[0, 0], [1, 2], [3, 1], [0, 0]], [[1, 0], [1, 2], [3, 1], [0, 2]]], ids=str)
@pytest.mark.parametrize("known", [True, False])
def test_a_border_of_minus_zero(type: TensorType, border: int, paddings: list[list[int]], known: bool) -> None:
    word, *numbers = BITS[type]
    code = TensorType.UINT32 if word is np.uint32 else TensorType.UINT16
    builder = ModelBuilder().input("bits", code, (1, 2, 3, 2)).tensor("x", type, (1, 2, 3, 2))
    inputs = [np.array([numbers] * 4, word).reshape(1, 2, 3, 2)]
    if known:
        builder.constant("paddings", np.array(paddings, np.int32))
    else:
        builder.input("paddings", TensorType.INT32, (4, 2))
        inputs.append(np.array(paddings, np.int32))
    builder.constant("border", np.array([numbers[border]], word).view(type.dtype), type=type).tensor("y", type, ())
    builder.operator("BITCAST", ["bits"], ["x"]).operator("PADV2", ["x", "paddings", "border"], ["y"], version=6)
    builder.output("answer", code, ()).operator("BITCAST", ["y"], ["answer"])
    assert_exact(builder.build(), *inputs)


def blockwise(
    rows: int,
    depth: int,
    outputs: int,
    block: int,
    *,
    biased: bool = True,
    scale_type: Any = np.float16,
    **options: Any,
) -> Model:
    rng = np.random.default_rng(depth + outputs)
    builder = ModelBuilder().input("x", TensorType.FLOAT32, (rows, depth))
    builder.constant("scales", rng.uniform(0.01, 0.5, (outputs, max(1, depth // max(block, 1)))).astype(scale_type))
    quantization = Quantization(
        np.zeros(0, np.float32), np.zeros(0, np.int64), blockwise=BlockwiseQuantization(1, -1, block)
    )
    codes = rng.integers(-8, 8, (outputs, depth)).astype(np.int8)
    builder.constant("filter", codes, quantization, type=TensorType.INT4)
    builder.constant("bias", rng.normal(0, 1, outputs).astype(np.float32))
    builder.output("y", TensorType.FLOAT32, (rows, outputs))
    names = ["x", "filter", "bias" if biased else None]
    return builder.operator("FULLY_CONNECTED", names, ["y"], FullyConnectedOptions(**options), version=14).build()


@pytest.mark.parametrize(
    ("rows", "depth", "outputs", "block"),
    [
        (2, 64, 5, 32),
        (1, 96, 4, 32),
        (3, 128, 7, 64),
        (5, 256, 4, 256),
        (2, 100, 4, 32),
        (2, 64, 3, 32),
        (2, 30, 5, 15),
    ],
)
@pytest.mark.parametrize("biased", [True, False])
def test_weights_with_scales_for_blocks(rows: int, depth: int, outputs: int, block: int, biased: bool) -> None:
    model = blockwise(rows, depth, outputs, block, biased=biased)
    rng = np.random.default_rng(rows)
    x = rng.normal(0.3, 1, (rows, depth)).astype(np.float32)
    found = assert_exact(model, x)
    done = depth >= 32 and outputs >= 4  # else the bias alone, as in the reference kernels
    assert np.any(found[len(model.subgraphs[0].tensors) - 1] != run_int8rt(model, [x])[4]) == done
    x[0] = 0
    assert_exact(model, x)


@pytest.mark.parametrize("special", [np.nan, np.inf, 1e38, 1e-42])
def test_special_numbers_and_blocks(special: float) -> None:
    x = np.random.default_rng(1).normal(0, 1, (2, 64)).astype(np.float32)
    x[1, 3] = special
    assert_exact(blockwise(2, 64, 4, 32), x)


def test_the_activation_is_left_out() -> None:
    x = np.random.default_rng(1).normal(0, 1, (2, 64)).astype(np.float32)
    model = blockwise(2, 64, 4, 32, fused_activation_function=ActivationFunctionType.RELU)
    assert np.any(assert_exact(model, x)[4] < 0)


def test_blocks_that_are_refused() -> None:
    x = np.zeros((1, 1 << 15), np.float32)
    with pytest.raises(UnsupportedError, match="blocks of 32768 weights in profile tflite-opt is not done"):
        run_int8rt(blockwise(1, 1 << 15, 4, 1 << 15), [x], "tflite-opt")
    with pytest.raises(ModelError, match="no float16 constant of 4 x 2"):
        run_int8rt(blockwise(1, 64, 4, 32, scale_type=np.float32), [x[:, :64]], "tflite-opt")
    with pytest.raises(ModelError, match="blocks of 0"):
        run_int8rt(blockwise(1, 64, 4, 0), [x[:, :64]], "tflite-opt")


@pytest.mark.parametrize("type", [TensorType.INT8, TensorType.UINT8])
@pytest.mark.parametrize("beta", [np.inf, np.nan, 1e38, 1e30, 0.0])
def test_softmax_of_an_extreme_beta(beta: float, type: TensorType) -> None:
    """What comes of steps that are no numbers depends on the compiler's comparisons: refused."""
    zero_point = int(np.iinfo(type.dtype).min)
    specs = [TensorSpec(type, (3, 7), Quantization.per_tensor(scale, zero_point)) for scale in (100.0, 1 / 256)]
    model = single_operator_model("SOFTMAX", specs[:1], specs[1:], SoftmaxOptions(float(np.float32(beta))))
    codes = np.random.default_rng(0).integers(zero_point, zero_point + 256, (3, 7)).astype(type.dtype)
    assert_same_bits(model, [codes], "tflite-opt")
    if not beta <= 1e30:
        with pytest.raises(UnsupportedError, match=r"a step of (inf|nan) \(scale · beta\)"):
            run_int8rt(model, [codes], "tflite-opt")


@pytest.mark.parametrize("name", ["TANH", "LOGISTIC", "SOFTMAX"])
def test_functions_of_float16(name: str) -> None:
    numbers = np.arange(1 << 16).astype(np.uint16).view(np.float16)
    if name == "SOFTMAX":
        numbers = np.random.default_rng(0).normal(0, 3, (30, 40)).astype(np.float16)
    spec = TensorSpec(TensorType.FLOAT16, numbers.shape)
    options = SoftmaxOptions(0.7) if name == "SOFTMAX" else None
    model = single_operator_model(name, [spec], [spec], options)
    assert_exact(model, numbers)
    with pytest.raises(UnsupportedError, match="real numbers in profile xnnpack is not done"):
        run_int8rt(model, [numbers], "xnnpack")


@pytest.mark.parametrize("name", ["TANH", "LOGISTIC"])
@pytest.mark.parametrize("profile", ["tflite-opt", "xnnpack"])
def test_functions_of_bfloat16_are_refused(name: str, profile: str) -> None:
    spec = TensorSpec(TensorType.BFLOAT16, (3,))
    with pytest.raises(UnsupportedError, match=f"bfloat16 in profile {profile} is not done"):
        run_int8rt(single_operator_model(name, [spec], [spec]), [np.zeros(3, np.uint16).view(spec.type.dtype)], profile)


@pytest.mark.parametrize("profile", ["tflite-opt", "xnnpack"])
def test_verifying_numbers(profile: str) -> None:
    check_cases(test_custom.verifications(), 30, profile)


@pytest.mark.parametrize("profile", ["tflite-opt", "xnnpack"])
def test_sparse_weights_of_real_numbers_are_refused(profile: str) -> None:
    filter = test_sparse_fully_connected.in_blocks(np.eye(2, 16, dtype=np.float32), None)
    inputs = [TensorSpec(TensorType.FLOAT32, (3, 16)), filter]
    model = single_operator_model("FULLY_CONNECTED", inputs, [TensorSpec(TensorType.FLOAT32, (3, 2))], version=8)
    with pytest.raises(UnsupportedError, match=f"sparse weights in profile {profile} is not done"):
        run_int8rt(model, [np.zeros((3, 16), np.float32)], profile)


@pytest.mark.parametrize("activation", [ActivationFunctionType.NONE, ActivationFunctionType.RELU6])
def test_the_activation_turns_nan_into_a_bound_in_whole_groups_of_channels(activation: ActivationFunctionType) -> None:
    rng = np.random.default_rng(0)
    data = rng.normal(0, 1, (2, 3, 4, 7)).astype(np.float32)
    data[1, 2, 1, 3] = np.inf
    weights = rng.integers(-127, 127, (1, 2, 2, 7)).astype(np.int8)
    inputs = [
        TensorSpec(TensorType.FLOAT32, data.shape),
        TensorSpec.constant(weights, Quantization.per_axis([0.01] * 7, [0] * 7, 3)),
        TensorSpec.constant(np.zeros(7, np.float32)),
    ]
    options = DepthwiseConv2DOptions(Padding.VALID, 1, 1, 1, activation)
    model = single_operator_model("DEPTHWISE_CONV_2D", inputs, [TensorSpec(TensorType.FLOAT32, ())], options, 6)
    found = assert_exact(model, data)[3]
    assert np.isnan(found[1, 0, 0]).tolist() == [False] * 4 + [True] * 3
