from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from int8rt.cli.app import app
from int8rt.interpreter import Interpreter
from int8rt.model import Quantization, TensorType
from int8rt.samples import digits
from int8rt.schema import ModelBuilder, write_model
from int8rt.schema.options import ReshapeOptions
from tests.interpreter import models


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["run", *map(str, arguments)])


def outputs(*arguments: object) -> list[dict[str, Any]]:
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert result["schema_version"] == 1
    return list(result["outputs"])


@pytest.fixture
def two_adds(tmp_path: Path) -> Path:
    path = tmp_path / "two_adds.tflite"
    path.write_bytes(models.two_adds())
    return path


@pytest.fixture
def digits_model(tmp_path: Path) -> Path:
    path = tmp_path / "digits.tflite"
    path.write_bytes(digits().model)
    return path


def save(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


X, Y = np.array([[0, 1, 2, 3]], np.int8), np.full((1, 4), 3, np.int8)
Z = [[3, 5, 7, 9]]


@pytest.mark.parametrize(
    "arrays",
    [{"y": Y, "x": X}, {"first": Y, "second": X}, {"arr_0": X, "arr_1": Y}],
    ids=["tensors", "signature", "order"],
)
def test_npz_by_name_and_by_order(arrays: dict[str, Any], two_adds: Path, tmp_path: Path) -> None:
    done = run(two_adds, "--input", save(tmp_path / "in.npz", **arrays), "--output", tmp_path / "out.npz")
    assert done.exit_code == 0, done.output
    with np.load(tmp_path / "out.npz") as found:
        assert found.files == ["z"]
        assert found["z"].dtype == np.int8
        np.testing.assert_array_equal(found["z"], Z)


def test_npy_by_name_and_by_order(two_adds: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", Y)
    in_order = outputs(two_adds, "-i", tmp_path / "x.npy", "-i", tmp_path / "y.npy")
    by_name = outputs(two_adds, "-i", f"y={tmp_path / 'y.npy'}", "-i", f"second={tmp_path / 'x.npy'}")
    mixed = outputs(two_adds, "-i", f"y={tmp_path / 'y.npy'}", "-i", tmp_path / "x.npy")
    assert in_order == by_name == mixed
    assert [item["code"] for item in in_order[0]["top"]] == [9, 7, 5, 3]


def test_real_values_are_quantized_and_a_batch_is_resized(two_adds: Path, tmp_path: Path) -> None:
    file = save(tmp_path / "in.npz", x=np.full((2, 4), 1.26), y=np.zeros(4))
    assert run(two_adds, "-i", file, "-o", tmp_path / "out.npz").exit_code == 0
    with np.load(tmp_path / "out.npz") as found:
        np.testing.assert_array_equal(found["z"], [[3, 4, 5, 6]] * 2)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": X}, "the model has 2 inputs ('x', 'y'), 1 were given"),
        ({"x": X, "y": Y, "z": Y}, "the model has 2 inputs ('x', 'y'), 3 were given"),
        ({"x": X[0, 0], "y": Y}, "input 'x' has the shape [1, 4], found []"),
        ({"x": X.astype(np.int64) + 126, "y": Y}, "input 'x' is int8, found int64 values that do not fit it"),
        ({"x": X.astype("U"), "y": Y}, "input 'x' is int8, found <U"),
    ],
)
def test_inputs_that_do_not_fit(arrays: dict[str, Any], message: str, two_adds: Path, tmp_path: Path) -> None:
    done = run(two_adds, "-i", save(tmp_path / "in.npz", **arrays))
    assert message in str(done.exception)


