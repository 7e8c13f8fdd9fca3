from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.matrix import __main__ as matrix
from conformance.matrix.remember import LostError, Remembering
from conformance.matrix.suite import Cell, run_suite
from conformance.matrix.zoo import chosen, examine
from int8rt.conformance.cases import Case, all_cases
from int8rt.errors import Int8rtError
from int8rt.model import Model, Quantization, TensorType
from int8rt.schema import ModelBuilder, read_model, write_model
from int8rt.schema.options import SoftmaxOptions
from int8rt.verify.compare import run_int8rt
from int8rt.verify.runtimes.base import Answer, Array, Capabilities, Fault
from int8rt.verify.runtimes.ours import Int8rtRuntime
from int8rt.verify.runtimes.patience import HangingError
from tests.interpreter import models

REPOSITORY = Path(__file__).resolve().parents[2]
FUNCTIONS = "python:tests.verify.runtimes.functions"


class Fake:
    """int8rt's answers, changed; or what `change` raises."""

    def __init__(self, change: Any = lambda y: y) -> None:
        self.change, self.ran, self.description = change, 0, "fake"

    def capabilities(self) -> Capabilities:
        return Capabilities(self.description, intermediates=False, any_model=True)

    def prepare(self, model: Model, content: bytes) -> None:
        self.model, self.description = model, "fake 1.0"

    def run(self, inputs: Sequence[Array], read: Sequence[int] = ()) -> Answer:
        self.ran += 1
        try:
            values, _ = run_int8rt(self.model, inputs, "tflite-ref", "numpy", keep=True)
        except Int8rtError as error:
            raise Fault("refused", str(error)) from None
        outputs = tuple(self.change(values[i]) for i in self.model.subgraphs[0].outputs)
        return Answer(outputs, {i: values[i] for i in read})

    def close(self) -> None: ...


def fail(kind: Any) -> Any:
    raise Fault(kind, "its own words")


def off_by_one(value: Array) -> Array:
    return np.where(value < 100, value + 1, value).astype(value.dtype)


def cases(text: str) -> list[Case]:
    return [case for case in all_cases() if text in case.name and case.expect == "exact"]


def cell(change: Any, text: str) -> Cell:
    (found,) = run_suite(Fake(change), cases(text)).values()
    return found


def ending_in_softmax() -> Model:
    code = Quantization.per_tensor(0.1, 0)
    builder = ModelBuilder().input("x", TensorType.INT8, (1, 4), code).tensor("m", TensorType.INT8, (1, 4), code)
    builder.tensor("s", TensorType.INT8, (1, 4), Quantization.per_tensor(1 / 256, -128))
    builder.output("y", TensorType.FLOAT32, (1, 4)).operator("ADD", ["x", "x"], ["m"])
    builder.operator("SOFTMAX", ["m"], ["s"], SoftmaxOptions(beta=1.0))
    return builder.operator("DEQUANTIZE", ["s"], ["y"]).build()


def test_answers_and_faults_are_remembered(tmp_path: Path) -> None:
    content = models.two_adds()
    model, inputs = read_model(content), [np.ones((1, 4), np.int8)] * 2
    for change in (lambda y: y, lambda y: fail("crashed"), lambda y: None):
        fake, folder = Fake(change), tmp_path / str(id(change))
        answers = []
        for attempt in range(2):
            runtime = Remembering(lambda fake=fake: fake, folder)
            runtime.prepare(model, content)
            try:
                answers.append(runtime.run(inputs, [2]))
                assert runtime.run([value + 1 for value in inputs]) is not None
            except Fault as fault:
                answers.append(Answer((), {len(str(fault)): np.array(fault.kind == "crashed")}))
            assert runtime.capabilities().description == "fake 1.0"
            assert runtime.asked == fake.ran * (attempt == 0)
        first, second = answers
        for one, two in zip(first.outputs, second.outputs, strict=True):
            np.testing.assert_array_equal(np.array(one), np.array(two))
        assert first.tensors.keys() == second.tensors.keys() != set()


def test_a_file_that_was_cut_off_is_no_answer(tmp_path: Path) -> None:
    fake = Fake()
    runtime = Remembering(lambda: fake, tmp_path)
    content = models.two_adds()
    runtime.prepare(read_model(content), content)
    runtime.run([np.ones((1, 4), np.int8)] * 2)
    assert {file.suffix for file in tmp_path.iterdir()} == {".npz", ".json"}  # no part is left behind


def test_a_runtime_that_is_not_asked_any_more_is_not_remembered(tmp_path: Path) -> None:
    def hang(_: Array) -> Array:
        raise HangingError

    runtime = Remembering(lambda: Fake(hang), tmp_path)
    content = models.two_adds()
    runtime.prepare(read_model(content), content)
    with pytest.raises(LostError):
        runtime.run([np.ones((1, 4), np.int8)] * 2)
    assert not list(tmp_path.glob("*.npz"))


