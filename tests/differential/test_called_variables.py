"""Variable tensors in subgraphs that are called: they start anew with each evaluation, unless all tensors are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from int8rt.interpreter import Backend, Interpreter
from int8rt.model import ActivationFunctionType, Model, TensorType
from int8rt.schema import ModelBuilder, TensorSpec, write_model
from int8rt.schema import options as o
from tests.differential.harness import assert_equal, oracle

pytestmark = pytest.mark.litert

FLOAT32, INT32, BOOL = TensorType.FLOAT32, TensorType.INT32, TensorType.BOOL
X = np.array([[1, -0.5, 0.25]], np.float32)


def cell(builder: ModelBuilder, output: str = "y") -> None:
    """RNN: y from a [1, 3] and a state of the subgraph's own."""
    generator = np.random.default_rng(0)
    for name, shape in (("w", (3, 3)), ("r", (3, 3)), ("bias", (3,))):
        builder.constant(name, generator.normal(size=shape).astype(np.float32))
    builder.add("state", TensorSpec(FLOAT32, (1, 3), is_variable=True)).output(output, FLOAT32, (1, 3))
    options = o.RNNOptions(ActivationFunctionType.TANH)
    builder.operator("RNN", ["a", "w", "r", "bias", "state"], [output], options)


def composite(calls: int) -> Model:
    """One subgraph called several times in a row."""
    builder = ModelBuilder().input("y0", FLOAT32, (1, 3))
    for call in range(calls):
        builder.tensor(f"y{call + 1}", FLOAT32, (1, 3))
        options = o.StableHLOCompositeOptions("c", 1, b"\x01")
        builder.operator("STABLEHLO_COMPOSITE", [f"y{call}"], [f"y{call + 1}"], options)
    builder.output(f"y{calls}").subgraph("decomposition").input("a", FLOAT32, (1, 3))
    cell(builder)
    return builder.build()


def branches() -> Model:
    builder = ModelBuilder().input("a", FLOAT32, (1, 3)).constant("true", np.array(True)).output("y", FLOAT32, (1, 3))
    builder.operator("IF", ["true", "a"], ["y"], o.IfOptions(1, 2))
    for name in ("then", "else"):
        cell(builder.subgraph(name).input("a", FLOAT32, (1, 3)))
    return builder.build()


def loop() -> Model:
    builder = ModelBuilder().input("a", FLOAT32, (1, 3)).constant("i", np.array(0, np.int32))
    builder.output("last", INT32).output("y", FLOAT32, (1, 3))
    builder.operator("WHILE", ["i", "a"], ["last", "y"], o.WhileOptions(1, 2))
    builder.subgraph("condition").input("i", INT32, ()).input("a", FLOAT32, (1, 3))
    builder.constant("rounds", np.array(3, np.int32)).output("more", BOOL).operator("LESS", ["i", "rounds"], ["more"])
    builder.subgraph("body").input("i", INT32, ()).input("a", FLOAT32, (1, 3)).output("next", INT32)
    builder.constant("one", np.array(1, np.int32)).operator("ADD", ["i", "one"], ["next"], o.AddOptions())
    cell(builder)
    return builder.build()


@pytest.mark.parametrize("preserve", [False, True])
@pytest.mark.parametrize("model", [composite(1), composite(2), branches(), loop()], ids=["one", "two", "if", "while"])
def test_variables_of_called_subgraphs(model: Model, preserve: bool) -> None:
    rounds, reset = [[X * (number + 1)] for number in range(5)], 3
    read = [model.subgraphs[0].inputs[0]] if preserve else []
    results = oracle().run_in_a_row(write_model(model), rounds, read=read, resets=[reset])
    expected = [result.outputs[-1] for result in results]
    for backend in ("numpy", "jit"):
        found = run(model, rounds, reset, backend, preserve)
        for number, (value, other) in enumerate(zip(found, expected, strict=True)):
            assert_equal(value, other, f"{backend}, round {number}")


def run(
    model: Model, rounds: Sequence[Sequence[npt.NDArray[Any]]], reset: int, backend: Backend, preserve: bool
) -> list[npt.NDArray[Any]]:
    """The last output of each round."""
    interpreter = Interpreter(model_content=model, backend=backend, experimental_preserve_all_tensors=preserve)
    interpreter.allocate_tensors()
    outputs = []
    for number, (value,) in enumerate(rounds):
        if number == reset:
            interpreter.reset_all_variables()
        interpreter.set_tensor(model.subgraphs[0].inputs[0], value)
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(model.subgraphs[0].outputs[-1]))
    return outputs
