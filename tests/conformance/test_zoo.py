from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance import zoo, zoo_model
from int8rt.model import Padding, Quantization, TensorType
from int8rt.samples import digits
from int8rt.schema import ModelBuilder, write_model
from int8rt.schema.options import Conv2DOptions, Pool2DOptions
from tests.interpreter import models

pytestmark = pytest.mark.litert


def custom() -> bytes:
    builder = ModelBuilder().input("x", TensorType.INT8, (2,)).output("y", TensorType.INT8, (2,))
    return write_model(builder.operator("CUSTOM", ["x"], ["y"], custom_code="nope").build())


def halves() -> bytes:
    """Weights of 2 bits that the reference kernels take for float32."""
    builder = ModelBuilder().input("x", TensorType.FLOAT32, (1, 2, 2, 4)).output("y", TensorType.FLOAT32, (1, 2, 2, 4))
    builder.constant("w", np.ones((4, 1, 1, 4), np.int8), Quantization.per_tensor(0.5), type=TensorType.INT2)
    builder.constant("b", np.zeros(4, np.float32))
    options = Conv2DOptions(stride_w=1, stride_h=1)
    return write_model(builder.operator("CONV_2D", ["x", "w", "b"], ["y"], options).build())


def refused() -> bytes:
    builder = ModelBuilder().input("x", TensorType.FLOAT32, (2,)).input("y", TensorType.FLOAT32, (3,))
    return write_model(builder.output("z", TensorType.FLOAT32, (2,)).operator("ADD", ["x", "y"], ["z"]).build())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    for name, content in {
        "deep/digits": digits().model,
        "adds": models.two_adds(),
        "custom": custom(),
        "halves": halves(),
        "refused": refused(),
        "broken": b"no model",
    }.items():
        (tmp_path / f"{name}.tflite").write_bytes(content)
    return tmp_path


def run_main(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["zoo", *map(str, arguments)])
    return zoo.main()


def test_a_folder(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    rows_file = folder / "rows.json"
    assert run_main(monkeypatch, folder, "--json", rows_file, "--inputs", "random,maximum", "--backends", "numpy") == 0
    rows: dict[str, Any] = json.loads(rows_file.read_text())["models"]
    assert {name: row["status"] for name, row in rows.items()} == {
        "deep/digits.tflite": "exact",
        "adds.tflite": "exact",
        "custom.tflite": "refused",
        "halves.tflite": "unsupported",
        "refused.tflite": "refused",
        "broken.tflite": "refused",
    }
    assert [run["inputs"] for run in rows["adds.tflite"]["runs"]] == ["random", "maximum"]
    assert rows["adds.tflite"]["runs"][0]["tensors"] == 2
    assert "CUSTOM:nope" in rows["custom.tflite"]["detail"]
    assert "do not broadcast" in rows["refused.tflite"]["detail"]
    output = capsys.readouterr()
    assert output.out.splitlines()[-1] == "2 exact, 0 differ, 1 unsupported, 3 refused by LiteRT, 0 crashed"
    assert len(output.err.splitlines()) == 6

    rows["custom.tflite"]["detail"] = "kept"
    del rows["adds.tflite"]
    rows_file.write_text(json.dumps({"models": rows}))
    assert (
        run_main(monkeypatch, folder, "--json", rows_file, "--inputs", "random", "--backends", "numpy", "--resume") == 0
    )
    resumed = json.loads(rows_file.read_text())["models"]
    assert resumed["custom.tflite"]["detail"] == "kept"
    assert len(resumed["adds.tflite"]["runs"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("arguments", [("no folder",), (".", "--inputs", "nonsense"), (".", "--resume")], ids=" ".join)
def test_wrong_usage(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="2"):
        run_main(monkeypatch, *arguments)


def test_a_model_that_takes_too_long(folder: Path) -> None:
    row = zoo.examine(folder / "adds.tflite", timeout=0.01)
    assert (row["status"], row["detail"]) == ("crashed", "no end after 0.01 s")
    assert zoo.summary({"a": row}).endswith("1 crashed")


def test_a_process_that_dies(tmp_path: Path) -> None:
    row = zoo.examine(tmp_path / "missing.tflite")
    assert row["status"] == "crashed"
    assert "FileNotFoundError" in row["detail"]


def test_a_difference_names_operator_and_tensor(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from int8rt.kernels import registry

    honest = registry.KERNELS["ADD"]

    def wrong(*arguments: Any) -> Any:
        return honest.evaluate(*arguments) ^ np.int8(1)

    import dataclasses

    monkeypatch.setitem(registry.KERNELS, "ADD", dataclasses.replace(honest, evaluate=wrong))  # type: ignore[arg-type]
    row = zoo_model.examine(folder / "adds.tflite", ["random", "natural"], ["numpy"])
    assert row["status"] == "differ"
    assert row["detail"].startswith(
        "random inputs, numpy: operator 0 (ADD), tensor 2 'm': 4 of 4 elements differ by at most 1"
    )
    assert [run["different_tensors"] for run in row["runs"]] == [2, 2]


def test_a_profile_stands_beside_its_own_resolver(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ties = ModelBuilder().input("x", TensorType.FLOAT32, (8,))
    ties.output("y", TensorType.INT8, (8,), Quantization.per_tensor(0.1, 3)).operator("QUANTIZE", ["x"], ["y"])
    (folder / "ties.tflite").write_bytes(write_model(ties.build()))
    monkeypatch.setattr(zoo_model, "make_inputs", lambda *_: [np.arange(8, dtype=np.float32) * np.float32(0.05)])
    rows = [zoo_model.examine(folder / "ties.tflite", ["random"], ["numpy"], name) for name in zoo_model.RESOLVERS]
    assert [row["status"] for row in rows] == ["exact"] * len(rows)
    monkeypatch.setitem(zoo_model.RESOLVERS, "tflite-ref", "opt")
    assert zoo_model.examine(folder / "ties.tflite", ["random"], ["numpy"])["status"] == "differ"


def test_what_a_profile_lacks_is_counted(folder: Path) -> None:
    shape = (1, 2, 2, 1)
    pool = ModelBuilder().input("x", TensorType.FLOAT32, shape).output("y", TensorType.FLOAT32, (1, 1, 1, 1))
    options = Pool2DOptions(Padding.VALID, stride_w=1, stride_h=1, filter_width=2, filter_height=2)
    (folder / "pool.tflite").write_bytes(write_model(pool.operator("L2_POOL_2D", ["x"], ["y"], options).build()))
    row = zoo_model.examine(folder / "pool.tflite", ["random"], ["numpy"], "tflite-opt")
    assert zoo.unsupported_reasons({"a": row, "b": row}) == [
        "   2 models: L2_POOL_2D: its arithmetic on real numbers in profile tflite-opt is not done"
    ]


def test_int8rt_refusing_what_litert_runs_is_a_difference(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from int8rt.errors import ModelError
    from int8rt.interpreter import Interpreter

    def refuse(self: Interpreter) -> None:
        raise ModelError("no")

    monkeypatch.setattr(Interpreter, "allocate_tensors", refuse)
    row = zoo_model.examine(folder / "adds.tflite", ["random"])
    assert (row["status"], row["detail"]) == ("differ", "LiteRT: runs; int8rt: no")


def test_an_error_that_is_not_int8rt_s_is_a_crash(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(zoo_model, "compare_with", fail)
    row = zoo_model.examine(folder / "adds.tflite", ["random"])
    assert row["status"] == "crashed"
    assert "ZeroDivisionError: oh" in row["detail"]
