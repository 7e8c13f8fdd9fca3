from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from int8rt.errors import ModelError, UnsupportedError
from int8rt.model import ActivationFunctionType, Shape, TensorType
from int8rt.schema.builder import TensorSpec
from int8rt.schema.options import BidirectionalSequenceRNNOptions, RNNOptions, SVDFOptions
from int8rt.verify.inputs import make_inputs
from tests.differential.harness import run_int8rt
from tests.hostile.operators import MODELS
from tests.kernels.single import q, run_operator, variable

FLOAT32, INT16, INT8 = TensorType.FLOAT32, TensorType.INT16, TensorType.INT8
RELU = ActivationFunctionType.RELU
OUTPUT = TensorSpec(FLOAT32, ())


def constant(values: list[list[float]] | list[float]) -> TensorSpec:
    return TensorSpec.constant(np.array(values, np.float32))


def state(*shape: int) -> TensorSpec:
    return TensorSpec(FLOAT32, shape, is_variable=True)


def integer_svdf(
    codes: list[int], zero_point: int = 0, state_shape: Shape = (1, 4), activation: ActivationFunctionType = RELU
) -> list[list[int]]:
    """Two filters with a memory of two steps, which begins with zeros, in one unit."""
    feature = TensorSpec.constant(np.array([[1, 2], [3, -1]], np.int8), q(0.5))
    time = TensorSpec.constant(np.array([[99, 10], [99, 1]], np.int16), q(0.5))
    memory = TensorSpec(INT16, state_shape, q(0.25), is_variable=True)
    bias, output = TensorSpec.constant(np.array([3], np.int32)), TensorSpec(INT8, (), q(0.125, -100))
    inputs = [variable(np.array([codes], np.int8), q(0.5, zero_point)), feature, time, bias, memory]
    return run_operator("SVDF", inputs, [output], SVDFOptions(2, activation)).tolist()


def test_svdf_in_integers() -> None:
    # Both multipliers are 1. The newest elements are 4 + 2 · 5 and 3 · 4 - 5; 14 · 10 + 7 · 1 + 3 = 150.
    assert integer_svdf([4, 5]) == [[50]]
    assert integer_svdf([6, 7], zero_point=2) == [[50]]
    assert integer_svdf([127, 127]) == [[127]]


def test_svdf_refusals() -> None:
    with pytest.raises(ModelError, match=r"SVDF.*takes RELU only, found NONE"):
        integer_svdf([1, 2], activation=ActivationFunctionType.NONE)
    with pytest.raises(ModelError, match=r"SVDF.*state 'input4' has shape \[1, 2\], expected \[1, 4\]"):
        integer_svdf([1, 2], state_shape=(1, 2))
    codes = np.ones((2, 2), np.int8)
    inputs = [
        variable(np.ones((1, 2), np.float32)),
        variable(codes, q(0.5)),
        TensorSpec.constant(codes, q(0.5)),
        None,
        state(1, 4),
    ]
    with pytest.raises(UnsupportedError, match="integer weights that are not constant"):
        run_operator("SVDF", inputs, [OUTPUT], SVDFOptions(2, RELU))


def test_svdf_in_float32() -> None:
    feature, time = constant([[1, 2], [3, -1]]), constant([[99, 10], [99, 1]])
    inputs = [variable(np.array([[4, 5]], np.float32)), feature, time, constant([3]), state(1, 4)]
    assert run_operator("SVDF", inputs, [OUTPUT], SVDFOptions(2)).tolist() == [[150]]


def test_rnn() -> None:
    inputs = [
        variable(np.array([[4, 5]], np.float32)),
        constant([[1, 2]]),
        constant([[7]]),
        constant([-1]),
        state(1, 1),
    ]
    assert run_operator("RNN", inputs, [OUTPUT], RNNOptions(RELU)).tolist() == [[13]]
    with pytest.raises(ModelError, match=r"RNN.*tensor 'input2' has shape \[1, 2\], expected \[1, 1\]"):
        run_operator("RNN", [*inputs[:2], constant([[1, 2]]), *inputs[3:]], [OUTPUT], RNNOptions(RELU))


def both_directions(time_major: bool, aux: TensorSpec | None = None, merge_outputs: bool = True) -> list[float]:
    cell = [constant([[1]]), constant([[10]]), constant([0]), state(1, 1)]
    shape = (2, 1, 1) if time_major else (1, 2, 1)
    inputs = [variable(np.array([1, 2], np.float32).reshape(shape)), *cell, *cell, aux, None, None]
    options = BidirectionalSequenceRNNOptions(time_major, merge_outputs=merge_outputs)
    return np.ravel(run_operator("BIDIRECTIONAL_SEQUENCE_RNN", inputs, [OUTPUT], options)).tolist()


def test_bidirectional_sequence_rnn() -> None:
    assert both_directions(False) == both_directions(True) == [1, 21, 12, 2]
    second = [3, 4]
    # The backward cell's own input counts in time-major sequences only.
    assert both_directions(True, TensorSpec.constant(np.float32(second).reshape(2, 1, 1))) == [1, 43, 12, 4]
    assert both_directions(False, TensorSpec.constant(np.float32(second).reshape(1, 2, 1))) == [1, 21, 12, 2]
    with pytest.raises(ModelError, match="has 1 outputs, expected 2"):
        both_directions(False, merge_outputs=False)


@pytest.mark.parametrize(
    ("name", "count", "message"),
    [
        ("LSTM.0", 6, "6 intermediate tensors, expected 5"),
        ("LSTM.0", 12, "12 intermediate tensors needs layer normalization and a projection with bias"),
        ("LSTM.2", 11, "11 intermediate tensors, expected 5"),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM.0", 12, "12 intermediate tensors, expected 5"),
    ],
)
def test_intermediate_tensors_of_an_integer_lstm(name: str, count: int, message: str) -> None:
    model = MODELS[name]
    (graph,) = model.subgraphs
    (operator,) = graph.operators
    changed = replace(operator, intermediates=operator.intermediates[:1] * count)
    with pytest.raises(ModelError, match=message):
        run_int8rt(replace(model, subgraphs=(replace(graph, operators=(changed,)),)), make_inputs(model, "random"))
