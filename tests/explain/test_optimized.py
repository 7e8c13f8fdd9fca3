"""Explanations in profiles whose kernels are not the reference's: right to the last bit, or refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from int8rt.errors import Int8rtError, UnsupportedError
from int8rt.explain import explain, explain_step
from int8rt.schema import load_model
from int8rt.verify.teacher import Teacher
from tests.differential.cases import Case
from tests.differential.test_quantize import dequantizes, quantizes, requantizes
from tests.explain.test_explain import MODELS


@pytest.mark.parametrize("profile", ["tflite-opt", "xnnpack"])
def test_quantize_and_dequantize_in_blocks(profile: str) -> None:
    """Each of the last elements and some before them, which are in a whole block or after the last one."""
    explained: set[str] = set()

    @settings(max_examples=40)
    @given(st.one_of(quantizes(), requantizes(), dequantizes()), st.integers(1, 40))
    def run(case: Case, last: int) -> None:
        try:
            teacher = Teacher(case.model, case.inputs, profile)
            values = teacher.inputs(0, dict(zip(case.model.subgraphs[0].inputs, case.inputs, strict=True)))
            assert values is not None
            (value,) = teacher.outputs(0, values).values()
        except Int8rtError:
            return
        for flat in range(max(0, value.size - last), value.size, 3):
            at = tuple(int(i) for i in np.unravel_index(flat, value.shape))
            try:
                derivation = explain_step(teacher.plan, 0, values, at)
            except UnsupportedError:
                return
            np.testing.assert_array_equal(np.asarray(derivation.result, value.dtype), value[at])
            assert derivation.lines[-1].value == derivation.result
            explained.add(derivation.operator)

    run()
    assert explained == {"QUANTIZE", "DEQUANTIZE"} or profile == "xnnpack"


@pytest.mark.parametrize(
    ("name", "operator", "profile", "words"),
    [
        ("network_int8", "SOFTMAX", "tflite-opt", "the optimized kernels' own arithmetic"),
        ("network_int8", "ADD", "tflite-opt", "the optimized kernels' own arithmetic"),
        ("network_int8_float_io", "QUANTIZE", "tosa", "TOSA's own arithmetic"),
    ],
)
def test_other_arithmetic_is_refused(name: str, operator: str, profile: str, words: str) -> None:
    model = load_model(MODELS / f"{name}.tflite")
    position = next(i for i, item in enumerate(model.subgraphs[0].operators) if item.name == operator)
    with pytest.raises(UnsupportedError, match=rf"{position} \({operator}\): {words} is not explained"):
        explain(model, position, profile=profile)
    explain(model, position)