def test_what_explains_a_cell() -> None:
    assert cell(lambda y: y, "ADD/int8/").plain()["verdicts"] == {"EXACT": len(cases("ADD/int8/"))}
    text = "CONV_2D/int8/ties"
    (other,) = run_suite(
        Int8rtRuntime("tflite-opt", "numpy"), [c for c in cases(text) if c.operator == "CONV_2D"]
    ).values()
    assert other.plain()["explained"].startswith("profile tflite-opt")
    assert other.plain()["largest"] == 1
    wrong = cell(off_by_one, "MEAN/int8/").plain()
    assert (wrong["explained"], wrong["largest"]) == ("", 1)
    assert wrong["nearest"].endswith(f"of {wrong['elements']} elements")
    assert wrong["example"].startswith("MEAN/int8/")
    assert cell(lambda y: y[..., :1], "MEAN/int8/").plain()["shapes"]
    crashed = cell(lambda y: fail("crashed"), "MEAN/int8/").plain()
    assert crashed["verdicts"] == {"CRASHED": len(cases("MEAN/int8/"))}
    assert crashed["words"] == [f"its own words ({len(cases('MEAN/int8/'))})"]


def test_models() -> None:
    content = models.two_adds()
    model = read_model(content)
    assert examine(model, content, Fake()) == {"status": "EXACT"}
    for kind, status in (
        ("refused", "REFUSED"),
        ("crashed", "CRASHED"),
        ("timeout", "TIMEOUT"),
        ("answer", "NO ANSWER"),
    ):
        row = examine(model, content, Fake(lambda y, kind=kind: fail(kind)))
        assert row == {"status": status, "message": "its own words"}
    assert examine(model, content, Fake(lambda y: y[:, :1]))["status"] == "NO ANSWER"
    row = examine(model, content, Fake(off_by_one))
    assert (row["status"], row["largest"], row["explained"]) == ("DIFFERENT", 1, False)
    assert (row["operators"]["ADD int8"]["count"], row["operators"]["ADD int8"]["unknown"]) == (2, 2)
    assert row["operators"]["ADD int8"]["explained"] == ""


def test_a_closing_softmax_is_left_off(tmp_path: Path) -> None:
    for name in ("a.tflite", "same.tflite"):
        (tmp_path / name).write_bytes(write_model(ending_in_softmax()))
    (tmp_path / "large.tflite").write_bytes(bytes(9000))
    (tmp_path / "broken.tflite").write_bytes(b"TFL3")
    ((name, content, model),) = chosen([tmp_path], 8000, 40)
    assert (name, [operator.name for operator in model.subgraphs[0].operators]) == ("a.tflite", ["ADD"])
    assert read_model(content).subgraphs[0].outputs == model.subgraphs[0].outputs
    assert list(chosen([tmp_path], 8000, 2)) == []


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "two_adds.tflite").write_bytes(models.two_adds())
    bug = tmp_path / "results" / "bugs" / "one"
    bug.mkdir(parents=True)
    (bug / "REPORT.md").write_text("# ADD: <a> beside b\n")
    suts = ["int8rt:tflite-ref", f"{FUNCTIONS}:one_too_much", f"{FUNCTIONS}:crash", "python:nowhere:f"]
    arguments = [f"--{name}={tmp_path / name}" for name in ("models", "memory", "results")]
    arguments.append("--case=ADD/int8/pair/scales=1.0")
    assert matrix.main([*(f"--runtime={sut}" for sut in suts), *arguments]) == 0
    data = json.loads((tmp_path / "results" / "matrix.json").read_text())
    rows = {row["sut"]: row for row in data["runtimes"]}
    count = len(cases("ADD/int8/pair/scales=1.0"))
    right, wrong, crashed = (rows[sut]["suite"][0][2]["verdicts"] for sut in suts[:3])
    assert (right, wrong, crashed) == ({"EXACT": count}, {"DIFFERENT": count}, {"CRASHED": count})
    assert [rows[sut]["models"][0]["status"] for sut in suts[:3]] == ["EXACT", "DIFFERENT", "CRASHED"]
    assert "No module named 'nowhere'" in rows[suts[3]]["missing"]
    assert "one_too_much" in rows[suts[1]]["runtime"]

    page, html = ((tmp_path / "results" / f"matrix.{kind}").read_text() for kind in ("md", "html"))
    (line,) = (line for line in page.splitlines() if line.startswith("| ADD | int8 |"))
    assert {f"✓ {count}", f"0/{count} {count} C"} <= set(line.split(" | ")), line
    assert f"| 0/{count} ±1 ~ |" in line, line
    assert "**not explained**" in page
    assert "[ADD: <a>](bugs/one/REPORT.md)" in page
    assert "ADD: &lt;a&gt;</a>" in html
    assert "two_adds.tflite" in page
    for forbidden in ("http", "<script", str(tmp_path)):
        assert forbidden not in html

    for file in (tmp_path / "memory").glob("*/row.json"):  # judged again, with nothing asked
        file.unlink()
    monkeypatch.setattr(Remembering, "_ask", lambda *_: fail("refused"))
    assert matrix.main([*(f"--runtime={sut}" for sut in suts[:3]), *arguments]) == 0
    again = json.loads((tmp_path / "results" / "matrix.json").read_text())
    assert [row for row in again["runtimes"] if not row["missing"]] == [
        row for row in data["runtimes"] if not row["missing"]
    ]


def test_the_published_pages_are_made_of_the_published_numbers(tmp_path: Path) -> None:
    published = REPOSITORY / "conformance" / "results"
    shutil.copytree(published / "bugs", tmp_path / "bugs")
    matrix.write(json.loads((published / "matrix.json").read_text()), tmp_path)
    for name in ("matrix.json", "matrix.md", "matrix.html"):
        assert (tmp_path / name).read_text() == (published / name).read_text(), f"{name} was changed by hand"
    assert sum(file.stat().st_size for file in published.rglob("*") if file.is_file()) < 800_000
