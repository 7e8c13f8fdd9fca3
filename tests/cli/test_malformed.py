"""Files that a user gives, damaged: each ends in an error of int8rt's own."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from int8rt.cli.app import app
from int8rt.errors import InputError, ModelError
from int8rt.files import load_arrays, parse_json
from tests.interpreter.models import two_adds

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "int8rt" / "samples" / "digits.tflite"
FLOAT = ROOT / "tests" / "models" / "matrices_calibrated.tflite"
DEEP = "[" * 100_000


def header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def archive(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as members:
        members.writestr(name, content)
    return file.getvalue()


def marked(content: bytes, place: int, value: int) -> bytes:
    """An archive whose directory says something else of its member."""
    start = content.index(b"PK\x01\x02")
    return content[: start + place] + bytes([value]) + content[start + place + 1 :]


HUGE = header("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 1024), }\n")
ARRAYS = {
    "empty.npy": b"",
    "cut.npy": HUGE[:40],
    "huge.npy": HUGE,
    "negative.npy": HUGE.replace(b"(1099511627776, 1024)", b"(-1, 3)"),
    "no_type.npy": HUGE.replace(b"<f4", b"zz"),
    "nested.npy": header("(" * 5000 + ")" * 5000),
    "empty.npz": b"",
    "cut.npz": archive("x.npy", bytes(1000))[:600],
    "huge.npz": archive("x.npy", HUGE),
    "no_array.npz": archive("x.npy", b"text"),
    "encrypted.npz": marked(archive("x.npy", HUGE), 8, 1),
    "packed.npz": marked(archive("x.npy", HUGE), 10, 99),
}
RUNNER = CliRunner()


def refused(*arguments: object) -> str:
    result = RUNNER.invoke(app, [str(argument) for argument in arguments])
    assert isinstance(result.exception, InputError), result.exception
    return str(result.exception)


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(ARRAYS[name])
    with pytest.raises(InputError, match=r"is not a NumPy file that int8rt can read|is no array"):
        load_arrays(path, path)
    assert str(path) in refused("run", MODEL, "--input", path)


@pytest.mark.parametrize(
    "command", [("inspect",), ("lint",), ("explain", "--op", "0"), ("pack", "--output", "b"), ("run", "--random")]
)
def test_the_message_names_the_model(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(b"no model at all")
    result = RUNNER.invoke(app, [command[0], str(tmp_path / "model.tflite"), *command[1:]])
    assert isinstance(result.exception, ModelError)
    assert str(result.exception).startswith(f"{tmp_path / 'model.tflite'}: not a TensorFlow Lite model")


def test_pickles_are_not_read(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([None], object), allow_pickle=True)
    assert "allow_pickle=False" in refused("run", MODEL, "--input", tmp_path / "x.npy")


@pytest.mark.parametrize("text", [DEEP, '{"a":' * 50_000, b"\xff\xfe{", "1" + "0" * 5000, ""])
def test_json(text: str | bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it is not JSON that int8rt can read"):
        parse_json(text, "it")
    path = tmp_path / "file.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert "is not JSON that int8rt can read" in refused(
        "compare", MODEL, "--dump", tmp_path / "x.npz", "--names", path
    )
    assert "is no journal of a run" in refused("conformance", "report", path)


def _changed(key: str, value: Any) -> Callable[[dict[str, Any]], str]:
    return lambda manifest: json.dumps(manifest | {key: value})


@pytest.mark.parametrize(
    "change",
    [lambda manifest: DEEP, _changed("runs", [3]), _changed("runs", 3), _changed("model", []), lambda manifest: "[]"],
    ids=["deep", "a run", "runs", "model", "list"],
)
def test_manifests(change: Callable[[dict[str, Any]], str], tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    assert RUNNER.invoke(app, ["pack", str(MODEL), "--output", str(folder)]).exit_code == 0
    manifest = folder / "manifest.json"
    manifest.write_text(change(json.loads(manifest.read_text())))
    assert "manifest" in refused("compare", folder, "--sut", "int8rt")


def test_answers_that_were_kept(tmp_path: Path) -> None:
    """They are asked for again."""
    model, folder = tmp_path / "model.tflite", tmp_path / "kept"
    model.write_bytes(two_adds())
    arguments = ["compare", str(model), "--sut", "int8rt", "--resume", str(folder)]
    assert RUNNER.invoke(app, arguments).exit_code == 0
    kept = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.suffix for path in kept} == {".json", ".npz"}
    for path in kept:
        if path.suffix == ".json":
            path.write_text(DEEP)
        else:
            np.savez(path, about=np.frombuffer(DEEP.encode(), np.uint8))
    assert RUNNER.invoke(app, arguments).exit_code == 0


@pytest.mark.parametrize("text", ["smallest = " + "[" * 20_000, "smallest = 1" + "0" * 5000, "mode = = 3", "mode = 3"])
def test_recipes(text: str, tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(text)
    refused("quantize", FLOAT, "--output", tmp_path / "out.tflite", "--recipe", tmp_path / "recipe.toml")


@pytest.mark.parametrize("name", ARRAYS)
def test_samples(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(ARRAYS[name])
    assert str(path) in refused("calibrate", FLOAT, "--data", path, "--output", tmp_path / "out.tflite")


def test_labelled_samples(tmp_path: Path) -> None:
    path = tmp_path / "samples.npz"
    path.write_bytes(marked(archive("labels.npy", HUGE), 10, 99))
    assert "labelled samples" in refused("eval", MODEL, "--data", path)
    np.savez(path, x=np.zeros((0, 32, 32, 1), np.float32), labels=np.zeros(0, np.int64))
    assert "no samples" in refused("eval", MODEL, "--data", path)
