"""Profile xnnpack beside LiteRT's default interpreter, operator by operator.

The delegate looks at the shapes that the file declares, so these models declare their outputs' too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.errors import Int8rtError, ModelError, UnsupportedError
from int8rt.model import ActivationFunctionType, Quantization, TensorType
from int8rt.quantization.profiles import get_profile
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import (
    AddOptions,
    Conv2DOptions,
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
    LeakyReluOptions,
    MulOptions,
    ResizeBilinearOptions,
    StridedSliceOptions,
)
from tests.differential import (
    test_add_sub_mul,
    test_batch_matmul,
    test_conv,
    test_data_movement_borders,
    test_data_movement_picks,
    test_data_movement_shapes,
    test_data_movement_slices,
    test_data_movement_space,
    test_depthwise_conv,
    test_float_convolutions,
    test_fully_connected,
    test_hybrid_fully_connected,
    test_pooling,
    test_profiles,
    test_quantize,
    test_reduce,
    test_resize,
    test_transpose_conv,
)
from tests.differential.cases import Case, case, check_cases, generators, quantizations, types, vector
from tests.differential.harness import assert_same_bits, run_int8rt

pytestmark = pytest.mark.litert

examples = pytest.mark.parametrize("examples", [6, pytest.param(40, marks=pytest.mark.slow)])

INT8, UINT8 = TensorType.INT8, TensorType.UINT8
ACTIVATIONS = [
    ActivationFunctionType.NONE,
    ActivationFunctionType.RELU,
    ActivationFunctionType.RELU6,
    ActivationFunctionType.RELU_N1_TO_1,
]


def declared(drawn: Case) -> Case:
    """The same model, with the shapes of its outputs."""
    graph = drawn.model.subgraphs[0]
    try:
        values = run_int8rt(drawn.model, drawn.inputs)
    except Int8rtError:
        return drawn
    tensors = list(graph.tensors)
    for index in graph.outputs:
        tensors[index] = replace(tensors[index], shape=values[index].shape)
    return Case(replace(drawn.model, subgraphs=(replace(graph, tensors=tuple(tensors)),)), drawn.inputs)


@st.composite
def every_code(draw: st.DrawFn, name: str) -> Case:
    """All codes of a type, to an output of any scale."""
    type = INT8 if name == "ELU" else draw(types("int8", "uint8"))
    codes = np.arange(256, dtype=np.uint8).view(type.dtype)
    input, output = (TensorSpec(type, (256,), draw(quantizations(type))) for _ in range(2))
    options = LeakyReluOptions(draw(st.sampled_from([0.01, 0.1, 1.5, -0.3, 0.0]))) if name == "LEAKY_RELU" else None
    return Case(single_operator_model(name, [input], [output], options), [codes])


@st.composite
def clamped(draw: st.DrawFn, name: str) -> Case:
    """Sums and products with an activation, of scales whose bounds lie between two codes."""
    rng, type = draw(generators), draw(types("int8", "uint8"))
    scales = draw(st.sampled_from([(0.5, 0.25, 4.0), (1.0, 1.0, 12.0), (0.1, 0.2, 0.3), (3.0, 0.01, 0.4)]))
    zeros = (1, 0, 3) if type == INT8 else (100, 128, 127)
    specs = [
        TensorSpec(type, (4, 33), Quantization.per_tensor(scale, zero))
        for scale, zero in zip(scales, zeros, strict=True)
    ]
    options = (MulOptions if name == "MUL" else AddOptions)(draw(st.sampled_from(ACTIVATIONS)))
    return case(rng, name, specs[:2], specs[2:], options, 2)


Strategies = dict[str, Callable[[], st.SearchStrategy[Case]]]

STRATEGIES: Strategies = {
    "conv int8": lambda: test_conv.convolutions(INT8),
    "conv uint8": lambda: test_conv.convolutions(UINT8),
    "depthwise int8": lambda: test_depthwise_conv.depthwise_convolutions(INT8),
    "depthwise uint8": lambda: test_depthwise_conv.depthwise_convolutions(UINT8),
    "fully connected int8": lambda: test_fully_connected.matrix_products(INT8),
    "fully connected uint8": lambda: test_fully_connected.matrix_products(UINT8),
    "conv with int8 weights": lambda: test_float_convolutions.convolutions(True),
    "depthwise with int8 weights": lambda: test_float_convolutions.depthwise_convolutions(True),
    "fully connected with integer weights": test_hybrid_fully_connected.matrix_products,
    "transpose conv int8": lambda: test_transpose_conv.transposed_convolutions(INT8),
    "add": lambda: test_add_sub_mul.broadcast("ADD"),
    "add pairs": lambda: test_add_sub_mul.every_pair_of_codes("ADD"),
    "add clamped": lambda: clamped("ADD"),
    "sub": lambda: test_add_sub_mul.broadcast("SUB"),
    "mul": lambda: test_add_sub_mul.broadcast("MUL"),
    "mul pairs": lambda: test_add_sub_mul.every_pair_of_codes("MUL"),
    "mul clamped": lambda: clamped("MUL"),
    "batch matmul": lambda: test_batch_matmul.products(("int8", "int8", "int8")),
    "mean": lambda: test_reduce.reductions("MEAN"),
    "sum": lambda: test_reduce.reductions("SUM"),
    "reduce max": lambda: test_reduce.reductions("REDUCE_MAX"),
    "reduce min": lambda: test_reduce.reductions("REDUCE_MIN"),
    "quantize": test_quantize.quantizes,
    "requantize": test_quantize.requantizes,
    "dequantize": test_quantize.dequantizes,
    "quantize ties": lambda: test_profiles.many_ties(INT8),
    "resize bilinear": lambda: test_resize.resizes("RESIZE_BILINEAR"),
    "max pool": lambda: test_pooling.pools("MAX_POOL_2D"),
    "average pool": lambda: test_pooling.pools("AVERAGE_POOL_2D"),
    "pad": lambda: test_data_movement_borders.pads("PAD"),
    "concatenation": test_data_movement_borders.concatenations,
    "split": lambda: test_data_movement_picks.splits("SPLIT"),
    "reshape": test_data_movement_shapes.reshapes,
    "transpose": test_data_movement_shapes.transpositions,
    "slice": test_data_movement_slices.slices,
    "strided slice": test_data_movement_slices.strided_slices,
    "space to depth": lambda: test_data_movement_space.squares("SPACE_TO_DEPTH"),
    "depth to space": lambda: test_data_movement_space.squares("DEPTH_TO_SPACE"),
    **{name.lower(): lambda name=name: every_code(name) for name in ("ELU", "LEAKY_RELU", "LOGISTIC", "TANH")},
    **{
        f"{name.lower()} of many channels, {type.label}": lambda name=name, type=type: test_profiles.many_channels(
            name, type
        )
        for name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "MEAN")
        for type in (INT8, UINT8)
    },
}


@pytest.mark.parametrize("size", [-1, 2, 9])
@pytest.mark.parametrize("type", ["float16", "float32", "int8", "int32"])
def test_slices_that_are_not_of_the_declared_shape(type: str, size: int) -> None:
    """XNNPACK does not mind, other kernels do. What goes beyond the input is refused."""
    kind = TensorType[type.upper()]
    quantization = Quantization.per_tensor(0.5) if kind == INT8 else None
    specs = [TensorSpec(kind, (5,), quantization), vector([1]), vector([size])]
    model = single_operator_model("SLICE", specs, [TensorSpec(kind, (3,), quantization)], version=2)
    assert_same_bits(model, [np.arange(5).astype(kind.dtype)], "xnnpack")


@pytest.mark.parametrize("count", [3, 5])
@pytest.mark.parametrize("name", ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"])
def test_a_bias_of_another_length(name: str, count: int) -> None:
    """XNNPACK does not look, and reads on behind it."""
    q, shape = Quantization.per_tensor, (1, 4) if name == "FULLY_CONNECTED" else (1, 1, 1, 4)
    filter_shape = (4, 4) if name == "FULLY_CONNECTED" else (1, 1, 1, 4) if name.startswith("D") else (4, 1, 1, 4)
    weights = TensorSpec.constant(np.ones(filter_shape, np.int8), q(0.1))
    inputs = [TensorSpec(INT8, shape, q(0.5)), weights, TensorSpec.constant(np.ones(count, np.int32), q(0.05))]
    strides = {"stride_w": 1, "stride_h": 1}
    options = {
        "CONV_2D": Conv2DOptions(**strides),
        "DEPTHWISE_CONV_2D": DepthwiseConv2DOptions(depth_multiplier=1, **strides),
        "FULLY_CONNECTED": FullyConnectedOptions(),
    }[name]
    model = single_operator_model(name, inputs, [TensorSpec(INT8, shape, q(0.5))], options, version=3)
    with pytest.raises(ModelError, match=rf"bias 'input2' has shape \[{count}\], expected \[4\]"):
        run_int8rt(model, [np.ones(shape, np.int8)], "xnnpack")


def test_a_strided_slice_of_float16_up_to_0() -> None:
    """XNNPACK takes an end of 0 for the dimension's."""
    float16 = TensorType.FLOAT16
    inputs = [TensorSpec(float16, (1,)), vector([0]), vector([0]), vector([1])]
    model = single_operator_model("STRIDED_SLICE", inputs, [TensorSpec(float16, ())])
    with pytest.raises(UnsupportedError, match="an end of 0, or beyond, in profile xnnpack is not done"):
        run_int8rt(model, [np.ones(1, np.float16)], "xnnpack")


