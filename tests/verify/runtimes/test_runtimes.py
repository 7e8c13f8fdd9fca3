from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from int8rt.errors import InputError
from int8rt.model import Quantization, TensorType
from int8rt.schema import ModelBuilder, read_model, write_model
from int8rt.verify.compare import run_int8rt
from int8rt.verify.inputs import make_inputs
from int8rt.verify.runtimes.base import Fault, Runtime, UnavailableError, written
from int8rt.verify.runtimes.choose import open_runtime
from int8rt.verify.runtimes.interpreters import MicroRuntime
from int8rt.verify.runtimes.names import answer_by_name, find_tensor, tensor_keys
from int8rt.verify.runtimes.npz import read_npz, write_npz
from int8rt.verify.runtimes.worker import overwritten
from tests.interpreter import models

REPOSITORY = Path(__file__).resolve().parents[3]
INPUTS = [np.array([[1, 2, 3, 4]], np.int8), np.array([[9, -7, 5, 127]], np.int8)]
FUNCTIONS = "python:tests.verify.runtimes.functions"


@pytest.fixture(autouse=True)
def from_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)


@pytest.fixture
def opened(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    runtime = open_runtime(request.param, timeout=60)
    yield runtime
    runtime.close()


PROGRAM = f"""{sys.executable} -c "
import sys
import numpy as np
from tests.verify.runtimes.functions import good
np.savez(sys.argv[3], **good(open(sys.argv[1], 'rb').read(), dict(np.load(sys.argv[2]))))
" {{model}} {{inputs}} {{outputs}}"""

ALL = [
    *(pytest.param(f"litert:{name}", marks=pytest.mark.litert) for name in ("ref", "opt", "xnnpack", "default")),
    "int8rt",
    f"{FUNCTIONS}:good",
    f"command:{PROGRAM}",
]


@pytest.mark.parametrize("opened", ALL, indirect=True)
def test_every_runtime_answers_with_outputs_and_intermediate_tensors(opened: Runtime) -> None:
    content = models.two_adds()
    model = read_model(content)
    expected, _ = run_int8rt(model, INPUTS, backend="numpy", keep=True)
    read = [index for _, index in written(model.subgraphs[0])]
    opened.prepare(model, content)
    answer = opened.run(INPUTS, read)
    alone = opened.run(INPUTS)
    for index in read:
        np.testing.assert_array_equal(answer.tensors[index], expected[index])
    (output,), (again,) = answer.outputs, alone.outputs
    assert output is not None
    assert again is not None
    assert output.dtype == again.dtype == np.int8
    np.testing.assert_array_equal(output, expected[read[-1]])
    np.testing.assert_array_equal(again, output)
    assert answer.seconds > 0
    assert opened.capabilities().intermediates
    longer = [np.concatenate([INPUTS[0]] * 3), INPUTS[1]]
    (resized,) = opened.run(longer).outputs
    assert resized is not None
    assert resized.shape == (3, 4)


@pytest.mark.litert
@pytest.mark.parametrize("content", [models.two_adds(), models.two_outputs()], ids=["two inputs", "two outputs"])
def test_a_compiled_model(content: bytes) -> None:
    model = read_model(content)
    inputs = make_inputs(model, "natural", 3)
    interpreter = open_runtime("litert:default")
    interpreter.prepare(model, content)
    expected = interpreter.run(inputs).outputs
    interpreter.close()
    runtime = open_runtime("litert:compiled")
    runtime.prepare(model, content)
    for value, same in zip(runtime.run(inputs).outputs, expected, strict=True):
        assert value is not None
        assert same is not None
        np.testing.assert_array_equal(value, same)
        assert (value.shape, value.dtype) == (same.shape, same.dtype)
    assert runtime.capabilities().description.startswith("CompiledModel of ai-edge-litert 2.")
    assert not runtime.capabilities().intermediates
    with pytest.raises(Fault, match="in its own shapes only"):
        runtime.run([np.concatenate([value, value]) for value in inputs])
    runtime.close()


def test_tensors_whose_memory_was_used_again_are_not_shown() -> None:
    assert overwritten({}) == []
    assert overwritten({1: (0, 8), 2: (8, 8), 3: (16, 0), 4: (16, 8)}) == []
    assert overwritten({1: (0, 8), 2: (8, 8), 3: (4, 4)}) == [1]
    assert sorted(overwritten({1: (0, 8), 2: (0, 8), 3: (0, 8)})) == [1, 2]


@pytest.mark.litert
def test_litert_keeps_what_it_is_to_keep() -> None:
    content = models.two_adds()
    model = read_model(content)
    runtime = open_runtime("litert:ref", timeout=60)
    runtime.prepare(model, content)
    assert sorted(runtime.run(INPUTS, [2, 3]).tensors) == [2, 3]
    assert runtime.run(INPUTS).outputs[0] is not None
    runtime.close()


@pytest.mark.litert
def test_versions_are_told() -> None:
    runtime = open_runtime("litert:ref")
    content = models.two_adds()
    runtime.prepare(read_model(content), content)
    assert runtime.capabilities().description.startswith("BUILTIN_REF of ai-edge-litert 2.")
    runtime.close()


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("crash", "crashed", "signal SIGABRT"),
        ("leave", "crashed", "status 3"),
        ("hang", "timeout", "no answer within 1 s"),
        ("refuse", "refused", "no such operator here"),
        ("no_array", "refused", "TypeError"),
    ],
)
def test_what_goes_wrong_in_a_runtime_is_a_fault_and_the_next_run_a_new_try(name: str, kind: str, message: str) -> None:
    content = models.two_adds()
    runtime = open_runtime(f"{FUNCTIONS}:{name}", timeout=60)
    runtime.prepare(read_model(content), content)
    if name == "hang":
        runtime._child._timeout = 1  # type: ignore[attr-defined]
    for _ in range(2):
        with pytest.raises(Fault, match=message) as caught:
            runtime.run(INPUTS)
        assert caught.value.kind == kind
        if name == "hang":
            break
    runtime.close()


