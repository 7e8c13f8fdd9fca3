from __future__ import annotations

import pytest
from hypothesis import strategies as st

from int8rt.model import TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from tests.differential.cases import Case, case, check_cases, examples, generators, quantizations, types
from tests.differential.elementwise import SPECIAL, all_pairs, broadcastable

pytestmark = pytest.mark.litert

names = pytest.mark.parametrize("name", ["MAXIMUM", "MINIMUM"])


@st.composite
def broadcast(draw: st.DrawFn, name: str) -> Case:
    """Of any scales: they do not count."""
    type = draw(types("int8", "uint8", "int16", "int32", "int64", "float16", "float32"))
    shapes = draw(broadcastable())
    inputs = [TensorSpec(type, shape, draw(quantizations(type))) for shape in shapes]
    output = TensorSpec(type, (), draw(quantizations(type)))
    return case(draw(generators), name, inputs, [output], version=draw(st.integers(1, 4)))


@names
@examples
def test_broadcast(name: str, examples: int) -> None:
    check_cases(broadcast(name), examples)


@names
@pytest.mark.parametrize("type", [TensorType.FLOAT32, TensorType.FLOAT16])
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_special_floats(name: str, type: TensorType) -> None:
    first, second = all_pairs(SPECIAL.astype(type.dtype))
    spec = TensorSpec(type, first.shape)
    model = single_operator_model(name, [spec, spec], [spec], version=4)
    check_cases(st.just(Case(model, [first, second])), 1)
