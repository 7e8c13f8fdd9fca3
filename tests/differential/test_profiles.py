"""Profiles other than the reference, each beside the LiteRT resolver that it stands for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.errors import UnsupportedError
from int8rt.interpreter import Interpreter
from int8rt.model import Padding, Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import (
    AddOptions,
    Conv2DOptions,
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
    LeakyReluOptions,
    ReducerOptions,
    ResizeBilinearOptions,
    SoftmaxOptions,
    TransposeConvOptions,
)
from tests.differential import (
    test_activations,
    test_add_sub_mul,
    test_batch_matmul,
    test_conv,
    test_depthwise_conv,
    test_float_convolutions,
    test_float_functions,
    test_fully_connected,
    test_hybrid_fully_connected,
    test_pooling,
    test_quantize,
    test_reduce,
    test_relu,
    test_resize,
    test_softmax,
    test_transpose_conv,
)
from tests.differential.cases import Case, case, check_cases, generators, vector
from tests.differential.elementwise import SPECIAL, all_pairs
from tests.differential.harness import assert_same_bits, run_int8rt
from tests.differential.hybrids import activation_values

pytestmark = pytest.mark.litert

profiles = pytest.mark.parametrize("profile", ["tflite-opt"])
examples = pytest.mark.parametrize("examples", [20, pytest.param(600, marks=pytest.mark.slow)])

INT8, UINT8, INT16 = TensorType.INT8, TensorType.UINT8, TensorType.INT16


@st.composite
def many_channels(draw: st.DrawFn, name: str, type: TensorType) -> Case:
    """More channels than fit a vector, and scales that are powers of two, so that many results are ties."""
    rng, channels = draw(generators), draw(st.sampled_from([8, 13, 16, 37]) | st.integers(1, 70))
    zero = -5 if type == INT8 else 100
    input = TensorSpec(type, (2, 5, 4, channels), Quantization.per_tensor(0.5, zero))
    output = TensorSpec(type, (), Quantization.per_tensor(2.0 ** draw(st.integers(0, 4)), zero + 9))
    weights_zero = 0 if type == INT8 else 128

    def weights(*shape: int) -> TensorSpec:
        data = rng.integers(-127, 127, shape, endpoint=True) + weights_zero
        return TensorSpec.constant(data.astype(type.dtype), Quantization.per_tensor(0.0625, weights_zero))

    bias_data = rng.integers(-2000, 2000, channels, np.int32)
    bias = TensorSpec.constant(bias_data, Quantization.per_tensor(0.5 * 0.0625, 0))
    if name == "CONV_2D":
        filter = weights(channels, 1, 1, channels)
        return case(rng, name, [input, filter, bias], [output], Conv2DOptions(Padding.VALID, stride_w=1, stride_h=1))
    if name == "DEPTHWISE_CONV_2D":
        options = DepthwiseConv2DOptions(Padding.SAME, stride_w=1, stride_h=1, depth_multiplier=1)
        return case(rng, name, [input, weights(1, 3, 3, channels), bias], [output], options, version=3)
    if name == "TRANSPOSE_CONV":
        inputs = [vector([2, 5, 4, channels]), weights(channels, 3, 3, channels), input, bias]
        return case(rng, name, inputs, [output], TransposeConvOptions(Padding.SAME, 1, 1), version=3)
    if name == "MEAN":
        output = TensorSpec(type, (), Quantization.per_tensor(0.125, zero + 9))
        return case(rng, name, [input, vector([1, 2])], [output], ReducerOptions(keep_dims=True), version=2)
    return case(rng, name, [input, weights(channels, channels), bias], [output], FullyConnectedOptions(), version=4)


@st.composite
def many_ties(draw: st.DrawFn, type: TensorType) -> Case:
    """Real numbers half of which lie between two codes."""
    rng, scale = draw(generators), draw(st.sampled_from([0.1, 0.5, 0.0235]))
    shape = (draw(st.integers(1, 40)),)
    steps = rng.integers(-300, 300, shape) / 2
    data = (steps * np.float32(scale)).astype(np.float32)
    output = TensorSpec(type, shape, Quantization.per_tensor(scale, 0 if type == INT16 else 3))
    return Case(single_operator_model("QUANTIZE", [TensorSpec(TensorType.FLOAT32, shape)], [output]), [data])


@st.composite
def sums_of_images(draw: st.DrawFn, type: TensorType) -> Case:
    """ADD of an image and what is repeated over it, in every way that a vector can be repeated."""
    rng = draw(generators)
    shape = tuple(draw(st.lists(st.sampled_from([1, 2, 5, 9, 20]), min_size=4, max_size=4)))
    other = tuple(size if draw(st.booleans()) else 1 for size in shape)
    scales = draw(st.sampled_from([(0.5, 0.25, 0.75), (0.1, 0.2, 0.3), (1.0, 0.0625, 0.9)]))
    zeros = (0, 0, 0) if type == INT16 else (3, 7, 9)
    first, second, output = (
        TensorSpec(type, form, Quantization.per_tensor(scale, zero))
        for form, scale, zero in zip((shape, other, shape), scales, zeros, strict=True)
    )
    inputs = [first, second] if draw(st.booleans()) else [second, first]
    return case(rng, "ADD", inputs, [output], AddOptions(pot_scale_int16=False), version=2)


Strategies = dict[str, Callable[[], st.SearchStrategy[Case]]]

STRATEGIES: Strategies = {
    "conv int8": lambda: test_conv.convolutions(INT8),
    "conv uint8": lambda: test_conv.convolutions(UINT8),
    "conv int16": lambda: test_conv.convolutions(INT16),
    "depthwise int8": lambda: test_depthwise_conv.depthwise_convolutions(INT8),
    "depthwise uint8": lambda: test_depthwise_conv.depthwise_convolutions(UINT8),
    "depthwise int16": lambda: test_depthwise_conv.depthwise_convolutions(INT16),
    "fully connected int8": lambda: test_fully_connected.matrix_products(INT8),
    "fully connected uint8": lambda: test_fully_connected.matrix_products(UINT8),
    "fully connected int16": lambda: test_fully_connected.matrix_products(INT16),
    "transpose conv int8": lambda: test_transpose_conv.transposed_convolutions(INT8),
    "transpose conv int16": lambda: test_transpose_conv.transposed_convolutions(INT16),
    "add": lambda: test_add_sub_mul.broadcast("ADD"),
    "add pairs": lambda: test_add_sub_mul.every_pair_of_codes("ADD"),
    "add int16": lambda: test_add_sub_mul.int16_powers_of_two("ADD"),
    "add images int8": lambda: sums_of_images(INT8),
    "add images uint8": lambda: sums_of_images(UINT8),
    "add images int16": lambda: sums_of_images(INT16),
    "sub": lambda: test_add_sub_mul.broadcast("SUB"),
    "sub pairs": lambda: test_add_sub_mul.every_pair_of_codes("SUB"),
    "mul": lambda: test_add_sub_mul.broadcast("MUL"),
    "mul pairs": lambda: test_add_sub_mul.every_pair_of_codes("MUL"),
    "mean": lambda: test_reduce.reductions("MEAN"),
    "sum": lambda: test_reduce.reductions("SUM"),
    "reduce prod": lambda: test_reduce.reductions("REDUCE_PROD"),
    "reduce max": lambda: test_reduce.reductions("REDUCE_MAX"),
    "softmax": test_softmax.softmax,
    "log softmax": test_softmax.log_softmax,
    "quantize": test_quantize.quantizes,
    "requantize": test_quantize.requantizes,
    "dequantize": test_quantize.dequantizes,
    "quantize ties int8": lambda: many_ties(INT8),
    "quantize ties uint8": lambda: many_ties(UINT8),
    "quantize ties int16": lambda: many_ties(INT16),
    "resize nearest": lambda: test_resize.resizes("RESIZE_NEAREST_NEIGHBOR"),
    "stretch nearest": lambda: test_resize.stretches("RESIZE_NEAREST_NEIGHBOR"),
    "leaky relu": lambda: test_relu.every_code("LEAKY_RELU"),
    "resize bilinear": lambda: test_resize.resizes("RESIZE_BILINEAR"),
    **{name.lower(): lambda name=name: test_activations.every_code(name) for name in test_activations.TYPES},
    **{
        f"{name.lower()} of many channels, {type.label}": lambda name=name, type=type: many_channels(name, type)
        for name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "MEAN")
        for type in (INT8, UINT8)
    },
}


def with_bias(case: Case) -> bool:
    """LiteRT's optimized DEPTHWISE_CONV_2D ends the process where there is none, which takes time."""
    return len(case.model.subgraphs[0].operators[0].inputs) > 2 and case.model.subgraphs[0].operators[0].inputs[2] >= 0