def test_a_runtime_that_answers_nothing() -> None:
    content = models.two_adds()
    runtime = open_runtime(f"{FUNCTIONS}:nothing")
    runtime.prepare(read_model(content), content)
    assert runtime.run(INPUTS).outputs == (None,)
    runtime.close()


def prepare(sut: str, **options: str) -> None:
    content = models.two_adds()
    runtime = open_runtime(sut, **options)  # type: ignore[arg-type]
    try:
        runtime.prepare(read_model(content), content)
        runtime.run(INPUTS)
    finally:
        runtime.close()


def test_what_is_not_there_says_how_to_get_it(tmp_path: Path) -> None:
    if importlib.util.find_spec("tflite_micro") is None:
        with pytest.raises(UnavailableError, match="pip install tflite-micro"):
            prepare("tflm")
    with pytest.raises(UnavailableError, match="No module named 'nowhere'"):
        prepare("python:nowhere:f")
    with pytest.raises(UnavailableError, match="has no function 'f'"):
        prepare("python:int8rt:f")
    with pytest.raises(UnavailableError, match="cannot run /no/such/program"):
        prepare("command:/no/such/program {outputs}")
    with pytest.raises(InputError, match="cannot start /no/python"):
        prepare("litert:ref", python="/no/python")
    with pytest.raises(InputError, match=r"there is no delegate .*/nothing\.so"):
        prepare("litert:ref", delegate="nothing.so")


@pytest.mark.parametrize("sut", ["nothing", "litert:fast", "python:module", "tflm:x", "command:", "int8rt:none"])
def test_a_name_that_is_no_runtime(sut: str) -> None:
    with pytest.raises(InputError, match="unknown"):
        open_runtime(sut)


