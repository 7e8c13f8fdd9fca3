from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from int8rt.cli.app import app
from int8rt.verify.inputs import KINDS
from tests.interpreter import models


def int8rt(*arguments: object) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments), "--backend", "numpy"])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(models.two_adds())
    return path


def test_there_and_back(model: Path, tmp_path: Path) -> None:
    bundle, outputs = tmp_path / "bundle", tmp_path / "outputs"
    done = int8rt("pack", model, "--output", bundle)
    assert done.exit_code == 0, done.output
    assert "5 runs, " + ", ".join(KINDS) in done.stdout
    shutil.copytree(bundle / "expected", outputs)
    judged = int8rt("compare", bundle, "--dump", outputs)
    assert judged.exit_code == 0, judged.output
    assert "2 operators, of which the runtime shows nothing" in judged.stdout
    wrong = np.load(outputs / "natural/output_0.npy")
    wrong[0, 3] += 1
    np.save(outputs / "natural/output_0.npy", wrong)
    (outputs / "natural/output_0.bin").unlink()
    data = json.loads(int8rt("compare", bundle, "--dump", outputs, "--json").stdout)
    assert not data["conformant"]
    assert data["outputs"][0]["statistics"]["run"] == "natural"


def test_the_manifest_as_json(model: Path, tmp_path: Path) -> None:
    done = int8rt("pack", model, "-o", tmp_path / "b", "--json")
    assert json.loads(done.stdout) == json.loads((tmp_path / "b/manifest.json").read_text())


def test_a_dump_of_given_inputs_with_other_names(model: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "in.npz", x=np.array([[4, 4, 4, 4]], np.int8), y=np.zeros((1, 4), np.int8))
    given = ("--input", tmp_path / "in.npz")
    good = tmp_path / "good.npz"
    # x = 3.5, y = -0.75, m = 2.75 (6 steps; a tie, away from zero), c = -0.5, 0, 0.5, 1
    np.savez(good, layer1=np.array([[6, 6, 6, 6]], np.int8), layer2=np.array([[6, 7, 8, 9]], np.int8))
    (tmp_path / "names.json").write_text('{"layer1": "m", "layer2": "z"}')
    judged = int8rt("compare", model, "--dump", good, "--names", tmp_path / "names.json", *given, "--all")
    assert judged.exit_code == 0, judged.output
    assert [line.split()[2] for line in judged.stdout.splitlines() if " ADD " in line] == ["EXACT", "EXACT"]
    assert int8rt("compare", model, "--dump", good, *given).exit_code == 1
    (tmp_path / "names.json").write_text("[]")
    bad = int8rt("compare", model, "--dump", good, "--names", tmp_path / "names.json", *given)
    assert "no JSON object" in str(bad.exception)


def test_wrong_usage(model: Path, tmp_path: Path) -> None:
    assert int8rt("compare", model, "--dump", tmp_path).exit_code == 2
    assert int8rt("compare", model, "--names", tmp_path).exit_code == 2
    np.savez(tmp_path / "in.npz", x=np.zeros((1, 4), np.int8), y=np.zeros((1, 4), np.int8))
    given = ("--input", tmp_path / "in.npz")
    assert int8rt("compare", model, "--dump", tmp_path, "--sut", "tflm", *given).exit_code == 2
    assert int8rt("pack", model).exit_code == 2
