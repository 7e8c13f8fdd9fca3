from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from typer.testing import CliRunner

from int8rt.cli.app import app
from int8rt.conformance.cases import Case, all_cases
from int8rt.conformance.report import document, explained
from int8rt.conformance.run import Journal, Verdict, judge, recorded, separates
from int8rt.errors import InputError, Int8rtError
from int8rt.model import Model
from int8rt.schema import read_model
from int8rt.verify.compare import run_int8rt
from int8rt.verify.report.junit import junit
from int8rt.verify.runtimes.base import Answer, Capabilities, Fault
from int8rt.verify.runtimes.ours import Int8rtRuntime

Array = Any
TIES = "CONV_2D/int8/ties/multiplier=powers"


class Fake:
    """A runtime that changes int8rt's answer."""

    def __init__(self, change: Any) -> None:
        self.change, self.ran = change, 0

    def capabilities(self) -> Capabilities:
        return Capabilities("fake", intermediates=False, any_model=True)

    def prepare(self, model: Model, content: bytes) -> None:
        self.model = read_model(content)

    def run(self, inputs: Sequence[Array], read: Sequence[int] = ()) -> Answer:
        self.ran += 1
        values, _ = run_int8rt(self.model, inputs, "tflite-ref", "numpy", keep=False)
        return Answer((self.change(values[self.model.subgraphs[0].outputs[0]]),))

    def close(self) -> None: ...


def case(name: str) -> Case:
    return next(case for case in all_cases() if case.name == name)


def fail(kind: Any) -> Any:
    raise Fault(kind, "its own words")


def test_names_are_unique_and_data_repeats() -> None:
    names = [case.name for case in all_cases()]
    assert len(set(names)) == len(names) > 800
    first, second = case(TIES).make(), case(TIES).make()
    assert first[0].buffers == second[0].buffers
    np.testing.assert_array_equal(first[1][0], second[1][0])


@pytest.mark.parametrize("case", [c for c in all_cases() if c.expect == "refused"], ids=lambda c: c.name)
def test_int8rt_refuses(case: Case) -> None:
    model, inputs = case.make()
    with pytest.raises(Int8rtError):
        run_int8rt(model, inputs, "tflite-ref", "numpy", keep=False)


def test_jitted_kernels_are_exact() -> None:
    runtime = Int8rtRuntime(backend="auto")
    cases = [c for c in all_cases() if c.type == "int8" and c.expect == "exact"][::9]
    assert [v for v in (judge(c, runtime) for c in cases) if v.verdict != "EXACT"] == []


def test_ties_separate_the_profiles() -> None:
    assert ("tflite-ref", "tflite-opt") in separates(case(TIES))


def test_another_profile_is_named() -> None:
    verdict = judge(case(TIES), Int8rtRuntime("tflite-opt", "numpy"))
    assert (verdict.verdict, verdict.conformant) == ("EXACT in tflite-opt", False)


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        pytest.param(lambda y: y, "EXACT", id="right"),
        pytest.param(lambda y: y ^ 1, "DIFFERENT", id="bits"),
        pytest.param(lambda y: y[..., :1], "DIFFERENT", id="shape"),
        pytest.param(lambda y: np.full(y.shape, np.nan, np.float32), "DIFFERENT", id="nan"),
        pytest.param(lambda y: None, "NO ANSWER", id="nothing"),
        pytest.param(lambda y: fail("crashed"), "CRASHED", id="crash"),
        pytest.param(lambda y: fail("timeout"), "TIMEOUT", id="hang"),
        pytest.param(lambda y: fail("refused"), "REFUSED", id="refusal"),
    ],
)
def test_what_a_runtime_does_is_a_verdict(change: Any, verdict: str) -> None:
    found = judge(case(TIES), Fake(change))
    assert (found.verdict, found.conformant) == (verdict, verdict == "EXACT")


def test_a_killed_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    verdict = Verdict("a", "CONV_2D", "int8", "EXACT", True)
    Journal(path, "one").add(verdict)
    path.write_text(path.read_text() + '{"case": "b", "oper')
    assert Journal(path, "one").verdicts == {"a": verdict}
    assert recorded(path) == ([verdict], "one")
    with pytest.raises(InputError, match="another runtime"):
        Journal(path, "two")