@pytest.mark.parametrize("name", STRATEGIES)
@examples
def test_operator(name: str, examples: int) -> None:
    check_cases(STRATEGIES[name]().map(declared), examples, "xnnpack")


def codes(type: TensorType, shape: tuple[int, ...], scale: float, zero_point: int) -> TensorSpec:
    return TensorSpec(type, shape, Quantization.per_tensor(scale, zero_point))


def test_product_with_itself_is_a_table() -> None:
    input, output = codes(INT8, (256,), 1.0, 3), codes(INT8, (256,), 2.0, -101)
    model = single_operator_model("MUL", [input, input], [output], MulOptions(), 2)
    graph = model.subgraphs[0]
    (operator,) = graph.operators
    squared = replace(graph, operators=(replace(operator, inputs=(0, 0)),), inputs=(0,))
    data = np.arange(-128, 128).astype(np.int8)
    assert_same_bits(replace(model, subgraphs=(squared,)), [data], "xnnpack")
    product = run_int8rt(model, [data, data], "xnnpack")[2]
    assert np.any(run_int8rt(replace(model, subgraphs=(squared,)), [data], "xnnpack")[2] != product)


def test_a_size_that_comes_while_running_is_left_to_the_optimized_kernel() -> None:
    rng = np.random.default_rng(3)
    input, output = codes(INT8, (1, 5, 7, 3), 0.5, 1), codes(INT8, (1, 13, 11, 3), 0.5, 1)
    data, size = rng.integers(-128, 127, (1, 5, 7, 3), np.int8), np.array([13, 11], np.int32)
    options = ResizeBilinearOptions()
    stored = single_operator_model("RESIZE_BILINEAR", [input, vector([13, 11])], [output], options, 3)
    given = single_operator_model("RESIZE_BILINEAR", [input, TensorSpec(TensorType.INT32, (2,))], [output], options, 3)
    assert_same_bits(stored, [data], "xnnpack")
    assert_same_bits(given, [data, size], "xnnpack")
    optimized = run_int8rt(given, [data, size], "tflite-opt")[2]
    np.testing.assert_array_equal(run_int8rt(given, [data, size], "xnnpack")[2], optimized)
    assert np.any(run_int8rt(stored, [data], "xnnpack")[2] != optimized)


