from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from int8rt.cli.app import app
from tests.interpreter import models


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(models.two_adds())
    np.savez(tmp_path / "in.npz", x=np.array([[1, 2, 3, 4]], np.int8), y=np.array([[9, -7, 5, 100]], np.int8))
    return path


def explain(model: Path, *arguments: object) -> Result:
    return CliRunner().invoke(app, ["explain", str(model), *map(str, arguments)])


def test_text(model: Path) -> None:
    done = explain(model, "--op", 0, "--at", "0,3", "--input", model.parent / "in.npz")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    # (4 + 3) · 0.5 + (100 - 3) · 0.25 = 27.75, in steps of 0.5
    assert lines[0] == "operator 0 (ADD), tensor 2 'm' at [0, 3]: 56, which stands for 28"
    assert lines[1].startswith("profile tflite-ref; TensorFlow Lite's kernels/add.cc")
    assert any(line.split()[:2] == ["input1[0,3]", "4"] for line in lines)
    assert lines[-1].split()[:5] == ["clamp", "to", "[-128,", "127]", "56"]


def test_json_and_html(model: Path) -> None:
    data = json.loads(explain(model, "--op", 1, "--json", "--seed", 3).stdout)
    assert (data["schema_version"], data["operator"], data["at"]) == (1, "ADD", [0, 0])
    assert data["lines"][-1]["value"] == data["result"]
    html = explain(model, "--op", 1, "--html", "--seed", 3).stdout
    assert html.startswith('<div class="int8rt-derivation">')
    assert str(data["result"]) in html


def test_wrong_usage(model: Path) -> None:
    assert explain(model).exit_code == 2
    for text in ("a,b", "0,,1", "0,1,"):
        assert explain(model, "--op", 0, "--at", text).exit_code == 2
    assert "operators 0 to 1" in str(explain(model, "--op", 7).exception)
