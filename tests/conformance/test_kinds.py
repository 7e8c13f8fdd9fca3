from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from conformance import kinds
from conformance.kinds import classify
from int8rt.model import Model, Quantization, TensorType
from int8rt.samples import digits
from int8rt.schema import ModelBuilder, TensorSpec, read_model, single_operator_model
from int8rt.schema.options import FullyConnectedOptions
from tests.interpreter import models
from tests.lint.models import depthwise, fully_connected, fully_connected_16x8, hybrid, uint8_conv

CONVERTED = Path(__file__).resolve().parent.parent / "models"
FLOAT32, INT32, INT8, STRING = TensorType.FLOAT32, TensorType.INT32, TensorType.INT8, TensorType.STRING
Q = Quantization.per_tensor


def custom() -> Model:
    builder = ModelBuilder().input("x", FLOAT32, (2,)).output("y", FLOAT32, (2,))
    return builder.operator("CUSTOM", ["x"], ["y"], custom_code="mine").build()


def float_add() -> Model:
    return single_operator_model("ADD", 2 * [TensorSpec(FLOAT32, (2,))], [TensorSpec(FLOAT32, (2,))])


def quantize() -> Model:
    return single_operator_model("QUANTIZE", [TensorSpec(FLOAT32, (2,))], [TensorSpec(INT8, (2,), Q(0.5))])


def weights_alone() -> Model:
    """Weights of 8 bits that are dequantized before use."""
    builder = ModelBuilder().input("x", FLOAT32, (1, 2)).constant("w8", np.int8([[1, 2]]), Q(0.5))
    builder.tensor("w", FLOAT32, (1, 2)).output("y", FLOAT32, (1, 1)).operator("DEQUANTIZE", ["w8"], ["w"])
    return builder.operator("FULLY_CONNECTED", ["x", "w", None], ["y"], FullyConnectedOptions()).build()


def integers() -> Model:
    return single_operator_model("ADD", 2 * [TensorSpec(INT32, (2,))], [TensorSpec(INT32, (2,))])


def variable() -> Model:
    return read_model(models.accumulator())


def int4() -> Model:
    weights = TensorSpec.constant(np.ones((2, 3), np.int8), Q(0.25), type=TensorType.INT4)
    return fully_connected(filter=weights, bias=TensorSpec.constant(np.int32([1, 2]), Q(0.125)))


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (fully_connected, ("integer int8",)),
        (depthwise, ("integer int8",)),
        (fully_connected_16x8, ("16x8",)),
        (uint8_conv, ("legacy uint8",)),
        (lambda: hybrid([[1, 2]]), ("dynamic range",)),
        (weights_alone, ("dynamic range",)),
        (int4, ("integer int8", "packed")),
        (float_add, ("float",)),
        (quantize, ("float islands",)),
        (integers, ("other",)),
        (custom, ("float", "custom")),
        (variable, ("integer int8", "stateful")),
        (lambda: read_model(models.strings()), ("strings",)),
        (lambda: read_model(models.two_signatures()), ("float",)),
        (lambda: read_model(digits().model), ("integer int8",)),
    ],
)
def test_models_of_the_writer(model: object, expected: tuple[str, ...]) -> None:
    assert callable(model)
    assert classify(model()) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    {
        "network_float32": ("float",),
        "network_int8": ("integer int8",),
        "network_int8_uint8_io": ("integer uint8",),
        "network_int8_per_tensor": ("integer int8", "per tensor"),
        "network_int8_float_io": ("float islands",),
        "network_quantization_aware_int8": ("integer int8",),
        "network_dynamic_range": ("dynamic range",),
        "network_float16": ("float16",),
        "network_16x8": ("16x8",),
        "network_16x8_fallback": ("16x8", "16x8 fallback"),
        "network_legacy_uint8": ("legacy uint8",),
        "network_int4": ("float islands", "packed"),
        "lstm_int8": ("integer int8", "recurrent", "stateful"),
        "lstm_dynamic_range": ("dynamic range", "recurrent", "stateful"),
        "gru_float16": ("float16", "control flow"),
        "loops": ("float", "control flow"),
        "shapes": ("float", "computed shapes"),
        "strings": ("strings",),
        "stateful": ("float", "stateful"),
    }.items(),
)
def test_models_of_the_converter(name: str, expected: tuple[str, ...]) -> None:
    assert classify(read_model((CONVERTED / f"{name}.tflite").read_bytes())) == expected


def test_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "int8.tflite").write_bytes(digits().model)
    (tmp_path / "strings.tflite").write_bytes(models.strings())
    (tmp_path / "broken.tflite").write_bytes(b"no model")
    rows = {
        "int8.tflite": {"status": "exact", "detail": "", "runs": [{"inputs": "random"}, {"inputs": "minimum"}]},
        "strings.tflite": {"status": "unsupported", "detail": "int8rt cannot run:\n  RESHAPE | of strings\n"},
        "broken.tflite": {"status": "refused", "detail": "no flatbuffer"},
    }
    (tmp_path / "rows.json").write_text(json.dumps({"models": rows}))
    page = tmp_path / "kinds.md"
    monkeypatch.setattr(
        "sys.argv", ["kinds", str(tmp_path), "--results", str(tmp_path / "rows.json"), "--write", str(page)]
    )
    assert kinds.main() == 0
    lines = page.read_text().splitlines()
    assert f"Files: 3 of `{tmp_path.as_posix()}`." in lines
    assert "| Kind | Models | exact | differ | unsupported | refused | crashed |" in lines
    assert "| Integer only, int8 inputs and outputs | 1 | 1 |  |  |  |  |" in lines
    assert "| Strings | 1 |  |  | 1 |  |  |" in lines
    assert "| All 3 files, each once | 3 | 1 |  | 1 | 1 |  |" in lines
    assert lines[-6:] == [
        "| broken.tflite | refused | no flatbuffer |",
        "| strings.tflite | unsupported | RESHAPE \\| of strings |",
        "",
        "Fewer kinds of inputs than for the others:",
        "",
        "- int8.tflite: minimum, random",
    ]


def test_wrong_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["kinds", str(tmp_path), str(tmp_path), "--results", "x.json"])
    with pytest.raises(SystemExit, match="2"):
        kinds.main()
