from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from tests.differential.cases import Case, case, check_cases, examples, generators, shapes, types
from tests.differential.elementwise import SPECIAL, all_codes, quantized, scale_of

pytestmark = pytest.mark.litert

VERSIONS = {"ABS": 3, "NEG": 1, "SQRT": 2, "RSQRT": 3}


@st.composite
def output_of(draw: st.DrawFn, input: Quantization, type: TensorType) -> Quantization:
    """The input's own scale, or anything; sometimes the output becomes very coarse or very fine."""
    if draw(st.integers(0, 3)) == 0:
        return draw(quantized(type, scale_of(input)))
    if draw(st.integers(0, 3)) == 0:
        return draw(quantized(type, float(np.float32(10.0 ** draw(st.integers(-20, 20))))))
    return draw(quantized(type))


@st.composite
def every_code(draw: st.DrawFn, name: str) -> Case:
    type = draw(types("int8", "int16"))
    input = draw(quantized(type))
    codes = all_codes(type)
    if name in ("SQRT", "RSQRT") and draw(st.integers(0, 9)):  # else both sides refuse the negative numbers
        codes = codes[codes >= input.zero_point[0]]
    specs = [TensorSpec(type, codes.shape, quantization) for quantization in (input, draw(output_of(input, type)))]
    version = draw(st.integers(1, VERSIONS[name]))
    return Case(single_operator_model(name, specs[:1], specs[1:], version=version), [codes])


@pytest.mark.parametrize("name", list(VERSIONS))
@examples
def test_every_code(name: str, examples: int) -> None:
    check_cases(every_code(name), examples)


@pytest.mark.parametrize(
    ("name", "type"), [("NEG", "int16"), ("NEG", "int32"), ("NEG", "int64"), ("ABS", "int16"), ("ABS", "int32")]
)
def test_integers_without_quantization(name: str, type: str) -> None:
    spec = TensorSpec(TensorType[type.upper()], (50,))

    @st.composite
    def models(draw: st.DrawFn) -> Case:
        drawn = case(draw(generators), name, [spec], [spec])
        drawn.inputs[0][:3] = np.iinfo(spec.type.dtype).min, np.iinfo(spec.type.dtype).max, 0
        return drawn

    check_cases(models(), 10)


@pytest.mark.parametrize("name", ["NEG", "ABS"])
def test_special_floats(name: str) -> None:
    spec = TensorSpec(TensorType.FLOAT32, SPECIAL.shape)
    check_cases(st.just(Case(single_operator_model(name, [spec], [spec]), [SPECIAL])), 1)


@pytest.mark.parametrize("name", list(VERSIONS))
def test_shapes(name: str) -> None:
    @st.composite
    def models(draw: st.DrawFn) -> Case:
        spec = TensorSpec(TensorType.INT8, draw(shapes((0, 5), 4, 0)), Quantization.per_tensor(0.5, -128))
        return case(draw(generators), name, [spec], [spec])

    check_cases(models(), 20)
