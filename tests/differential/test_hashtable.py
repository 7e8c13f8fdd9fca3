"""HASHTABLE, HASHTABLE_IMPORT, HASHTABLE_FIND and HASHTABLE_SIZE beside LiteRT's default kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from int8rt.errors import EvaluationError, ModelError
from int8rt.interpreter import Interpreter
from int8rt.model import Model, TensorType
from int8rt.schema import ModelBuilder, write_model
from int8rt.schema import options as o
from int8rt.verify.oracle import OracleError
from tests.differential.harness import oracle

pytestmark = pytest.mark.litert

INT64, STRING, RESOURCE = TensorType.INT64, TensorType.STRING, TensorType.RESOURCE
WORDS = np.array([b"one", b"two", b"", b"one"], object)
NUMBERS = np.array([1, -2, 3 << 40, 4], np.int64)


def table(builder: ModelBuilder, keys: TensorType, number: int = 5) -> str:
    """A tensor with the handle of a table."""
    values = INT64 if keys == STRING else STRING
    builder.tensor(f"table {number}", RESOURCE, (1,))
    builder.operator("HASHTABLE", [], [f"table {number}"], o.HashtableOptions(number, keys, values))
    return f"table {number}"


def fill(builder: ModelBuilder, handle: str, keys: Any, values: Any) -> None:
    for name, data in (("keys", keys), ("values", values)):
        builder.constant(f"{name} of {handle}", data)
    builder.operator("HASHTABLE_IMPORT", [handle, f"keys of {handle}", f"values of {handle}"], [])


def lookup(keys: Any, values: Any, default: Any, once: bool, filled: bool = True) -> Model:
    """Values of the keys that are the input, and how many there are."""
    type, found = (STRING, INT64) if keys.dtype == object else (INT64, STRING)
    builder = ModelBuilder().input("x", type, (2, 3))
    if once:
        builder.operator("CALL_ONCE", [], [], o.CallOnceOptions(1))
    handle = table(builder, type)
    if filled and not once:
        fill(builder, handle, keys, values)
    builder.constant("default", np.array(default, values.dtype))
    builder.output("y", found, (2, 3)).operator("HASHTABLE_FIND", [handle, "x", "default"], ["y"])
    builder.output("count", INT64, (1,)).operator("HASHTABLE_SIZE", [handle], ["count"])
    if once:
        builder.subgraph("initialization")
        fill(builder, table(builder, type), keys, values)
    return builder.build()


def run(model: Model, inputs: list[Any]) -> list[Any]:
    interpreter = Interpreter(model_content=write_model(model))
    interpreter.allocate_tensors()
    outputs = []
    for value in inputs:
        interpreter.set_tensor(model.subgraphs[0].inputs[0], value)
        interpreter.invoke()
        outputs.append([interpreter.get_tensor(index).tolist() for index in model.subgraphs[0].outputs])
    return outputs


@pytest.mark.parametrize("once", [False, True])
@pytest.mark.parametrize("words_are_keys", [False, True])
def test_looking_up(words_are_keys: bool, once: bool) -> None:
    keys, values = (WORDS, NUMBERS) if words_are_keys else (NUMBERS, WORDS)
    model = lookup(keys, values, [-1] if words_are_keys else [b"none"], once)
    asked = np.array([[b"two", b"three", b"one"], [b"", b"one", b"One"]], object)
    asked = asked if words_are_keys else np.array([[-2, 0, 1], [4, 3 << 40, 5]], np.int64)
    rounds = [asked, asked[::-1].copy()]
    expected = oracle().run_in_a_row(write_model(model), [[value] for value in rounds], resolver="opt")
    assert run(model, rounds) == [[value.tolist() for value in result.outputs] for result in expected]


def test_what_is_put_in_first_stays() -> None:
    builder = ModelBuilder().input("x", INT64, (3,))
    handle = table(builder, INT64)
    fill(builder, handle, NUMBERS[:2], WORDS[:2])
    builder.constant("more", NUMBERS).constant("words", WORDS).operator(
        "HASHTABLE_IMPORT", [handle, "more", "words"], []
    )
    builder.constant("default", np.array(b"?", object))
    builder.output("y", STRING, (3,)).operator("HASHTABLE_FIND", [handle, "x", "default"], ["y"])
    model, asked = builder.build(), np.array([1, 4, -2], np.int64)
    (expected,) = oracle().run(write_model(model), [asked], resolver="opt").outputs
    assert run(model, [asked]) == [[expected.tolist()]]


def test_what_litert_refuses() -> None:
    unfilled = lookup(WORDS, NUMBERS, [-1], False, filled=False)
    builder = ModelBuilder().input("x", INT64, (1,))
    builder.tensor("handle", RESOURCE, (1,)).operator("HASHTABLE", [], ["handle"], o.HashtableOptions(1, INT64, INT64))
    pairs = builder.output("y", INT64, (1,)).operator("HASHTABLE_SIZE", ["handle"], ["y"]).build()
    asked = np.full((2, 3), b"a", object), np.zeros(1, np.int64)
    for model, value, error in zip((unfilled, pairs), asked, (EvaluationError, ModelError), strict=True):
        with pytest.raises(OracleError):
            oracle().run(write_model(model), [value], resolver="opt")
        with pytest.raises(error, match=r"before it has any|a table of int64 by int64"):
            run(model, [value])
