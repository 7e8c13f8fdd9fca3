"""Operators that are one function of one tensor together: the bits stay, and who looks sees every tensor."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from int8rt import Interpreter
from int8rt.kernels.jit.executor import JitExecutor
from int8rt.model import Model, Quantization, TensorType
from int8rt.schema import ModelBuilder
from int8rt.schema.options import AddOptions, MulOptions

Q = Quantization.per_tensor
SHAPE = (1, 3, 300)
INT8 = TensorType.INT8


def _start() -> ModelBuilder:
    builder = ModelBuilder().input("x", INT8, SHAPE, Q(0.05, 3)).tensor("a", INT8, SHAPE, Q(0.05, -5))
    return builder.operator("NEG", ["x"], ["a"]).tensor("s", INT8, SHAPE, Q(1 / 256, -128))


def swish(seen: bool = False) -> Model:
    """a · LOGISTIC(a), the LOGISTIC second or, where it is an output too, first."""
    builder = _start().operator("LOGISTIC", ["a"], ["s"], version=2).output("y", INT8, SHAPE, Q(0.04, 1))
    builder.operator("MUL", ["s", "a"] if seen else ["a", "s"], ["y"], MulOptions(), version=2)
    return (builder.output("s") if seen else builder).build()


def hard_swish() -> Model:
    """a · (RELU6(a + 3) · 1/6), of which both factors have one reader."""
    builder = (
        _start().constant("three", np.array(100, np.int8), Q(0.03)).constant("sixth", np.array(1, np.int8), Q(1 / 6))
    )
    for name in ("b", "c", "d"):
        builder.tensor(name, INT8, SHAPE, Q(0.05, -7))
    builder.operator("ADD", ["a", "three"], ["b"], AddOptions(), version=2)
    builder.operator("RELU6", ["b"], ["c"], version=2).operator("MUL", ["c", "sixth"], ["d"], MulOptions(), version=2)
    builder.output("y", INT8, SHAPE, Q(0.04, 1))
    return builder.operator("MUL", ["a", "d"], ["y"], MulOptions(), version=2).build()


def two_roots() -> Model:
    """x · LOGISTIC(NEG(x)) and, of the LOGISTIC alone, its sum with another tensor."""
    builder = _start().operator("LOGISTIC", ["a"], ["s"], version=2).input("z", INT8, SHAPE, Q(0.05))
    builder.output("y", INT8, SHAPE, Q(0.04, 1)).output("t", INT8, SHAPE, Q(0.04))
    builder.operator("MUL", ["a", "s"], ["y"], MulOptions(), version=2)
    return builder.operator("ADD", ["s", "z"], ["t"], AddOptions(), version=2).build()


def _interpreter(model: Model, backend: Any, **options: Any) -> Interpreter:
    interpreter = Interpreter(model_content=model, backend=backend, **options)
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        codes = np.arange(900).reshape(SHAPE) * (1 + detail["index"])
        interpreter.set_tensor(detail["index"], codes.astype(np.uint8).view(np.int8))
    return interpreter


def _outputs(interpreter: Interpreter) -> list[npt.NDArray[Any]]:
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


@pytest.mark.parametrize(
    ("model", "unneeded"),
    [(swish(), {1}), (swish(seen=True), set()), (hard_swish(), {1, 2, 3}), (two_roots(), set())],
    ids=["swish", "seen", "hard_swish", "two_roots"],
)
def test_bits(model: Model, unneeded: set[int]) -> None:
    compiled, definition = _interpreter(model, "jit"), _interpreter(model, "numpy")
    executor = compiled._executor(0)
    assert isinstance(executor, JitExecutor)
    assert executor.program is not None
    assert executor.program.unneeded == unneeded
    for ours, theirs in zip(_outputs(compiled), _outputs(definition), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("model", [swish(), hard_swish()])
def test_all_tensors_are_there_for_who_looks(model: Model) -> None:
    seen: dict[str, dict[int, npt.NDArray[Any]]] = {"jit": {}, "numpy": {}}
    for backend, values in seen.items():
        _interpreter(model, backend).invoke(lambda _, index, value, to=values: to.update({index: value.copy()}))
    assert seen["jit"].keys() == seen["numpy"].keys()
    kept = _interpreter(model, "jit", experimental_preserve_all_tensors=True)
    kept.invoke()
    for index, value in seen["numpy"].items():
        np.testing.assert_array_equal(seen["jit"][index], value)
        np.testing.assert_array_equal(kept.get_tensor(index), value)
