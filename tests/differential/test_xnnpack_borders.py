"""Where LiteRT's delegate takes less than it seems, or what nobody wants: profile xnnpack follows it, or refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from int8rt.errors import UnsupportedError
from int8rt.model import ActivationFunctionType, Model, Operator, Padding, Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import ConcatenationOptions, Conv2DOptions, DepthwiseConv2DOptions, FullyConnectedOptions
from tests.differential import test_sparse_fully_connected
from tests.differential.harness import assert_same_bits, run_int8rt
from tests.schema.test_constant import sparsify

pytestmark = pytest.mark.litert

INT8, UINT8, FLOAT32 = TensorType.INT8, TensorType.UINT8, TensorType.FLOAT32
q = Quantization.per_tensor


@pytest.mark.parametrize("name", ["SQRT", "RSQRT", "COS", "TANH", "EXP", "LOG"])
def test_a_number_without_dimensions(name: str) -> None:
    spec = TensorSpec(FLOAT32, ())
    assert_same_bits(single_operator_model(name, [spec], [spec]), [np.float32(0.7).reshape(())], "xnnpack")


@pytest.mark.parametrize("name", ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"])
@pytest.mark.parametrize("scale", [0.0, 1e-42])
def test_uint8_weights_of_scales_that_are_not_normal(name: str, scale: float) -> None:
    """The optimized kernel computes them, but for FULLY_CONNECTED, which the delegate takes and cannot do."""
    shape = {"CONV_2D": (3, 1, 1, 3), "DEPTHWISE_CONV_2D": (1, 1, 1, 3), "FULLY_CONNECTED": (3, 3)}[name]
    options = {
        "CONV_2D": Conv2DOptions(Padding.SAME, 1, 1),
        "DEPTHWISE_CONV_2D": DepthwiseConv2DOptions(Padding.SAME, 1, 1, 1),
        "FULLY_CONNECTED": FullyConnectedOptions(keep_num_dims=True),
    }[name]
    weights = np.arange(np.prod(shape)).astype(np.uint8).reshape(shape)
    image = TensorSpec(UINT8, (1, 4, 4, 3), q(0.5, 100))
    inputs = [image, TensorSpec.constant(weights, q(scale, 118)), TensorSpec.constant(np.zeros(3, np.int32), q(0.01))]
    data = np.random.default_rng(0).integers(0, 255, image.shape, np.uint8)
    assert_same_bits(single_operator_model(name, inputs, [image], options, 3), [data], "xnnpack")


def densified(reader: str) -> Model:
    """Sparse int8 weights that DENSIFY unpacks, for an operator of that name if there is one."""
    dense = np.eye(4, 16, dtype=np.int8)
    values, sparsity = sparsify(dense, (0, 1), {}, {1})
    packed = TensorSpec(INT8, dense.shape, q(0.01), raw=np.array(values, np.int8).tobytes(), sparsity=sparsity)
    unpacked = TensorSpec(INT8, dense.shape, q(0.01))
    model = single_operator_model("DENSIFY", [packed], [unpacked])
    graph = model.subgraphs[0]
    if not reader:
        return model
    operators = (*graph.operators, Operator(reader, (1,), (2,), 1))
    tensors = (*graph.tensors, replace(graph.tensors[1], name="read"))
    return replace(model, subgraphs=(replace(graph, tensors=tensors, operators=operators, outputs=(2,)),))


@pytest.mark.parametrize("reader", ["", "ELU"])
def test_sparse_constants_that_the_delegate_unpacks_are_refused(reader: str) -> None:
    with pytest.raises(UnsupportedError, match=r"DENSIFY.*: sparse weights in profile xnnpack is not done"):
        run_int8rt(densified(reader), [], "xnnpack")


def test_sparse_constants_for_an_operator_that_the_delegate_leaves() -> None:
    model = densified("RELU_0_TO_1")
    assert run_int8rt(model, [], "xnnpack")[2].any()
    assert_same_bits(model, [], "xnnpack")


def test_sparse_weights_of_real_rows_are_refused() -> None:
    filter = test_sparse_fully_connected.in_blocks(np.eye(4, 16, dtype=np.int8), q(0.5))
    model = single_operator_model(
        "FULLY_CONNECTED", [TensorSpec(FLOAT32, (2, 16)), filter], [TensorSpec(FLOAT32, (2, 4))], version=9
    )
    with pytest.raises(UnsupportedError, match="sparse weights in profile xnnpack is not done"):
        run_int8rt(model, [np.ones((2, 16), np.float32)], "xnnpack")


@pytest.mark.parametrize("stored", [False, True])
def test_concatenation_of_real_numbers_leaves_its_activation_out(stored: bool) -> None:
    """The optimized kernel, which computes what the delegate leaves, refuses it."""
    first, second = np.array([[-3, 9, np.nan]], np.float32), np.array([[1e-42]], np.float32)
    inputs = [TensorSpec(FLOAT32, (1, 3)), TensorSpec.constant(second) if stored else TensorSpec(FLOAT32, (1, 1))]
    options = ConcatenationOptions(1, ActivationFunctionType.RELU6)
    model = single_operator_model("CONCATENATION", inputs, [TensorSpec(FLOAT32, (1, 4))], options)
    data = [first] if stored else [first, second]
    assert_same_bits(model, data, "xnnpack")
    assert_same_bits(model, data, "tflite-opt")
    assert run_int8rt(model, data, "xnnpack")[2].min(initial=0, where=[True, True, False, True]) == -3
