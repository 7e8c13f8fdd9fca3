"""Operators on float16 tensors, and MUL of uint32."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import strategies as st

from int8rt.model import ActivationFunctionType, TensorType
from int8rt.schema import write_model
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import AddOptions, GeluOptions, MulOptions, SoftmaxOptions
from tests.differential.cases import Case, check_cases, examples, generators, random_data, shapes, types
from tests.differential.elementwise import all_pairs, broadcastable
from tests.differential.harness import assert_equal, oracle, run_int8rt

pytestmark = pytest.mark.litert

HALF = TensorType.FLOAT16
EVERY_NUMBER = np.arange(1 << 16).astype(np.uint16).view(np.float16)
SPECIAL = np.array([0.0, -0.0, 1, -1, 5.5, 6.5, 65504, -65504, np.inf, -np.inf, np.nan, 6e-8, 1e-5, 300], np.float16)


def check(
    name: str, inputs: list[npt.NDArray[Any]], options: Any = None, version: int = 1, output: TensorType = HALF
) -> None:
    specs = [TensorSpec(HALF, values.shape) for values in inputs]
    model = single_operator_model(name, specs, [TensorSpec(output, inputs[0].shape)], options, version)
    check_cases(st.just(Case(model, inputs)), 1)


@pytest.mark.parametrize("name", ["NEG", "SIN", "COS", "TANH", "LOGISTIC"])
def test_of_every_number(name: str) -> None:
    check(name, [EVERY_NUMBER])


@pytest.mark.parametrize("approximate", [False, True])
def test_gelu(approximate: bool) -> None:
    check("GELU", [EVERY_NUMBER], GeluOptions(approximate=approximate), 2)


@pytest.mark.parametrize("name", ["EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL"])
def test_comparisons(name: str) -> None:
    check(name, list(all_pairs(SPECIAL)), version=2, output=TensorType.BOOL)


@pytest.mark.parametrize("activation", list(ActivationFunctionType)[:4])
def test_sums_and_products_of_special_numbers(activation: ActivationFunctionType) -> None:
    check("ADD", list(all_pairs(SPECIAL)), AddOptions(activation), 5)
    check("MUL", list(all_pairs(SPECIAL)), MulOptions(activation), 7)


@pytest.mark.parametrize(
    ("name", "version"), [("ADD", 6), ("MUL", 8), ("SIN", 2), ("COS", 2), ("GELU", 3), ("SOFTMAX", 4)]
)
def test_versions_that_converters_write(name: str, version: int) -> None:
    """BUILTIN_REF runs float16 by lower versions; files have these, which only the optimized resolver knows."""
    two = name in ("ADD", "MUL")
    inputs = list(all_pairs(SPECIAL)) if two else [EVERY_NUMBER]
    if name == "SOFTMAX":
        inputs = [np.random.default_rng(0).normal(0, 3, (30, 40)).astype(np.float16)]
    options = {"GELU": GeluOptions(), "SOFTMAX": SoftmaxOptions(1.0)}.get(name)
    specs = [TensorSpec(HALF, values.shape) for values in inputs]
    model = single_operator_model(name, specs, [TensorSpec(HALF, inputs[0].shape)], options, version)
    (expected,) = oracle().run(write_model(model), inputs, resolver="opt").outputs
    assert_equal(run_int8rt(model, inputs)[model.subgraphs[0].outputs[0]], expected, "output")


@st.composite
def sums_and_products(draw: st.DrawFn) -> Case:
    name, rng = draw(st.sampled_from(["ADD", "MUL"])), draw(generators)
    type = HALF if name == "ADD" else draw(types("float16", "uint32"))
    specs = [TensorSpec(type, shape) for shape in draw(broadcastable())]
    activation = draw(st.sampled_from(list(ActivationFunctionType)[:4]))
    options, version = (AddOptions(activation), 5) if name == "ADD" else (MulOptions(activation), 7)
    model = single_operator_model(name, specs, [TensorSpec(type, ())], options, version)
    return Case(model, [random_data(rng, spec) for spec in specs])


@examples
def test_sums_and_products(examples: int) -> None:
    check_cases(sums_and_products(), examples)


@st.composite
def softmaxes(draw: st.DrawFn) -> Case:
    rng, spec = draw(generators), TensorSpec(HALF, draw(shapes((1, 4), 9)))
    options = SoftmaxOptions(draw(st.sampled_from([1.0, 0.37, 3.0])))
    data = random_data(rng, spec) if draw(st.booleans()) else rng.normal(0, 2, spec.shape).astype(np.float16)
    return Case(single_operator_model("SOFTMAX", [spec], [spec], options), [data])


@examples
def test_softmax(examples: int) -> None:
    check_cases(softmaxes(), examples)
