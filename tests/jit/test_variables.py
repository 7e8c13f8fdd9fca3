"""Variables that subgraphs share, in the memory of a compiled program: written nowhere else, and equal to NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from int8rt.executor import SubgraphExecutor
from int8rt.interpreter import Interpreter
from int8rt.kernels.jit.executor import JitExecutor
from int8rt.memory import MemoryLimits
from int8rt.quantization.profiles import TFLITE_REF
from tests.differential.control_flow import streaming_model
from tests.jit.guarded import GuardedExecutor

FRAMES = np.random.default_rng(2).integers(-128, 128, (12, 1, 1, 6)).astype(np.int8)


def outputs(executor: SubgraphExecutor) -> list[list[int]]:
    """The model's output for each frame."""
    executor.allocate()
    found = []
    for frame in FRAMES:
        executor.set(executor.subgraph.inputs[0], frame)
        executor.invoke()
        found.append(executor.get(executor.subgraph.outputs[0]).ravel().tolist())
    return found


def test_guarded_memory() -> None:
    arguments = streaming_model(), 0, TFLITE_REF, MemoryLimits()
    assert outputs(GuardedExecutor(*arguments)) == outputs(SubgraphExecutor(*arguments))


def test_threads() -> None:
    arguments = streaming_model(64, 300), 0, TFLITE_REF, MemoryLimits()
    frames = np.zeros((1, 1, 64), np.int8)
    found = []
    for executor in (SubgraphExecutor(*arguments), JitExecutor(*arguments, threads=3)):
        executor.allocate()
        for number in range(6):
            executor.set(executor.subgraph.inputs[0], frames + np.int8(number))
            executor.invoke()
        found.append(executor.get(executor.subgraph.outputs[0]).tolist())
    assert found[0] == found[1]


def test_nothing_is_left_to_numpy_once_the_variables_have_values() -> None:
    executor = JitExecutor(streaming_model(), 0, TFLITE_REF, MemoryLimits())
    executor.allocate()
    executor.invoke()
    assert executor.step_backends().count("numpy") == 1  # CALL_ONCE
    executor._evaluate = pytest.fail  # type: ignore[method-assign, assignment]
    executor.invoke()
    executor.invoke()


def test_timing_steps_changes_nothing() -> None:
    plain, timed = (Interpreter(model_content=streaming_model()) for _ in range(2))
    for number, frame in enumerate(FRAMES):
        for interpreter in (plain, timed):
            interpreter.allocate_tensors()
            interpreter.set_tensor(0, frame)
        plain.invoke()
        if number % 2:
            timed._executor(0).invoke_timed()
        else:
            timed.invoke()
        (output,) = (details["index"] for details in plain.get_output_details())
        np.testing.assert_array_equal(timed.get_tensor(output), plain.get_tensor(output))
