"""`int8rt calibrate` and `int8rt quantize`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from int8rt.cli.app import app
from int8rt.errors import InputError
from int8rt.ptq import Calibration
from int8rt.ptq.resuming import digest, dump, file_digest
from int8rt.ptq.samples import Samples
from int8rt.schema import load_model
from int8rt.schema.builder import ModelBuilder
from int8rt.schema.writer import write_model
from tests.ptq.networks import FLOAT, convolution, samples


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "float.tflite").write_bytes(write_model(convolution()))
    np.save(tmp_path / "data.npy", np.concatenate(samples()))
    return tmp_path


def command(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def test_from_float_to_integers(folder: Path) -> None:
    code, said = command(
        "calibrate", folder / "float.tflite", "--data", folder / "data.npy", "-o", folder / "calibrated.tflite"
    )
    assert (code, "5 ranges from 8 samples" in said) == (0, True)
    code, said = command(
        "quantize", folder / "calibrated.tflite", "--io", "int8", "-o", folder / "int8.tflite", "--json"
    )
    assert code == 0
    answer = json.loads(said)
    assert [item["name"] for item in answer["left_float"]] == ["ELU"]
    assert answer["bytes"] == (folder / "int8.tflite").stat().st_size
    recipe = folder / "recipe.toml"
    options = ("--mode", "int16x8", "--save-recipe", recipe)
    assert command("quantize", folder / "calibrated.tflite", "-o", folder / "a.tflite", *options)[0] == 0
    assert command("quantize", folder / "calibrated.tflite", "-o", folder / "b.tflite", "--recipe", recipe)[0] == 0
    assert (folder / "a.tflite").read_bytes() == (folder / "b.tflite").read_bytes()


def test_the_model_itself_as_the_output(folder: Path) -> None:
    """Its size is told as it was before."""
    path = folder / "float.tflite"
    before = path.stat().st_size
    code, said = command("quantize", path, "--mode", "float16", "-o", path)
    assert code == 0
    assert f"{path.stat().st_size / before:.2f} of float.tflite" in said
    assert path.stat().st_size != before


def test_nothing_half_written(folder: Path) -> None:
    data = np.concatenate(samples())
    data[5] = np.inf
    np.save(folder / "data.npy", data)
    before = sorted(folder.iterdir())
    arguments = ["calibrate", folder / "float.tflite", "--data", folder / "data.npy", "-o", folder / "c.tflite"]
    with pytest.raises(InputError, match="sample 5: input: tensor 'x' is not finite"):
        app([str(argument) for argument in arguments], standalone_mode=False)
    with pytest.raises(InputError, match="has no range; calibrate the model"):
        app(["quantize", str(folder / "float.tflite"), "-o", str(folder / "int8.tflite")], standalone_mode=False)
    assert sorted(folder.iterdir()) == before


def test_an_interrupted_calibration_goes_on(folder: Path) -> None:
    model, data, output = folder / "float.tflite", folder / "data.npy", folder / "calibrated.tflite"
    command("calibrate", model, "--data", data, "-o", output)
    expected = output.read_bytes()
    half = Calibration(load_model(model))
    for sample in samples()[:3]:
        half.feed(sample)
    given = Samples(load_model(model), data).digest()
    unfinished = folder / "calibrated.tflite.unfinished"
    for other, said_so in (("", True), ("another", False)):
        identity = digest(file_digest(model), given, "minmax", "None", "False", "None", "8") + other
        unfinished.write_bytes(dump(half, identity))
        code, said = command("calibrate", model, "--data", data, "-o", output)
        assert (code, "going on after 3 of 8 samples" in said) == (0, said_so)
        assert output.read_bytes() == expected
        assert not unfinished.exists()


def test_two_entry_points(folder: Path) -> None:
    builder = ModelBuilder().input("a", FLOAT, (1, 4)).output("b", FLOAT, (1, 4)).operator("RELU", ["a"], ["b"])
    builder.signature("first", {"x": "a"}, {"y": "b"})
    builder.subgraph("second").input("c", FLOAT, (1, 4)).output("d", FLOAT, (1, 4)).operator("ABS", ["c"], ["d"])
    model = builder.signature("second", {"z": "c"}, {"w": "d"}).build()
    (folder / "two.tflite").write_bytes(write_model(model))
    np.savez(folder / "x.npz", x=np.array([[-1.0, 0, 1, 2]]))
    np.savez(folder / "z.npz", z=np.array([[-3.0, 0, 1, 2]]))
    output = folder / "both.tflite"
    assert command("calibrate", folder / "two.tflite", "--data", folder / "x.npz", "-o", folder / "one.tflite")[0] == 0
    second = ("--signature", "second", "--data", folder / "z.npz", "-o", output)
    assert command("calibrate", folder / "one.tflite", *second)[0] == 0
    assert command("quantize", output, "-o", folder / "int8.tflite", "--io", "int8", "--integer-only")[0] == 0
    found = load_model(folder / "int8.tflite")
    assert [[operator.name for operator in graph.operators] for graph in found.subgraphs] == [["RELU"], ["ABS"]]
    scales = [graph.tensors[graph.inputs[0]].quantization.scale[0] for graph in found.subgraphs]
    assert scales == [np.float32(3) / np.float32(255), np.float32(5) / np.float32(255)]


def test_a_rule_that_fits_nothing_is_named(folder: Path) -> None:
    command("calibrate", folder / "float.tflite", "--data", folder / "data.npy", "-o", folder / "calibrated.tflite")
    (folder / "recipe.toml").write_text(
        '[[rules]]\noperator = "CONV_2D"\n[[rules]]\noperator = "Conv2D"\nmode = "float"\n'
    )
    recipe = ("--recipe", folder / "recipe.toml")
    code, said = command("quantize", folder / "calibrated.tflite", *recipe, "-o", folder / "int8.tflite")
    assert (code, "rule 2 of the recipe fits no operator of calibrated.tflite" in said) == (0, True)
    assert "rule 1" not in said