@pytest.mark.parametrize("type", [INT8, TensorType.FLOAT32])
def test_an_end_of_0_is_refused(type: TensorType) -> None:
    # LiteRT's kernel gives nothing, XNNPACK all elements.
    quantization = Quantization.per_tensor(0.5, 1) if type == INT8 else None
    input, output = (TensorSpec(type, shape, quantization) for shape in ((3,), (1,)))
    inputs = [input, vector([0]), vector([0]), vector([1])]
    model = single_operator_model("STRIDED_SLICE", inputs, [output], StridedSliceOptions(), 4)
    with pytest.raises(UnsupportedError, match="an end of 0, or beyond, in profile xnnpack is not done"):
        run_int8rt(model, [np.zeros(3, type.dtype)], "xnnpack")
    ends = single_operator_model(
        "STRIDED_SLICE", [*inputs[:2], vector([-1]), inputs[3]], [output], StridedSliceOptions(), 4
    )
    assert_same_bits(ends, [np.arange(3).astype(type.dtype)], "xnnpack")


def test_scales_that_xnnpack_refuses_are_errors() -> None:
    input, output = codes(INT8, (1, 4, 4, 2), 0.5, 1), codes(INT8, (1, 2, 2, 2), 0.25, 1)
    pads = TensorSpec.constant(np.zeros((4, 2), np.int32))
    model = single_operator_model("PAD", [input, pads], [replace(output, shape=(1, 4, 4, 2))])
    assert_same_bits(model, [np.zeros((1, 4, 4, 2), np.int8)], "xnnpack")
    with pytest.raises(Int8rtError, match="XNNPACK wants one type, scale and zero point"):
        run_int8rt(model, [np.zeros((1, 4, 4, 2), np.int8)], "xnnpack")


def test_constants_that_become_an_output_are_refused() -> None:
    """XNNPACK takes the operator, which nothing else that it takes uses, and fails."""
    input = TensorSpec.constant(np.arange(4, dtype=np.int8), Quantization.per_tensor(0.5, 1))
    model = single_operator_model("DEQUANTIZE", [input], [TensorSpec(TensorType.FLOAT32, (4,))], version=2)
    assert_same_bits(model, [], "xnnpack")
    with pytest.raises(UnsupportedError, match="constants that become an output of the model in profile xnnpack"):
        run_int8rt(model, [], "xnnpack")


def test_float16_is_refused_by_name() -> None:
    spec = TensorSpec(TensorType.FLOAT16, (3,))
    model = single_operator_model("ADD", [spec, spec], [spec], AddOptions())
    with pytest.raises(UnsupportedError, match=r"ADD: its arithmetic on real numbers in profile xnnpack is not done"):
        run_int8rt(model, [np.zeros(3, np.float16)] * 2, "xnnpack")


def test_what_is_not_taken_rounds_as_the_optimized_kernels_do() -> None:
    optimized, delegated = get_profile("tflite-opt"), get_profile("xnnpack")
    assert delegated.roundings == optimized.roundings
    assert delegated.int32_roundings == optimized.int32_roundings
