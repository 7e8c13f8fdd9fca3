"""The example delegate: its exact mode passes, and every other mode is found out where it goes wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from conformance.delegate import build, compiler
from int8rt.errors import InputError
from int8rt.samples import digits
from int8rt.schema import read_model
from int8rt.verify.identify import identify
from int8rt.verify.inputs import make_inputs
from int8rt.verify.judge import judge
from int8rt.verify.reduce import reduce
from int8rt.verify.runtimes.choose import open_runtime
from int8rt.verify.verdict import Judgement, Verdict

pytestmark = [pytest.mark.litert, pytest.mark.skipif(compiler() is None, reason="needs a C compiler")]

CONTENT = digits().model
MODEL = read_model(CONTENT)
NAMES = [operator.name for operator in MODEL.subgraphs[0].operators]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("delegate") / "libexample.so"
    build(path)
    return path


def judged(library: Path, **options: str) -> Judgement:
    runtime = open_runtime("litert", delegate=str(library), delegate_options=options, timeout=60)
    runs = [(kind, make_inputs(MODEL, kind, 1)) for kind in ("random", "natural")]
    try:
        return judge(MODEL, CONTENT, runtime, runs, backend="numpy")
    finally:
        runtime.close()


def blamed(judgement: Judgement) -> set[str]:
    return {operator.operator for operator in judgement.operators if operator.verdict is not Verdict.EXACT}


def test_the_exact_mode_passes_and_computes_something(library: Path) -> None:
    judgement = judged(library, rounding="exact")
    assert judgement.conformant
    assert judgement.runtime.startswith("delegate libexample.so over BUILTIN_REF of ai-edge-litert ")
    assert not judged(library, fault="no_bias").conformant  # so it was the delegate that computed


@pytest.mark.parametrize("rounding", ["single", "float32", "truncate"])
def test_wrong_roundings_are_blamed_on_the_operators_that_have_them(library: Path, rounding: str) -> None:
    judgement = judged(library, rounding=rounding)
    assert not judgement.conformant
    assert "CONV_2D" in blamed(judgement) <= {"CONV_2D", "FULLY_CONNECTED"}
    assert judgement.least_bound == 1
    assert judgement.divergence is not None
    elements = judgement.divergence.elements
    explaining = {name for name, count in judgement.divergence.roundings.items() if count == elements}
    # Random data does not tell all roundings apart; cutting off is none of them.
    assert (rounding.upper() in explaining) == (rounding != "truncate")
    assert "DOUBLE" not in explaining


@pytest.mark.parametrize(
    ("fault", "operators"), [("zero_padding", {"CONV_2D"}), ("no_bias", {"CONV_2D", "FULLY_CONNECTED"})]
)
def test_faults_are_blamed_on_the_operators_that_have_them(library: Path, fault: str, operators: set[str]) -> None:
    judgement = judged(library, fault=fault)
    assert blamed(judgement) == operators
    assert judgement.first is not None
    assert (judgement.first.position, judgement.first.verdict) == (0, Verdict.DIFFERENT)


def test_a_crash_is_a_verdict(library: Path) -> None:
    judgement = judged(library, fault="crash")
    assert [fault.kind for fault in judgement.faults] == ["crashed", "crashed"]
    verdicts = [Verdict.FAILED if name in ("CONV_2D", "FULLY_CONNECTED") else Verdict.EXACT for name in NAMES]
    assert [operator.verdict for operator in judgement.operators] == verdicts


def test_an_option_that_it_does_not_know(library: Path) -> None:
    with pytest.raises(InputError, match=r"(?s)the delegate can't be loaded.*the options are rounding and fault"):
        judged(library, speed="high")


def test_the_command_line_builds_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "conformance.delegate", "--output", str(tmp_path / "x.so")],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "int8rt compare MODEL --delegate" in done.stdout
    assert (tmp_path / "x.so").stat().st_size > 0


def test_a_resized_batch(library: Path) -> None:
    runtime = open_runtime("litert", delegate=str(library), timeout=60)
    (one,) = make_inputs(MODEL, "random", 2)
    judgement = judge(MODEL, CONTENT, runtime, [("three", [np.concatenate([one, one[:, ::-1], one])])], backend="numpy")
    runtime.close()
    assert judgement.conformant
    assert judgement.outputs[0].rows == 3


# As the delegate's source has them: exact differs between the two operators, as in the reference.
MODES = {
    "exact": ("two roundings (gemmlowp)", "float64, half away"),
    "double": ("two roundings (gemmlowp)", "two roundings (gemmlowp)"),
    "single": ("one rounding, ties up", "one rounding, ties up"),
    "float64": ("float64, half away", "float64, half away"),
    "float32": ("float32, half even", "float32, half even"),
    "truncate": ("truncation", "truncation"),
}


def identified(library: Path, **options: str) -> dict[str, str | None]:
    runtime = open_runtime("litert", delegate=str(library), delegate_options=options, timeout=60)
    try:
        found = identify(MODEL, CONTENT, runtime, [("random", make_inputs(MODEL, "random", 1))])
        assert all(
            not finding.others for finding in found.findings if finding.operator in ("CONV_2D", "FULLY_CONNECTED")
        )
        return {finding.operator: finding.arithmetic for finding in found.findings}
    finally:
        runtime.close()


@pytest.mark.parametrize("rounding", MODES)
def test_every_rounding_is_identified(library: Path, rounding: str) -> None:
    found = identified(library, rounding=rounding)
    assert (found["CONV_2D"], found["FULLY_CONNECTED"]) == MODES[rounding]


def test_faults_are_identified(library: Path) -> None:
    found = identified(library, fault="zero_padding", rounding="float32")
    assert (found["CONV_2D"], found["FULLY_CONNECTED"]) == (
        "float32, half even; the border is code 0",
        "float32, half even",
    )
    found = identified(library, fault="no_bias", rounding="double")
    assert {found[name] for name in ("CONV_2D", "FULLY_CONNECTED")} == {"two roundings (gemmlowp); no bias"}


def test_faults_are_reduced(library: Path) -> None:
    for fault, kind in (("zero_padding", "different"), ("crash", "crashed")):
        runtime = open_runtime("litert", delegate=str(library), delegate_options={"fault": fault}, timeout=60)
        try:
            found = reduce(MODEL, runtime, [("random", make_inputs(MODEL, "random", 1))], budget=60)
        finally:
            runtime.close()
        assert found is not None
        assert found.case.kind == kind
        assert len(found.operators) == 1
        assert found.case.size < found.original.size / 10
