from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.enums import FullyConnectedOptionsWeightsFormat
from int8rt.schema.options import FullyConnectedOptions
from tests.differential.cases import Case, case, check_cases, examples, shapes, types
from tests.differential.convolutions import (
    activations,
    bias_spec,
    filter_spec,
    filter_zero_point,
    generator,
    scales_of,
    zero_point_pair,
)
from tests.differential.harness import assert_same_bits

pytestmark = pytest.mark.litert


@st.composite
def matrix_products(draw: st.DrawFn, type: TensorType) -> Case:
    depth, outputs = draw(st.integers(1, 40)), draw(st.integers(1, 12))
    leading = draw(shapes((0, 3), 8))
    rng = generator(draw, depth, outputs, *leading)
    # Elements that do not fill a row are not read.
    shape = (*leading, depth if rng.random() < 0.8 else int(rng.integers(1, 60)))
    wide, unsigned = type == TensorType.INT16, type == TensorType.UINT8
    # The 8-bit kernels take an int64 bias for an int32 one.
    bias_type = draw(types("int32", "int64")) if wide or rng.random() < 0.2 else TensorType.INT32
    filter_type = type if unsigned else draw(types("int8", "int8", "int4", "int2", *["int16"] * 2 * wide))
    absent = draw(st.sampled_from(["no", "no", "left out", "none"]))
    # Nor does the one of int16 weights look at the bias's type where the option is not set; others need it for a bias.
    said = wide and not ((filter_type == TensorType.INT16 or absent != "no") and draw(st.booleans()))
    options = FullyConnectedOptions(
        draw(activations),
        keep_num_dims=draw(st.booleans()),
        quantized_bias_type=bias_type if said else TensorType.FLOAT32,
    )
    per_axis = not unsigned and draw(st.booleans())
    input_scale, scales, output_scale = scales_of(rng, type, filter_type, depth, outputs if per_axis else 1)
    input_zero_point, output_zero_point = zero_point_pair(rng, type)
    inputs = [
        TensorSpec(type, shape, Quantization.per_tensor(input_scale, input_zero_point)),
        filter_spec(rng, filter_type, (outputs, depth), scales, 0, filter_zero_point(rng, type)),
        bias_spec(rng, bias_type, outputs, input_scale * scales[0], depth, type),
    ]
    return case(
        rng,
        "FULLY_CONNECTED",
        inputs[:2] if absent == "left out" else [*inputs[:2], None if absent == "none" else inputs[2]],
        [TensorSpec(type, (), Quantization.per_tensor(output_scale, output_zero_point))],
        options,
        version=14,
    )


@examples
@pytest.mark.parametrize("type", ["int8", "uint8", "int16"])
def test_fully_connected(type: str, examples: int) -> None:
    check_cases(matrix_products(TensorType[type.upper()]), examples)


@st.composite
def to_int16(draw: st.DrawFn, shuffled: bool) -> Case:
    """uint8 activations and weights, int16 results: as TensorFlow once made the gates of LSTMs."""
    rows = draw(st.sampled_from([1, 4]) if shuffled else st.integers(1, 5))
    depth, outputs = (16 * draw(st.integers(1, 4)), 4 * draw(st.integers(1, 4))) if shuffled else (37, 5)
    rng = generator(draw, rows, depth, outputs)
    scales = 0.5 / 64, 1 / 64 if draw(st.booleans()) else 0.013, draw(st.sampled_from([1 / 4096, 0.003, 0.5, 1.0]))
    # The kernel takes 128 for the zero points of what is shuffled, whatever they are.
    points = (128, 128) if draw(st.booleans()) else tuple(int(rng.integers(256)) for _ in range(2))
    weights = rng.integers(0, 256, (outputs, depth)).astype(np.uint8)
    bias = rng.integers(-10000, 10000, outputs).astype(np.int32)
    inputs = [
        TensorSpec(TensorType.UINT8, (rows, depth), Quantization.per_tensor(scales[0], points[0])),
        TensorSpec.constant(weights, Quantization.per_tensor(scales[1], points[1])),
        TensorSpec.constant(bias, Quantization.per_tensor(float(np.float32(scales[0]) * np.float32(scales[1])))),
    ]
    result = TensorSpec(TensorType.INT16, (), Quantization.per_tensor(scales[2]))
    workspace = TensorSpec(TensorType.UINT8, (rows, depth))
    options = FullyConnectedOptions(
        draw(activations), FullyConnectedOptionsWeightsFormat(int(shuffled)), keep_num_dims=draw(st.booleans())
    )
    return case(rng, "FULLY_CONNECTED", inputs, [result, workspace] if shuffled else [result], options, version=2)


@examples
@pytest.mark.parametrize("shuffled", [False, True])
def test_int16_results_of_uint8(shuffled: bool, examples: int) -> None:
    check_cases(to_int16(shuffled), examples)


def test_shuffled_weights_need_a_second_output() -> None:
    x, weights = np.ones((2, 16), np.float32), TensorSpec.constant(np.ones((4, 16), np.float32))
    options = FullyConnectedOptions(weights_format=FullyConnectedOptionsWeightsFormat.SHUFFLED4x16INT8)
    float32 = TensorType.FLOAT32
    model = single_operator_model(
        "FULLY_CONNECTED", [TensorSpec(float32, (2, 16)), weights], [TensorSpec(float32, ())], options
    )
    assert_same_bits(model, [x])


def test_int16_without_options() -> None:
    """The schema's default for the type of the bias holds only where there are options."""
    quantization = Quantization.per_tensor(0.1)
    specs = [TensorSpec(TensorType.INT16, shape, quantization) for shape in ((2, 5), (2, 3))]
    weights = TensorSpec.constant(np.ones((3, 5), np.int8), quantization)
    assert_same_bits(
        single_operator_model("FULLY_CONNECTED", [specs[0], weights], [specs[1]]), [np.ones((2, 5), np.int16)]
    )
