"""Mode dynamic: tables and matrices that meet no bias."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from int8rt.interpreter import Interpreter
from int8rt.lint import Severity, lint_model
from int8rt.model import Model, Quantization, TensorType
from int8rt.ptq import Recipe, RecipeRule, quantize
from int8rt.ptq.recipe import Granularity
from int8rt.schema import load_model
from int8rt.schema import options as o
from int8rt.schema.builder import ModelBuilder
from tests.differential.harness import assert_same_bits
from tests.ptq.networks import FLOAT

TABLES = Path(__file__).parent.parent / "models" / "tables_float32.tflite"
IDS = np.array([3, 0, 63, 3, 17, 40], np.int32)
DYNAMIC = Recipe("dynamic", smallest=1)


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(shape).normal(0, 1, shape).astype(np.float32)


def product(
    left: tuple[int, ...], right: tuple[int, ...], *, signature: tuple[int, ...] | None = None, swapped: bool = False
) -> Model:
    """BATCH_MATMUL of activations with constant matrices, or the other way round."""
    shape = (*np.broadcast_shapes(left[:-2], right[:-2]), left[-2], right[-1])
    if swapped:
        builder = ModelBuilder().constant("m", random(*left)).input("x", FLOAT, right)
    else:
        builder = ModelBuilder().input("x", FLOAT, left, shape_signature=signature).constant("m", random(*right))
    names = ["m", "x"] if swapped else ["x", "m"]
    return builder.output("y", FLOAT, shape).operator("BATCH_MATMUL", names, ["y"], o.BatchMatMulOptions()).build()


def gathers(indices: TensorType = TensorType.INT32) -> Model:
    """Two GATHER of a table, and one of what the first has read."""
    builder = ModelBuilder().input("i", indices, (4,)).constant("table", random(5, 6))
    version = 6 if indices is TensorType.INT16 else 1
    for name, table in (("a", "table"), ("b", "table"), ("c", "a")):
        builder.output(name, FLOAT, (4, 6))
        builder.operator("GATHER", [table, "i"], [name], o.GatherOptions(), version=version)
    return builder.build()


def run(model: Model, value: np.ndarray) -> np.ndarray:
    interpreter = Interpreter(model_content=model, backend="numpy")
    interpreter.allocate_tensors()
    interpreter.set_tensor(model.subgraphs[0].inputs[0], value)
    interpreter.invoke()
    return interpreter.get_tensor(model.subgraphs[0].outputs[0])


def matrix(model: Model) -> TensorType:
    graph = model.subgraphs[0]
    return graph.tensors[graph.operators[0].inputs[1]].type


def scales(model: Model, name: str) -> tuple[int, int]:
    """Of the int8 input of the first operator of that name; and the operator's version."""
    graph = model.subgraphs[0]
    operator = next(operator for operator in graph.operators if operator.name == name)
    (found,) = (graph.tensors[t] for t in operator.inputs if graph.tensors[t].type is TensorType.INT8)
    assert isinstance(found.quantization, Quantization)
    return found.quantization.scale.size, operator.version


@pytest.mark.litert
@pytest.mark.parametrize("granularity", ["channel", "tensor"])
def test_tables(granularity: Granularity) -> None:
    source = load_model(TABLES)
    model = quantize(source, Recipe("dynamic", granularity=granularity)).model
    # Versions as the converter writes them, also with one scale a tensor.
    assert scales(model, "GATHER") == (1, 2)
    assert scales(model, "EMBEDDING_LOOKUP") == ((64, 4) if granularity == "channel" else (1, 1))
    assert scales(model, "BATCH_MATMUL") == (1, 4)
    assert_same_bits(model, [IDS])
    assert [f.message for f in lint_model(model) if f.severity is Severity.ERROR] == []


