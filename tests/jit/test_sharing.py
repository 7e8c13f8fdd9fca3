"""Tensors that share memory: whatever the graph, the compiled model gives what NumPy gives, run after run."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import int8rt
from int8rt.kernels.jit.arena import Lifetime, plan_arena
from int8rt.model import Model, Quantization, TensorType
from int8rt.schema import ModelBuilder
from int8rt.schema.options import ConcatenationOptions, ReshapeOptions
from tests.jit.graphs import graphs, random_inputs

Array = npt.NDArray[Any]


def run(interpreter: int8rt.Interpreter, inputs: dict[int, Array], observe: bool) -> dict[int, Array]:
    for index, value in inputs.items():
        interpreter.set_tensor(index, value)
    seen: dict[int, Array] = {}
    interpreter.invoke((lambda _, index, value: seen.update({index: value.copy()})) if observe else None)
    for index in interpreter.model.subgraphs[0].outputs:
        seen[index] = interpreter.get_tensor(index)
    return seen


def assert_equal(model: Model, threads: int = 1) -> None:
    numpy = int8rt.Interpreter(model_content=model, backend="numpy")
    plain = int8rt.Interpreter(model_content=model, backend="jit", num_threads=threads)
    keeping = int8rt.Interpreter(model_content=model, backend="jit", experimental_preserve_all_tensors=True)
    for interpreter in (numpy, plain, keeping):
        interpreter.allocate_tensors()
    for seed in range(2):
        inputs = random_inputs(model, seed)
        expected = run(numpy, inputs, observe=True)
        for interpreter, observe in ((plain, False), (plain, True), (keeping, False)):
            for index, value in run(interpreter, inputs, observe).items():
                np.testing.assert_array_equal(value, expected[index], f"tensor {index}")
        for index, value in expected.items():
            np.testing.assert_array_equal(keeping.get_tensor(index), value, f"kept tensor {index}")
        for index, value in inputs.items():
            np.testing.assert_array_equal(plain.get_tensor(index), value, f"input {index}")


@given(graphs())
@settings(max_examples=150)
def test_random_graphs(model: Model) -> None:
    assert_equal(model)


def test_a_reshaped_constant_that_is_not_folded() -> None:
    data = np.arange(8192, dtype=np.uint8).reshape(2, 4096)
    builder = ModelBuilder().constant("c", data, Quantization.per_tensor(1.0)).input("x", TensorType.UINT8, (1,))
    builder.output("y", TensorType.UINT8, (8192,), Quantization.per_tensor(1.0)).output("x")
    model = builder.operator("RESHAPE", ["c"], ["y"], ReshapeOptions(new_shape=(8192,))).build()
    interpreter = int8rt.Interpreter(model_content=model, backend="jit")
    interpreter.allocate_tensors()
    interpreter.invoke()
    np.testing.assert_array_equal(interpreter.get_tensor(1 + 1), data.ravel())


def test_an_output_is_not_the_input_s_memory() -> None:
    builder = ModelBuilder().input("x", TensorType.FLOAT32, (4,)).output("y", TensorType.FLOAT32, (2, 2))
    model = builder.operator("RESHAPE", ["x"], ["y"], ReshapeOptions(new_shape=(2, 2))).build()
    interpreter = int8rt.Interpreter(model_content=model, backend="jit")
    interpreter.allocate_tensors()
    interpreter.set_tensor(0, np.ones(4, np.float32))
    interpreter.invoke()
    interpreter.set_tensor(0, np.zeros(4, np.float32))
    np.testing.assert_array_equal(interpreter.get_tensor(1), np.ones((2, 2), np.float32))


@given(
    st.lists(
        st.builds(
            lambda size, first, length: Lifetime(size, first, first + length),
            st.integers(0, 1000),
            st.integers(0, 20),
            st.integers(0, 8),
        ),
        max_size=30,
    )
)
def test_the_arena_s_plan(lifetimes: list[Lifetime]) -> None:
    offsets, total = plan_arena(lifetimes)
    placed = list(zip(lifetimes, offsets, strict=True))
    for number, (one, start) in enumerate(placed):
        assert start % 64 == 0
        assert start + one.size <= total
        for other, begin in placed[:number]:
            together = one.first <= other.last and other.first <= one.last
            apart = start + one.size <= begin or begin + other.size <= start
            assert apart or not together or not one.size or not other.size
    # No plan can do with less than what is alive at once.
    alive = [sum(one.size for one in lifetimes if one.first <= step <= one.last) for step in range(30)]
    assert total >= max(alive)


def test_tensors_that_are_never_alive_together_share_a_place() -> None:
    offsets, total = plan_arena([Lifetime(640, 0, 1), Lifetime(640, 1, 2), Lifetime(640, 2, 3)])
    assert offsets[0] == offsets[2] != offsets[1]
    assert total == 1280


@pytest.mark.parametrize("name", ["RELU", "TANH"])
def test_a_chain_runs_in_place(name: str) -> None:
    q = Quantization.per_tensor(1 / 128, 0)
    builder = ModelBuilder().input("x", TensorType.INT8, (1 << 16,), q)
    for number in range(5):
        builder.tensor(f"t{number}", TensorType.INT8, (1 << 16,), q)
        builder.operator(name, [f"t{number - 1}" if number else "x"], [f"t{number}"], version=2)
    model = builder.output("t4").build()
    interpreter = int8rt.Interpreter(model_content=model, backend="jit")
    interpreter.allocate_tensors()
    program = interpreter._executor(0).program  # type: ignore[attr-defined]
    assert program.arena_bytes <= 2 << 16
    assert_equal(model)


def test_what_is_concatenated_lies_there_from_the_beginning() -> None:
    q = Quantization.per_tensor(0.25, 3)
    builder = ModelBuilder().input("x", TensorType.INT8, (3, 512), q).output("y", TensorType.INT8, (6, 512), q)
    for name in ("a", "b"):
        builder.tensor(name, TensorType.INT8, (3, 512), q)
    builder.operator("ABS", ["x"], ["a"]).operator("RELU", ["a"], ["b"], version=2)
    model = builder.operator("CONCATENATION", ["b", "a"], ["y"], ConcatenationOptions(axis=0), version=2).build()
    interpreter = int8rt.Interpreter(model_content=model, backend="jit")
    interpreter.allocate_tensors()
    program = interpreter._executor(0).program  # type: ignore[attr-defined]
    rows = program.order[-1]
    assert rows[0] == rows[1]
    assert program.views[2].ctypes.data == program.views[1].ctypes.data + 3 * 512
    assert_equal(model)
