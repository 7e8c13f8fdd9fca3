"""num_threads: the same bits, several interpreters at once, no threads left behind, none of them busy when idle."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings

import int8rt
from int8rt.kernels.jit import pool, program
from int8rt.kernels.jit.pool import _groups
from int8rt.model import Model, TensorType
from tests.jit.graphs import graphs
from tests.jit.models import convolutions
from tests.jit.test_sharing import assert_equal


@pytest.fixture(autouse=True)
def many_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "processors", lambda: 16)


def ready(model: Model, threads: int, preserve: bool = False) -> int8rt.Interpreter:
    interpreter = int8rt.Interpreter(
        model_content=model, backend="jit", num_threads=threads, experimental_preserve_all_tensors=preserve
    )
    interpreter.allocate_tensors()
    return interpreter


def result(interpreter: int8rt.Interpreter, seed: int) -> npt.NDArray[np.int8]:
    (image,) = interpreter.get_input_details()
    generator = np.random.default_rng(seed)
    interpreter.set_tensor(image["index"], generator.integers(-128, 128, image["shape"]).astype(np.int8))
    interpreter.invoke()
    return np.asarray(interpreter.get_tensor(interpreter.get_output_details()[1]["index"]))


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("int8rt-")]


@pytest.mark.parametrize("type", [TensorType.INT8, TensorType.UINT8])
@pytest.mark.parametrize("threads", [2, 3, 7])
def test_bits_do_not_depend_on_the_number_of_threads(type: TensorType, threads: int) -> None:
    model = convolutions(type, size=33, channels=40)
    one, many = ready(model, 1, preserve=True), ready(model, threads, preserve=True)
    for seed in range(5):
        value = np.random.default_rng(seed).integers(0, 128, (1, 33, 33, 3)).astype(type.dtype)
        for interpreter in (one, many):
            interpreter.set_tensor(0, value)
            interpreter.invoke()
        for index in range(len(model.subgraphs[0].tensors)):
            np.testing.assert_array_equal(many.get_tensor(index), one.get_tensor(index))
    assert many._executor(0).program.shared  # type: ignore[attr-defined]


@given(graphs())
@settings(max_examples=40)
def test_random_graphs_with_every_step_shared(model: Model) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program, "_WORTH_SHARING", -1)
        assert_equal(model, threads=3)


def test_several_interpreters_in_several_threads() -> None:
    model = convolutions()
    expected = [result(ready(model, 1), seed) for seed in range(4)]
    failures: list[str] = []

    def repeat(number: int) -> None:
        interpreter = ready(model, 1 + number % 3)
        for turn in range(50):
            seed = (number + turn) % 4
            if not np.array_equal(result(interpreter, seed), expected[seed]):
                failures.append(f"thread {number}, turn {turn}")

    callers = [threading.Thread(target=repeat, args=(number,)) for number in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not failures


def test_one_interpreter_in_several_threads_crashes_nothing() -> None:
    interpreter = ready(convolutions(), 2)
    callers = [threading.Thread(target=lambda: [interpreter.invoke() for _ in range(30)]) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    np.testing.assert_array_equal(result(interpreter, 1), result(ready(convolutions(), 1), 1))


def test_threads_start_with_the_first_run_and_end_with_the_interpreter() -> None:
    gc.collect()
    before = len(workers())
    interpreter = ready(convolutions(), 3)
    assert len(workers()) == before
    interpreter.invoke()
    assert len(workers()) == before + 2
    del interpreter
    gc.collect()
    assert len(workers()) == before


def test_new_shapes_end_the_old_threads() -> None:
    interpreter = ready(convolutions(), 2)
    interpreter.invoke()
    before = len(workers())
    for batch in (2, 3, 1):
        interpreter.resize_tensor_input(0, [batch, 40, 40, 3])
        interpreter.allocate_tensors()
        assert result(interpreter, 0).shape[0] == batch
        assert len(workers()) == before


def test_idle_threads_take_no_time() -> None:
    interpreter = ready(convolutions(), 3)
    interpreter.invoke()
    time.sleep(0.05)
    start = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - start < 0.1


def test_sleeping_threads_wake_again() -> None:
    interpreter = ready(convolutions(), 3)
    expected = result(ready(convolutions(), 1), 5)
    for _ in range(10):
        time.sleep(0.002)
        np.testing.assert_array_equal(result(interpreter, 5), expected)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_gets_threads_of_its_own() -> None:
    interpreter = ready(convolutions(), 2)
    expected = result(interpreter, 3)
    child = os.fork()
    if child == 0:
        equal = np.array_equal(result(interpreter, 3), expected)
        os._exit(0 if equal and len(workers()) == 1 else 1)
    deadline = time.monotonic() + 30
    finished, status = os.waitpid(child, os.WNOHANG)
    while not finished and time.monotonic() < deadline:
        time.sleep(0.01)
        finished, status = os.waitpid(child, os.WNOHANG)
    if not finished:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert finished
    assert status == 0
    np.testing.assert_array_equal(result(interpreter, 3), expected)


@pytest.mark.parametrize("ending", ["", "sys.exit(3)", "raise SystemExit(3)", "del interpreter", "os._exit(3)"])
def test_the_process_ends(ending: str) -> None:
    script = (
        "import os, sys, int8rt\n"
        "from tests.jit.models import convolutions\n"
        "interpreter = int8rt.Interpreter(model_content=convolutions(), backend='jit', num_threads=3)\n"
        "interpreter.allocate_tensors(); interpreter.invoke()\n"
        f"{ending}\n"
    )
    process = subprocess.run([sys.executable, "-c", script], timeout=60, capture_output=True, text=True, check=False)
    assert process.returncode == (3 if "3" in ending else 0)
    assert process.stderr == ""


def test_no_more_threads_than_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "processors", lambda: 2)
    before = len(workers())
    interpreter = ready(convolutions(), 100)
    interpreter.invoke()
    assert len(workers()) == before + 1


def test_groups_of_rows() -> None:
    assert list(_groups([0, 0, 1, 1, 0, 1])) == [(0, 2, False), (2, 3, True), (3, 4, True), (4, 5, False), (5, 6, True)]
    assert list(_groups([1, 0, 0])) == [(0, 1, True), (1, 3, False)]
    assert list(_groups([])) == []
