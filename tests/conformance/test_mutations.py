"""Every wrong arithmetic is caught by a named case, and docs/mutations.md says by which."""

from __future__ import annotations

import numpy as np
import pytest

from conformance.mutations import PAGE, page
from int8rt.conformance.cases import all_cases
from int8rt.errors import InputError
from int8rt.samples import digits
from int8rt.schema import read_model
from int8rt.verify.identify.mutants import mutations_of
from int8rt.verify.judge import judge
from int8rt.verify.runtimes.choose import open_runtime
from int8rt.verify.runtimes.mutant import MutantRuntime
from int8rt.verify.verdict import Verdict

DIGITS = digits()
SAMPLE = read_model(DIGITS.model)
NOISE = np.random.default_rng(0).integers(-128, 128, (1, 16, 16, 1), np.int8)
RUNS = [("digit", [DIGITS.inputs[:1]]), ("noise", [NOISE])]


def test_each_is_caught_and_the_page_is_in_step() -> None:
    text = page()
    assert PAGE.read_text(encoding="utf-8") == text
    lines = [line.split(" | ") for line in text.splitlines() if line.startswith("| ") and line.endswith("` |")]
    names = {case.name for case in all_cases()}
    assert {line[-1].strip("` |") for line in lines} <= names
    assert len({line[1] for line in lines}) >= 40
    assert " 0 without a case" in text


def blamed(operator: str, wrong: str) -> set[str]:
    """The operators that `compare` does not find exact in a network that makes one mistake."""
    result = judge(SAMPLE, DIGITS.model, MutantRuntime(operator, wrong), RUNS)
    return {report.operator for report in result.operators if report.verdict is not Verdict.EXACT}


@pytest.mark.parametrize(
    ("operator", "wrong"),
    [
        ("CONV_2D", "float64, half away"),
        ("DEPTHWISE_CONV_2D", "the odd pad is before"),
        ("FULLY_CONNECTED", "one multiplier for all channels"),
        ("ADD", "the inputs' parameters exchanged"),
        ("AVERAGE_POOL_2D", "the codes' mean, half up"),
        ("MEAN", "the shift one too small"),
    ],
)
def test_compare_blames_the_operator(operator: str, wrong: str) -> None:
    assert blamed(operator, wrong) == {operator}


@pytest.mark.slow
def test_compare_never_blames_another() -> None:
    names = {operator.name for operator in SAMPLE.subgraphs[0].operators}
    mistakes = [(name, mutation.wrong) for name in names for mutation in mutations_of(name)]
    found = [(operator, blamed(operator, wrong)) for operator, wrong in mistakes]
    assert [(operator, others) for operator, others in found if others - {operator}] == []
    assert sum(bool(others) for _, others in found) > 60  # the sample has no dilation, no odd stride


def test_a_mistake_that_nobody_knows_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="unknown mutation 'none' of PAD; known: 'the border is code 0'"):
        MutantRuntime("PAD", "none")


def test_a_mistake_is_a_runtime_by_name() -> None:
    runtime = open_runtime("mutant:conv_2d:no bias")
    assert runtime.capabilities().description == "int8rt with a mistake in CONV_2D: no bias"
    with pytest.raises(InputError, match="unknown runtime 'mutant:CONV_2D'"):
        open_runtime("mutant:CONV_2D")
