from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from int8rt.errors import InputError
from int8rt.model import Quantization, TensorType
from int8rt.schema import ModelBuilder, read_model, write_model
from int8rt.verify.bundle import read_bundle, write_bundle
from int8rt.verify.compare import run_int8rt
from int8rt.verify.device import shared
from int8rt.verify.inputs import make_inputs
from int8rt.verify.judge import judge
from int8rt.verify.runtimes.dump import DumpRuntime
from tests.interpreter import models

CONTENT = models.two_adds()
MODEL = read_model(CONTENT)
RUNS = [(kind, make_inputs(MODEL, kind, 5)) for kind in ("random", "minimum")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_bundle(tmp_path / "bundle", CONTENT, RUNS, backend="numpy")
    return tmp_path / "bundle"


def manifest(folder: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return data


def test_what_is_written_is_read(folder: Path) -> None:
    bundle = read_bundle(folder)
    assert bundle.content == CONTENT
    assert [label for label, _ in bundle.runs] == ["random", "minimum"]
    for (_, found), (_, expected) in zip(bundle.runs, RUNS, strict=True):
        for left, right in zip(found, expected, strict=True):
            np.testing.assert_array_equal(left, right)


def test_every_file_is_what_the_manifest_says(folder: Path) -> None:
    data = manifest(folder)
    assert (data["schema_version"], data["profile"]) == (1, "tflite-ref")
    for run, (_, inputs) in zip(data["runs"], RUNS, strict=True):
        expected, _ = run_int8rt(MODEL, inputs, backend="numpy", keep=False)
        values = [*inputs, expected[3]]
        for entry, value in zip([*run["inputs"], *run["outputs"]], values, strict=True):
            assert (entry["type"], entry["shape"]) == ("int8", list(value.shape))
            for form in ("npy", "raw"):
                stored = (folder / entry[form]["file"]).read_bytes()
                assert hashlib.sha256(stored).hexdigest() == entry[form]["sha256"]
            np.testing.assert_array_equal(np.load(folder / entry["npy"]["file"]), value)
            assert stored == value.tobytes()


def test_raw_data_comes_back(folder: Path, tmp_path: Path) -> None:
    """What a device would do: write the expected outputs, one of them off by one."""
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    data = manifest(folder)
    for run in data["runs"]:
        (outputs / f"{run['label']}.bin").write_bytes((folder / run["outputs"][0]["raw"]["file"]).read_bytes())
    bundle = read_bundle(folder)
    labels = [label for label, _ in bundle.runs]
    good = judge(bundle.model, bundle.content, DumpRuntime(outputs, labels), bundle.runs, backend="numpy")
    assert good.conformant
    raw = bytearray((outputs / "minimum.bin").read_bytes())
    raw[2] ^= 1
    (outputs / "minimum.bin").write_bytes(raw)
    bad = judge(bundle.model, bundle.content, DumpRuntime(outputs, labels), bundle.runs, backend="numpy")
    assert not bad.conformant
    statistics = bad.outputs[0].statistics
    assert (statistics.different, statistics.run, statistics.at) == (1, "minimum", (0, 2))


@pytest.mark.litert
def test_the_script_in_the_bundle(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "run.py", "--tensors"], cwd=folder, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines() == ["random: 1 of 1 outputs as expected", "minimum: 1 of 1 outputs as expected"]
    bundle = read_bundle(folder)
    labels = [label for label, _ in bundle.runs]
    judgement = judge(
        bundle.model, bundle.content, DumpRuntime(folder / "outputs", labels), bundle.runs, backend="numpy"
    )
    assert judgement.conformant
    assert [str(operator) for operator in judgement.operators] == ["EXACT", "EXACT"]
    assert not any(operator.alone for operator in judgement.operators)


def test_names_that_are_no_names_of_files(tmp_path: Path) -> None:
    builder = ModelBuilder()
    scale = Quantization.per_tensor(1.0)
    builder.input("a/b:0", TensorType.INT8, (2,), scale).input("a_b_0", TensorType.INT8, (2,), scale)
    builder.output("../y", TensorType.INT8, (2,), scale)
    content = write_model(builder.operator("ADD", ["a/b:0", "a_b_0"], ["../y"]).build())
    inputs = [np.array([1, 2], np.int8), np.array([3, 4], np.int8)]
    write_bundle(tmp_path / "b", content, [("given", inputs)], backend="numpy")
    names = sorted(path.name for path in (tmp_path / "b/inputs/given").iterdir())
    assert names == ["a_b_0.bin", "a_b_0.npy", "a_b_0_1.bin", "a_b_0_1.npy"]
    ((_, found),) = read_bundle(tmp_path / "b").runs
    assert [value.tolist() for value in found] == [[1, 2], [3, 4]]
    text = (tmp_path / "b/README.md").read_text()
    assert "--input_layer='a/b:0,a_b_0' --input_layer_shape='2:2'" in text
    assert "--input_layer_value_files='a/b::0:inputs/given/a_b_0.bin,a_b_0:inputs/given/a_b_0_1.bin'" in text


def test_a_folder_that_is_not_empty(folder: Path) -> None:
    with pytest.raises(InputError, match="no empty folder"):
        write_bundle(folder, CONTENT, RUNS, backend="numpy")


def test_strings_can_not_be_packed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="strings"):
        write_bundle(tmp_path / "b", models.strings(), [], backend="numpy")


def change(folder: Path, **run: Any) -> None:
    data = manifest(folder)
    data["runs"][0] |= run
    (folder / "manifest.json").write_text(json.dumps(data))


def test_what_was_changed_is_refused(folder: Path, tmp_path: Path) -> None:
    entry = manifest(folder)["runs"][0]["inputs"][0]
    secret = tmp_path / "secret.npy"
    np.save(secret, np.zeros((1, 4), np.int8))
    outside = {"file": "../secret.npy", "sha256": hashlib.sha256(secret.read_bytes()).hexdigest()}
    for changes, message in (
        ({"inputs": [entry]}, "another number"),
        ({"inputs": [entry | {"npy": outside}] * 2}, "outside of its folder"),
        ({"inputs": [entry | {"npy": entry["raw"]}] * 2}, "is not a NumPy file"),
        ({"inputs": [{}]}, "no manifest of a bundle: KeyError"),
        ({"inputs": 3}, "no manifest of a bundle: TypeError"),
        ({"label": "../up"}, "is no label"),
        ({"label": 3}, "is no label"),
    ):
        before = manifest(folder)
        change(folder, **changes)
        with pytest.raises(InputError, match=message):
            read_bundle(folder)
        (folder / "manifest.json").write_text(json.dumps(before))
    (folder / entry["npy"]["file"]).write_bytes(b"something else")
    with pytest.raises(InputError, match="its hash differs"):
        read_bundle(folder)
    (folder / "manifest.json").write_text("[")
    with pytest.raises(InputError, match="is not JSON that int8rt can read"):
        read_bundle(folder)


def test_tensors_that_share_memory_are_not_recorded() -> None:
    assert shared({}) == []
    assert shared({"#0": (0, 8), "#1": (8, 8), "#2": (16, 0), "#3": (16, 8)}) == []
    assert shared({"#0": (0, 8), "#1": (8, 8), "#2": (12, 8)}) == ["#1", "#2"]
