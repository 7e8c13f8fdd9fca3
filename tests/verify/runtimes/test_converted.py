"""Adapters of runtimes that convert a model: here beside packages of the same names that compute with int8rt.

Where a variable names a Python that has the real runtime, that is tried too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from int8rt.errors import InputError
from int8rt.model import Model, Quantization, TensorType
from int8rt.schema import ModelBuilder, read_model, write_model
from int8rt.verify.compare import run_int8rt
from int8rt.verify.inputs import make_inputs
from int8rt.verify.judge import judge
from int8rt.verify.runtimes.base import Fault, UnavailableError
from int8rt.verify.runtimes.choose import open_runtime
from int8rt.verify.runtimes.converted import plain_model
from tests.interpreter import models

FAKES = Path(__file__).parent / "fakes"
REPOSITORY = Path(__file__).resolve().parents[3]
SUTS = ["tosa", "iree", "openvino:f32", "openvino:bf16", "onnxruntime", "armnn"]
DISTRIBUTIONS = (
    "tosa-tools", "tosa-converter-for-tflite", "iree-base-compiler", "openvino", "onnxruntime", "tf2onnx"
)  # fmt: skip

COPY = "import sys, shutil; shutil.copy({0}, {1})"
PROGRAMS = {
    "tosa-converter-for-tflite": COPY.format("sys.argv[1]", "sys.argv[-1]"),
    "iree-compile": COPY.format("sys.argv[1]", "sys.argv[-1]"),
    "tosa-opt": "import sys, shutil\n"
    "target = next(a.split('=')[2] for a in sys.argv if a.startswith('--tosa-serialize'))\n"
    "shutil.copy(sys.argv[1], target)",
    "tosa_reference_model": "import sys, computing, numpy as np\n"
    "given = dict(a[2:].split('=') for a in sys.argv[1:])\n"
    "values = [np.load(name) for name in given['ifm_file'].split(',')]\n"
    "assert all(v.dtype.kind != 'u' for v in values)\n"
    "found = computing.Model(given['tosa_file']).run_in_order(values)\n"
    "assert given['ofm_name'].split(',') == [f'TosaOutput_{i}' for i in range(len(found))]\n"
    "for name, value in zip(given['ofm_file'].split(','), found): np.save(name, value)",
}


def mixed() -> Model:
    """Two inputs, uint8 and int8, two outputs, names that stand twice, a shape that is not fixed."""
    one, two = Quantization.per_tensor(0.5, 130), Quantization.per_tensor(0.5, -3)
    builder = ModelBuilder()
    builder.input("x", TensorType.UINT8, (2, 3), one).input("y", TensorType.INT8, (4,), two)
    builder.output("b", TensorType.INT8, (4,), Quantization.per_tensor(1.0, 5))
    builder.output("a", TensorType.UINT8, (2, 3), Quantization.per_tensor(1.0, 100))
    model = builder.operator("ADD", ["y", "y"], ["b"]).operator("ADD", ["x", "x"], ["a"]).build()
    graph = model.subgraphs[0]
    tensors = tuple(replace(t, name="same", shape_signature=(-1, *t.shape[1:])) for t in graph.tensors)
    return read_model(write_model(replace(model, subgraphs=(replace(graph, tensors=tensors),))))


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python with the fake packages, and the fake programs beside it."""
    folder = tmp_path_factory.mktemp("environment")
    (folder / "python").symlink_to(sys.executable)
    for name, text in PROGRAMS.items():
        path = folder / name
        path.write_text(f"#!{sys.executable}\n{text}\n")
        path.chmod(0o755)
    for name in DISTRIBUTIONS:
        about = folder / f"{name.replace('-', '_')}-0.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.0\n")
    return str(folder / "python")


@pytest.fixture
def environment(python: str, monkeypatch: pytest.MonkeyPatch) -> str:
    packages = Path(np.__file__).parents[1]
    paths = [FAKES, Path(python).parent, REPOSITORY, packages, *map(Path, os.environ.get("PYTHONPATH", "").split(":"))]
    monkeypatch.setenv("PYTHONPATH", ":".join(map(str, paths)))
    return python