REAL_NUMBERS: Strategies = {
    "conv": lambda: test_float_convolutions.convolutions(False),
    "conv hybrid": lambda: test_float_convolutions.convolutions(True),
    "depthwise": lambda: test_float_convolutions.depthwise_convolutions(False).filter(with_bias),
    "depthwise hybrid": lambda: test_float_convolutions.depthwise_convolutions(True).filter(with_bias),
    "transpose conv": lambda: test_float_convolutions.transposed_convolutions(False),
    "transpose conv hybrid": lambda: test_float_convolutions.transposed_convolutions(True),
    "fully connected": test_float_convolutions.matrix_products,
    "fully connected hybrid": test_hybrid_fully_connected.matrix_products,
    "batch matmul": lambda: test_batch_matmul.products(("float32", "float32", "float32")),
    "batch matmul hybrid": lambda: test_batch_matmul.products(("float32", "int8", "float32")),
    "average pool": lambda: test_pooling.pools("AVERAGE_POOL_2D"),
    "reduce min": lambda: test_reduce.reductions("REDUCE_MIN"),
    "resize bilinear": lambda: test_resize.resizes("RESIZE_BILINEAR"),
    **{
        name.lower(): lambda name=name: test_float_functions.functions(name)
        for name in ("EXP", "HARD_SWISH", "L2_NORMALIZATION", "LOGISTIC", "LOG_SOFTMAX", "SOFTMAX", "TANH")
    },
}


