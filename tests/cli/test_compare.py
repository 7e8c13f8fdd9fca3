from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from int8rt.cli.app import app
from int8rt.model import TensorType
from int8rt.samples import digits
from int8rt.schema import ModelBuilder, write_model
from int8rt.verify import compare as library
from int8rt.verify.inputs import KINDS
from tests.interpreter import models


def compare(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["compare", *map(str, arguments)])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(models.two_adds())
    return path


def test_without_litert_the_extra_is_named(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("int8rt.verify.oracle.available", lambda: False)
    assert "pip install 'int8rt[litert]'" in str(compare(model).exception)


@pytest.mark.litert
def test_equal(model: Path, tmp_path: Path) -> None:
    done = compare(model)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert "beside BUILTIN_REF of ai-edge-litert 2." in lines[0]
    assert [line.partition(" inputs: ")[0] for line in lines[1:]] == list(KINDS)
    assert all("1 of 1 outputs and 2 of 2 tensors equal" in line for line in lines[1:])
    np.savez(tmp_path / "in.npz", x=np.zeros((3, 4), np.int8), y=np.zeros((1, 4), np.int8))
    given = compare(model, "--input", tmp_path / "in.npz", "--all")
    assert given.exit_code == 0, given.output
    assert [line.split()[:4] for line in given.stdout.splitlines()[3:]] == [
        ["tensor", "2", "0", "ADD"],
        ["tensor", "3", "1", "ADD"],
    ]


@pytest.mark.litert
def test_json(tmp_path: Path) -> None:
    path = tmp_path / "digits.tflite"
    path.write_bytes(digits().model)
    done = compare(path, "--json")
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    assert (data["schema_version"], data["equal"], data["profile"]) == (1, True, "tflite-ref")
    assert [run["label"] for run in data["runs"]] == list(KINDS)
    for run in data["runs"]:
        assert run["equal"]
        assert len(run["tensors"]) == 15
        assert all(item["difference"]["different"] == 0 < item["difference"]["elements"] for item in run["tensors"])


@pytest.mark.litert
def test_a_difference_is_shown_and_1(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = library.run_int8rt

    def wrong(*arguments: object, keep: bool) -> object:
        found, seconds = honest(*arguments, keep=keep)  # type: ignore[arg-type]
        found[3] = found[3].copy()
        found[3][0, 1] ^= 1
        return found, seconds

    monkeypatch.setattr(library, "run_int8rt", wrong)
    done = compare(model)
    assert done.exit_code == 1
    assert "random inputs: 0 of 1 outputs and 1 of 2 tensors equal" in done.stdout
    assert "1 of 4 elements differ by at most 1, the first at [0, 1]" in done.stdout
    data = json.loads(compare(model, "--json").stdout)
    assert not data["equal"]
    assert [item["difference"]["different"] for item in data["runs"][0]["tensors"]] == [0, 1]


@pytest.mark.litert
def test_what_litert_refuses_is_its_own_error(tmp_path: Path) -> None:
    builder = ModelBuilder().input("x", TensorType.FLOAT32, (1,)).output("y", TensorType.FLOAT32, (1,))
    path = tmp_path / "model.tflite"
    path.write_bytes(write_model(builder.operator("CUSTOM", ["x"], ["y"], custom_code="nope").build()))
    assert "nope" in str(compare(path).exception)