def test_a_journal_keeps_how_answers_differ(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    differing = judge(case(TIES), Int8rtRuntime("tflite-opt", "numpy"))
    strange = judge(case(TIES), Fake(lambda y: np.full(y.shape, np.nan, np.float32)))
    assert differing.statistics is not None
    assert differing.statistics.largest == 1
    journal = Journal(path, "one")
    journal.add(differing)
    journal.add(strange)
    assert recorded(path)[0] == [differing, strange]


def test_small_differences_are_bounded() -> None:
    assert judge(case(TIES), Fake(lambda y: np.maximum(y, -127) - 1)).label == "BOUNDED(±1)"
    assert judge(case(TIES), Fake(lambda y: y ^ 64)).label == "DIFFERENT"
    assert judge(case(TIES), Int8rtRuntime("tflite-opt", "numpy")).label == "EXACT in tflite-opt"


def test_the_first_difference_is_explained_from_a_journals_line() -> None:
    verdict = judge(case(TIES), Int8rtRuntime("tflite-opt", "numpy"))
    divergence = explained(verdict)
    assert divergence is not None
    assert divergence.derivation is not None
    assert divergence.derivation.result != divergence.answered == verdict.statistics.found  # type: ignore[union-attr]
    assert "two roundings, both with ties up" in divergence.arithmetics
    assert "two roundings (gemmlowp)" not in divergence.arithmetics
    assert explained(judge(case(TIES), Fake(lambda y: None))) is None
    assert explained(judge(case(TIES), Fake(lambda y: y[..., :1]))) is None


def test_a_report_is_made_from_a_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", "some runtime")
    journal.add(judge(case(TIES), Int8rtRuntime("tflite-opt", "numpy")))
    journal.add(judge(case(TIES.replace("CONV_2D", "FULLY_CONNECTED")), Fake(lambda y: fail("crashed"))))
    options = [part for kind in ("html", "markdown", "junit") for part in (f"--{kind}", str(tmp_path / kind))]
    done = CliRunner().invoke(app, ["conformance", "report", str(tmp_path / "journal"), *options])
    assert done.exit_code == 1, done.output
    page, text = (tmp_path / "html").read_text(encoding="utf-8"), (tmp_path / "markdown").read_text(encoding="utf-8")
    for shown in (page, text):
        assert "Operator suite on some runtime" in shown
        assert "The first difference: CONV" in shown
        assert "two roundings, both with ties up: gives " in shown
    assert 'failures="1"' in (tmp_path / "junit").read_text(encoding="utf-8")


def test_junit_tells_failures_from_errors() -> None:
    verdicts = [Verdict(name, "ADD", "int8", name, name == "EXACT") for name in ("EXACT", "DIFFERENT", "CRASHED")]
    (suite,) = ElementTree.fromstring(junit(document(verdicts, "x")).partition("\n")[2])
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")


def test_command(tmp_path: Path) -> None:
    def call(*arguments: str, status: int = 0) -> str:
        result = CliRunner().invoke(app, ["conformance", *arguments])
        assert result.exit_code == status, result.output
        return result.stdout

    listed = json.loads(call("list", "-o", "CONV_2D", "--case", TIES, "--json"))
    assert ["tflite-ref", "tflite-opt"] in listed["cases"][0]["separates"]
    call("generate", str(tmp_path / "cases"), "-o", "CONV_2D", "--case", TIES)
    (folder,) = (tmp_path / "cases").iterdir()
    assert {file.name for file in folder.iterdir()} == {"model.tflite", "input0.npy", "expected.npy", "case.json"}
    journal = str(tmp_path / "journal")
    for _ in range(2):  # the second time from the journal
        ran = call("run", "--sut", "int8rt:tflite-opt", "--operator", "PAD", "--journal", journal)
        assert "18 of 18 cases" in ran
    assert len(Path(journal).read_text().splitlines()) == 19
    assert call("report", journal) == ran
    wrong = json.loads(call("run", "--sut", "int8rt:tflite-opt", "-o", "CONV_2D", "--case", TIES, "--json", status=1))
    assert (wrong["schema_version"], wrong["conformant"], wrong["cases"][0]["case"]) == (1, False, TIES)
