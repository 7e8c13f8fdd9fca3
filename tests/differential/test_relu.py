from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import LeakyReluOptions
from tests.differential.cases import Case, check_cases, examples, types
from tests.differential.elementwise import SPECIAL, all_codes, quantized, scale_of

pytestmark = pytest.mark.litert

CLAMPS = ["RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1"]


@st.composite
def output_of(draw: st.DrawFn, input: Quantization, type: TensorType) -> Quantization:
    """The input's own parameters, its scale, a multiple of it, or anything."""
    ratio = draw(st.sampled_from([1.0, 0.5, 2.0, 0.25]) | st.floats(-40, 40).map(lambda e: 2.0**e))
    if draw(st.integers(0, 5)) == 0:
        return input
    return draw(quantized(type, float(np.float32(scale_of(input) * ratio))))


@st.composite
def every_code(draw: st.DrawFn, name: str) -> Case:
    wide = name in ("RELU", "RELU6", "LEAKY_RELU")
    type = draw(types("int8", "uint8", *(["int16"] if wide else [])))
    codes = all_codes(type)
    input = draw(quantized(type))
    alphas = st.sampled_from([0.0, 0.1, 0.01, 1.0, 2.0, -0.5, -1.0]) | st.floats(-4, 4, width=32)
    options = LeakyReluOptions(draw(alphas)) if name == "LEAKY_RELU" else None
    version = draw(st.integers(1, 2)) if wide else 1
    output = TensorSpec(type, codes.shape, draw(output_of(input, type)))
    return Case(
        single_operator_model(name, [TensorSpec(type, codes.shape, input)], [output], options, version), [codes]
    )


@pytest.mark.parametrize("name", [*CLAMPS, "LEAKY_RELU"])
@examples
def test_every_code(name: str, examples: int) -> None:
    check_cases(every_code(name), examples)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        *((name, None) for name in CLAMPS),
        *(("LEAKY_RELU", LeakyReluOptions(alpha)) for alpha in (0.2, -0.5, 0.0, 1.5, np.inf, np.nan)),
    ],
)
def test_special_floats(name: str, options: LeakyReluOptions | None) -> None:
    spec = TensorSpec(TensorType.FLOAT32, SPECIAL.shape)
    check_cases(st.just(Case(single_operator_model(name, [spec], [spec], options), [SPECIAL])), 1)
