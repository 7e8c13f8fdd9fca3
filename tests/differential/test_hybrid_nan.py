"""Rows of real numbers with NaN among them, which meet integer weights: their range depends on the order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import FullyConnectedOptions
from tests.differential.cases import Case, check_cases, generators

pytestmark = pytest.mark.litert

examples = pytest.mark.parametrize("examples", [15, pytest.param(150, marks=pytest.mark.slow)])


@st.composite
def products(draw: st.DrawFn) -> Case:
    rng, depth = draw(generators), draw(st.integers(1, 24))
    rows = rng.normal(0, 1, (8, depth)).astype(np.float32)
    rows[rng.random(rows.shape) < draw(st.sampled_from([0.02, 0.15, 0.6]))] = np.nan
    if draw(st.booleans()):
        rows = np.where(
            rng.random(rows.shape) < 0.1, np.float32(draw(st.sampled_from([np.inf, -np.inf, 0, 1e30]))), rows
        )
    weights = rng.integers(-127, 128, (3, depth)).astype(np.int8)
    inputs = [TensorSpec(TensorType.FLOAT32, rows.shape), TensorSpec.constant(weights, Quantization.per_tensor(0.01))]
    options = FullyConnectedOptions(asymmetric_quantize_inputs=draw(st.booleans()))
    output = TensorSpec(TensorType.FLOAT32, (8, 3))
    return Case(single_operator_model("FULLY_CONNECTED", [*inputs, None], [output], options, 9), [rows])


@pytest.mark.parametrize("profile", ["tflite-ref", "tflite-opt"])
@examples
def test_rows_with_nan(profile: str, examples: int) -> None:
    check_cases(products(), examples, profile)
