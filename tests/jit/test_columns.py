"""Convolutions that write into the columns of what is concatenated of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from int8rt import Interpreter
from int8rt.kernels.jit.program import Program
from int8rt.model import Model, Padding, Quantization, TensorType
from int8rt.schema import ModelBuilder
from int8rt.schema.options import ConcatenationOptions, Conv2DOptions

Array = npt.NDArray[Any]


def branches(
    type: TensorType, parts: list[tuple[int, int]], more: bool = False, seen: bool = False, twice: bool = False
) -> Model:
    """x, convolutions of it (channels, size of the kernel; 0: x itself), and their concatenation; then a RELU of that.

    more: another operator reads the last part. seen: it is an output. twice: it is concatenated twice.
    """
    rng = np.random.default_rng(4)
    zero = 0 if type is TensorType.INT8 else 128
    low, high = (-127, 128) if type is TensorType.INT8 else (0, 256)
    q, shape = Quantization.per_tensor(0.05, zero), (2, 6, 5, 3)
    builder, names = ModelBuilder().input("x", type, shape, q), []
    for number, (channels, kernel) in enumerate(parts):
        name = f"p{number}" if channels else "x"
        names.append(name)
        if not channels:
            continue
        filter = rng.integers(low, high, (channels, kernel, kernel, 3)).astype(type.dtype)
        builder.constant(f"w{number}", filter, Quantization.per_tensor(0.01, zero))
        builder.constant(f"b{number}", rng.integers(-500, 500, channels, np.int32), Quantization.per_tensor(0.0005))
        builder.tensor(name, type, (*shape[:3], channels), q)
        same = Conv2DOptions(padding=Padding.SAME, stride_w=1, stride_h=1)
        builder.operator("CONV_2D", ["x", f"w{number}", f"b{number}"], [name], same, version=3)
    names += names[-1:] * twice
    builder.tensor("c", type, (), q).operator("CONCATENATION", names, ["c"], ConcatenationOptions(axis=3), version=2)
    builder.output("y", type, (), q).operator("RELU", ["c"], ["y"], version=2)
    if more:
        builder.output("z", type, (), q).operator("RELU", [names[-1]], ["z"], version=2)
    return (builder.output(names[-1]) if seen else builder).build()


def run(model: Model, backend: Any, threads: int, looked_at: bool) -> tuple[dict[int, Array], Interpreter]:
    """What operators write, as an observer sees it, or the outputs alone."""
    interpreter = Interpreter(model_content=model, backend=backend, num_threads=threads)
    interpreter.allocate_tensors()
    (input,) = interpreter.get_input_details()
    codes = np.random.default_rng(1).integers(0, 256, input["shape"], np.uint8).view(input["dtype"])
    interpreter.set_tensor(input["index"], codes)
    seen: dict[int, Array] = {}
    interpreter.invoke((lambda _, index, value: seen.update({index: value.copy()})) if looked_at else None)
    return seen | {
        d["index"]: interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()
    }, interpreter


def copies(model: Model, threads: int = 1) -> int:
    """How many parts are copied, once all bits are found to be right."""
    program: Program | None = None
    for looked_at in (True, False):
        expected, _ = run(model, "numpy", 1, looked_at)
        found, interpreter = run(model, "jit", threads, looked_at)
        assert found.keys() == expected.keys()
        for index, value in expected.items():
            np.testing.assert_array_equal(found[index], value, f"tensor {index}")
        program = interpreter._executor(0).program  # type: ignore[attr-defined]
    assert program is not None
    position = next(i for i, op in enumerate(model.subgraphs[0].operators) if op.name == "CONCATENATION")
    rows = program.order[position]
    assert isinstance(rows, tuple)
    return rows[1] - rows[0]


@given(
    st.sampled_from([TensorType.INT8, TensorType.UINT8]),
    st.lists(st.tuples(st.sampled_from([1, 3, 9, 16, 70, 130]), st.sampled_from([1, 3])), min_size=2, max_size=4),
    st.integers(1, 3),
)
@settings(max_examples=15)
def test_nothing_is_copied(type: TensorType, parts: list[tuple[int, int]], threads: int) -> None:
    assert copies(branches(type, parts), threads) == 0


def test_other_parts_are_copied() -> None:
    assert copies(branches(TensorType.INT8, [(9, 3), (0, 0), (5, 1)])) == 1


@pytest.mark.parametrize(("option", "count"), [("more", 1), ("seen", 1), ("twice", 2)])
def test_a_part_that_others_need_is_copied(option: str, count: int) -> None:
    assert copies(branches(TensorType.UINT8, [(9, 3), (5, 1)], **{option: True})) == count
