"""What the verbs do for people: names as one types them, packed folders, scripts, short answers."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from int8rt.cli.app import app
from int8rt.conformance.cases import all_cases
from int8rt.schema import write_model

REPOSITORY = Path(__file__).resolve().parents[2]
FUNCTIONS = "python:tests.verify.runtimes.functions"
TIES = "CONV_2D/int8/ties/multiplier=powers"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A convolution whose sums are ties."""
    made, inputs = next(case for case in all_cases() if case.name == TIES).make()
    (tmp_path / "model.tflite").write_bytes(write_model(made))
    np.save(tmp_path / "in.npy", inputs[0])
    return tmp_path / "model.tflite"


def call(*arguments: object, status: int = 0) -> Result:
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == status, done.output
    return done


def run(script: str) -> dict[str, Any]:
    """What a script leaves behind."""
    scope: dict[str, Any] = {}
    tree = ast.parse(script)
    if "SystemExit" in ast.unparse(tree.body[-1]):
        last = tree.body.pop()
        assert isinstance(last, ast.Raise)
        assert isinstance(last.exc, ast.Call)
        tree.body.append(ast.parse(f"status = {ast.unparse(last.exc.args[0])}").body[0])
    exec(compile(tree, "script", "exec"), scope)
    return scope


def test_operators_and_types_in_small_letters() -> None:
    assert call("conformance", "list", "-o", "softmax", "-t", "INT8").stdout == (
        call("conformance", "list", "-o", "SOFTMAX", "-t", "int8").stdout
    )

    script = call("conformance", "run", "-o", "softmax", "-t", "INT8", "--print-python").stdout
    assert "case.operator in ['SOFTMAX'] and case.type in ['int8']" in script


@pytest.mark.parametrize(
    ("options", "known"),
    [(["-o", "SOFTMX"], "SOFTMAX"), (["-t", "int9"], "int8, "), (["-o", "add", "--case", "x-x"], "no such case")],
)
def test_what_the_suite_does_not_have(options: list[str], known: str) -> None:
    done = call("conformance", "list", *options, status=2)
    assert known in " ".join(done.output.replace("│", " ").split())


def test_explain_takes_a_packed_folder(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    call("pack", model, "-o", folder, "--input", tmp_path / "in.npy")
    assert call("explain", folder, "--op", 0).stdout == (
        call("explain", model, "--op", 0, "--input", tmp_path / "in.npy").stdout
    )
    assert call("explain", folder, "--op", 0, "--input", tmp_path / "in.npy").stdout
    script = call("explain", folder, "--op", 0, "--print-python").stdout
    assert str(run(script)["derivation"]) + "\n" == call("explain", folder, "--op", 0).stdout


@pytest.mark.parametrize("given", [True, False])
def test_the_script_of_explain(given: bool, model: Path) -> None:
    options = ["--op", 0, "--at", "0,1,0,1", *(["--input", model.parent / "in.npy"] if given else ["--seed", 4])]
    script = call("explain", model, *options, "--print-python").stdout
    assert str(run(script)["derivation"]) + "\n" == call("explain", model, *options).stdout


def test_the_script_of_reduce(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["--sut", "int8rt:tflite-opt", "--input", tmp_path / "in.npy", "--budget", 5, "-o", "first"]
    script = call("reduce", model, *options, "--print-python").stdout
    assert not (tmp_path / "first").exists()
    assert run(script.replace("'first'", "'second'"))["status"] == 1
    call("reduce", model, *options, status=1)
    names = sorted(file.name for file in (tmp_path / "first").iterdir())
    assert names == sorted(file.name for file in (tmp_path / "second").iterdir())
    assert (tmp_path / "first/model.tflite").read_bytes() == (tmp_path / "second/model.tflite").read_bytes()
    assert run(script.replace("tflite-opt", "tflite-ref"))["status"] == 0


def test_what_is_not_answered_is_said_once(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    options = ["--sut", f"{FUNCTIONS}:refuse", "--input", model.parent / "in.npy"]
    lines = [line.strip() for line in call("identify", model, *options, status=1).stdout.splitlines()]
    (line,) = [line for line in lines if line.startswith("not answered")]
    assert line.startswith("not answered (")
    assert "refused: " in line
    faults = json.loads(call("identify", model, *options, "--json", status=1).stdout)["findings"][0]["faults"]
    assert line.startswith(f"not answered ({len(faults)} probes, the first 'ties of both signs'): refused: ")


def test_what_a_runtime_says_is_not_cut_off_early(model: Path) -> None:
    np.savez(model.parent / "recorded.npz", blob=np.zeros(3))
    options = ["--input", model.parent / "in.npy", "--dump", model.parent / "recorded.npz"]
    assert "--names says what is which\n" in call("compare", model, *options, status=1).stdout


def test_a_journal_is_of_one_build(tmp_path: Path) -> None:
    program, journal = tmp_path / "program.sh", tmp_path / "journal"
    program.write_text("exit 1")
    options = ["-o", "SUB", "-t", "int16", "--case", "refused", "--journal", journal]
    arguments = ["conformance", "run", "--command", f"sh {program} {{outputs}}", *options]
    first = call(*arguments).stdout
    assert call(*arguments).stdout == first
    program.write_text("exit 2")
    assert "another runtime, build or suite" in str(call(*arguments, status=1).exception)


@pytest.mark.parametrize("more", [["--journal", "x"], []])
def test_a_command_line_that_is_none(more: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = call("conformance", "run", "-o", "SUB", "--command", "sh 'x {outputs}", *more, status=1)
    assert "cannot read the command line" in str(done.exception)