@pytest.mark.parametrize("name", REAL_NUMBERS)
@examples
def test_real_numbers(name: str, examples: int) -> None:
    check_cases(REAL_NUMBERS[name](), examples, "tflite-opt")


@pytest.mark.parametrize("shape", [(1, 700, 40), (3, 1500, 7), (70, 31, 3), (33, 9, 1)], ids=str)
def test_sums_that_are_cut(shape: tuple[int, int, int]) -> None:
    """Matrices of rows that do not fill a block, of depths that do not fit a cache, and of few columns."""
    rows, depth, outputs = shape
    rng = np.random.default_rng(rows)
    weights = TensorSpec.constant(rng.normal(0, 1, (outputs, depth)).astype(np.float32))
    input = TensorSpec(TensorType.FLOAT32, (rows, depth))
    output = TensorSpec(TensorType.FLOAT32, ())
    model = single_operator_model("FULLY_CONNECTED", [input, weights, None], [output], FullyConnectedOptions())
    assert_same_bits(model, [rng.normal(0, 1, (rows, depth)).astype(np.float32)], "tflite-opt")


def test_twice_as_large() -> None:
    image = TensorSpec(TensorType.FLOAT32, (2, 3, 5, 9))
    output = TensorSpec(TensorType.FLOAT32, ())
    model = single_operator_model("RESIZE_BILINEAR", [image, vector([6, 10])], [output], ResizeBilinearOptions())
    data = np.random.default_rng(0).normal(0, 1, image.shape).astype(np.float32)
    assert_same_bits(model, [data], "tflite-opt")


@pytest.mark.parametrize("name", ["REDUCE_MAX", "REDUCE_MIN", "SUM", "MEAN"])
@pytest.mark.parametrize("axes", [[0], [1], [0, 1], []], ids=str)
def test_special_numbers_are_reduced_in_order(name: str, axes: list[int]) -> None:
    data = np.stack([np.random.default_rng(seed).permutation(SPECIAL) for seed in range(30)])
    spec = TensorSpec(TensorType.FLOAT32, data.shape)
    output = TensorSpec(TensorType.FLOAT32, ())
    model = single_operator_model(name, [spec, vector(axes)], [output], ReducerOptions(keep_dims=True))
    assert_same_bits(model, [data], "tflite-opt")


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5, 8, 13, 70])
@pytest.mark.parametrize("name", ["MEAN", "SUM", "REDUCE_PROD", "SOFTMAX", "LOG_SOFTMAX"])
def test_rows(name: str, depth: int) -> None:
    data = np.random.default_rng(depth).normal(0, 1, (3, 7, depth)).astype(np.float32)
    specs = [TensorSpec(TensorType.FLOAT32, data.shape)]
    if "SOFTMAX" not in name:
        specs.append(vector([2]))
    options = ReducerOptions() if len(specs) > 1 else SoftmaxOptions(0.7) if name == "SOFTMAX" else None
    model = single_operator_model(name, specs, [TensorSpec(TensorType.FLOAT32, ())], options)
    assert_same_bits(model, [data], "tflite-opt")


