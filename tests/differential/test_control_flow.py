"""IF, WHILE, STABLEHLO_CASE, STABLEHLO_COMPOSITE beside LiteRT, whatever subgraphs do with shapes and inputs."""

from __future__ import annotations

import numpy as np
import pytest

from int8rt.errors import EvaluationError, Int8rtError, UnsupportedError
from int8rt.interpreter import Interpreter
from int8rt.kernels.jit.isa.levels import available_levels
from int8rt.memory import MemoryLimits
from int8rt.model import Model, TensorType
from int8rt.schema import ModelBuilder, write_model
from int8rt.schema import options as o
from tests.differential import control_flow as models
from tests.differential.harness import assert_equal, assert_same_bits, oracle, run_int8rt

pytestmark = pytest.mark.litert

A, B = np.array([1, 2], np.int32), np.array([10, 20], np.int32)

BODIES = [models.add_and_keep, models.subtract_and_swap, models.join, models.constants, models.reshape]


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("then", BODIES)
@pytest.mark.parametrize("otherwise", BODIES)
def test_if(then: models.Body, otherwise: models.Body, taken: bool) -> None:
    assert_same_bits(models.if_model(then, otherwise), [np.array(taken), A, B])


def test_if_of_a_condition_with_a_dimension_and_of_inputs_that_were_resized() -> None:
    model = models.if_model(models.add_and_keep, models.subtract_and_swap)
    assert_same_bits(model, [np.array([True]), np.arange(5, dtype=np.int32), np.arange(5, dtype=np.int32)])


@pytest.mark.parametrize("profile", ["tflite-ref", "tflite-opt"])
@pytest.mark.parametrize("number", [-1, 0, 1, 2, 3])
@pytest.mark.parametrize(
    ("branches", "indices"),
    [
        (BODIES[:2], ()),
        (BODIES[:4], ()),
        ([models.swap, models.add_and_pass, BODIES[4]], ()),
        (BODIES[:2], (2, 1, 2)),
        ([BODIES[0], models.swap], (1, 1, 2)),
        (BODIES[:1], ()),
        (BODIES[:1], (1, 1)),
    ],
)
def test_case(branches: list[models.Body], indices: tuple[int, ...], number: int, profile: str) -> None:
    """Only the optimized resolver has it."""
    model, inputs = models.case_model(branches, indices), [np.array(number, np.int32), A, B]
    expected = oracle().run(write_model(model), inputs, resolver="opt").outputs
    for level in (None, available_levels()[0]):
        found = run_int8rt(model, inputs, profile, level if profile == "tflite-ref" else None)
        for index, value in zip(model.subgraphs[0].outputs, expected, strict=True):
            assert_equal(found[index], value, f"output {index}")


@pytest.mark.parametrize(
    ("branches", "indices", "message"),
    [
        (BODIES[:2], (2,), r"branches \[2\], expected all of the 3 subgraphs but the first"),
        (BODIES[:3], (1, 1, 2, 3), r"branches \[1, 1, 2, 3\] with outputs of several shapes"),
        ([models.add_and_keep, models.twice], (), "computes twice"),
        (BODIES[:1], (1,) * 21, "has 21 branches, expected 1 to 20"),
    ],
)
def test_refused_cases(branches: list[models.Body], indices: tuple[int, ...], message: str) -> None:
    with pytest.raises(Int8rtError, match=message):
        run_int8rt(models.case_model(branches, indices), [np.array(0, np.int32), A, B])


@pytest.mark.parametrize("body", BODIES)
def test_composite(body: models.Body) -> None:
    assert_same_bits(models.composite_model(body), [A, B])


@pytest.mark.parametrize("rounds", [0, 1, 2, 5])
@pytest.mark.parametrize("body", [*BODIES[:4], models.add_and_pass, models.swap])
def test_while(body: models.Body, rounds: int) -> None:
    assert_same_bits(models.while_model(rounds, body), [A, B])


@pytest.mark.parametrize("rounds", [0, 1, 3])
@pytest.mark.parametrize("to", [(), (1,)])
def test_a_loop_in_which_a_scalar_becomes_a_vector_of_one_or_the_reverse(to: tuple[int, ...], rounds: int) -> None:
    def body(builder: ModelBuilder) -> None:
        builder.constant("shape", np.array(to, np.int32)).output("other", TensorType.INT32, to).output("b")
        builder.operator("RESHAPE", ["a", "shape"], ["other"], o.ReshapeOptions(to))

    value = np.full((1,) if to == () else (), 7, np.int32)
    assert_same_bits(models.while_model(rounds, body, (value.shape, (2,))), [value, B])


