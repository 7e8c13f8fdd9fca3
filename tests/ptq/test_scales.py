"""Scales of small graphs, as TensorFlow 2.21's converter (`mlir_quantize`) chose them for these very models."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from int8rt.model import Model, Quantization, TensorType
from int8rt.ptq import Recipe, quantize
from int8rt.quantization.from_ranges import constant_parameters, quantize_constant
from int8rt.schema import options as o
from int8rt.schema.builder import ModelBuilder

FLOAT, SHAPE, HALF = TensorType.FLOAT32, (1, 2, 2, 4), (1, 2, 2, 2)


def ranged(model: Model, ranges: dict[str, tuple[float, float]]) -> Model:
    """The model with these ranges, by the names of tensors."""
    graph = model.subgraphs[0]
    nothing = np.zeros(0, np.float32), np.zeros(0, np.int64)
    tensors = [
        dataclasses.replace(
            tensor,
            quantization=Quantization(
                *nothing, min=np.float32([ranges[tensor.name][0]]), max=np.float32([ranges[tensor.name][1]])
            ),
        )
        if tensor.name in ranges
        else tensor
        for tensor in graph.tensors
    ]
    return dataclasses.replace(model, subgraphs=(dataclasses.replace(graph, tensors=tuple(tensors)),))


def parameters(model: Model) -> dict[str, tuple[float, int]]:
    """Scale and zero point of each activation that has them, by its name."""
    graph = model.subgraphs[0]
    return {
        tensor.name: (float(tensor.quantization.scale[0]), int(tensor.quantization.zero_point[0]))
        for tensor in graph.tensors
        if tensor.quantization is not None and tensor.quantization.scale.size == 1
    }


def branches() -> Model:
    """x is limited twice, and its halves change places: two chains of operators with one scale meet in x."""
    return ranged(
        ModelBuilder()
        .input("x", FLOAT, SHAPE)
        .constant("most", np.float32(0.5))
        .constant("axis", np.int32(3))
        .tensor("low", FLOAT, SHAPE)
        .output("clipped", FLOAT, SHAPE)
        .tensor("a", FLOAT, HALF)
        .tensor("b", FLOAT, HALF)
        .output("swapped", FLOAT, SHAPE)
        .operator("MINIMUM", ["x", "most"], ["low"])
        .operator("MAXIMUM", ["low", "most"], ["clipped"])
        .operator("SPLIT", ["axis", "x"], ["a", "b"], o.SplitOptions(num_splits=2))
        .operator("CONCATENATION", ["b", "a"], ["swapped"], o.ConcatenationOptions(axis=3))
        .build(),
        {"x": (-3, 0), "low": (0, 2), "clipped": (-2, 4), "a": (-2, 0), "b": (-3, 0), "swapped": (0, 5)},
    )


def test_where_two_chains_meet() -> None:
    found = quantize(branches(), Recipe(inputs="int8", outputs="int8")).model
    kinds = [operator.name for operator in found.subgraphs[0].operators]
    assert kinds == ["QUANTIZE", "MINIMUM", "MAXIMUM", "SPLIT", "CONCATENATION"]
    first, second = (float(np.float32(5 / 255)), -128), (float(np.float32(6 / 255)), -43)
    chains = {"x": first, "a": first, "b": first, "swapped": first, "low": second, "clipped": second, "most": second}
    assert parameters(found) == chains | {"x_requantized": second}


def test_operators_that_the_converter_forgets() -> None:
    """TRANSPOSE is asked before x has its scale, and not again: the converter leaves it float, and z with it."""
    model = ranged(
        ModelBuilder()
        .input("x", FLOAT, (1, 2, 2, 1))
        .input("y", FLOAT, (1, 2, 2, 1))
        .constant("turned", np.int32([0, 2, 1, 3]))
        .output("both", FLOAT, (1, 2, 2, 2))
        .output("z", FLOAT, (1, 2, 2, 1))
        .operator("CONCATENATION", ["x", "y"], ["both"], o.ConcatenationOptions(axis=3))
        .operator("TRANSPOSE", ["x", "turned"], ["z"])
        .build(),
        {"x": (-1, 1), "y": (-3, 2), "both": (-3, 2), "z": (-1, 1)},
    )
    found = quantize(model, Recipe(inputs="int8", outputs="int8", integer_only=True)).model
    expected = (float(np.float32(5 / 255)), 25)
    assert parameters(found) == dict.fromkeys(("x", "y", "both", "z"), expected)


def test_narrow_ranges() -> None:
    """Activations become 2e-6 wide, constants 1e-6."""
    model = ranged(
        ModelBuilder()
        .input("x", FLOAT, SHAPE)
        .constant("zero", np.zeros(4, np.float32))
        .output("y", FLOAT, SHAPE)
        .operator("MUL", ["x", "zero"], ["y"], o.MulOptions())
        .build(),
        {"x": (-1, 1), "y": (0, 1.1754944e-38)},
    )
    found = parameters(quantize(model).model)
    assert found["zero"] == (3.921568403342235e-09, 0)
    assert found["y_int8"] == (7.84313680668447e-09, 0)


@pytest.mark.parametrize("operator", ["SELECT", "SELECT_V2"])
def test_selections(operator: str) -> None:
    model = ranged(
        ModelBuilder()
        .input("x", FLOAT, SHAPE)
        .input("y", FLOAT, SHAPE)
        .tensor("more", TensorType.BOOL, SHAPE)
        .output("z", FLOAT, SHAPE)
        .operator("GREATER", ["x", "y"], ["more"])
        .operator(operator, ["more", "x", "y"], ["z"])
        .build(),
        {"x": (-1, 1), "y": (-3, 2), "z": (-3, 2)},
    )
    found = quantize(model, Recipe(inputs="int8", outputs="int8", integer_only=True)).model
    assert [(kind.name, kind.version) for kind in found.subgraphs[0].operators] == [("GREATER", 2), (operator, 1)]
    assert parameters(found) == dict.fromkeys(("x", "y", "z"), (float(np.float32(5 / 255)), 25))


def test_constants_of_16_bits() -> None:
    """Recorded from TensorFlow's 16x8 file of DenseNet121, where dividing gives 23035."""
    values = np.float32([1.2144955396652222, 1.7275673151016235])
    parameters = constant_parameters(values, TensorType.INT16)
    assert float(parameters.scale[0]) == 5.272277849144302e-05
    np.testing.assert_array_equal(quantize_constant(values, parameters, TensorType.INT16), [23036, 32767])
