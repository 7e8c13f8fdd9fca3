from __future__ import annotations

import dataclasses
import io
import json

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from int8rt import samples
from int8rt.cli.app import app
from int8rt.cli.picture import picture

runner = CliRunner()


@pytest.mark.parametrize("backend", ["auto", "numpy", "jit"])
def test_recorded_outputs_are_met(backend: str) -> None:
    done = runner.invoke(app, ["demo", "--recorded", "--backend", backend])
    assert done.exit_code == 0, done.output
    assert "12 of 12 outputs and 15 of 15 tensors have the same bits" in done.output
    assert "LiteRT not run" in done.output


@pytest.mark.litert
def test_the_interpreter_is_met() -> None:
    done = runner.invoke(app, ["demo", "--json"])
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert (result["equal"], result["reference_source"], result["different_tensors"]) == (True, "live", [])
    assert result["reference"].startswith("BUILTIN_REF of ai-edge-litert 2.3.")


def test_without_litert_the_record_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("int8rt.verify.oracle.available", lambda: False)
    result = json.loads(runner.invoke(app, ["demo", "--json"]).stdout)
    assert (result["equal"], result["reference_source"]) == (True, "recorded")


def test_one_wrong_bit_in_an_output_is_reported_and_1(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = samples.digits()
    outputs = sample.recorded.outputs.copy()
    outputs[3, 7] ^= 1
    done = _with_record(dataclasses.replace(sample.recorded, outputs=outputs), monkeypatch)
    assert done["equal"] is False
    assert [i for i, image in enumerate(done["images"]) if not image["equal"]] == [3]


def test_one_different_intermediate_tensor_is_reported_and_1(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = samples.digits().recorded
    index = list(recorded.sha256)[4]
    done = _with_record(dataclasses.replace(recorded, sha256={**recorded.sha256, index: "0" * 64}), monkeypatch)
    assert (done["equal"], done["different_tensors"]) == (False, [index])


def _with_record(recorded: samples.Record, monkeypatch: pytest.MonkeyPatch) -> dict:
    sample = dataclasses.replace(samples.digits(), recorded=recorded)
    monkeypatch.setattr(samples, "digits", lambda: sample)
    done = runner.invoke(app, ["demo", "--recorded", "--json"])
    assert done.exit_code == 1
    shown = runner.invoke(app, ["demo", "--recorded"])
    assert shown.exit_code == 1
    assert "bits differ" in shown.output or "tensors that differ" in shown.output
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("encoding", "expected"), [("utf-8", [" ▀", "▄█"]), ("ascii", [" '", ".#"])], ids=["blocks", "ascii"]
)
def test_picture_without_colours(encoding: str, expected: list[str]) -> None:
    pixels = np.array([[0.0, 1.0], [0.0, 0.0], [0.2, 0.8], [0.9, 1.0]])
    console = Console(file=io.TextIOWrapper(io.BytesIO(), encoding=encoding), color_system=None)
    assert picture(pixels, console).plain.split("\n") == expected


def test_picture_with_colours_has_two_greys_a_character() -> None:
    console = Console(file=io.StringIO(), color_system="truecolor", force_terminal=True)
    text = picture(np.array([[0.0], [0.5]]), console)
    style = text.get_style_at_offset(console, 0)
    assert text.plain == "▀"
    assert (style.color.get_truecolor().red, style.bgcolor.get_truecolor().red) == (0, 128)
