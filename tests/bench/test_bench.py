"""Measuring: turns are shared fairly, and `int8rt bench` prints what it says."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from int8rt.bench.profile import profile
from int8rt.bench.timing import measure, summarize
from int8rt.cli.app import app
from int8rt.interpreter import Interpreter
from int8rt.schema import write_model
from tests.jit.models import convolutions


def test_contenders_get_about_the_same_time() -> None:
    runs = {"slow": 0, "quick": 0}

    def sleeper(name: str, seconds: float) -> Any:
        def run() -> None:
            runs[name] += 1
            time.sleep(seconds)

        return run

    times = measure({"slow": sleeper("slow", 0.02), "quick": sleeper("quick", 0.001)}, 0.4)
    assert times["slow"].median > 5 * times["quick"].median
    assert times["quick"].runs > 3 * times["slow"].runs >= 9
    assert runs["slow"] > times["slow"].runs


def test_a_summary() -> None:
    times = summarize([5.0, 1.0, 2.0, 3.0, 4.0])
    assert (times.median, times.least, times.runs) == (3.0, 1.0, 5)
    assert times.least < times.p10 < times.median < times.p90 < 5.0


@pytest.mark.parametrize("backend", ["numpy", "jit"])
def test_the_profile_has_every_operator(backend: Any) -> None:
    interpreter = Interpreter(model_content=convolutions(size=24), backend=backend)
    interpreter.allocate_tensors()
    steps = profile(interpreter._executor(0), 0.01)
    operators = interpreter.model.subgraphs[0].operators
    assert [step.operator for step in steps] == [operator.label for operator in operators]
    assert {step.backend for step in steps} == {backend}
    assert steps[0].macs == 24 * 24 * 32 * 27
    assert steps[0].bytes == 24 * 24 * (3 + 32) + 32 * 27 + 32 * 4
    assert all(step.seconds > 0 for step in steps)


def run(path: Path, *arguments: str) -> str:
    done = CliRunner().invoke(app, ["bench", str(path), "--seconds", "0.05", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(write_model(convolutions()))
    return path


@pytest.mark.parametrize("backend", ["auto", "numpy"])
def test_json(model: Path, backend: str) -> None:
    result = json.loads(run(model, "--json", "--backend", backend, "--threads", "2"))
    assert (result["schema_version"], result["threads"], result["backend"]) == (1, 2, backend)
    assert result["times"]["int8rt"]["least"] <= result["times"]["int8rt"]["median"]
    assert [step["operator"] for step in result["operators"]][:2] == ["CONV_2D", "DEPTHWISE_CONV_2D"]


def test_text(model: Path) -> None:
    shown = run(model)
    assert "int8rt" in shown
    assert "DEPTHWISE_CONV_2D" in shown


@pytest.mark.litert
def test_against_litert(model: Path) -> None:
    result = json.loads(run(model, "--json", "--against", "litert"))
    assert list(result["times"]) == ["int8rt", "LiteRT reference", "LiteRT optimised", "LiteRT XNNPACK"]
    assert result["equal"]["LiteRT reference"]
    for name, ratio in result["ratios"].items():
        assert ratio == result["times"][name]["median"] / result["times"]["int8rt"]["median"]
