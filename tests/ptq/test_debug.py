"""What `debug_quantization` measures, against the definitions, and the reasons that it names."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from int8rt.cli.app import app
from int8rt.errors import InputError
from int8rt.model import Model, Quantization, TensorType
from int8rt.ptq import Recipe, calibrate, quantize
from int8rt.ptq.debug import Debugged, debug_quantization
from int8rt.schema import load_model
from int8rt.schema.builder import ModelBuilder
from int8rt.schema.options import ConcatenationOptions, ReducerOptions, SoftmaxOptions
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
        (
            data * np.float32([1, 1, 1, 30, 1, 1, 20, 1]),
            "2 of 8 channels are wider than the others, channel 3 30 times",
        ),
    ):
        quantized = quantize(calibrate(model, [sample])).model
        found = {item.tensor: item for item in debug_quantization(model, quantized, [{"x": sample}]).tensors}
        assert any(reason in said for said in found["y_int8"].reasons), found["y_int8"].reasons
    quantized = quantize(calibrate(model, [data])).model
    assert [item.reasons for item in debug_quantization(model, quantized, [{"x": data}]).tensors] == [()] * 3


def renamed(model: Model) -> Model:
    graph = model.subgraphs[0]
    tensors = tuple(dataclasses.replace(t, name=f"quant_{i}") for i, t in enumerate(graph.tensors))
    return dataclasses.replace(model, subgraphs=(dataclasses.replace(graph, tensors=tensors),))


@pytest.mark.parametrize("recipe", [Recipe(), Recipe(inputs="uint8", outputs="uint8"), Recipe("float16")])
def test_other_names(recipe: Recipe) -> None:
    """As models have them that were trained with fake quantization: the order of the operators tells."""
    model = convolution()
    quantized = quantize(calibrate(model, samples()), recipe).model
    found = debug_quantization(model, quantized, [{"x": sample} for sample in samples()], backend="numpy")
    others = debug_quantization(model, renamed(quantized), [{"x": sample} for sample in samples()], backend="numpy")
    assert others.unmatched == found.unmatched == ()
    figures = [
        [(item.position, item.local and item.local.rmse, item.accumulated.rmse) for item in each.tensors]
        for each in (found, others)
    ]
    assert figures[0] == figures[1]
    assert len({position for position, *_ in figures[0]}) >= 4
    assert all(local is not None for _, local, _ in figures[0])


def test_names_that_mean_other_tensors() -> None:
    """A converter may give the float copy of a bias the name that an activation has in the float model."""
    model = convolution()
    quantized = quantize(calibrate(model, samples()), Recipe("float16")).model
    graph = quantized.subgraphs[0]
    bias = next(o.inputs[2] for o in graph.operators if o.name == "CONV_2D")
    names = {next(o.outputs[0] for o in graph.operators if o.name == "CONV_2D"): "sum2", bias: "sum"}
    tensors = tuple(dataclasses.replace(t, name=names.get(i, t.name)) for i, t in enumerate(graph.tensors))
    quantized = dataclasses.replace(quantized, subgraphs=(dataclasses.replace(graph, tensors=tensors),))
    found = named(debug_quantization(model, quantized, [{"x": sample} for sample in samples()], backend="numpy"))
    assert {"sum2", "positive", "elu", "y"} <= set(found)
    assert found["sum2"].local.sqnr > 60  # type: ignore[attr-defined]
    assert "sum" not in found


def test_operators_with_states_are_fed_the_float_models() -> None:
    model = load_model(Path(__file__).parent.parent / "models" / "svdf_float32.tflite")
    rng = np.random.default_rng(0)
    graph = model.subgraphs[0]
    name, shape = graph.tensors[graph.inputs[0]].name, graph.tensors[graph.inputs[0]].shape
    frames = rng.uniform(-1, 1, (24, *shape)).astype(np.float32)
    quantized = quantize(calibrate(model, frames)).model
    found = debug_quantization(model, quantized, [{name: frame} for frame in frames], backend="numpy")
    item = next(item for item in found.tensors if item.operator == "SVDF")
    assert item.local is not None
    assert item.local.sqnr > 25
    assert item.local.sqnr >= item.accumulated.sqnr - 3


def test_variables_that_begin_with_a_float16_constant() -> None:
    models = [
        load_model(Path(__file__).parent.parent / "models" / f"lstm_{name}.tflite") for name in ("float32", "float16")
    ]
    graph = models[0].subgraphs[0]
    tensor = graph.tensors[graph.inputs[0]]
    sample = {tensor.name: np.random.default_rng(0).uniform(0, 1, tensor.shape).astype(np.float32)}
    found = debug_quantization(*models, [sample, sample], backend="numpy")
    assert found.unmatched == ()
    assert min(item.local.sqnr for item in found.tensors if item.local is not None) > 60


def test_integers_are_real_numbers_to_a_float_model() -> None:
    model = convolution()
    quantized = quantize(calibrate(model, samples())).model
    counts = np.arange(32, dtype=np.uint8).reshape(1, 4, 4, 2) % 3
    figures = [
        debug_quantization(model, quantized, [{"x": x}], backend="numpy").tensors[0].accumulated.rmse
        for x in (counts, counts.astype(np.float64))
    ]
    assert figures[0] == figures[1]
    with pytest.raises(InputError, match="input 'x' is not finite"):
        debug_quantization(model, quantized, [{"x": np.full((1, 4, 4, 2), np.nan)}])


def test_no_reason_where_there_is_none() -> None:
    """Symmetric ranges of int16, ranges that an operator fixes, large samples beside small ones."""
    model = two_branches(1)
    data = [{name: np.abs(value) for name, value in pair.items()} for pair in pairs(1)]
    int16 = quantize(calibrate(model, data), Recipe("int16x8")).model
    assert {item.reasons for item in debug_quantization(model, int16, data).tensors} == {()}
    softmax = ModelBuilder().input("x", FLOAT, (1, 5)).output("y", FLOAT, (1, 5))
    model = softmax.operator("SOFTMAX", ["x"], ["y"], SoftmaxOptions(beta=1.0)).build()
    data = [{"x": np.float32([[0, 0.1 * i, 9, 0, 0]])} for i in range(4)]
    int8 = quantize(calibrate(model, data), Recipe(outputs="uint8")).model
    found = debug_quantization(model, int8, data)
    assert [item.operator for item in found.tensors if item.reasons] == []
    relu = (
        ModelBuilder().input("x", FLOAT, (1, 400)).output("y", FLOAT, (1, 400)).operator("RELU", ["x"], ["y"]).build()
    )
    rng = np.random.default_rng(0)
    data = [{"x": factor * rng.uniform(0, 1, (1, 400))} for factor in (1, 1, 1, 10, 10)]
    found = debug_quantization(relu, quantize(calibrate(relu, data)).model, data)
    assert [item.reasons for item in found.tensors] == [()] * 3


def test_a_scale_that_is_kept_is_no_range_that_was_wrongly_recorded() -> None:
    slice = ModelBuilder().input("x", FLOAT, (1, 100)).tensor("all", FLOAT, (1, 100)).output("part", FLOAT, (1, 50))
    slice.constant("begin", np.int32([0, 0])).constant("size", np.int32([1, 50]))
    slice.operator("RELU", ["x"], ["all"]).operator("SLICE", ["all", "begin", "size"], ["part"])
    model = slice.build()
    data = [{"x": np.random.default_rng(0).uniform(0, 1, (1, 100)) * ([0.1] * 50 + [1] * 50)}]
    found = debug_quantization(model, quantize(calibrate(model, data)).model, data)
    said = {item.operator: item.reasons for item in found.tensors if item.reasons}
    assert list(said) == ["SLICE"]
    assert "SLICE keeps the scale of its input" in said["SLICE"][0]


def test_operators_that_are_wrong_whatever_the_values() -> None:
    """What lint knows of them: codes copied to another scale, and defects of the reference kernels."""
    for operator, reason in (("REVERSE_V2", "copies the codes of a tensor with scale"), ("SUM", "a known defect")):
        builder = ModelBuilder().input("x", FLOAT, (1, 40)).constant("axis", np.int32([1]))
        float_model = builder.output("y", FLOAT, (1, 40) if operator == "REVERSE_V2" else (1,))
        options = ReducerOptions() if operator == "SUM" else None
        model = float_model.operator(operator, ["x", "axis"], ["y"], options).build()
        graph = model.subgraphs[0]
        codes = [(Quantization.per_tensor(scale), TensorType.INT8) for scale in (0.01, 0.05)]
        tensors = tuple(
            dataclasses.replace(tensor, type=type, quantization=quantization) if tensor.name != "axis" else tensor
            for tensor, (quantization, type) in zip(graph.tensors, (codes[0], codes[0], codes[1]), strict=True)
        )
        int8 = dataclasses.replace(model, subgraphs=(dataclasses.replace(graph, tensors=tensors),))
        data = [{"x": np.random.default_rng(0).uniform(-1, 1, (1, 40))}]
        (item,) = debug_quantization(model, int8, data, backend="numpy").tensors
        assert any(said.startswith(f"{operator}: {reason}") for said in item.reasons), item.reasons


def test_refused() -> None:
    quantized = quantize(calibrate(convolution(), samples())).model
    with pytest.raises(InputError, match=r"the float model comes first; '.*' of the first one is int8"):
        debug_quantization(quantized, convolution(), [{"x": samples()[0]}])
    with pytest.raises(InputError, match="no samples"):
        debug_quantization(convolution(), quantized, [])
    with pytest.raises(InputError, match="a sample has the inputs"):
        debug_quantization(convolution(), quantized, [{"y": samples()[0]}])
    other = (
        ModelBuilder().input("p", TensorType.FLOAT32, (1, 4, 4, 2)).output("q", FLOAT, (1, 4, 4, 2))
        .operator("RELU", ["p"], ["q"]).build()
    )  # fmt: skip
    with pytest.raises(InputError, match="matches one of the float model"):
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