@pytest.mark.parametrize("name", ["PRELU", "LEAKY_RELU", "ADD", "MUL"])
def test_special_numbers(name: str) -> None:
    pairs = [np.ascontiguousarray(values) for values in all_pairs(SPECIAL)]
    pairs = pairs[:1] if name == "LEAKY_RELU" else pairs
    specs = [TensorSpec(TensorType.FLOAT32, values.shape) for values in pairs]
    options = LeakyReluOptions(-0.5) if name == "LEAKY_RELU" else None
    model = single_operator_model(name, specs, [TensorSpec(TensorType.FLOAT32, ())], options)
    assert_same_bits(model, pairs, "tflite-opt")


@st.composite
def int4_products(draw: st.DrawFn) -> Case:
    """FULLY_CONNECTED of float rows and 4-bit weights, of sizes that the function for them takes and that it leaves."""
    rng = draw(generators)
    rows, depth, outputs = (
        draw(st.integers(1, 5)),
        draw(st.sampled_from([30, 32, 33, 34, 64, 90])),
        draw(st.integers(1, 9)),
    )
    scales = rng.uniform(0.01, 0.1, draw(st.sampled_from([1, outputs]))).astype(np.float32)
    codes = rng.integers(-7, 7, (outputs, depth), np.int8, endpoint=True)
    quantization = Quantization(scales, np.zeros(len(scales), np.int64))
    weights = TensorSpec(TensorType.INT4, codes.shape, quantization, codes)
    input = TensorSpec(TensorType.FLOAT32, (rows, depth))
    options = FullyConnectedOptions(asymmetric_quantize_inputs=draw(st.booleans()))
    outputs_spec = [TensorSpec(TensorType.FLOAT32, ())]
    model = single_operator_model("FULLY_CONNECTED", [input, weights, None], outputs_spec, options, 9)
    return Case(model, [activation_values(rng, input.shape)])


@examples
def test_4_bit_weights(examples: int) -> None:
    check_cases(int4_products(), examples, "tflite-opt")


@profiles
@pytest.mark.parametrize("name", STRATEGIES)
@examples
def test_operator(name: str, profile: str, examples: int) -> None:
    check_cases(STRATEGIES[name](), examples, profile)


@profiles
def test_compiled_kernels_leave_other_profiles_to_numpy(profile: str) -> None:
    inputs = [TensorSpec(INT8, (64,), Quantization.per_tensor(scale, 3)) for scale in (0.1, 0.2)]
    output = TensorSpec(INT8, (64,), Quantization.per_tensor(0.3, 9))
    model = single_operator_model("ADD", inputs, [output], AddOptions(), 2)
    rng = np.random.default_rng(0)
    data = [rng.integers(-128, 127, 64, np.int8) for _ in inputs]
    for backend in ("jit", "auto"):
        interpreter = Interpreter(model_content=model, profile=profile, backend=backend)
        interpreter.allocate_tensors()
        for details, value in zip(interpreter.get_input_details(), data, strict=True):
            interpreter.set_tensor(details["index"], value)
        interpreter.invoke()
        found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        np.testing.assert_array_equal(found, run_int8rt(model, data, profile)[2])


@profiles
def test_what_is_not_done_is_named(profile: str) -> None:
    spec = TensorSpec(TensorType.FLOAT32, (1, 1, 1, 3))
    model = single_operator_model("LOCAL_RESPONSE_NORMALIZATION", [spec], [spec])
    with pytest.raises(UnsupportedError, match=f"LOCAL_RESPONSE_NORM.*in profile {profile} is not done"):
        run_int8rt(model, [np.zeros(spec.shape, np.float32)], profile)
