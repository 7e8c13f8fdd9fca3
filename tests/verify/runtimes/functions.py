"""Functions that stand for runtimes, good and bad; run in a process of their own."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

Inputs = dict[str, Any]


def good(model: bytes, inputs: Inputs) -> Any:
    """int8rt's own answer, with every tensor, by name."""
    from int8rt import Interpreter  # not for all of these functions: it takes a while

    interpreter = Interpreter(model_content=model, experimental_preserve_all_tensors=True, backend="numpy")
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        if inputs[detail["name"]].shape != tuple(detail["shape"]):
            interpreter.resize_tensor_input(detail["index"], inputs[detail["name"]].shape)
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], inputs[detail["name"]])
    values: dict[str, Any] = {}
    interpreter.invoke(lambda _, index, value: values.__setitem__(f"#{index}", np.array(value)))
    print("printing is allowed")
    return values


def outputs_only(model: bytes, inputs: Inputs) -> Any:
    """The outputs in order, no intermediate tensors."""
    from int8rt.schema import read_model

    values = good(model, inputs)
    return [values[f"#{index}"] for index in read_model(model).subgraphs[0].outputs]


def one_too_much(model: bytes, inputs: Inputs) -> Any:
    """Every ADD gives one step too much, and what follows goes on with that."""
    from int8rt.schema import read_model

    wrong = any(operator.name == "ADD" for operator in read_model(model).subgraphs[0].operators)
    return [np.where(value < 127, value + wrong, 127).astype(np.int8) for value in outputs_only(model, inputs)]


def crash(model: bytes, inputs: Inputs) -> Any:
    os.abort()


def leave(model: bytes, inputs: Inputs) -> Any:
    raise SystemExit(3)


def hang(model: bytes, inputs: Inputs) -> Any:
    time.sleep(600)


def refuse(model: bytes, inputs: Inputs) -> Any:
    raise RuntimeError("no such operator here")


def nothing(model: bytes, inputs: Inputs) -> Any:
    return None


def no_array(model: bytes, inputs: Inputs) -> Any:
    return [object()]


def wrong_shape(model: bytes, inputs: Inputs) -> Any:
    return [np.zeros(7, np.int8)]


def nan(model: bytes, inputs: Inputs) -> Any:
    return [np.full((1, 4), np.nan, np.float32)]


def unknown_names(model: bytes, inputs: Inputs) -> Any:
    return {"first": np.zeros((1, 4), np.int8), "second one": np.zeros((1, 4), np.int8)}


def too_many(model: bytes, inputs: Inputs) -> Any:
    return [np.zeros((1, 4), np.int8)] * 2