def test_a_delegate_needs_an_interpreter() -> None:
    with pytest.raises(InputError, match="a delegate needs"):
        open_runtime("int8rt", delegate="x.so")


@pytest.mark.parametrize(
    ("line", "kind", "message"),
    [
        ("sh -c 'echo broken >&2; exit 2' {outputs}", "refused", "status 2: broken"),
        ("sh -c 'kill -SEGV $$' {outputs}", "crashed", "signal SIGSEGV"),
        ("sh -c 'sleep 100' {outputs}", "timeout", r"no answer within 0\.2 s"),
        ("true {outputs}", "answer", "wrote no outputs"),
        ("cp {model} {outputs}", "answer", "begins as neither"),
        ("mkdir {outputs}", "answer", "wrote no file for its outputs"),
        ("mkfifo {outputs}", "answer", "wrote no file for its outputs"),
        ("ln -s /proc/self/mem {outputs}", "answer", "no file|can't be read"),
        ("sh -c 'rm -r ${0%/*}' {outputs}", "answer", "wrote no outputs"),
        ("sh -c 'yes | head -c 2000000; echo the end; exit 1' {outputs}", "refused", "status 1: the end"),
    ],
)
def test_programs_that_do_not_answer(line: str, kind: str, message: str) -> None:
    content = models.two_adds()
    runtime = open_runtime(f"command:{line}", timeout=0.2 if kind == "timeout" else 20)
    runtime.prepare(read_model(content), content)
    with pytest.raises(Fault, match=message) as caught:
        runtime.run(INPUTS)
    assert caught.value.kind == kind
    runtime.close()


def test_a_program_that_removes_what_it_got_and_leaves_processes_behind(tmp_path: Path) -> None:
    """The next run has everything again, and nothing of this one lives on."""
    content, left = models.two_adds(), tmp_path / "left"
    line = f"{PROGRAM.replace('import sys', 'import os, subprocess, sys', 1)}"
    line = line.replace(
        "np.savez", f"open({str(left)!r}, 'w').write(str(subprocess.Popen(['sleep', '100']).pid)); np.savez"
    )
    runtime = open_runtime("command:" + line.replace('\n" {model}', '\nos.unlink(sys.argv[1])\n" {model}'))
    runtime.prepare(read_model(content), content)
    for _ in range(2):
        assert runtime.run(INPUTS).outputs[0] is not None
        with pytest.raises(ProcessLookupError):
            wait_for_end(int(left.read_text()))
    runtime.close()


def wait_for_end(process: int) -> None:
    """ProcessLookupError once it is gone, or waits only to be collected."""
    for _ in range(100):
        os.kill(process, 0)
        status = Path(f"/proc/{process}/stat")
        if status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z":
            raise ProcessLookupError
        time.sleep(0.05)


def test_answers_without_a_known_name_and_too_many_of_them() -> None:
    content = models.two_adds()
    for name, message in (
        ("unknown_names", "found 'first', 'second one'; the outputs are 'z'"),
        ("too_many", "2 arrays"),
    ):
        runtime = open_runtime(f"{FUNCTIONS}:{name}", timeout=60)
        runtime.prepare(read_model(content), content)
        with pytest.raises(Fault, match=message) as caught:
            runtime.run(INPUTS)
        assert caught.value.kind == "answer"
        runtime.close()


def test_a_command_line_without_a_place_for_outputs() -> None:
    with pytest.raises(InputError, match=r"needs \{outputs\}"):
        open_runtime("command:prog {model}")
    with pytest.raises(InputError, match="cannot read"):
        open_runtime("command:prog '{outputs}")


def test_names() -> None:
    model = read_model(models.two_adds())
    assert tensor_keys(model, range(3)) == ["x", "y", "m"]
    found = [find_tensor(model, key) for key in ("m", "#1", "out", "second", "output_0", "output_1", "#99", "nope")]
    assert found == [2, 1, 3, 0, 3, None, None, None]
    value = np.zeros(4, np.int8)
    assert answer_by_name(model, {"whatever": value}).outputs[0] is value
    assert answer_by_name(model, {"whatever": value, "m": value}).outputs == (None,)


