from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import BlockwiseQuantization, Quantization, TensorType
from int8rt.schema.builder import ModelBuilder, TensorSpec, single_operator_model
from int8rt.schema.options import FullyConnectedOptions
from tests.differential.cases import Case, check_cases, examples, shapes, types
from tests.differential.convolutions import generator
from tests.differential.harness import assert_same_bits
from tests.differential.hybrids import activation_values, all_activations, float_bias, hybrid_filter

pytestmark = pytest.mark.litert


@st.composite
def matrix_products(draw: st.DrawFn) -> Case:
    depth, outputs = draw(st.integers(1, 70)), draw(st.integers(1, 12))
    leading = draw(shapes((0, 3), 5))
    rng = generator(draw, depth, outputs, *leading)
    shape = (*leading, depth if rng.random() < 0.9 else int(rng.integers(1, 60)))
    options = FullyConnectedOptions(
        draw(all_activations), keep_num_dims=draw(st.booleans()), asymmetric_quantize_inputs=draw(st.booleans())
    )
    filter_type = draw(types("int8", "int8", "int4", "int2", "uint8"))
    per_axis = draw(st.booleans())
    inputs = [
        TensorSpec(TensorType.FLOAT32, shape),
        hybrid_filter(rng, filter_type, (outputs, depth), outputs, 0, per_axis),
        float_bias(rng, outputs) if draw(st.booleans()) else None,
    ]
    model = single_operator_model("FULLY_CONNECTED", inputs, [TensorSpec(TensorType.FLOAT32, ())], options, version=14)
    return Case(model, [activation_values(rng, shape)])


@pytest.mark.parametrize("asymmetric", [False, True])
@pytest.mark.parametrize("code", [127, -128])
@pytest.mark.parametrize("depth", [2088, 5003])
def test_sums_of_long_rows(depth: int, code: int, asymmetric: bool) -> None:
    """The sums of the weights that go with zero points wrap around in 16 bits."""
    rng = np.random.default_rng(depth)
    model = single_operator_model(
        "FULLY_CONNECTED",
        [
            TensorSpec(TensorType.FLOAT32, (3, depth)),
            TensorSpec.constant(np.full((2, depth), code, np.int8), Quantization.per_tensor(0.01)),
        ],
        [TensorSpec(TensorType.FLOAT32, ())],
        FullyConnectedOptions(asymmetric_quantize_inputs=asymmetric),
        version=9,
    )
    assert_same_bits(model, [rng.normal(1, 1, (3, depth)).astype(np.float32)])


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("asymmetric", [False, True])
@pytest.mark.parametrize("special", [0.0, np.nan, np.inf])
def test_blockwise_scales_are_not_known(biased: bool, asymmetric: bool, special: float) -> None:
    """A defect of the reference kernels: all that they give is the bias."""
    rng = np.random.default_rng(0)
    builder = ModelBuilder().input("x", TensorType.FLOAT32, (2, 64))
    builder.constant("scales", np.full((3, 2), 0.5, np.float16))
    details = BlockwiseQuantization(1, -1, 32)
    quantization = Quantization(np.zeros(0, np.float32), np.zeros(0, np.int64), blockwise=details)
    builder.constant("filter", rng.integers(-8, 8, (3, 64)).astype(np.int8), quantization, type=TensorType.INT4)
    builder.constant("bias", np.array([1, -2, 0], np.float32)).output("out", TensorType.FLOAT32, (2, 3))
    options = FullyConnectedOptions(asymmetric_quantize_inputs=asymmetric)
    builder.operator("FULLY_CONNECTED", ["x", "filter", "bias" if biased else None], ["out"], options, version=14)
    x = rng.normal(0, 1, (2, 64)).astype(np.float32)
    x[1, 3] = special
    assert_same_bits(builder.build(), [x])


@examples
def test_hybrid_fully_connected(examples: int) -> None:
    check_cases(matrix_products(), examples)
