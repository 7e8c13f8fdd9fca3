from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from int8rt.cli.app import app
from int8rt.lint import RULES
from int8rt.model import Model
from int8rt.schema import TensorSpec, write_model
from tests.lint.models import WEIGHTS, Q, fully_connected, hybrid, mul


def lint(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["lint", *map(str, arguments)])


def write(tmp_path: Path, model: Model) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(write_model(model))
    return path


def test_a_model_without_findings(tmp_path: Path) -> None:
    done = lint(write(tmp_path, fully_connected()))
    assert done.exit_code == 0
    assert done.stdout.endswith("model.tflite: 0 errors, 0 warnings, 0 notes\n")


def test_errors_end_with_1(tmp_path: Path) -> None:
    path = write(tmp_path, hybrid([[-128, 3]]))
    done = lint(path)
    assert done.exit_code == 1
    assert "found 1 of 2 weights are -128; expected -127 to 127 [weights-avoid-the-lowest-code]" in done.stdout
    assert done.stdout.endswith("1 error, 0 warnings, 0 notes\n")
    assert lint(path, "--ignore", "weights-avoid-the-lowest-code").exit_code == 0
    assert lint(path, "--rule", "weights-are-symmetric").exit_code == 0


def test_warnings_and_notes_do_not(tmp_path: Path) -> None:
    note = write(tmp_path, mul(3.0))
    assert (lint(note).exit_code, lint(note, "--strict").exit_code) == (0, 0)
    assert "0 errors, 0 warnings, 1 note" in lint(note).stdout
    warning = write(tmp_path, fully_connected(bias=TensorSpec.constant(np.int32([1, 2]))))
    assert (lint(warning).exit_code, lint(warning, "--strict").exit_code) == (0, 1)


def test_json(tmp_path: Path) -> None:
    path = write(tmp_path, fully_connected(filter=TensorSpec.constant(WEIGHTS, Q(0.25, 5))))
    done = lint(path, "--json", "--rule", "weights-are-symmetric", "--rule", "weights-are-per-channel")
    data = json.loads(done.stdout)
    assert done.exit_code == 1
    assert (data["schema_version"], data["errors"], data["warnings"], data["notes"]) == (1, 1, 0, 1)
    assert data["findings"][0] == {
        "rule": "weights-are-symmetric",
        "severity": "error",
        "subgraph": 0,
        "operator": 0,
        "operator_name": "FULLY_CONNECTED",
        "tensor": 1,
        "tensor_name": "input1",
        "found": "zero point 5",
        "expected": "zero point 0",
    }


def test_the_list_of_rules() -> None:
    assert len(lint("--rules").stdout.splitlines()) == len(RULES) + 1
    listed = json.loads(lint("--rules", "--json").stdout)["rules"]
    assert [rule["name"] for rule in listed] == [rule.name for rule in RULES]


@pytest.mark.parametrize("arguments", [(), ("x.tflite", "--rule", "nonsense"), ("x.tflite", "--ignore", "nonsense")])
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    assert lint(*arguments).exit_code == 2


def test_an_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "broken.tflite"
    path.write_bytes(b"no model")
    done = lint(path)
    assert "Int8rtError" in [kind.__name__ for kind in type(done.exception).__mro__]
