from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from int8rt.cli.app import app
from int8rt.errors import InputError, UnsupportedError
from int8rt.model import Model, Padding, Quantization, TensorType
from int8rt.schema import ModelBuilder, read_model, write_model
from int8rt.schema.options import Conv2DOptions
from int8rt.verify.compare import run_int8rt
from int8rt.verify.identify.kinds import candidates
from int8rt.verify.reduce import Reduction, reduce
from int8rt.verify.reduce.folder import write_folder
from int8rt.verify.runtimes.base import Answer, Capabilities, Fault
from int8rt.verify.runtimes.ours import Int8rtRuntime
from tests.interpreter import models
from tests.verify.test_identify import Fake, piece_of
from tests.verify.test_judge import Pretender, add_and_mul, one_more

Array = Any
REPOSITORY = Path(__file__).resolve().parents[2]
RUNS = [("one", [np.array([[9, -7, 5, 100]], np.int8)])]


def convolution() -> tuple[Model, list[Array]]:
    """3x3 over 8x6 pixels of 4 channels, a scale for each of 5 output channels."""
    rng = np.random.default_rng(1)
    scales = np.linspace(0.01, 0.03, 5)
    builder = ModelBuilder().input("x", TensorType.INT8, (2, 8, 6, 4), Quantization.per_tensor(0.05, 40))
    filter = rng.integers(-127, 128, (5, 3, 3, 4)).astype(np.int8)
    builder.constant("w", filter, Quantization.per_axis(scales, np.zeros(5), 0))
    bias = rng.integers(-1000, 1000, 5).astype(np.int32)
    builder.constant("b", bias, Quantization.per_axis(0.05 * scales, np.zeros(5), 0))
    builder.output("y", TensorType.INT8, (2, 8, 6, 5), Quantization.per_tensor(0.4, 3))
    options = Conv2DOptions(padding=Padding.SAME, stride_w=1, stride_h=1)
    model = builder.operator("CONV_2D", ["x", "w", "b"], ["y"], options, version=3).build()
    return model, [rng.integers(-128, 128, (2, 8, 6, 4)).astype(np.int8)]


def reduced(runtime: Any, content: bytes | None = None, runs: Any = None, **options: Any) -> Reduction:
    found = reduce(read_model(content or add_and_mul()), runtime, runs or RUNS, **options)
    assert found is not None
    return found


def shapes(reduction: Reduction) -> list[tuple[int, ...]]:
    return [tensor.shape for tensor in reduction.case.model.subgraphs[0].tensors]


def test_the_wrong_operator_with_one_element() -> None:
    found = reduced(Pretender({"MUL": one_more}, intermediates=False))
    case = found.case
    assert (found.operators, found.run, case.kind) == (range(1, 2), "one", "different")
    assert [operator.name for operator in case.model.subgraphs[0].operators] == ["MUL"]
    assert shapes(found) == [(1, 1)] * 3
    assert (found.original.size, case.size) == (12, 3)
    assert case.actual[0] is not None
    np.testing.assert_array_equal(case.actual[0], case.expected[0] + np.int8(1))
    values, _ = run_int8rt(read_model(case.content), case.inputs, backend="numpy", keep=False)
    np.testing.assert_array_equal(values[case.model.subgraphs[0].outputs[0]], case.expected[0])


def test_small_operators_are_tried_first() -> None:
    builder = ModelBuilder()
    for name, size in (("large", 64), ("small", 2)):
        builder.input(name, TensorType.INT8, (1, size), Quantization.per_tensor(0.5))
        builder.output(f"{name} sum", TensorType.INT8, (1, size), Quantization.per_tensor(1.0))
        builder.operator("ADD", [name, name], [f"{name} sum"])
    runs = [("one", [np.ones((1, 64), np.int8), np.ones((1, 2), np.int8)])]
    runtime = Pretender({"ADD": one_more}, intermediates=False)
    content = write_model(builder.build())
    assert reduced(runtime, content, runs).operators == range(1, 2)
    assert reduced(runtime, content, runs, operator=0).operators == range(1)


def test_one_operator_only() -> None:
    runtime = Pretender({"ADD": one_more}, intermediates=False)
    assert reduce(read_model(add_and_mul()), runtime, RUNS, operator=1) is None
    with pytest.raises(InputError, match="there is no operator 3: the model has 3"):
        reduce(read_model(add_and_mul()), runtime, RUNS, operator=3)


@pytest.mark.parametrize("name", ["truncation", "two roundings (gemmlowp); the border is code 0"])
def test_a_convolution_gets_small_and_still_differs(name: str) -> None:
    model, inputs = convolution()
    runtime = Fake(lambda model, inputs: dict(candidates(piece_of(model, inputs)))[name])
    found = reduced(runtime, write_model(model), [("one", inputs)])
    graph = found.case.model.subgraphs[0]
    x, w, b, y = graph.tensors
    assert found.original.size == 2 * 8 * 6 * 4 + 5 * 36 + 5 + 2 * 8 * 6 * 5
    assert found.case.size <= 12
    assert (y.shape[3], w.shape[0], b.shape) == (1, 1, (1,))
    assert x.shape[3] == w.shape[3]
    assert w.quantization is not None
    assert w.quantization.scale.size == 1
    assert not np.array_equal(found.case.expected[0], found.case.actual[0])
    assert found.tried <= 501


