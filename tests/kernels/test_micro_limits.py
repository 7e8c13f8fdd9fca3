"""What profile tflm refuses, for the wheel tflite-micro computes it from other data or leaves memory as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from int8rt.errors import UnsupportedError
from int8rt.model import Model, Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import BatchMatMulOptions, DepthwiseConv2DOptions, StablehloGatherOptions
from tests.differential import control_flow
from tests.differential.harness import run_int8rt
from tests.differential.test_sparse_fully_connected import in_blocks

INT8, INT16, INT32, FLOAT32 = TensorType.INT8, TensorType.INT16, TensorType.INT32, TensorType.FLOAT32
q = Quantization.per_tensor


def refused(model: Model, reason: str) -> None:
    inputs = [model.subgraphs[0].tensors[index] for index in model.subgraphs[0].inputs]
    with pytest.raises(UnsupportedError, match=f"{reason} in profile tflm is not done"):
        run_int8rt(model, [np.ones(tensor.shape, tensor.type.dtype) for tensor in inputs], "tflm")


def one(name: str, inputs: list[TensorSpec], output: TensorSpec, options: Any = None) -> Model:
    return single_operator_model(name, inputs, [output], options)


def test_sparse_weights() -> None:
    filter = in_blocks(np.eye(2, 16, dtype=np.float32), None)
    refused(
        one("FULLY_CONNECTED", [TensorSpec(FLOAT32, (1, 16)), filter], TensorSpec(FLOAT32, (1, 2))), "a sparse constant"
    )


def test_many_dimensions() -> None:
    tensors = [TensorSpec(INT32, shape) for shape in ((1,) * 6 + (2,), (2,) + (1,) * 6)]
    refused(one("ADD", tensors, TensorSpec(INT32, (2,) + (1,) * 5 + (2,))), "more than 6 dimensions")


def test_int16_is_not_compared() -> None:
    tensor = TensorSpec(INT16, (3,))
    refused(one("GREATER", [tensor, tensor], TensorSpec(TensorType.BOOL, (3,))), "int16")


def test_sums_of_many() -> None:
    tensor = TensorSpec(FLOAT32, (3,))
    refused(one("ADD_N", [tensor] * 3, tensor), "more than two tensors of real numbers")


def test_matrices_with_several_scales() -> None:
    right = TensorSpec(INT8, (3, 2), Quantization.per_axis([0.5, 0.25], [0, 0], 1))
    inputs, output = [TensorSpec(INT8, (2, 3), q(0.5)), right], TensorSpec(INT8, (2, 2), q(0.5))
    refused(one("BATCH_MATMUL", inputs, output, BatchMatMulOptions()), "several scales")


def test_a_depth_multiplier_that_the_shapes_contradict() -> None:
    image, filter = TensorSpec(FLOAT32, (1, 2, 2, 1)), TensorSpec.constant(np.ones((1, 1, 1, 1), np.float32))
    bias = TensorSpec.constant(np.zeros(1, np.float32))
    options = DepthwiseConv2DOptions(stride_w=1, stride_h=1, depth_multiplier=0)
    refused(one("DEPTHWISE_CONV_2D", [image, filter, bias], image, options), "a depth_multiplier of 0.*contradict,")


@pytest.mark.parametrize("known", [True, False])
def test_a_border_of_blocks(known: bool) -> None:
    paddings = np.array([[0, 1], [0, 0]], np.int32)
    inputs = [
        TensorSpec(INT8, (1, 3, 2, 1), q(0.5, 3)),
        TensorSpec.constant(np.array([2, 1], np.int32)),
        TensorSpec.constant(paddings) if known else TensorSpec(INT32, (2, 2)),
    ]
    refused(one("SPACE_TO_BATCH_ND", inputs, TensorSpec(INT8, (2, 2, 2, 1), q(0.5, 3))), "a border")


@pytest.mark.parametrize("name", ["LOGISTIC", "TANH"])
@pytest.mark.parametrize("scale", [1e-20, 8.0])
def test_scales_whose_shifts_are_undefined(name: str, scale: float) -> None:
    output = q(1 / 256, -128) if name == "LOGISTIC" else q(1 / 128)
    refused(one(name, [TensorSpec(INT8, (3,), q(scale))], TensorSpec(INT8, (3,), output)), "an input scale of .*")


@pytest.mark.parametrize("body", [control_flow.add_and_keep, control_flow.swap])
def test_a_loop_whose_body_passes_an_input_on(body: control_flow.Body) -> None:
    refused(control_flow.while_model(2, body), "a body that passes an input on")


def test_a_loop_of_sums_is_computed() -> None:
    model = control_flow.while_model(2, control_flow.twice)
    inputs = [np.ones(model.subgraphs[0].tensors[index].shape, np.int32) for index in model.subgraphs[0].inputs]
    found, expected = (run_int8rt(model, inputs, profile) for profile in ("tflm", "tflite-ref"))
    for index in model.subgraphs[0].outputs:
        np.testing.assert_array_equal(found[index], expected[index])


def test_older_gathers() -> None:
    """The kernel of 2.19 takes other elements."""
    options = StablehloGatherOptions((0, 1), (), (1,), 0, (1, 3))
    inputs = [TensorSpec(INT32, (2, 5)), TensorSpec(INT32, (1, 1, 2))]
    model = one("STABLEHLO_GATHER", inputs, TensorSpec(INT32, (1, 3, 1, 2)), options)
    with pytest.raises(
        UnsupportedError, match=r"STABLEHLO_GATHER: its arithmetic in profile tflite-ref@2.19 is not done"
    ):
        run_int8rt(model, [np.zeros((2, 5), np.int32), np.zeros((1, 1, 2), np.int32)], "tflite-ref@2.19")
