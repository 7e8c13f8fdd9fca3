"""Operators on float32 in profile xnnpack beside LiteRT's default interpreter, on a processor with AVX-512F."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from int8rt.interpreter import Interpreter
from int8rt.kernels.xnnpack import float_functions
from int8rt.model import Model, Padding, TensorType
from int8rt.schema import write_model
from int8rt.schema.builder import ModelBuilder, TensorSpec, single_operator_model
from int8rt.schema.options import (
    AddOptions,
    DivOptions,
    GeluOptions,
    LeakyReluOptions,
    MulOptions,
    Pool2DOptions,
    ReducerOptions,
    ResizeBilinearOptions,
    SoftmaxOptions,
    SubOptions,
)
from tests.differential.cases import Case, check_cases, generators, shapes, vector
from tests.differential.elementwise import SPECIAL, all_pairs
from tests.differential.harness import assert_equal, assert_same_bits, oracle
from tests.differential.test_xnnpack import ACTIVATIONS, declared, examples

FLOAT32 = TensorType.FLOAT32

pytestmark = pytest.mark.litert

_PAIRED = {"ADD": AddOptions, "SUB": SubOptions, "MUL": MulOptions, "DIV": DivOptions}


def numbers(rng: np.random.Generator, shape: tuple[int, ...], special: bool = True) -> npt.NDArray[np.float32]:
    """Numbers of one magnitude or of all; a few special ones among them now and then."""
    values = rng.normal(0, 1, shape) * rng.choice([0.1, 3, 50])
    if rng.random() < 0.2:
        values = np.ldexp(values, rng.integers(-135, 20, shape))
    values = np.asarray(values, np.float32)
    if special and rng.random() < 0.4:
        values = np.where(rng.random(shape) < 0.1, rng.choice(SPECIAL, shape), values)
    if rng.random() < 0.1:
        values = np.copysign(np.float32(0), values)
    return np.ascontiguousarray(values, np.float32)


@st.composite
def of_real_numbers(draw: st.DrawFn, name: str) -> Case:
    """Special numbers, subnormal ones among them, and pairs of these; one of two inputs a constant now and then."""
    rng = draw(generators)
    values = np.concatenate([SPECIAL, np.ldexp(rng.normal(0, 1, 30), rng.integers(-126, 20, 30)).astype(np.float32)])
    if name in float_functions.UNARY or name == "LEAKY_RELU":
        values = np.concatenate([values, *(rng.normal(0, scale, 400).astype(np.float32) for scale in (1, 10, 60))])
        alpha = draw(st.sampled_from([0.01, 0.3, -1.5, 0.0, 1e-40]))
        function = {"GELU": GeluOptions(draw(st.booleans())), "LEAKY_RELU": LeakyReluOptions(alpha)}.get(name)
        spec = TensorSpec(TensorType.FLOAT32, values.shape)
        return Case(single_operator_model(name, [spec], [spec], function), [values])
    data = [np.ascontiguousarray(each) for each in all_pairs(values)]
    specs = [TensorSpec(TensorType.FLOAT32, each.shape) for each in data]
    options = _PAIRED.get(name)
    activation = draw(st.sampled_from(ACTIVATIONS))
    model_options = options and options(activation)
    if options and draw(st.booleans()):
        data[1] = np.array([draw(st.sampled_from(list(SPECIAL)))], np.float32)
        inputs = [specs[0], TensorSpec.constant(data[1])]
        order = draw(st.sampled_from([1, -1]))
        return Case(single_operator_model(name, inputs[::order], specs[:1], model_options), data[:1])
    if name == "PRELU":
        inputs = [specs[0], TensorSpec.constant(data[1][:, : draw(st.sampled_from([1, data[1].shape[1]]))])]
        return Case(single_operator_model(name, inputs, specs[:1]), data[:1])
    if name in ("MAXIMUM", "MINIMUM"):
        kind, order = draw(st.integers(0, 3)), draw(st.sampled_from([1, -1]))
        if kind == 1:  # one number, a constant or not; or one for each row
            data[1] = np.array([draw(st.sampled_from(list(SPECIAL)))], np.float32)
        elif kind > 1:
            data[1] = np.ascontiguousarray(data[1][:1] if kind == 2 else data[0][:, :1])
        stored = draw(st.booleans())
        inputs = [specs[0], TensorSpec.constant(data[1]) if stored else TensorSpec(FLOAT32, data[1].shape)]
        return Case(single_operator_model(name, inputs[::order], specs[:1]), data[:1] if stored else data[::order])
    return Case(single_operator_model(name, specs, specs[:1], model_options), data)


@st.composite
def softmaxes(draw: st.DrawFn) -> Case:
    rng = draw(generators)
    shape = (*draw(shapes((0, 3), 4, 1)), draw(st.integers(1, 140) | st.sampled_from([1000, 1001, 2048])))
    spec = TensorSpec(FLOAT32, shape)
    options = SoftmaxOptions(draw(st.sampled_from([1.0, 1.0, 1.0, 0.5])))
    return Case(single_operator_model("SOFTMAX", [spec], [spec], options), [numbers(rng, shape)])


@st.composite
def reductions(draw: st.DrawFn, name: str) -> Case:
    rng = draw(generators)
    shape = list(draw(shapes((1, 5), 5, 1)))
    shape[draw(st.integers(0, len(shape) - 1))] = draw(st.integers(1, 140))
    axes = draw(st.lists(st.integers(-len(shape), len(shape) - 1), min_size=1, max_size=len(shape)))
    inputs = [TensorSpec(FLOAT32, tuple(shape)), vector(axes)]
    model = single_operator_model(name, inputs, [TensorSpec(FLOAT32, ())], ReducerOptions(draw(st.booleans())))
    return Case(model, [numbers(rng, tuple(shape), name.startswith("REDUCE"))])


@st.composite
def pools(draw: st.DrawFn, name: str) -> Case:
    rng, padding = draw(generators), draw(st.sampled_from(Padding))
    shape = (draw(st.integers(1, 2)), *(draw(st.integers(1, 9)) for _ in range(2)), draw(st.integers(1, 40)))
    window = [draw(st.integers(1, 12 if padding == Padding.SAME else size)) for size in shape[1:3]]
    strides = [draw(st.integers(1, size)) for size in window]
    activation = draw(st.sampled_from(ACTIVATIONS))
    options = Pool2DOptions(padding, strides[1], strides[0], window[1], window[0], activation)
    model = single_operator_model(name, [TensorSpec(FLOAT32, shape)], [TensorSpec(FLOAT32, ())], options)
    return Case(model, [numbers(rng, shape)])


@st.composite
def resizes(draw: st.DrawFn) -> Case:
    rng, shape = draw(generators), draw(shapes(4, 9, 1))
    sizes = [draw(st.sampled_from([n, 2 * n, (n + 1) // 2]) | st.integers(1, 24)) for n in shape[1:3]]
    options = ResizeBilinearOptions(*draw(st.sampled_from([(False, False), (True, False), (False, True)])))
    inputs, output = [TensorSpec(FLOAT32, shape), vector(sizes)], TensorSpec(FLOAT32, (1, 1, 1, 1))
    return Case(single_operator_model("RESIZE_BILINEAR", inputs, [output], options), [numbers(rng, shape)])


STRATEGIES: dict[str, Callable[[], st.SearchStrategy[Case]]] = {
    **{
        name: lambda name=name: of_real_numbers(name)
        for name in (*float_functions.UNARY, "LEAKY_RELU", *float_functions.BINARY)
    },
    **{name: lambda name=name: reductions(name) for name in ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN")},
    **{name: lambda name=name: pools(name) for name in ("AVERAGE_POOL_2D", "MAX_POOL_2D")},
    "RESIZE_BILINEAR": resizes,
    "SOFTMAX": softmaxes,
}


@pytest.mark.parametrize("name", STRATEGIES)
@examples
def test_operator(name: str, examples: int) -> None:
    check_cases(STRATEGIES[name]().map(declared), examples, "xnnpack")


@st.composite
def sums_of_squares(draw: st.DrawFn) -> tuple[Model, npt.NDArray[np.float32]]:
    """MEAN or SUM of a SQUARE, or of a product with itself."""
    rng, shape = draw(generators), list(draw(shapes((1, 4), 5, 1)))
    shape[draw(st.integers(0, len(shape) - 1))] = draw(st.integers(1, 300))
    axes = draw(st.lists(st.integers(0, len(shape) - 1), min_size=1, unique=True))
    name, keep_dims = draw(st.sampled_from(["MEAN", "SUM"])), draw(st.booleans())
    kept = [1 if axis in axes else size for axis, size in enumerate(shape) if keep_dims or axis not in axes]
    builder = ModelBuilder().input("x", FLOAT32, shape).tensor("square", FLOAT32, shape).output("y", FLOAT32, kept)
    builder.constant("axes", np.array(axes, np.int32))
    if draw(st.booleans()):
        builder.operator("SQUARE", ["x"], ["square"])
    else:
        builder.operator("MUL", ["x", "x"], ["square"], MulOptions())
    builder.operator(name, ["square", "axes"], ["y"], ReducerOptions(keep_dims))
    return builder.build(), numbers(rng, tuple(shape), False)


@examples
def test_squares_are_not_rounded_before_they_are_added_up(examples: int) -> None:
    @settings(max_examples=5 * examples)
    @given(sums_of_squares())
    def check(drawn: tuple[Model, npt.NDArray[np.float32]]) -> None:
        model, data = drawn
        assert_same_bits(model, [data], "xnnpack")
        alone = oracle().run(write_model(model), [data], resolver="xnnpack")
        interpreter = Interpreter(model_content=model, profile="xnnpack")
        interpreter.allocate_tensors()
        interpreter.set_tensor(0, data)
        interpreter.invoke()
        assert_equal(interpreter.get_tensor(model.subgraphs[0].outputs[0]), alone.outputs[0], "y")

    check()
