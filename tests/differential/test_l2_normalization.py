from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import ActivationFunctionType, Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import L2NormOptions
from tests.differential.cases import Case, check_cases, examples, generators, random_data, shapes, types
from tests.differential.elementwise import quantized

pytestmark = pytest.mark.litert


@st.composite
def models(draw: st.DrawFn) -> Case:
    type = draw(types("int8", "uint8"))
    depth = draw(st.sampled_from([1, 2, 3, 100, 1000]) | st.integers(0, 20))
    input = TensorSpec(type, (*draw(shapes((0, 3), 4, 0)), depth), draw(quantized(type)))
    rng = draw(generators)
    x = random_data(rng, input)
    if draw(st.booleans()):  # short vectors: nearly everything at the zero point
        zero_point = input.quantization.zero_point[0] if input.quantization else 0
        x = np.where(rng.random(x.shape) < 0.9, zero_point, x).astype(x.dtype)
    zero_point = 128 if type == TensorType.UINT8 else 0
    scale = draw(st.sampled_from([1 / 128] * 19 + [1 / 256]))
    activation = draw(st.sampled_from([ActivationFunctionType.NONE] * 19 + [ActivationFunctionType.RELU]))
    output = TensorSpec(type, x.shape, Quantization.per_tensor(scale, zero_point))
    options = L2NormOptions(activation)
    return Case(single_operator_model("L2_NORMALIZATION", [input], [output], options, draw(st.integers(1, 2))), [x])


@examples
def test_l2_normalization(examples: int) -> None:
    check_cases(models(), examples)


# 255² · 33026 is beyond int32: the sum wraps around.
@pytest.mark.parametrize("type", ["int8", "uint8"])
@pytest.mark.parametrize("depth", [33_000, 33_026, 66_500])
def test_long_rows(type: str, depth: int) -> None:
    tensor_type = TensorType[type.upper()]
    info = np.iinfo(tensor_type.dtype)
    x = np.full((1, depth), info.max, tensor_type.dtype)
    x[0, ::5] = info.min
    input = TensorSpec(tensor_type, x.shape, Quantization.per_tensor(0.1, int(info.min)))
    output = TensorSpec(tensor_type, x.shape, Quantization.per_tensor(1 / 128, 128 if type == "uint8" else 0))
    model = single_operator_model("L2_NORMALIZATION", [input], [output], L2NormOptions())
    check_cases(st.just(Case(model, [x])), 1)
