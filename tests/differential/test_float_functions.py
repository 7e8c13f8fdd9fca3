from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import TensorType
from int8rt.schema import write_model
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import GeluOptions, LocalResponseNormalizationOptions, SoftmaxOptions
from tests.differential.cases import Case, case, check_cases, examples, random_data, shapes
from tests.differential.convolutions import generator
from tests.differential.elementwise import SPECIAL
from tests.differential.harness import assert_equal, oracle, run_int8rt

pytestmark = pytest.mark.litert

FUNCTIONS = ("LOGISTIC", "TANH", "EXP", "LOG", "SQRT", "RSQRT", "SIN", "COS", "SQUARE", "HARD_SWISH")
ROWS = ("SOFTMAX", "LOG_SOFTMAX", "L2_NORMALIZATION")


def real_numbers(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Of all sizes, mostly small ones; some infinities and NaN."""
    values = rng.normal(0, 1, shape) * rng.choice([1e-3, 0.1, 1, 1, 3, 10, 30, 100], shape)
    if rng.random() < 0.2:
        return random_data(rng, TensorSpec(TensorType.FLOAT32, shape))
    return values.astype(np.float32)


@st.composite
def functions(draw: st.DrawFn, name: str) -> Case:
    shape = draw(shapes((1 if name in ROWS else 0, 4), 9))
    rng = generator(draw, *shape)
    options = SoftmaxOptions(float(rng.choice([1.0, 1.0, 0.3, 7.5, 0.0]))) if name == "SOFTMAX" else None
    spec = TensorSpec(TensorType.FLOAT32, shape)
    model = single_operator_model(name, [spec], [TensorSpec(TensorType.FLOAT32, ())], options)
    return Case(model, [real_numbers(rng, shape)])


@examples
@pytest.mark.parametrize("name", [*FUNCTIONS, *ROWS])
def test_functions(name: str, examples: int) -> None:
    check_cases(functions(name), examples)


@st.composite
def local_response_normalizations(draw: st.DrawFn) -> Case:
    shape = draw(shapes(4, 9))
    rng = generator(draw, *shape)
    bias, alpha, beta = (float(rng.choice(choice)) for choice in ([1, 0, 0.5], [1, 1e-4, -0.5], [0.5, 0.75, 1, 0, -2]))
    options = LocalResponseNormalizationOptions(draw(st.integers(-1, 10)), bias, alpha, beta)
    spec = TensorSpec(TensorType.FLOAT32, shape)
    model = single_operator_model("LOCAL_RESPONSE_NORMALIZATION", [spec], [TensorSpec(TensorType.FLOAT32, ())], options)
    return Case(model, [real_numbers(rng, shape)])


@examples
def test_local_response_normalization(examples: int) -> None:
    check_cases(local_response_normalizations(), examples)


@st.composite
def gelus(draw: st.DrawFn) -> Case:
    """Every number of elements that is left over after groups of four."""
    shape = draw(shapes((0, 3), 9))
    spec, options = TensorSpec(TensorType.FLOAT32, shape), GeluOptions(approximate=draw(st.booleans()))
    data = real_numbers(generator(draw, *shape), shape)
    return Case(single_operator_model("GELU", [spec], [TensorSpec(TensorType.FLOAT32, ())], options, 2), [data])


@examples
def test_gelu(examples: int) -> None:
    check_cases(gelus(), examples)


@pytest.mark.parametrize("approximate", [False, True])
def test_gelu_of_many_numbers(approximate: bool) -> None:
    data = np.concatenate([SPECIAL, np.linspace(-20, 20, 20_001).astype(np.float32)])
    spec = TensorSpec(TensorType.FLOAT32, data.shape)
    model = single_operator_model("GELU", [spec], [spec], GeluOptions(approximate=approximate), 2)
    check_cases(st.just(Case(model, [data])), 1)


def test_elu_is_that_of_the_optimized_kernels() -> None:
    rng = np.random.default_rng(0)
    drawn = case(rng, "ELU", [TensorSpec(TensorType.FLOAT32, (4001,))], [TensorSpec(TensorType.FLOAT32, ())])
    values = [real_numbers(rng, (4001,))]
    (expected,) = oracle().run(write_model(drawn.model), values, resolver="opt").outputs
    assert_equal(run_int8rt(drawn.model, values)[1], expected, "output")