def test_wrong_names_and_files(two_adds: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    (tmp_path / "bad.npy").write_bytes(b"no array")
    for argument, message in (
        (f"nope={tmp_path / 'x.npy'}", "the model has no input 'nope'; its inputs are 'x', 'y', 'second', 'first'"),
        (tmp_path / "bad.npy", "bad.npy is not a NumPy file that int8rt can read"),
        (tmp_path / "missing.npy", "No such file"),
    ):
        assert message in str(run(two_adds, "-i", argument).exception)


@pytest.mark.parametrize("arguments", [(), ("--random", "--input", "x.npy")], ids=["neither", "both"])
def test_inputs_or_random_is_wanted(arguments: tuple[str, ...], two_adds: Path) -> None:
    done = run(two_adds, *arguments)
    assert done.exit_code == 2
    assert "--random" in done.output


def test_random_inputs_depend_on_the_seed_alone(two_adds: Path) -> None:
    first, again, other = (outputs(two_adds, "--random", "--seed", seed) for seed in (7, 7, 8))
    assert first == again != other


def test_images_and_labels(digits_model: Path, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    sample = digits()
    interpreter = Interpreter(model_content=sample.model)
    scale, zero_point = interpreter.get_input_details()[0]["quantization"]
    codes = sample.inputs[0]
    pixels = np.rint((codes.astype(np.float64) - zero_point) * scale * 255).astype(np.uint8)[..., 0]
    image.fromarray(pixels).save(tmp_path / "digit.png")
    (tmp_path / "labels.txt").write_text("".join(f"digit {n}\n" for n in range(10)))

    done = run(digits_model, "-i", tmp_path / "digit.png", "--labels", tmp_path / "labels.txt", "--top", "3")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    assert lines[1].endswith(f"digit {sample.labels[0]}")

    given = outputs(digits_model, "-i", save(tmp_path / "same.npz", x=codes[None]))
    shown = outputs(digits_model, "-i", tmp_path / "digit.png")
    assert given[0]["top"] == shown[0]["top"]
    black = outputs(digits_model, "-i", tmp_path / "digit.png", "--levels", "0", "0")
    assert black[0]["top"] != shown[0]["top"]


def test_images_need_an_image_input_and_an_image(two_adds: Path, digits_model: Path, tmp_path: Path) -> None:
    pytest.importorskip("PIL.Image")
    (tmp_path / "no.png").write_bytes(b"no image")
    assert "takes no image" in str(run(two_adds, "-i", tmp_path / "no.png", "-i", tmp_path / "no.png").exception)
    assert "not an image that Pillow can read" in str(run(digits_model, "-i", tmp_path / "no.png").exception)


def test_missing_pillow_is_said(digits_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    assert "pip install 'int8rt[image]'" in str(run(digits_model, "-i", tmp_path / "x.png").exception)


def test_outputs_of_one_name_and_large_outputs(tmp_path: Path) -> None:
    builder = ModelBuilder().input("x", TensorType.FLOAT32, (2, 20)).constant("s", np.array([20, 2], np.int32))
    builder.output("x").output("y", TensorType.FLOAT32, (20, 2))
    builder.operator("RESHAPE", ["x", "s"], ["y"], ReshapeOptions(new_shape=(20, 2))).output("y")
    path = tmp_path / "model.tflite"
    path.write_bytes(write_model(builder.build()))
    np.save(tmp_path / "x.npy", np.linspace(-1, 1, 40, dtype=np.float32).reshape(2, 20))
    done = run(path, "-i", tmp_path / "x.npy", "-o", tmp_path / "out.npz")
    assert done.stdout.splitlines()[:2] == ["x: float32 [2, 20]", "  from -1 to 1, mean 0"]
    with np.load(tmp_path / "out.npz") as found:
        assert found.files == ["x", "y", "output_2"]


@pytest.mark.parametrize(
    ("low", "high", "levels"), [(0, 1, (0, 1)), (-1, 1, (-1, 1)), (0, 255, (0, 255)), (-2.1, 2.6, (-2.1, 2.6))]
)
def test_usual_levels(low: float, high: float, levels: tuple[float, float]) -> None:
    from int8rt.image import usual_levels

    scale = (high - low) / 255
    quantization = Quantization.per_tensor(scale, round(-low / scale))
    model = ModelBuilder().input("x", TensorType.UINT8, (1, 8, 8, 3), quantization).build()
    assert usual_levels(model.subgraphs[0], 0) == pytest.approx(levels, abs=scale)