def run(sut: str, python: str, model: Model) -> tuple[Sequence[Any], str]:
    inputs = make_inputs(model, "random", 1)
    runtime = open_runtime(sut, python=python, timeout=100)
    try:
        runtime.prepare(model, write_model(model))
        answer = runtime.run(inputs)
        expected, _ = run_int8rt(model, inputs, backend="numpy", keep=False)
        for index, found in zip(model.subgraphs[0].outputs, answer.outputs, strict=True):
            assert found is not None
            assert found.dtype == expected[index].dtype
            np.testing.assert_array_equal(found, expected[index])
        assert not runtime.capabilities().intermediates
        return inputs, runtime.capabilities().description
    finally:
        runtime.close()


@pytest.mark.parametrize("sut", SUTS)
def test_values_reach_the_runtime_and_come_back(sut: str, environment: str) -> None:
    _, description = run(sut, environment, mixed())
    assert "0.0" in description
    assert sut.rpartition(":")[2] in description or ":" not in sut


@pytest.mark.parametrize("sut", SUTS)
def test_the_real_runtime(sut: str) -> None:
    variable = f"INT8RT_{sut.partition(':')[0].upper()}_PYTHON"
    if not os.environ.get(variable):
        pytest.skip(f"{variable} names no Python that has {sut}")
    content = models.two_adds()
    runtime = open_runtime(sut, python=os.environ[variable])
    found = judge(read_model(content), content, runtime, [("small", [np.ones((1, 4), np.int8)] * 2)])
    runtime.close()
    assert not found.faults
    assert all(output.statistics.largest <= 1 for output in found.outputs)


@pytest.mark.parametrize("sut", SUTS)
def test_a_missing_one_says_how_to_get_it(sut: str) -> None:
    if os.environ.get(f"INT8RT_{sut.partition(':')[0].upper()}_PYTHON") == sys.executable:
        pytest.skip("it is there")
    content = models.two_adds()
    runtime = open_runtime(sut)
    with pytest.raises(UnavailableError, match=r"is not there .* install .*--python"):
        runtime.prepare(read_model(content), content)
    runtime.close()


@pytest.mark.parametrize(
    ("ending", "kind", "message"),
    [
        (
            "import sys; print('loc: error: no such operator'); print('later'); sys.exit(1)",
            "refused",
            "no such operator",
        ),
        ("import os; os.abort()", "crashed", "ended with -6"),
        ("import time; time.sleep(100)", "timeout", "no answer within 3 s"),
        ("", "refused", "wrote nothing"),
    ],
)
def test_a_converter_that_fails(ending: str, kind: str, message: str, environment: str, tmp_path: Path) -> None:
    (tmp_path / "python").symlink_to(sys.executable)
    for name in PROGRAMS:
        (tmp_path / name).write_text(f"#!{sys.executable}\n{ending}\n")
        (tmp_path / name).chmod(0o755)
    content = models.two_adds()
    runtime = open_runtime("tosa", python=str(tmp_path / "python"), timeout=3)
    with pytest.raises(Fault, match=message) as caught:
        runtime.prepare(read_model(content), content)
    assert caught.value.kind == kind
    runtime.close()


def test_models_with_several_subgraphs_are_refused(environment: str) -> None:
    model = read_model(models.two_adds())
    twice = replace(model, subgraphs=(model.subgraphs[0], model.subgraphs[0]))
    runtime = open_runtime("tosa", python=environment)
    with pytest.raises(Fault, match="several subgraphs"):
        runtime.prepare(twice, b"")
    runtime.close()


def test_plain_models() -> None:
    (graph,) = plain_model(mixed()).subgraphs
    assert [tensor.name for tensor in graph.tensors] == ["t0", "t1", "t2", "t3"]
    assert {tensor.shape_signature for tensor in graph.tensors} == {None}


def test_a_precision_that_is_none() -> None:
    with pytest.raises(InputError, match="unknown runtime"):
        open_runtime("openvino:f16")