def test_npz(tmp_path: Path) -> None:
    arrays = {"a/b:0": np.arange(3, dtype=np.int8), "file": np.array(2.5, np.float32)}
    write_npz(tmp_path / "x.npz", arrays)
    found = read_npz(tmp_path / "x.npz")
    assert list(found) == list(arrays)
    for name, value in arrays.items():
        np.testing.assert_array_equal(found[name], value)
    np.save(tmp_path / "y.npz.npy", np.zeros(2))
    (tmp_path / "y.npz.npy").rename(tmp_path / "y.npz")
    with pytest.raises(InputError, match="holds one array"):
        read_npz(tmp_path / "y.npz")
    (tmp_path / "z.npz").write_bytes(b"PK\x03\x04nonsense")
    with pytest.raises(InputError, match="is not a NumPy file"):
        read_npz(tmp_path / "z.npz")


@pytest.mark.litert
def test_strings_pass() -> None:
    content = models.strings()
    runtime = open_runtime("litert:ref")
    runtime.prepare(read_model(content), content)
    (found,) = runtime.run([np.array([b"a", b"", b"\xff\x00"], object)]).outputs
    assert found is not None
    assert found.tolist() == [[b"a", b"", b"\xff\x00"]]
    runtime.close()


@pytest.mark.parametrize(
    ("sut", "variable", "description"),
    [
        ("tflm", "INT8RT_TFLM_PYTHON", "tflite-micro 0."),
        ("tflite_runtime:ref", "INT8RT_TFLITE_2_14_PYTHON", "BUILTIN_REF of tflite-runtime 2."),
        ("tensorflow:ref", "INT8RT_TENSORFLOW_PYTHON", "BUILTIN_REF of tensorflow"),
    ],
)
def test_a_runtime_of_another_python(sut: str, variable: str, description: str) -> None:
    python = os.environ.get(variable)
    if not python:
        pytest.skip(f"{variable} names no Python that has {sut}")
    content = models.two_adds()
    model = read_model(content)
    runtime = open_runtime(sut, python=python)
    runtime.prepare(model, content)
    answer = runtime.run(INPUTS, [2, 3])
    alone = runtime.run(INPUTS)
    runtime.close()
    expected, _ = run_int8rt(model, INPUTS, backend="numpy", keep=True)
    for index in (2, 3):
        np.testing.assert_array_equal(answer.tensors[index], expected[index])
    assert alone.outputs[0] is not None
    np.testing.assert_array_equal(alone.outputs[0], expected[3])
    assert runtime.capabilities().description.startswith(description)


def test_tensorflow_lite_micro_gets_more_memory_where_it_does_not_suffice() -> None:
    python = os.environ.get("INT8RT_TFLM_PYTHON")
    if not python:
        pytest.skip("INT8RT_TFLM_PYTHON names no Python that has tflite-micro")
    size = (1, 3 << 20)
    builder = ModelBuilder().input("x", TensorType.INT8, size, Quantization.per_tensor(0.5))
    for i in range(3):
        builder.output(f"y{i}", TensorType.INT8, size, Quantization.per_tensor(1.0)).operator(
            "ADD", ["x", "x"], [f"y{i}"]
        )
    content = write_model(builder.build())
    model = read_model(content)
    value = np.full(size, 5, np.int8)
    enough = MicroRuntime(python=python)
    enough.prepare(model, content)
    (found, _, _) = enough.run([value]).outputs
    enough.close()
    assert found is not None
    assert np.all(found == 5)
    small = MicroRuntime(arena=1 << 20, python=python)
    with pytest.raises(Fault, match="failed to allocate"):
        small.prepare(model, content)
    small.close()
