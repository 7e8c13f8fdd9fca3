"""Random numbers from given seeds, several runs in a row; and what is said of those without seeds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.enums import RngAlgorithm
from int8rt.schema.options import RandomOptions, StablehloRngBitGeneratorOptions
from tests.differential.cases import Case, check_cases, examples, generators, shapes, types, vector
from tests.differential.harness import run_int8rt
from tests.differential.stateful import Rounds, check_rounds

pytestmark = pytest.mark.litert

FLOAT32, INT32, UINT64 = TensorType.FLOAT32, TensorType.INT32, TensorType.UINT64

seeds = st.sampled_from([0, 1, 42, -1, 2**63 - 1, -(2**63)]) | st.integers(-(2**63), 2**63 - 1)


@st.composite
def options(draw: st.DrawFn) -> RandomOptions:
    first, second = draw(seeds), draw(seeds)
    return RandomOptions(first, second if second % 2**32 else 1)


@st.composite
def filled(draw: st.DrawFn, name: str) -> Rounds:
    shape, rounds = draw(shapes((1, 3), 9)), draw(st.integers(1, 3))
    if draw(st.booleans()):
        inputs, fed = [vector(shape)], []
    else:
        inputs, fed = [TensorSpec(INT32, (len(shape),))], [np.array(shape, np.int32)]
    model = single_operator_model(name, inputs, [TensorSpec(FLOAT32, (1,) * len(shape))], draw(options()))
    return Rounds(model, [fed] * rounds)


@examples
@pytest.mark.parametrize("name", ["RANDOM_UNIFORM", "RANDOM_STANDARD_NORMAL"])
def test_random(name: str, examples: int) -> None:
    check_rounds(filled(name), examples)


@st.composite
def drawn_classes(draw: st.DrawFn) -> Rounds:
    rng, batch, classes = draw(generators), draw(st.integers(1, 4)), draw(st.integers(1, 7))
    logits = rng.normal(0, 2, (batch, classes)).astype(np.float32)
    logits[rng.random(logits.shape) < 0.1] = rng.choice([np.inf, -np.inf, np.nan])
    count, type = np.array(draw(st.integers(1, 20)), np.int32), draw(types("int32", "int64"))
    constant = draw(st.booleans())
    inputs = [TensorSpec(FLOAT32, logits.shape), TensorSpec(INT32, (), data=count if constant else None)]
    model = single_operator_model("MULTINOMIAL", inputs, [TensorSpec(type, (1, 1))], draw(options()))
    return Rounds(model, [[logits] if constant else [logits, count]] * draw(st.integers(1, 3)))


@examples
def test_multinomial(examples: int) -> None:
    check_rounds(drawn_classes(), examples)


@st.composite
def bits(draw: st.DrawFn) -> Case:
    type, size = draw(types("int32", "uint32", "int64", "uint64")), draw(st.integers(1, 4))
    values = draw(
        st.lists(st.sampled_from([0, 2**64 - 1, 2**32 - 1]) | st.integers(0, 2**64 - 1), min_size=size, max_size=size)
    )
    algorithm = StablehloRngBitGeneratorOptions(draw(st.sampled_from(RngAlgorithm)))
    outputs = [TensorSpec(UINT64, (size,)), TensorSpec(type, draw(shapes((1, 3), 5)))]
    inputs = [TensorSpec(UINT64, (size,))]
    model = single_operator_model("STABLEHLO_RNG_BIT_GENERATOR", inputs, outputs, algorithm)
    return Case(model, [np.array(values, np.uint64)])


@examples
def test_rng_bit_generator(examples: int) -> None:
    check_cases(bits(), examples)


def test_without_seeds_no_two_interpreters_agree() -> None:
    model = single_operator_model("RANDOM_UNIFORM", [vector([100])], [TensorSpec(FLOAT32, (100,))], RandomOptions())
    first, second = (run_int8rt(model, [])[1] for _ in range(2))
    assert (first != second).any()
    assert first.min() >= 0
    assert first.max() < 1
