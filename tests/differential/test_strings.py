"""Strings beside LiteRT: compared, passed through models, and through subgraphs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from int8rt.errors import UnsupportedError
from int8rt.interpreter import Interpreter
from int8rt.model import Model, Shape, TensorType
from int8rt.schema import ModelBuilder, TensorSpec, single_operator_model
from int8rt.schema import options as o
from tests.differential.harness import assert_same_bits

pytestmark = pytest.mark.litert

STRING, INT32, BOOL = TensorType.STRING, TensorType.INT32, TensorType.BOOL
WORDS = np.array([b"ab", b"c\x00d", b""], object)
OTHERS = np.array([b"x", b"c\x00d", "é".encode()], object)


def drawn(shape: Shape, seed: int) -> npt.NDArray[Any]:
    """Strings of which many are equal."""
    picks = np.random.default_rng(seed).integers(0, 3, np.prod(shape, dtype=int))
    return WORDS[picks].reshape(shape)


@pytest.mark.parametrize("name", ["EQUAL", "NOT_EQUAL"])
@pytest.mark.parametrize(
    "shapes",
    [
        ((4, 5), (4, 5)),
        ((2, 1, 3), (2, 1)),
        ((1,), (7,)),
        ((2, 1, 1, 1, 3), (2, 1, 1, 1, 3)),
        ((0,), (1,)),
    ],
)
def test_comparisons(name: str, shapes: tuple[Shape, Shape]) -> None:
    inputs = [TensorSpec(STRING, shape) for shape in shapes]
    model = single_operator_model(name, inputs, [TensorSpec(BOOL, np.broadcast_shapes(*shapes))], version=3)
    assert_same_bits(model, [drawn(shape, seed) for seed, shape in enumerate(shapes)])


def test_an_input_that_is_an_output() -> None:
    builder = ModelBuilder().input("words", STRING, (3,)).input("x", INT32, (2,)).output("words")
    builder.output("y", INT32, (2,)).operator("ADD", ["x", "x"], ["y"], o.AddOptions())
    assert_same_bits(builder.build(), [WORDS, np.array([1, 2], np.int32)])


def pass_on(builder: ModelBuilder) -> None:
    """What comes in."""
    builder.output("a")


def column(builder: ModelBuilder) -> None:
    """RESHAPE."""
    builder.constant("shape", np.array([3, 1], np.int32)).output("y", STRING, (3, 1))
    builder.operator("RESHAPE", ["a", "shape"], ["y"], o.ReshapeOptions((3, 1)))


def shuffle(builder: ModelBuilder) -> None:
    """GATHER."""
    builder.constant("picks", np.array([2, 0, 0], np.int32)).output("y", STRING, (3,))
    builder.operator("GATHER", ["a", "picks"], ["y"], o.GatherOptions())


BODIES = [pass_on, column, shuffle]


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("body", BODIES)
def test_branches(body: Callable[[ModelBuilder], None], taken: bool) -> None:
    builder = ModelBuilder().input("condition", BOOL, ()).input("a", STRING, (3,)).input("b", STRING, (3,))
    builder.output("y", STRING, (3,)).operator("IF", ["condition", "a", "b"], ["y"], o.IfOptions(1, 2))
    body(builder.subgraph("then").input("a", STRING, (3,)).input("b", STRING, (3,)))
    builder.subgraph("else").input("a", STRING, (3,)).input("b", STRING, (3,)).output("b")
    assert_same_bits(builder.build(), [np.array(taken), WORDS, OTHERS])


@pytest.mark.parametrize("body", BODIES)
def test_composites(body: Callable[[ModelBuilder], None]) -> None:
    builder = ModelBuilder().input("a", STRING, (3,)).output("y", STRING, (3,))
    builder.operator("STABLEHLO_COMPOSITE", ["a"], ["y"], o.StableHLOCompositeOptions("c", 1, b"\x01"))
    body(builder.subgraph("decomposition").input("a", STRING, (3,)))
    assert_same_bits(builder.build(), [WORDS])


def loop(rounds: int, body: Callable[[ModelBuilder], None]) -> Model:
    builder = ModelBuilder().constant("i", np.array(0, np.int32)).input("a", STRING, (3,))
    builder.output("last", INT32).output("y", STRING, (3,))
    builder.operator("WHILE", ["i", "a"], ["last", "y"], o.WhileOptions(1, 2))
    builder.subgraph("condition").input("i", INT32, ()).input("a", STRING, (3,))
    builder.constant("rounds", np.array(rounds, np.int32)).output("more", BOOL)
    builder.operator("LESS", ["i", "rounds"], ["more"])
    builder.subgraph("body").input("i", INT32, ()).input("a", STRING, (3,)).output("next", INT32)
    builder.constant("one", np.array(1, np.int32)).operator("ADD", ["i", "one"], ["next"], o.AddOptions())
    body(builder)
    return builder.build()


@pytest.mark.parametrize("rounds", [0, 1, 3])
def test_loops(rounds: int) -> None:
    assert_same_bits(loop(rounds, shuffle), [WORDS])


def test_a_loop_that_only_passes_strings_on_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="the body passes strings on"):
        Interpreter(model_content=loop(1, pass_on), backend="numpy").allocate_tensors()
