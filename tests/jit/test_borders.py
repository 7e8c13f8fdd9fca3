"""PAD before convolutions and pools: read without the border, and there for who looks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from int8rt import Interpreter
from int8rt.kernels.jit.executor import JitExecutor
from int8rt.model import Model, Padding, Quantization, TensorType
from int8rt.schema import ModelBuilder
from int8rt.schema.options import Conv2DOptions, DepthwiseConv2DOptions, PadOptions, Pool2DOptions

Array = npt.NDArray[Any]
Q = Quantization.per_tensor(0.05, -128)
RNG = np.random.default_rng(3)


def bordered(
    name: str, border: tuple[int, ...], stride: int = 1, kernel: int = 3, seen: bool = False, channels: int = 5
) -> Model:
    """x, RELU, a PAD of it, and what reads that; then x is overwritten where it can be: by RELU6 of it."""
    shape, outer = (2, 7, 6, channels), (2, 7 + border[0] + border[1], 6 + border[2] + border[3], channels)
    pairs = np.array([[0, 0], border[:2], border[2:], [0, 0]], np.int32)
    builder = ModelBuilder().input("x", TensorType.INT8, shape, Q).tensor("a", TensorType.INT8, shape, Q)
    builder.operator("ABS", ["x"], ["a"]).constant("pairs", pairs).tensor("p", TensorType.INT8, outer, Q)
    builder.operator("PAD", ["a", "pairs"], ["p"], PadOptions()).output("z", TensorType.INT8, shape, Q)
    builder.operator("RELU6", ["a"], ["z"], version=2)
    strides: Any = {"stride_w": stride, "stride_h": stride}
    weights, inputs, count = Quantization.per_tensor(0.01), ["p"], channels
    options: Any
    if name == "MAX_POOL_2D":
        options = Pool2DOptions(Padding.VALID, filter_width=kernel, filter_height=kernel, **strides)
    elif name == "CONV_2D":
        count = 9
        filter = RNG.integers(-127, 128, (count, kernel, kernel, channels), np.int8)
        builder.constant("w", filter, weights)
        inputs, options = ["p", "w"], Conv2DOptions(Padding.SAME, **strides)
    else:
        builder.constant("w", RNG.integers(-127, 128, (1, kernel, kernel, channels), np.int8), weights)
        inputs, options = ["p", "w"], DepthwiseConv2DOptions(Padding.VALID, **strides, depth_multiplier=1)
    if name != "MAX_POOL_2D":
        builder.constant("b", RNG.integers(-500, 500, count, np.int32), Quantization.per_tensor(0.0005))
        inputs.append("b")
    builder.output("y", TensorType.INT8, (), Q).operator(name, inputs, ["y"], options, version=3)
    return (builder.output("p") if seen else builder).build()


def run(model: Model, backend: Any, threads: int = 1) -> tuple[dict[int, Array], list[Array], Interpreter]:
    """(every tensor that operators write as an observer sees it, the outputs without one, the interpreter)."""
    interpreter = Interpreter(model_content=model, backend=backend, num_threads=threads)
    interpreter.allocate_tensors()
    (input,) = interpreter.get_input_details()
    interpreter.set_tensor(input["index"], np.random.default_rng(1).integers(-128, 128, input["shape"], np.int8))
    seen: dict[int, Array] = {}
    interpreter.invoke(lambda _, index, value: seen.update({index: value.copy()}))
    interpreter.invoke()
    return seen, [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()], interpreter


def assert_equal(model: Model, unneeded: set[int]) -> None:
    (seen, outputs, compiled), (expected, definition, _) = run(model, "jit", 2), run(model, "numpy")
    executor = compiled._executor(0)
    assert isinstance(executor, JitExecutor)
    assert executor.program is not None
    assert executor.program.unneeded == unneeded
    assert seen.keys() == expected.keys()
    for index, value in expected.items():
        np.testing.assert_array_equal(seen[index], value, f"tensor {index}")
    for ours, theirs in zip(outputs, definition, strict=True):
        np.testing.assert_array_equal(ours, theirs)


NAMES = ("CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D")


@given(
    st.sampled_from(NAMES), st.tuples(*[st.integers(0, 4)] * 4), st.integers(1, 3), st.integers(2, 5),
    st.sampled_from([1, 3, 16, 70]),
)  # fmt: skip
@settings(max_examples=30)
def test_any_border(name: str, border: tuple[int, ...], stride: int, kernel: int, channels: int) -> None:
    assert_equal(bordered(name, border, stride, kernel, channels=channels), {1} if any(border) else set())


@pytest.mark.parametrize("name", NAMES)
def test_a_border_that_is_an_output_stays(name: str) -> None:
    assert_equal(bordered(name, (1, 1, 1, 1), seen=True), set())


def test_a_single_tap_reads_the_padded_tensor() -> None:
    assert_equal(bordered("CONV_2D", (1, 1, 1, 1), kernel=1), set())
