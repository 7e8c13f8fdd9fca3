"""Convolutions and matrix products of real numbers in profile xnnpack beside LiteRT's default interpreter."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import strategies as st
from llvmlite import binding

from int8rt.model import BlockwiseQuantization, Padding, Quantization, Shape, TensorType
from int8rt.schema.builder import ModelBuilder, TensorSpec, single_operator_model
from int8rt.schema.options import (
    BatchMatMulOptions,
    Conv2DOptions,
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
    TransposeConvOptions,
)
from tests.differential import test_batch_matmul, test_float_convolutions
from tests.differential.cases import Case, check_cases, generators, vector
from tests.differential.harness import assert_same_bits, run_int8rt
from tests.differential.test_xnnpack import ACTIVATIONS, declared

pytestmark = pytest.mark.litert

examples = pytest.mark.parametrize("examples", [6, pytest.param(60, marks=pytest.mark.slow)])

FLOAT32 = TensorType.FLOAT32
Array = npt.NDArray[np.float32]
SPECIAL = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, -1e-40, 1.2e-38, -2e-30, 3e38, 2.0**-70], np.float32)


def numbers(rng: np.random.Generator, shape: Shape, finite: bool = False) -> Array:
    """Real numbers; or small integers, whose sums are often in the middle between two float32; or special ones."""
    values = rng.normal(0, 1, shape)
    match rng.integers(0, 5):
        case 0:
            values = np.round(values * 4) * rng.choice([2.0**24, 1.0, 2.0**-12], shape)
        case 1:
            values = values * 2.0 ** rng.integers(-80, -50)
        case 2:
            values = np.where(rng.random(shape) < 0.7, rng.choice([0.0, -0.0], shape), values)
        case 3:
            special = SPECIAL[np.isfinite(SPECIAL)] if finite else SPECIAL
            values = np.where(rng.random(shape) < rng.choice([0.02, 0.3]), rng.choice(special, shape), values)
    return values.astype(np.float32)


@st.composite
def convolutions(draw: st.DrawFn) -> Case:
    """CONV_2D, also of groups, and of channels on their own."""
    rng = draw(generators)
    groups, each, outputs = draw(st.sampled_from([(1, 5, 3), (1, 1, 1), (3, 1, 1), (2, 3, 4), (1, 17, 40)]))
    kernel, size = (
        (draw(st.integers(1, 4)), draw(st.integers(1, 3))),
        (draw(st.integers(4, 9)), draw(st.integers(3, 9))),
    )
    shape = (2, *size, groups * each)
    filter, bias = numbers(rng, (groups * outputs, *kernel, each), True), numbers(rng, (groups * outputs,), True)
    options = Conv2DOptions(
        draw(st.sampled_from(Padding)),
        stride_w=draw(st.integers(1, 3)),
        stride_h=draw(st.integers(1, 3)),
        fused_activation_function=draw(st.sampled_from(ACTIVATIONS)),
    )
    inputs = [TensorSpec(FLOAT32, shape), TensorSpec.constant(filter), TensorSpec.constant(bias)]
    return Case(single_operator_model("CONV_2D", inputs, [TensorSpec(FLOAT32, ())], options), [numbers(rng, shape)])


@st.composite
def depthwise_convolutions(draw: st.DrawFn) -> Case:
    """DEPTHWISE_CONV_2D with windows of 1 to 49 pixels."""
    rng, channels, multiplier = (
        draw(generators),
        draw(st.sampled_from([1, 3, 16, 35])),
        draw(st.sampled_from([1, 1, 2])),
    )
    kernel = draw(
        st.sampled_from([(1, 1), (1, 2), (3, 1), (2, 2), (5, 1), (2, 3), (3, 3), (4, 4), (5, 5), (2, 13), (7, 7)])
    )
    stride, dilation = draw(st.integers(1, 3)), draw(st.sampled_from([1, 1, 2]))
    shape = (2, draw(st.integers(1, 3)) + 2 * kernel[0], draw(st.integers(1, 3)) + 2 * kernel[1], channels)
    filter = numbers(rng, (1, *kernel, channels * multiplier), True)
    bias = numbers(rng, (channels * multiplier,), True)
    options = DepthwiseConv2DOptions(
        draw(st.sampled_from(Padding)),
        stride_w=stride,
        stride_h=stride,
        depth_multiplier=multiplier,
        fused_activation_function=draw(st.sampled_from(ACTIVATIONS)),
        dilation_w_factor=dilation,
        dilation_h_factor=draw(st.sampled_from([1, dilation])),
    )
    inputs = [TensorSpec(FLOAT32, shape), TensorSpec.constant(filter), TensorSpec.constant(bias)]
    model = single_operator_model("DEPTHWISE_CONV_2D", inputs, [TensorSpec(FLOAT32, ())], options, 2)
    return Case(model, [numbers(rng, shape)])


@st.composite
def matrix_products(draw: st.DrawFn) -> Case:
    """FULLY_CONNECTED."""
    rng, rows, depth, outputs = (
        draw(generators),
        draw(st.integers(1, 9)),
        draw(st.integers(1, 90)),
        draw(st.integers(1, 40)),
    )
    shape = draw(st.sampled_from([(rows, depth), (2, rows, depth)]))
    filter = TensorSpec.constant(numbers(rng, (outputs, depth)))
    bias = TensorSpec.constant(numbers(rng, (outputs,))) if draw(st.booleans()) else None
    options = FullyConnectedOptions(draw(st.sampled_from(ACTIVATIONS)), keep_num_dims=draw(st.booleans()))
    inputs = [TensorSpec(FLOAT32, shape), filter, bias]
    model = single_operator_model("FULLY_CONNECTED", inputs, [TensorSpec(FLOAT32, ())], options, 6)
    return Case(model, [numbers(rng, shape)])


@st.composite
def transposed_convolutions(draw: st.DrawFn) -> Case:
    """TRANSPOSE_CONV, with strides up to beyond the kernel."""
    rng, padding = draw(generators), draw(st.sampled_from(Padding))
    kernel, strides, size = ([draw(st.integers(1, 4)) for _ in range(2)] for _ in range(3))
    channels, outputs = draw(st.integers(1, 5)), draw(st.integers(1, 20))
    output = [
        (size[i] - 1) * strides[i] + (kernel[i] if padding == Padding.VALID else draw(st.integers(1, strides[i])))
        for i in range(2)
    ]
    shape, output_shape = (2, *size, channels), (2, *output, outputs)
    inputs = [
        vector(output_shape),
        TensorSpec.constant(numbers(rng, (outputs, *kernel, channels), True)),
        TensorSpec(FLOAT32, shape),
        TensorSpec.constant(numbers(rng, (outputs,), True)) if draw(st.booleans()) else None,
    ]
    activation = draw(st.sampled_from(ACTIVATIONS))
    options = TransposeConvOptions(padding, strides[1], strides[0], activation)
    output_spec = TensorSpec(FLOAT32, output_shape)
    return Case(single_operator_model("TRANSPOSE_CONV", inputs, [output_spec], options, 4), [numbers(rng, shape)])


@st.composite
def matrices(draw: st.DrawFn) -> Case:
    """BATCH_MATMUL of special numbers."""
    rng, rows, depth, columns = draw(generators), *(draw(st.integers(1, 40)) for _ in range(3))
    left, right = (3, rows, depth), draw(st.sampled_from([(3, depth, columns), (depth, columns)]))
    inputs = [TensorSpec(FLOAT32, left), TensorSpec(FLOAT32, right)]
    model = single_operator_model("BATCH_MATMUL", inputs, [TensorSpec(FLOAT32, ())], BatchMatMulOptions())
    return Case(model, [numbers(rng, left), numbers(rng, right)])


STRATEGIES: dict[str, Callable[[], st.SearchStrategy[Case]]] = {
    "conv": lambda: test_float_convolutions.convolutions(False),
    "depthwise conv": lambda: test_float_convolutions.depthwise_convolutions(False),
    "fully connected": test_float_convolutions.matrix_products,
    "transpose conv": lambda: test_float_convolutions.transposed_convolutions(False),
    "batch matmul": lambda: test_batch_matmul.products(("float32", "float32", "float32")),
    "transpose conv with int8 weights": lambda: test_float_convolutions.transposed_convolutions(True),
    "batch matmul with int8 weights": lambda: test_batch_matmul.products(("float32", "int8", "float32")),
    "conv of special numbers": convolutions,
    "depthwise conv of special numbers": depthwise_convolutions,
    "fully connected of special numbers": matrix_products,
    "transpose conv of special numbers": transposed_convolutions,
    "batch matmul of special numbers": matrices,
}


@pytest.mark.parametrize("name", STRATEGIES)
@examples
def test_product(name: str, examples: int) -> None:
    check_cases(STRATEGIES[name]().map(declared), examples, "xnnpack")


def unpacked(rng: np.random.Generator, name: str, kinds: tuple[str, str], read_twice: bool = False) -> Case:
    """A convolution whose weights and bias are constants ("float32") or come from a DEQUANTIZE of such."""
    shape, filter_shape = (1, 5, 6, 3), {"CONV_2D": (4, 2, 3, 3), "DEPTHWISE_CONV_2D": (1, 2, 3, 3)}[name]
    outputs = filter_shape[0] if name == "CONV_2D" else filter_shape[3]
    builder = ModelBuilder().input("x", FLOAT32, shape)
    for tensor, kind, size in (("w", kinds[0], filter_shape), ("b", kinds[1], (outputs,))):
        values = rng.normal(0, 1, size)
        if kind == "float32":
            builder.constant(tensor, values.astype(np.float32))
            continue
        if kind == "float16":
            builder.constant(f"{tensor} packed", values.astype(np.float16))
        else:
            builder.constant(f"{tensor} packed", np.rint(values * 40).astype(np.int8), Quantization.per_tensor(0.03, 5))
        builder.tensor(tensor, FLOAT32, size).operator("DEQUANTIZE", [f"{tensor} packed"], [tensor], version=3)
    options = Conv2DOptions(Padding.SAME, 1, 1) if name == "CONV_2D" else DepthwiseConv2DOptions(Padding.SAME, 1, 1, 1)
    builder.output("y", FLOAT32, (*shape[:3], outputs)).operator(name, ["x", "w", "b"], ["y"], options)
    if read_twice:
        builder.output("z", FLOAT32, filter_shape).operator("ABS", ["w"], ["z"])
    return Case(builder.build(), [numbers(rng, shape, True)])


@pytest.mark.parametrize("name", ["CONV_2D", "DEPTHWISE_CONV_2D"])
@pytest.mark.parametrize(
    "kinds",
    [("float16", "float16"), ("float16", "float32"), ("float32", "float16"), ("int8", "float32"), ("int8", "float16")],
)
@pytest.mark.parametrize("read_twice", [False, True])
def test_weights_are_unpacked_beforehand(name: str, kinds: tuple[str, str], read_twice: bool) -> None:
    drawn = unpacked(np.random.default_rng(3), name, kinds, read_twice)
    assert_same_bits(drawn.model, drawn.inputs, "xnnpack")


def test_weights_that_come_while_running_are_left_to_the_optimized_kernel() -> None:
    rng = np.random.default_rng(1)
    x, weights = (rng.normal(0, 1, shape).astype(np.float32) for shape in ((5, 33), (7, 33)))
    output = TensorSpec(FLOAT32, (5, 7))
    given = [TensorSpec(FLOAT32, x.shape), TensorSpec(FLOAT32, weights.shape), None]
    model = single_operator_model("FULLY_CONNECTED", given, [output], FullyConnectedOptions())
    assert_same_bits(model, [x, weights], "xnnpack")
    stored = single_operator_model(
        "FULLY_CONNECTED", [given[0], TensorSpec.constant(weights), None], [output], FullyConnectedOptions()
    )
    assert_same_bits(stored, [x], "xnnpack")
    optimized = run_int8rt(model, [x, weights], "xnnpack")[2]
    assert np.any(run_int8rt(stored, [x], "xnnpack")[2] != optimized)


@st.composite
def blocks(draw: st.DrawFn) -> Case:
    """FULLY_CONNECTED with a scale for each block of int4 weights."""
    rng, rows, outputs = draw(generators), draw(st.integers(1, 20)), draw(st.integers(1, 40))
    size, count = draw(st.sampled_from([32, 64, 96, 16])), draw(st.integers(1, 5))
    depth = size * count
    scales = rng.uniform(0.5, 1, (outputs, count)) * 2.0 ** rng.integers(-12, 1, (outputs, count))
    quantization = Quantization(
        np.zeros(0, np.float32), np.zeros(0, np.int64), blockwise=BlockwiseQuantization(1, -1, size)
    )
    builder = ModelBuilder().input("x", FLOAT32, (rows, depth)).constant("scales", scales.astype(np.float16))
    codes = rng.integers(-8, 8, (outputs, depth)).astype(np.int8)
    builder.constant("w", codes, quantization, type=TensorType.INT4)
    builder.constant("b", rng.normal(0, 100, outputs).astype(np.float32)).output("y", FLOAT32, (rows, outputs))
    options = FullyConnectedOptions(draw(st.sampled_from(ACTIVATIONS)))
    names = ["x", "w", "b" if draw(st.booleans()) else None]
    model = builder.operator("FULLY_CONNECTED", names, ["y"], options, version=14).build()
    return Case(model, [rng.normal(rng.choice([0, 1]), 1, (rows, depth)).astype(np.float32)])


@pytest.mark.skipif(
    not binding.get_host_cpu_features().get("avx512vnni", False),
    reason="other processors round differently",
)
@examples
def test_scales_for_blocks_of_weights(examples: int) -> None:
    check_cases(blocks(), 2 * examples, "xnnpack")