def test_what_stays_float() -> None:
    """Less than `smallest`, what a recipe leaves, and constants on the other side."""
    source = load_model(TABLES)
    larger = quantize(source, Recipe("dynamic", smallest=1025)).model
    assert {t.type for t in larger.subgraphs[0].tensors} == {TensorType.FLOAT32, TensorType.INT32}
    ruled = Recipe("dynamic", rules=(RecipeRule("GATHER", mode="float"),))
    names = [operator.name for operator in quantize(source, ruled).model.subgraphs[0].operators]
    assert names == ["GATHER", "EMBEDDING_LOOKUP", "ADD", "RESHAPE", "BATCH_MATMUL"]
    swapped = quantize(product((2, 3, 4), (2, 4, 5), swapped=True), DYNAMIC).model
    assert {t.type for t in swapped.subgraphs[0].tensors} == {TensorType.FLOAT32}


@pytest.mark.litert
@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((3, 4), (2, 4, 5)),
        ((2, 3, 4), (4, 5)),
        ((2, 3, 4), (2, 4, 5)),
        ((1, 3, 4), (2, 4, 5)),
        ((3, 1, 3, 4), (2, 4, 5)),
        ((3, 1, 3, 4), (3, 1, 4, 5)),
        ((2, 1, 1, 3, 4), (1, 2, 1, 4, 5)),
    ],
)
def test_products(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    """The bits of LiteRT, near those of the float model."""
    source = product(left, right)
    model = quantize(source, DYNAMIC).model
    assert matrix(model) is TensorType.INT8
    assert_same_bits(model, [random(*left)])
    found, expected = (run(m, random(*left)) for m in (model, source))
    assert np.max(np.abs(found - expected)) < 0.03 * np.max(np.abs(expected))


@pytest.mark.parametrize(
    ("left", "right", "signature"),
    [
        ((2, 3, 3, 4), (4, 5), None),
        ((1, 3, 3, 4), (4, 5), (-1, 3, 3, 4)),
        ((3, 4), (2, 2, 4, 5), None),
        ((3, 4), (2, 1, 1, 4, 5), None),
    ],
)
def test_products_that_stay_float(
    left: tuple[int, ...], right: tuple[int, ...], signature: tuple[int, ...] | None
) -> None:
    """LiteRT's kernel would take scales of other rows, or sums of weights that it has not made."""
    assert matrix(quantize(product(left, right, signature=signature), DYNAMIC).model) is TensorType.FLOAT32


@pytest.mark.litert
@pytest.mark.parametrize("indices", [TensorType.INT16, TensorType.INT32, TensorType.INT64])
def test_gathers_of_one_table(indices: TensorType) -> None:
    """It is stored once, and the names of the outputs stay."""
    model = quantize(gathers(indices), DYNAMIC).model
    graph = model.subgraphs[0]
    names = [operator.name for operator in graph.operators]
    assert names == ["GATHER", "DEQUANTIZE", "GATHER", "DEQUANTIZE", "GATHER"]
    assert graph.operators[0].inputs == graph.operators[2].inputs
    assert [graph.tensors[t].name for t in graph.outputs] == ["a", "b", "c"]
    assert_same_bits(model, [np.array([4, 0, 2, 2], indices.dtype)])


@pytest.mark.parametrize("damage", [{"inputs": ()}, {"inputs": (-1, -1)}, {"outputs": ()}])
@pytest.mark.parametrize("name", ["GATHER", "EMBEDDING_LOOKUP", "BATCH_MATMUL"])
def test_damaged_operators_stay_as_they_are(name: str, damage: dict[str, tuple[int, ...]]) -> None:
    model = load_model(TABLES)
    graph = model.subgraphs[0]
    damaged = tuple(dataclasses.replace(op, **damage) if op.name == name else op for op in graph.operators)
    source = dataclasses.replace(model, subgraphs=(dataclasses.replace(graph, operators=damaged),))
    found = next(op for op in quantize(source, Recipe("dynamic")).model.subgraphs[0].operators if op.name == name)
    assert found.version == 1
