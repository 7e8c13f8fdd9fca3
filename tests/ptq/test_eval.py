"""Accuracy, intervals, agreement; labels from files and folders; an evaluation that goes on."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from typer.testing import CliRunner

from int8rt.cli.app import app
from int8rt.errors import InputError
from int8rt.model import Quantization, TensorType
from int8rt.ptq import calibrate, quantize
from int8rt.ptq.evaluate import accuracy, agreement, evaluate, labelled, wilson
from int8rt.ptq.resuming import known_answers, store_answers
from int8rt.ptq.samples import Samples
from int8rt.schema.builder import ModelBuilder, TensorSpec
from int8rt.schema.options import SVDFOptions
from int8rt.schema.writer import write_model
from tests.ptq.networks import FLOAT, convolution, samples

T = TypeVar("T")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model = convolution()
    (tmp_path / "float.tflite").write_bytes(write_model(model))
    (tmp_path / "int8.tflite").write_bytes(quantize(calibrate(model, samples())).write())
    np.savez(tmp_path / "data.npz", image=np.concatenate(samples(70)), labels=np.arange(70) % 3)
    return tmp_path


def evaluated(folder: Path, *arguments: str) -> dict[str, object]:
    models = [str(folder / "float.tflite"), str(folder / "int8.tflite")]
    command = ["eval", *models, "--data", str(folder / "data.npz"), "--backend", "numpy", "--json", *arguments]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_shares_and_intervals() -> None:
    found = accuracy("m", np.array([[0, 1], [2, 1], [1, 0]]), np.array([1, 0, 1]))
    assert (found.right, found.total) == (2, 3)
    # Of the tables for Wilson's interval: 8 of 10 lies between 49.0 % and 94.3 %.
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 10)[0] == 0
    assert wilson(10, 10)[1] == pytest.approx(1)
    a, b = np.array([[0], [1], [2], [2]]), np.array([[0], [1], [0], [1]])
    assert agreement([a, b]).tolist() == [[1, 0.5], [0.5, 1]]


def test_models_side_by_side(folder: Path) -> None:
    from int8rt.interpreter import Interpreter

    answer = evaluated(folder)
    interpreter = Interpreter(model_path=str(folder / "float.tflite"), backend="numpy")
    interpreter.allocate_tensors()
    right = 0
    for i, sample in enumerate(samples(70)):
        interpreter.set_tensor(0, sample)
        interpreter.invoke()
        right += int(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).argmax() == i % 3)
    assert answer["models"][0]["right"] == right  # type: ignore[index]
    assert answer["models"][0]["total"] == 70  # type: ignore[index]
    assert answer["agreement"][0][1] > 0.9  # type: ignore[index]
    assert [item["right"] for item in evaluated(folder, "--top-k", "3")["models"]] == [70, 70]  # type: ignore[attr-defined]
    assert evaluated(folder, "-p", "2") == answer


def test_an_interrupted_evaluation_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = evaluated(folder, "--resume", str(folder / "kept.npz"))
    monkeypatch.setattr("int8rt.ptq.evaluate.answers", lambda *_: pytest.fail("everything is known"))
    assert evaluated(folder, "--resume", str(folder / "kept.npz")) == answer


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes in /proc")
def test_workers_end_with_an_evaluation_that_is_killed(folder: Path) -> None:
    np.savez(folder / "many.npz", image=np.repeat(np.concatenate(samples(1)), 20_000, axis=0), labels=[0] * 20_000)
    command = [sys.executable, "-m", "int8rt", "eval", str(folder / "float.tflite"), "--data", str(folder / "many.npz")]
    parent = subprocess.Popen([*command, "--backend", "numpy", "-p", "2"], stderr=subprocess.DEVNULL)
    try:
        workers = wait_for(lambda: children(parent.pid) if len(children(parent.pid)) >= 2 else None)
    finally:
        parent.kill()
        parent.wait()
    assert workers
    assert wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))


def children(parent: int) -> list[int]:
    """The processes in which chunks are computed."""
    found = []
    for place in Path("/proc").iterdir():
        try:
            stat, command = (place / "stat").read_text(), (place / "cmdline").read_text()
        except OSError:
            continue
        if "spawn_main" in command and int(stat.rpartition(")")[2].split()[1]) == parent:
            found.append(int(place.name))
    return found


def wait_for(condition: Callable[[], T], seconds: float = 20) -> T | None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    return None


def test_answers_of_another_evaluation_are_not_taken(tmp_path: Path) -> None:
    known = {("a b.tflite", 0): np.array([[1, 2]]), ("a b.tflite", 32): np.array([[3, 4]])}
    store_answers(tmp_path / "kept.npz", "this", known)
    found = known_answers(tmp_path / "kept.npz", "this")
    assert {key: value.tolist() for key, value in found.items()} == {k: v.tolist() for k, v in known.items()}
    assert known_answers(tmp_path / "kept.npz", "that") == {}
    (tmp_path / "kept.npz").write_bytes(b"no archive")
    assert known_answers(tmp_path / "kept.npz", "this") == {}


def test_every_sample_is_an_input_of_its_own(tmp_path: Path) -> None:
    """A layer with a state does not carry it from one sample to the next, however they are shared out."""
    builder = ModelBuilder().input("x", FLOAT, (1, 2)).constant("feature", np.eye(2, dtype=np.float32))
    builder.constant("time", np.ones((2, 3), np.float32)).add("state", TensorSpec(FLOAT, (1, 6), is_variable=True))
    builder.output("y", FLOAT, (1, 2))
    model = builder.operator("SVDF", ["x", "feature", "time", None, "state"], ["y"], SVDFOptions(rank=1)).build()
    (tmp_path / "svdf.tflite").write_bytes(write_model(model))
    # Each answers with its own larger element; sums with the samples before would not.
    x = np.float32([[9, 0], [0, 1], [0, 2], [5, 0], [0, 1]])
    np.savez(tmp_path / "data.npz", x=x, labels=x.argmax(axis=1))
    ((_, _, found),) = evaluate([tmp_path / "svdf.tflite"], labelled(tmp_path / "data.npz"), backend="numpy")
    assert found[:, 0].tolist() == [0, 1, 1, 0, 1]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"labels": np.arange(5) % 3}, "holds 4 samples and 5 labels"),
        ({"labels": np.arange(3)}, "holds 4 samples and 3 labels"),
        ({"labels": np.arange(4)}, "the model has 3 classes, 0 to 2; a label is 3"),
        ({"labels": np.arange(4) - 1}, "a label is -1; classes count from 0"),
        ({"labels": np.eye(4, dtype=np.int32)}, r"the array 'labels' is int32\[4, 4\], not one integer"),
        ({"labels": np.zeros(4)}, r"the array 'labels' is float64\[4\], not one integer"),
        ({"y": np.zeros(4, int)}, "no array 'labels' of labels; it has .*: --labels names it"),
        ({"image": np.full((4, 4, 4, 2), np.nan), "labels": np.arange(4) % 3}, "sample 0: .* holds NaN"),
    ],
)
def test_samples_and_labels_that_do_not_fit(folder: Path, arrays: dict[str, np.ndarray], message: str) -> None:
    np.savez(folder / "bad.npz", **({"image": np.concatenate(samples(4))} | arrays))
    with pytest.raises(InputError, match=message):
        list(evaluate([folder / "int8.tflite"], labelled(folder / "bad.npz"), backend="numpy"))


def test_integers_are_codes_of_their_own_type(tmp_path: Path) -> None:
    """Pixels of 0 to 255 for an input of int8 codes do not wrap around."""
    tenths = Quantization(np.float32([0.1]), np.array([0]))
    builder = ModelBuilder().input("x", TensorType.INT8, (1, 3), tenths).output("y", TensorType.INT8, (1, 3), tenths)
    builder.operator("RELU", ["x"], ["y"])
    (tmp_path / "int8.tflite").write_bytes(write_model(builder.build()))
    codes = np.int8([[-1, 3, 2], [9, 1, 1]])
    for x in (codes, codes * np.float32(0.1), codes.astype(np.uint8), codes.astype(np.int64)):
        np.savez(tmp_path / "data.npz", x=x, labels=[[1], [0]])
        answers = evaluate([tmp_path / "int8.tflite"], labelled(tmp_path / "data.npz"), backend="numpy")
        if x.dtype.kind == "f" or x.dtype == np.int8:
            assert [found.tolist() for *_, found in answers] == [[[1], [0]]]
        else:
            with pytest.raises(InputError, match=f"input 'x' takes int8, which the {x.dtype} given are not"):
                list(answers)


def test_an_evaluation_of_other_images_begins_anew(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    model = ModelBuilder().input("x", FLOAT, (1, 1, 2, 1)).output("y", FLOAT, (1, 1, 2, 1))
    (tmp_path / "m.tflite").write_bytes(write_model(model.operator("RELU", ["x"], ["y"]).build()))
    command = ["eval", str(tmp_path / "m.tflite"), "--data", str(tmp_path / "images"), "--levels", "0", "1", "--json"]
    command += ["--resume", str(tmp_path / "kept.npz"), "--backend", "numpy"]
    right = []
    for pixels in ([[0, 255]], [[255, 0]]):
        (tmp_path / "images" / "0").mkdir(parents=True, exist_ok=True)
        image.fromarray(np.array(pixels, np.uint8)).save(tmp_path / "images" / "0" / "1.png")
        right.append(json.loads(CliRunner().invoke(app, command).stdout)["models"][0]["right"])
    assert right == [0, 1]


def test_labels(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    for place in ("cat/1.png", "cat/2.png", "dog/1.png"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        image.new("L", (4, 4)).save(tmp_path / place)
    for place in (".ipynb_checkpoints/1.png", "__MACOSX/1.png", "cat/._1.png"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_bytes(b"")
    found = labelled(tmp_path)
    assert (found.labels.tolist(), found.names) == ([0, 0, 1], ("cat", "dog"))
    for place in ("numbers/10/1.png", "numbers/2/1.png"):
        (tmp_path / place).parent.mkdir(parents=True)
        image.new("L", (4, 4)).save(tmp_path / place)
    assert labelled(tmp_path / "numbers").labels.tolist() == [10, 2]
    image.new("L", (4, 4)).save(tmp_path / "loose.png")
    with pytest.raises(InputError, match="a subfolder for each class"):
        labelled(tmp_path)
    np.savez(tmp_path / "data.npz", image=np.zeros(3), y=np.zeros(3))
    with pytest.raises(InputError, match="has no array"):
        labelled(tmp_path / "data.npz")
    with pytest.raises(InputError, match="cannot read"):
        labelled(tmp_path / "none.npz")
    np.save(tmp_path / "data.npy", np.zeros(3))
    with pytest.raises(InputError, match=r"is no \.npz file with labels"):
        labelled(tmp_path / "data.npy")


def test_images_have_the_levels_that_a_model_tells(tmp_path: Path) -> None:
    """A float model that was not calibrated does not say what black and white are; the others do for it."""
    image = pytest.importorskip("PIL.Image")
    model = (
        ModelBuilder().input("x", FLOAT, (1, 4, 4, 1)).output("y", FLOAT, (1, 4, 4, 1)).operator("RELU", ["x"], ["y"])
    ).build()
    for i, name in enumerate(("a", "b")):
        (tmp_path / "images" / name).mkdir(parents=True)
        pixels = np.zeros((4, 4), np.uint8)
        pixels.flat[3 + i] = 255
        image.fromarray(pixels).save(tmp_path / "images" / name / "1.png")
    with pytest.raises(InputError, match="give them, as --levels 0 1"):
        Samples(model, tmp_path / "images")
    assert Samples(model, tmp_path / "images", (0, 255))[0]["x"].max() == 255
    ranged = calibrate(model, [np.linspace(0, 1, 16).reshape(1, 4, 4, 1)])
    assert Samples(ranged, tmp_path / "images")[0]["x"].max() == 1
    (tmp_path / "float.tflite").write_bytes(write_model(model))
    (tmp_path / "int8.tflite").write_bytes(quantize(ranged).content)
    paths, data = [tmp_path / "float.tflite", tmp_path / "int8.tflite"], labelled(tmp_path / "images")
    found = {name: answers.tolist() for name, _, answers in evaluate(paths, data, backend="numpy")}
    assert found == {str(path): [[3], [4]] for path in paths}
    with pytest.raises(InputError, match="give them, as --levels 0 1"):
        list(evaluate(paths[:1], data, backend="numpy"))