def test_a_loop_in_a_branch_in_a_loop() -> None:
    builder = ModelBuilder().input("i", TensorType.INT32, ()).input("a", TensorType.INT32, (3,))
    builder.output("last", TensorType.INT32).output("x", TensorType.INT32, (3,))
    builder.operator("WHILE", ["i", "a"], ["last", "x"], o.WhileOptions(1, 2))
    _condition(builder.subgraph("outer condition"), 4)
    _counter(builder.subgraph("outer body"))
    builder.constant("two", np.array(2, np.int32)).tensor("late", TensorType.BOOL, ())
    builder.operator("GREATER", ["i", "two"], ["late"]).output("y", TensorType.INT32, (3,))
    builder.operator("IF", ["late", "i", "a"], ["y"], o.IfOptions(3, 4))
    builder.subgraph("then").input("i", TensorType.INT32, ()).input("a", TensorType.INT32, (3,)).output("a")
    builder.subgraph("else").input("i", TensorType.INT32, ()).input("a", TensorType.INT32, (3,))
    builder.tensor("last", TensorType.INT32, ()).output("x", TensorType.INT32, (3,))
    builder.operator("WHILE", ["i", "a"], ["last", "x"], o.WhileOptions(5, 6))
    _condition(builder.subgraph("inner condition"), 3)
    _counter(builder.subgraph("inner body"))
    builder.output("y", TensorType.INT32, (3,)).operator("ADD", ["a", "i"], ["y"], o.AddOptions())
    assert_same_bits(builder.build(), [np.array(0, np.int32), np.array([5, 6, 7], np.int32)])


def _condition(builder: ModelBuilder, rounds: int) -> None:
    builder.input("i", TensorType.INT32, ()).input("a", TensorType.INT32, (3,)).output("more", TensorType.BOOL)
    builder.constant("rounds", np.array(rounds, np.int32)).operator("LESS", ["i", "rounds"], ["more"])


def _counter(builder: ModelBuilder) -> None:
    builder.input("i", TensorType.INT32, ()).input("a", TensorType.INT32, (3,)).output("next", TensorType.INT32)
    builder.constant("one", np.array(1, np.int32)).operator("ADD", ["i", "one"], ["next"], o.AddOptions())


def append_below(builder: ModelBuilder) -> None:
    """(b, a and b one behind the other)."""
    builder.output("b").output("both", TensorType.INT32, (4,))
    builder.operator("CONCATENATION", ["a", "b"], ["both"], o.ConcatenationOptions(0))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (models.if_model(models.twice, models.add_and_keep), "gives a tensor that it computes twice"),
        (models.composite_model(models.twice), "gives a tensor that it computes twice"),
        (models.while_model(1, append_below), "shapes change"),
    ],
)
def test_what_litert_takes_from_memory_that_it_never_wrote_is_refused(model: Model, message: str) -> None:
    with pytest.raises(UnsupportedError, match=message):
        Interpreter(model_content=model, backend="numpy").allocate_tensors()


@pytest.mark.parametrize("backend", ["numpy", "jit"])
def test_a_loop_without_end_stops_at_the_limit(backend: str) -> None:
    model = models.while_model(1 << 30, models.add_and_pass)
    interpreter = Interpreter(model_content=model, backend=backend, limits=MemoryLimits(called=3000))
    interpreter.allocate_tensors()
    with pytest.raises(EvaluationError, match="more than the 3000 operators"):
        interpreter.invoke()
    with pytest.raises(EvaluationError, match="more than the 3000 operators"):
        interpreter.invoke()


def test_a_loop_that_only_grows_stops_at_the_memory_limit() -> None:
    def double(builder: ModelBuilder) -> None:
        builder.output("both", TensorType.INT32, (4,)).operator(
            "CONCATENATION", ["a", "a"], ["both"], o.ConcatenationOptions(0)
        ).output("b")

    limits = MemoryLimits(tensor=1 << 20, running=1 << 20)
    interpreter = Interpreter(model_content=models.while_model(1 << 30, double), backend="numpy", limits=limits)
    interpreter.allocate_tensors()
    with pytest.raises(ValueError, match=r"the limit is 1048576|but the file declares"):
        interpreter.invoke()


def test_unsupported_operators_of_called_subgraphs_are_named() -> None:
    def unknown(builder: ModelBuilder) -> None:
        builder.output("x", TensorType.INT32, (2,)).output("b")
        builder.operator("CUSTOM", ["a"], ["x"], custom_code="Mystery")

    with pytest.raises(UnsupportedError, match=r"subgraph 2 'else': .*CUSTOM:Mystery"):
        Interpreter(model_content=models.if_model(models.swap, unknown), backend="numpy").allocate_tensors()
