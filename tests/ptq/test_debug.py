"""What `debug_quantization` measures, against the definitions, and the reasons that it names."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from int8rt.cli.app import app
from int8rt.errors import InputError
from int8rt.model import Model, TensorType
from int8rt.ptq import Recipe, calibrate, quantize
from int8rt.ptq.debug import Debugged, debug_quantization
from int8rt.schema.builder import ModelBuilder
from int8rt.schema.options import ConcatenationOptions
from int8rt.schema.writer import write_model
from tests.ptq.networks import FLOAT, convolution, samples


def named(found: Debugged) -> dict[str, object]:
    return {item.tensor: item for item in found.tensors}


def two_branches(factor: float) -> Model:
    """RELU(a) beside ABS(b), concatenated; b is `factor` times as large."""
    return (
        ModelBuilder()
        .input("a", FLOAT, (1, 50))
        .input("b", FLOAT, (1, 50))
        .tensor("small", FLOAT, (1, 50))
        .tensor("large", FLOAT, (1, 50))
        .output("both", FLOAT, (1, 100))
        .operator("RELU", ["a"], ["small"])
        .operator("ABS", ["b"], ["large"])
        .operator("CONCATENATION", ["small", "large"], ["both"], ConcatenationOptions(axis=1))
        .build()
    )


def pairs(factor: float, count: int = 4) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(3)
    return [{"a": rng.uniform(-1, 1, (1, 50)), "b": factor * rng.uniform(-1, 1, (1, 50))} for _ in range(count)]


def test_figures() -> None:
    model = convolution()
    quantized = quantize(calibrate(model, samples()), Recipe()).model
    found = debug_quantization(model, quantized, [{"x": sample} for sample in samples()], backend="numpy")
    by_name = {item.tensor: item for item in found.tensors}
    assert found.samples == 8
    item = by_name["sum"]
    tensor = next(tensor for tensor in quantized.subgraphs[0].tensors if tensor.name == "sum")
    assert tensor.quantization is not None
    scale, zero_point = float(tensor.quantization.scale[0]), int(tensor.quantization.zero_point[0])
    from int8rt.interpreter import Interpreter

    values = []
    for source in (model, quantized):
        interpreter = Interpreter(model_content=source, experimental_preserve_all_tensors=True, backend="numpy")
        interpreter.allocate_tensors()
        index = next(i for i, t in enumerate(source.subgraphs[0].tensors) if t.name == "sum")
        seen = []
        for sample in samples():
            interpreter.set_tensor(source.subgraphs[0].inputs[0], sample)
            interpreter.invoke()
            seen.append(interpreter.get_tensor(index).astype(np.float64))
        values.append(np.concatenate(seen))
    expected, codes = values
    error = (codes - zero_point) * scale - expected
    assert item.accumulated.rmse == pytest.approx(math.sqrt(np.mean(error**2)))
    assert item.accumulated.largest == pytest.approx(np.abs(error).max())
    assert item.accumulated.sqnr == pytest.approx(10 * math.log10(np.sum(expected**2) / np.sum(error**2)))
    assert item.codes is not None
    assert item.codes.unused == pytest.approx(1 - len(np.unique(codes)) / 256)
    assert item.codes.saturated == 0
    # The first operator reads the codes of the true input in both cases.
    assert item.local is not None
    assert item.local.rmse == item.accumulated.rmse
    assert sum(item.accumulated.steps.values()) + item.accumulated.beyond == error.size
    assert found.tensors[0].tensor in by_name
    order = [(tensor.local or tensor.accumulated).sqnr for tensor in found.tensors]
    assert order == sorted(order)


def test_reasons() -> None:
    model = two_branches(20)
    quantized = quantize(calibrate(model, pairs(20))).model
    found = {item.tensor: item for item in debug_quantization(model, quantized, pairs(20)).tensors}
    assert any("it shares the scale of CONCATENATION (operator" in reason for reason in found["small"].reasons)
    assert found["large"].reasons == ()
    narrow = quantize(calibrate(model, pairs(1))).model
    found = {item.tensor: item for item in debug_quantization(model, narrow, pairs(20)).tensors}
    assert any("lie outside of the range of the codes" in reason for reason in found["large"].reasons)
    wide = quantize(calibrate(model, pairs(20))).model
    found = {item.tensor: item for item in debug_quantization(model, wide, pairs(1)).tensors}
    assert any("as wide as its values" in reason for reason in found["both_int8"].reasons)


def test_outliers_and_single_channels() -> None:
    model = (
        ModelBuilder().input("x", FLOAT, (500, 8)).output("y", FLOAT, (500, 8)).operator("RELU", ["x"], ["y"]).build()
    )
    data = np.random.default_rng(0).uniform(0, 1, (500, 8)).astype(np.float32)
    outlier, channel = data.copy(), data * np.float32([1, 1, 1, 30, 1, 1, 1, 1])
    outlier[3, 4] = 50
    for sample, reason in (
        (outlier, "99.9 % of the values are within a 50th"),
        (channel, "channel 3 alone has 30 times"),
    ):
        quantized = quantize(calibrate(model, [sample])).model
        found = {item.tensor: item for item in debug_quantization(model, quantized, [{"x": sample}]).tensors}
        assert any(reason in said for said in found["y_int8"].reasons), found["y_int8"].reasons
    quantized = quantize(calibrate(model, [data])).model
    assert [item.reasons for item in debug_quantization(model, quantized, [{"x": data}]).tensors] == [()] * 3


def test_refused() -> None:
    quantized = quantize(calibrate(convolution(), samples())).model
    with pytest.raises(InputError, match="no samples"):
        debug_quantization(convolution(), quantized, [])
    with pytest.raises(InputError, match="a sample has the inputs"):
        debug_quantization(convolution(), quantized, [{"y": samples()[0]}])
    other = (
        ModelBuilder().input("p", TensorType.FLOAT32, (1, 4, 4, 2)).output("q", FLOAT, (1, 4, 4, 2))
        .operator("RELU", ["p"], ["q"]).build()
    )  # fmt: skip
    with pytest.raises(InputError, match="has the name of a float tensor"):
        debug_quantization(other, quantized, [{"p": samples()[0]}])


def test_command(tmp_path: Path) -> None:
    model = convolution()
    (tmp_path / "float.tflite").write_bytes(write_model(model))
    (tmp_path / "int8.tflite").write_bytes(quantize(calibrate(model, samples())).write())
    np.save(tmp_path / "data.npy", np.concatenate(samples()))
    arguments = ["debug-quantization", str(tmp_path / "float.tflite"), str(tmp_path / "int8.tflite")]
    arguments += ["--data", str(tmp_path / "data.npy"), "--backend", "numpy"]
    said = CliRunner().invoke(app, [*arguments, "--html", str(tmp_path / "page.html")])
    assert said.exit_code == 0, said.output
    assert "SQNR local" in said.stdout
    page = (tmp_path / "page.html").read_text()
    assert "<svg" in page
    assert "http" not in page.replace("http://www.w3.org", "")
    answer = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert {item["tensor"] for item in answer["tensors"]} >= {"sum", "positive", "elu"}
