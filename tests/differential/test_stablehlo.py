"""StableHLO operators, DILATE and REDUCE_WINDOW."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import Model
from int8rt.schema import options as o
from int8rt.schema.builder import ModelBuilder, TensorSpec, single_operator_model
from int8rt.schema.enums import ReduceWindowFunction
from tests.differential.cases import Case, case, check_cases, examples, generators, random_data, shapes, types

pytestmark = pytest.mark.litert

NUMBERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64")
REDUCED = ("bool", "int8", "int16", "int32", "int64", "uint8", "float32", "float64")
ELEMENTWISE = ("STABLEHLO_ADD", "STABLEHLO_MULTIPLY", "STABLEHLO_MAXIMUM", "STABLEHLO_MINIMUM")


def with_body(
    name: str, inputs: list[TensorSpec], output: TensorSpec, options: Any, body: str | None, rank: int
) -> Model:
    """A model of one operator whose body joins two scalars by one operator, or by none."""
    builder = ModelBuilder()
    for i, spec in enumerate(inputs):
        builder.add(f"input{i}", spec) if spec.is_constant else builder.input(f"input{i}", spec.type, spec.shape)
    builder.output("output0", output.type, (1,) * rank)
    builder.operator(name, [f"input{i}" for i in range(len(inputs))], ["output0"], options)
    builder.subgraph("body").input("a", output.type, ()).input("b", output.type, ())
    if body is None:
        return builder.output("b").build()
    return builder.output("c", output.type, ()).operator(body, ["a", "b"], ["c"]).build()


@st.composite
def pairs(draw: st.DrawFn, name: str) -> Case:
    shape = draw(shapes((0, 4), 5))
    type = draw(types(*NUMBERS, "bool"))
    other = shape if draw(st.integers(0, 9)) else (*shape, 1)
    return case(draw(generators), name, [TensorSpec(type, shape), TensorSpec(type, other)], [TensorSpec(type, ())])


@examples
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise(name: str, examples: int) -> None:
    check_cases(pairs(name), examples)


@st.composite
def paddings(draw: st.DrawFn) -> Case:
    shape, type = draw(shapes((1, 4), 5)), draw(types(*NUMBERS, "bool", "complex64"))
    edges = [[draw(st.integers(-3, 4)) for _ in shape] for _ in range(2)]
    options = o.StablehloPadOptions(*map(tuple, edges), tuple(draw(st.sampled_from([0, 0, 1, 2, 5])) for _ in shape))
    inputs = [TensorSpec(type, shape), TensorSpec(type, ())]
    return case(draw(generators), "STABLEHLO_PAD", inputs, [TensorSpec(type, ())], options)


@st.composite
def dilations(draw: st.DrawFn) -> Case:
    shape, type = draw(shapes((1, 5), 5)), draw(types(*NUMBERS, "bool", "complex64"))
    factors = np.array([draw(st.sampled_from([1, 1, 2, 3, 7])) for _ in shape], np.int32)
    inputs = [TensorSpec(type, shape), TensorSpec.constant(factors), TensorSpec(type, ())]
    at_run_time = draw(st.booleans())
    return case(draw(generators), "DILATE", inputs, [TensorSpec(type, ())], at_run_time=at_run_time)


@examples
def test_dilate(examples: int) -> None:
    check_cases(dilations(), examples)


@examples
def test_pad(examples: int) -> None:
    check_cases(paddings(), examples)


def permuted(rng: np.random.Generator, count: int, chosen: int) -> tuple[int, ...]:
    return tuple(int(n) for n in rng.permutation(count)[:chosen])


@st.composite
def gathers(draw: st.DrawFn) -> Case:
    rng, operand = draw(generators), draw(shapes((1, 4), 5))
    type, index_type = draw(types(*NUMBERS, "bool")), draw(types("int32", "int64"))
    rank = len(operand)
    sizes = [int(rng.integers(1, size + 1)) for size in operand]
    collapsed = sorted(d for d in range(rank) if rng.random() < 0.4)
    for d in collapsed:
        sizes[d] = 1
    mapped = permuted(rng, rank, int(rng.integers(1, rank + 1)))
    batch = draw(shapes((0, 2), 4))
    at = int(rng.integers(0, len(batch) + 1))
    indices = rng.integers(-3, 7, (*batch[:at], len(mapped), *batch[at:])).astype(index_type.dtype)
    result = len(batch) + rank - len(collapsed)
    offsets = tuple(sorted(permuted(rng, result, rank - len(collapsed))))
    options = o.StablehloGatherOptions(offsets, tuple(collapsed), mapped, at, tuple(sizes))
    inputs = [TensorSpec(type, operand), TensorSpec(index_type, indices.shape)]
    model = single_operator_model("STABLEHLO_GATHER", inputs, [TensorSpec(type, (1,) * result)], options)
    return Case(model, [random_data(rng, inputs[0]), indices])


@examples
def test_gather(examples: int) -> None:
    check_cases(gathers(), examples)


@st.composite
def scatters(draw: st.DrawFn) -> Case:
    rng, input = draw(generators), draw(shapes((1, 4), 5))
    type, index_type = draw(types(*NUMBERS, "bool")), draw(types("int32", "int64"))
    rank = len(input)
    inserted = sorted(d for d in range(rank) if rng.random() < 0.4)
    window = [int(rng.integers(1, size + 1)) for d, size in enumerate(input) if d not in inserted]
    mapped = permuted(rng, rank, int(rng.integers(1, rank + 1)))
    batch = draw(shapes((0, 2), 5))
    at = int(rng.integers(0, len(batch) + 1))
    indices = rng.integers(-1, 5, (*batch[:at], len(mapped), *batch[at:])).astype(index_type.dtype)
    dims = tuple(sorted(permuted(rng, len(batch) + len(window), len(window))))
    sizes, places = iter(batch), iter(window)
    updates = tuple(next(places) if d in dims else next(sizes) for d in range(len(batch) + len(window)))
    options = o.StablehloScatterOptions(False, dims, tuple(inserted), mapped, at, False, 1)
    inputs = [TensorSpec(type, input), TensorSpec(index_type, indices.shape), TensorSpec(type, updates)]
    body = draw(st.sampled_from([None, *ELEMENTWISE, "MUL"]))
    model = with_body("STABLEHLO_SCATTER", inputs, TensorSpec(type, ()), options, body, rank)
    return Case(model, [random_data(rng, inputs[0]), indices, random_data(rng, inputs[2])])


@examples
def test_scatter(examples: int) -> None:
    check_cases(scatters(), examples)


BODIES = (*ELEMENTWISE, "ADD", "MUL", "MAXIMUM", "MINIMUM", "LOGICAL_AND", "LOGICAL_OR", "SUB")


@st.composite
def reductions(draw: st.DrawFn) -> Case:
    rng, shape, type = draw(generators), draw(shapes((1, 4), 5)), draw(types(*REDUCED))

    def drawn(*values: int) -> tuple[int, ...]:
        return tuple(int(rng.choice(values)) for _ in shape)

    padding = tuple(int(rng.choice([-1, 0, 0, 1, 3])) for _ in range(2 * len(shape)))
    base = drawn(1, 1, 2, 3)
    options = o.StablehloReduceWindowOptions(drawn(1, 2, 3), drawn(1, 2, 3), base, drawn(1, 1, 2), padding, 1)
    if draw(st.booleans()):
        options = o.StablehloReduceWindowOptions(options.window_dimensions, (), (), (), (), 1)
    inputs = [TensorSpec(type, shape), TensorSpec(type, ())]
    body = draw(st.sampled_from(BODIES))
    model = with_body("STABLEHLO_REDUCE_WINDOW", inputs, TensorSpec(type, ()), options, body, len(shape))
    return Case(model, [random_data(rng, spec) for spec in inputs])


@examples
def test_stablehlo_reduce_window(examples: int) -> None:
    check_cases(reductions(), examples)


@st.composite
def plain_reductions(draw: st.DrawFn) -> Case:
    rng, shape, type = draw(generators), draw(shapes((1, 4), 5)), draw(types(*REDUCED))
    windows = [TensorSpec.constant(rng.integers(1, most, len(shape))) for most in (4, 4, 3)]
    inputs = [TensorSpec(type, shape), TensorSpec(type, ()), *windows]
    options = o.ReduceWindowOptions(draw(st.sampled_from(ReduceWindowFunction)))
    return case(rng, "REDUCE_WINDOW", inputs, [TensorSpec(type, ())], options)


@examples
def test_reduce_window(examples: int) -> None:
    check_cases(plain_reductions(), examples)