def test_the_budget_is_kept() -> None:
    model, inputs = convolution()
    runtime = Fake(lambda model, inputs: dict(candidates(piece_of(model, inputs)))["truncation"])
    found = reduced(runtime, write_model(model), [("one", inputs)], budget=3)
    assert found.tried == 4
    assert reduced(runtime, write_model(model), [("one", inputs)], budget=0).case.size == found.original.size


class Fusing(Int8rtRuntime):
    """Right with single operators; wrong wherever an ADD follows a MUL."""

    def run(self, inputs: Sequence[Array], read: Sequence[int] = ()) -> Answer:
        answer = super().run(inputs, read)
        assert self._model is not None
        names = [operator.name for operator in self._model.subgraphs[0].operators]
        wrong = "MUL ADD" in " ".join(names)
        return Answer(tuple(value + np.int8(wrong) for value in answer.outputs if value is not None))


def test_the_shortest_chain_where_no_operator_is_wrong_alone() -> None:
    found = reduced(Fusing("tflite-ref", "numpy"))
    assert found.operators == range(1, 3)
    assert [operator.name for operator in found.case.model.subgraphs[0].operators] == ["MUL", "ADD"]
    assert len(found.case.model.subgraphs[0].outputs) == 1
    assert len(found.case.inputs) == 2  # s and x


@pytest.mark.parametrize("kind", ["refused", "crashed", "timeout"])
def test_what_fails_is_reduced_as_such(kind: Any) -> None:
    def run(model: Model, inputs: Sequence[Array]) -> Array:
        if model.subgraphs[0].operators[0].name == "MUL":
            raise Fault(kind, "no MUL")
        return piece_of(model, inputs).found

    found = reduced(Fake(run), budget=20)
    assert (found.operators, found.case.kind, found.case.message) == (range(1, 2), kind, "no MUL")
    assert found.case.actual == (None,)
    assert found.case.size == 3


def test_wrong_shapes_too() -> None:
    found = reduced(Fake(lambda model, inputs: np.zeros((7,), np.int8)))
    assert found.case.kind == "answer"
    assert "shape" in found.case.message


def test_nothing_differs() -> None:
    assert reduce(read_model(add_and_mul()), Int8rtRuntime("tflite-ref", "numpy"), RUNS) is None


def test_a_recording_cannot_be_asked() -> None:
    class Recorded(Int8rtRuntime):
        def capabilities(self) -> Capabilities:
            return Capabilities("recorded", intermediates=True, any_model=False)

    with pytest.raises(UnsupportedError, match="recording"):
        reduce(read_model(add_and_mul()), Recorded(), RUNS)


def test_the_folder_holds_what_a_report_needs(tmp_path: Path) -> None:
    model, inputs = convolution()
    runtime = Fake(lambda model, inputs: dict(candidates(piece_of(model, inputs)))["truncation"])
    found = reduced(runtime, write_model(model), [("one", inputs)])
    names = write_folder(tmp_path / "new" / "folder", found)
    assert sorted(names) == sorted(path.name for path in (tmp_path / "new" / "folder").iterdir())
    assert names == ["model.tflite", "input_0.npy", "expected_0.npy", "actual_0.npy", "REPORT.md"]
    again = read_model((tmp_path / "new" / "folder" / "model.tflite").read_bytes())
    given = [np.load(tmp_path / "new" / "folder" / "input_0.npy")]
    values, _ = run_int8rt(again, given, backend="numpy", keep=False)
    expected = np.load(tmp_path / "new" / "folder" / "expected_0.npy")
    np.testing.assert_array_equal(values[again.subgraphs[0].outputs[0]], expected)
    text = (tmp_path / "new" / "folder" / "REPORT.md").read_text()
    assert text.startswith("# CONV_2D: fake beside tflite-ref\n")
    for part in (
        "elements differ, by at most 1",
        "accumulator",
        "real multiplier",
        "| 1 w | constant | int8 |",
        "int8rt's, and the runtime's",
        " there",
        'np.load(f"input_{place}.npy")',  # as the formatter of this repository writes it
    ):
        assert part in text


@pytest.fixture
def model_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(REPOSITORY)
    path = tmp_path / "model.tflite"
    path.write_bytes(models.two_adds())
    return str(path)


def command(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["reduce", *map(str, arguments)])


def test_command_writes_the_folder_and_ends_with_1(model_file: str, tmp_path: Path) -> None:
    sut = "python:tests.verify.runtimes.functions:one_too_much"
    done = command(model_file, "--sut", sut, "--output", tmp_path / "r", "--json")
    assert done.exit_code == 1, done.output
    data = json.loads(done.stdout)
    assert (data["schema_version"], data["different"], data["names"], data["kind"]) == (1, True, ["ADD"], "different")
    assert data["elements"] < data["elements_before"]
    assert (tmp_path / "r" / "REPORT.md").exists()
    assert "1 models tried" in command(model_file, "--sut", sut, "-o", tmp_path / "r", "--budget", 0).stdout


def test_command_without_a_difference_writes_nothing_and_ends_with_0(model_file: str, tmp_path: Path) -> None:
    done = command(model_file, "--sut", "int8rt", "--output", tmp_path / "r")
    assert (done.exit_code, done.stdout) == (0, "nothing differs\n")
    assert not (tmp_path / "r").exists()
    assert json.loads(command(model_file, "--sut", "int8rt", "--json").stdout)["different"] is False


def test_command_with_contradicting_options_ends_with_2(model_file: str) -> None:
    assert command(model_file, "--sut", "litert", "--command", "x").exit_code == 2
