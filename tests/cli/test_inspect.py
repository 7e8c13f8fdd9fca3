from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flatbuffers import flexbuffers
from typer.testing import CliRunner, Result

from int8rt.cli.app import app
from int8rt.model import Quantization, TensorType
from int8rt.samples import digits
from int8rt.schema import ModelBuilder, read_model, write_model
from tests.interpreter import models


def inspect(*arguments: object) -> Result:
    done = CliRunner().invoke(app, ["inspect", *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done


def write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    return path


def test_text(tmp_path: Path) -> None:
    shown = inspect(write(tmp_path, models.two_adds())).stdout
    assert "signature 'serving_default', subgraph 0: (" in shown
    assert "2 operators, 6 tensors, 0 multiply-accumulates" in shown
    assert "[1, 4] of [-1, 4]" in shown
    assert "unused" not in shown
    assert "unused" in inspect(write(tmp_path, models.two_adds()), "--tensors").stdout
    per_axis = inspect(write(tmp_path, models.per_axis()), "--tensors").stdout
    assert "0.125 .. 1 (4 along 0)" in per_axis


def test_json(tmp_path: Path) -> None:
    content = digits().model
    data: dict[str, Any] = json.loads(inspect(write(tmp_path, content), "--json").stdout)
    assert (data["schema_version"], data["bytes"]) == (1, len(content))
    (graph,) = data["subgraphs"]
    model = read_model(content)
    assert len(graph["tensors"]) == len(model.subgraphs[0].tensors)
    assert sum(kind["count"] for kind in graph["operators"]) == len(model.subgraphs[0].operators)
    assert graph["unsupported"] == []
    assert all(kind["compiled"] == kind["count"] for kind in graph["operators"])
    assert graph["macs"] == sum(kind["macs"] for kind in graph["operators"]) > 0
    source = graph["tensors"][graph["inputs"][0]]
    assert (source["type"], source["shape"], len(source["scale"]), source["constant"]) == (
        "int8",
        [1, 16, 16, 1],
        1,
        False,
    )


def test_macs_of_a_convolution(tmp_path: Path) -> None:
    data = json.loads(inspect(write(tmp_path, models.per_axis()), "--json").stdout)
    assert data["subgraphs"][0]["macs"] == 2 * 2 * 4 * 3


def test_what_cannot_run_is_named_and_names_of_the_file_are_tamed(tmp_path: Path) -> None:
    builder = ModelBuilder(description="\x1b[31mred").input("x\n\x1b[0m", TensorType.INT8, (1,))
    builder.output("y", TensorType.INT8, (1,)).operator("CUSTOM", [0], ["y"], custom_code="edgetpu-custom-op")
    shown = inspect(write(tmp_path, write_model(builder.build()))).stdout
    assert "CUSTOM:edgetpu-custom-op: compiled for the Coral Edge TPU; only its device can run it" in shown
    assert "\x1b" not in shown


def test_custom_operators_with_their_options(tmp_path: Path) -> None:
    options = {"tolerance": 0.5, "log_if_failed": False, "secret": b"\x1b["}
    builder = ModelBuilder().input("x", TensorType.INT8, (2,), Quantization.per_tensor(0.5))
    builder.input("y", TensorType.FLOAT32, (2,))
    for i, data in enumerate((bytes(flexbuffers.Dumps(options)), bytes(flexbuffers.Dumps(options)), b"\x01\x02")):
        builder.output(f"z{i}", TensorType.FLOAT32, (2,))
        builder.operator("CUSTOM", [0, 1], [f"z{i}"], custom_code="NumericVerify", custom_options=data)
    path = write(tmp_path, write_model(builder.build()))
    shown = inspect(path).stdout
    decoded = '{"log_if_failed": false, "secret": "2 bytes", "tolerance": 0.5}'
    assert f"CUSTOM:NumericVerify  kernels/numeric_verify.cc  {decoded}\n" in shown
    (graph,) = json.loads(inspect(path, "--json").stdout)["subgraphs"]
    assert [(item["options"], item["positions"]) for item in graph["custom"]] == [(decoded, [0, 1]), ("2 bytes", [2])]


def test_what_cannot_be_prepared_is_said(tmp_path: Path) -> None:
    builder = ModelBuilder().input("x", TensorType.FLOAT32, (2,)).input("y", TensorType.FLOAT32, (3,))
    builder.output("z", TensorType.FLOAT32, (2,)).operator("ADD", ["x", "y"], ["z"])
    path = write(tmp_path, write_model(builder.build()))
    assert "int8rt can't run this: operator 0 (ADD): 'x' [2] and 'y' [3] do not broadcast" in inspect(path).stdout
    (graph,) = json.loads(inspect(path, "--json").stdout)["subgraphs"]
    assert (graph["unsupported"], graph["refusal"].startswith("operator 0 (ADD)")) == ([], True)
    assert [kind["compiled"] for kind in graph["operators"]] == [None]
    assert "can't run" not in inspect(write(tmp_path, digits().model)).stdout


def test_operators_without_a_compiled_kernel_are_counted(tmp_path: Path) -> None:
    (graph,) = json.loads(inspect(write(tmp_path, models.strings()), "--json").stdout)["subgraphs"]
    assert [(kind["operator"], kind["count"], kind["compiled"]) for kind in graph["operators"]] == [("RESHAPE", 1, 0)]


@pytest.mark.parametrize("extra", [(), ("--json",)], ids=["text", "json"])
def test_neither_numba_nor_litert_is_imported(extra: tuple[str, ...], tmp_path: Path) -> None:
    path = write(tmp_path, digits().model)
    code = (
        "import sys\nfrom int8rt.cli.app import app\n"
        f"try: app(['inspect', {str(path)!r}, *{extra!r}])\nexcept SystemExit: pass\n"
        "print([n for n in ('numba', 'ai_edge_litert', 'tensorflow') if n in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_every_tensor_of_a_large_constant_is_counted_once(tmp_path: Path) -> None:
    builder = ModelBuilder().constant("c", np.zeros(1000, np.int8)).constant("d", np.zeros(10, np.float32))
    data = json.loads(inspect(write(tmp_path, write_model(builder.build())), "--json").stdout)
    assert data["constant_bytes"] == 1040
