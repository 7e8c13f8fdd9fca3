from __future__ import annotations

import pytest
from hypothesis import strategies as st

from int8rt.model import ActivationFunctionType, Padding
from int8rt.schema.builder import TensorSpec
from int8rt.schema.options import Pool2DOptions
from tests.differential.cases import Case, case, check_cases, examples, generators, quantizations, shapes, types

pytestmark = pytest.mark.litert


@st.composite
def pools(draw: st.DrawFn, name: str) -> Case:
    type = draw(types("float32") if name == "L2_POOL_2D" else types("int8", "uint8", "int16", "float32"))
    batches, height, width, channels = draw(shapes(4, 9))
    padding = draw(st.sampled_from(Padding))
    largest = (height, width) if padding == Padding.VALID else (12, 12)
    options = Pool2DOptions(
        padding,
        stride_w=draw(st.integers(1, 4)),
        stride_h=draw(st.integers(1, 4)),
        filter_width=draw(st.integers(1, largest[1])),
        filter_height=draw(st.integers(1, largest[0])),
        fused_activation_function=draw(st.sampled_from(ActivationFunctionType)),
    )
    quantization = draw(quantizations(type))
    # Codes are pooled as they are, even where the scales differ.
    output = quantization if draw(st.booleans()) else draw(quantizations(type))
    return case(
        draw(generators),
        name,
        [TensorSpec(type, (min(batches, 2), height, width, channels), quantization)],
        [TensorSpec(type, (), output)],
        options,
        version=1 if name == "L2_POOL_2D" else draw(st.integers(1, 3)),
    )


@examples
@pytest.mark.parametrize("name", ["AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D"])
def test_pool(name: str, examples: int) -> None:
    check_cases(pools(name), examples)
