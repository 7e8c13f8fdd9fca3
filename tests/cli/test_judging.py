from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from int8rt.cli.app import app
from int8rt.errors import InputError
from tests.interpreter import models

REPOSITORY = Path(__file__).resolve().parents[2]
FUNCTIONS = "python:tests.verify.runtimes.functions"


@pytest.fixture(autouse=True)
def from_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)


@pytest.fixture
def given(tmp_path: Path) -> list[str]:
    """One run instead of five."""
    np.savez(tmp_path / "in.npz", x=np.array([[1, 2, 3, 4]], np.int8), y=np.array([[5, -6, 7, 99]], np.int8))
    return ["--input", str(tmp_path / "in.npz")]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(models.two_adds())
    return path


def compare(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["compare", "--backend", "numpy", *map(str, arguments)])


def test_conformant_is_0(model: Path, tmp_path: Path) -> None:
    done = compare(model, "--sut", f"{FUNCTIONS}:good", "--junit", tmp_path / "j.xml")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == "conformant"
    assert 'failures="0" errors="0"' in (tmp_path / "j.xml").read_text()


def test_not_conformant_is_1_and_the_bound_decides(model: Path, given: list[str]) -> None:
    done = compare(model, "--sut", f"{FUNCTIONS}:one_too_much", "--json", *given)
    assert done.exit_code == 1, done.output
    data = json.loads(done.stdout)
    assert (data["schema_version"], data["conformant"], data["least_bound"], data["first"]) == (1, False, 1, 0)
    assert [operator["text"] for operator in data["operators"]] == ["BOUNDED(±1)"] * 2
    assert all(operator["alone"] for operator in data["operators"])
    assert compare(model, "--sut", f"{FUNCTIONS}:one_too_much", "--bound", "1", *given).exit_code == 0


@pytest.mark.parametrize("name", ["wrong_shape", "nan", "nothing", "refuse", "leave"])
def test_whatever_a_runtime_does_is_a_verdict(name: str, model: Path, given: list[str]) -> None:
    done = compare(model, "--sut", f"{FUNCTIONS}:{name}", "--outputs-only", *given)
    assert done.exit_code == 1, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert done.stdout.splitlines()[-1] == "not conformant"


@pytest.mark.litert
def test_a_file_that_is_no_delegate(model: Path, tmp_path: Path) -> None:
    (tmp_path / "x.so").write_bytes(b"not a library")
    done = compare(model, "--delegate", tmp_path / "x.so", "--delegate-option", "a=b", "--outputs-only")
    assert "the delegate can't be loaded" in str(done.exception)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--delegate-option", "a=b"],
        ["--delegate", "x", "--delegate-option", "a"],
        ["--command", "x {outputs}", "--sut", "tflm"],
    ],
)
def test_options_that_contradict_each_other(arguments: list[str], model: Path) -> None:
    assert compare(model, *arguments).exit_code == 2


@pytest.mark.skipif(importlib.util.find_spec("tflite_micro") is not None, reason="it is there")
def test_a_missing_runtime_says_how_to_get_it(model: Path) -> None:
    assert "pip install tflite-micro" in str(compare(model, "--sut", "tflm").exception)


@pytest.mark.parametrize("command", ["compare", "identify", "conformance"])
@pytest.mark.parametrize(
    ("option", "place"), [("--html", "nowhere/a.html"), ("--junit", "."), ("--markdown", "a/b.md")]
)
def test_reports_that_cannot_be_written_are_told_at_once(
    command: str, option: str, place: str, model: Path, tmp_path: Path
) -> None:
    """Before the runtime is asked: it is none, and nobody minds."""
    (tmp_path / "a").write_text("a file")
    subject = ["run"] if command == "conformance" else [model]
    done = CliRunner().invoke(
        app, [str(a) for a in (command, *subject, option, tmp_path / place, "--command", "no {outputs}")]
    )
    assert isinstance(done.exception, InputError)
    assert str(tmp_path / place) in str(done.exception)


@pytest.mark.parametrize("arguments", [["--bound", "nan"], ["--bound", "-1"], ["--timeout", "0"], ["--timeout", "nan"]])
def test_numbers_that_would_decide_nothing(arguments: list[str], model: Path) -> None:
    assert compare(model, "--sut", "int8rt", *arguments).exit_code == 2


def test_reduce_into_a_file(model: Path, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file")
    done = CliRunner().invoke(app, ["reduce", str(model), "--sut", "int8rt", "--output", str(tmp_path / "a")])
    assert done.exit_code == 2
