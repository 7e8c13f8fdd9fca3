from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from tests.differential.cases import Case, check_cases, examples, generators, types
from tests.differential.elementwise import SPECIAL, all_codes, all_pairs, quantized, scale_of

pytestmark = pytest.mark.litert


@st.composite
def prelus(draw: st.DrawFn) -> Case:
    """Every pair of codes, or all the codes of an input of rank 4 whose alpha broadcasts."""
    type = draw(types("int8", "uint8", "int16"))
    alpha_type = TensorType.INT8 if type == TensorType.INT16 else type
    input, alpha = draw(quantized(type)), draw(quantized(alpha_type))
    output = draw(quantized(type, float(np.float32(scale_of(input) * 2.0 ** draw(st.floats(-12, 12))))))
    if type != TensorType.INT16 and draw(st.booleans()):
        data, alphas = all_pairs(all_codes(type))
    else:
        data = draw(generators).permutation(all_codes(type)).reshape(1, 8, -1, 4)
        shape = draw(st.sampled_from([(4,), (1, 1, 4), data.shape[1:], (1, 8, 1, 1), (), (1, 1, 1, 1), data.shape]))
        info = np.iinfo(alpha_type.dtype)
        alphas = draw(generators).integers(info.min, info.max, shape, alpha_type.dtype, endpoint=True)
    inputs = [TensorSpec(type, data.shape, input), TensorSpec(alpha_type, alphas.shape, alpha)]
    return Case(single_operator_model("PRELU", inputs, [TensorSpec(type, data.shape, output)]), [data, alphas])


@examples
def test_prelu(examples: int) -> None:
    check_cases(prelus(), examples)


def test_special_floats() -> None:
    data, alphas = all_pairs(SPECIAL)
    spec = TensorSpec(TensorType.FLOAT32, data.shape)
    check_cases(st.just(Case(single_operator_model("PRELU", [spec, spec], [spec]), [data, alphas])), 1)
    row = TensorSpec(TensorType.FLOAT32, SPECIAL.shape)
    check_cases(st.just(Case(single_operator_model("PRELU", [spec, row], [spec]), [data, SPECIAL])), 1)


@pytest.mark.parametrize("shape", [(2, 1, 4), (3,), (1, 2, 4)])
def test_alpha_that_does_not_broadcast_to_the_input(shape: tuple[int, ...]) -> None:
    spec = TensorSpec(TensorType.FLOAT32, (2, 4))
    model = single_operator_model("PRELU", [spec, TensorSpec(TensorType.FLOAT32, shape)], [spec])
    check_cases(st.just(Case(model, [np.ones((2, 4), np.float32), np.ones(shape, np.float32)])), 1)
