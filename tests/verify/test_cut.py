from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from int8rt.samples import digits
from int8rt.schema import read_model, write_model
from int8rt.verify.compare import run_int8rt
from int8rt.verify.cut import cut_operator, cut_operators
from int8rt.verify.inputs import make_inputs
from int8rt.verify.teacher import Teacher
from tests.interpreter import models
from tests.verify.test_judge import add_and_mul


@pytest.mark.parametrize("content", [digits().model, models.two_adds(), models.accumulator(), models.strings()])
def test_every_operator_alone_gives_what_it_gives_in_the_model(content: bytes) -> None:
    model = read_model(content)
    inputs = make_inputs(model, "natural", 1)
    values, _ = run_int8rt(model, inputs, backend="numpy", keep=True)
    values |= dict(zip(model.subgraphs[0].inputs, inputs, strict=True))
    constants = Teacher(model, inputs, "tflite-ref").plan.constants
    for position, operator in enumerate(model.subgraphs[0].operators):
        cut = cut_operator(model, position, values, constants)
        assert cut is not None
        alone, needed = cut
        alone = read_model(write_model(alone))
        (kept,) = alone.subgraphs[0].operators
        assert (kept.name, kept.version, kept.options) == (operator.name, operator.version, operator.options)
        found, _ = run_int8rt(alone, [values[index] for index in needed], backend="numpy", keep=True)
        for ours, theirs in zip(operator.outputs, kept.outputs, strict=True):
            np.testing.assert_array_equal(found[theirs], values[ours])


def test_shapes_are_those_of_the_run() -> None:
    model = read_model(models.two_adds())
    inputs = [np.zeros((5, 4), np.int8), np.zeros((1, 4), np.int8)]
    values, _ = run_int8rt(model, inputs, backend="numpy", keep=True)
    cut = cut_operator(model, 0, values | dict(enumerate(inputs)), {})
    assert cut is not None
    assert [tensor.shape for tensor in cut[0].subgraphs[0].tensors] == [(5, 4), (1, 4), (5, 4)]
    assert cut[1] == (0, 1)


def test_an_input_that_is_read_twice_is_one_input() -> None:
    model = read_model(models.two_outputs())
    cut = cut_operator(model, 1, {0: np.zeros(3, np.int8), 1: np.zeros(3, np.int8)}, {})
    assert cut is not None
    (graph,) = cut[0].subgraphs
    assert (graph.inputs, graph.operators[0].inputs, cut[1]) == ((0,), (0, 0), (0,))


def test_what_is_known_without_running_is_a_constant() -> None:
    model = read_model(models.two_adds())
    values = {i: np.full((1, 4), i, np.int8) for i in range(3)}
    cut = cut_operator(model, 0, values, {1: values[1]})
    assert cut is not None
    alone, needed = cut
    assert needed == (0,)
    assert alone.buffers[alone.subgraphs[0].tensors[1].buffer] == values[1].tobytes()


def test_operators_that_follow_one_another() -> None:
    """What they only pass on to each other is no output; what the rest reads is."""
    content = digits().model
    model = read_model(content)
    inputs = make_inputs(model, "natural", 1)
    values, _ = run_int8rt(model, inputs, backend="numpy", keep=True)
    values |= dict(zip(model.subgraphs[0].inputs, inputs, strict=True))
    constants = Teacher(model, inputs, "tflite-ref").plan.constants
    operators = model.subgraphs[0].operators
    for start in range(len(operators) - 1):
        cut = cut_operators(model, range(start, start + 2), values, constants)
        assert cut is not None
        chain, needed = read_model(write_model(cut[0])), cut[1]
        assert [operator.name for operator in chain.subgraphs[0].operators] == [o.name for o in operators[start:][:2]]
        found, _ = run_int8rt(chain, [values[index] for index in needed], backend="numpy", keep=False)
        (last,) = operators[start + 1].outputs
        np.testing.assert_array_equal(found[chain.subgraphs[0].outputs[-1]], values[last])


def test_a_tensor_that_others_read_stays_an_output() -> None:
    model = read_model(add_and_mul())
    values = {i: np.zeros((1, 4), np.int8) for i in range(4)}
    first_two = cut_operators(model, range(2), values, {})
    assert first_two is not None
    assert [first_two[0].subgraphs[0].tensors[i].name for i in first_two[0].subgraphs[0].outputs] == ["y"]
    graph = replace(model.subgraphs[0], outputs=(1, 3))  # s too
    shown = cut_operators(replace(model, subgraphs=(graph,)), range(2), values, {})
    assert shown is not None
    assert [shown[0].subgraphs[0].tensors[i].name for i in shown[0].subgraphs[0].outputs] == ["s", "y"]


def test_a_constant_that_is_computed_has_the_shape_that_it_gets() -> None:
    """Converters leave the shapes of what they dequantize open."""
    model = read_model(models.two_adds())
    graph = model.subgraphs[0]
    open_shape = replace(graph, tensors=(graph.tensors[0], replace(graph.tensors[1], shape=()), *graph.tensors[2:]))
    values = {i: np.full((1, 4), i, np.int8) for i in range(3)}
    cut = cut_operator(replace(model, subgraphs=(open_shape,)), 0, values, {1: values[1]})
    assert cut is not None
    found, _ = run_int8rt(read_model(write_model(cut[0])), [values[0]], backend="numpy", keep=True)
    assert cut[0].subgraphs[0].tensors[1].shape == (1, 4)
    assert found[2].shape == (1, 4)
