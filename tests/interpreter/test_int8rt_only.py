"""What int8rt's interpreter does on its own account."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import int8rt
from int8rt.interpreter import Backend, OpResolverType, load_delegate
from int8rt.memory import MemoryLimits
from int8rt.model import TensorType
from int8rt.schema import ModelBuilder, read_model
from tests.differential.control_flow import join, while_model
from tests.interpreter import models


def test_every_error_is_an_int8rt_error() -> None:
    interpreter = int8rt.Interpreter(model_content=models.two_adds())
    for call in (
        interpreter.invoke,
        lambda: interpreter.get_tensor(0),
        lambda: interpreter.get_tensor(99),
        lambda: interpreter.resize_tensor_input(4, [1]),
        lambda: interpreter.resize_tensor_input(0, [1 << 31]),
        lambda: interpreter.resize_tensor_input(0, [[1], [2, 3]]),
        lambda: interpreter.set_tensor(0, [[1], [2, 3]]),
        lambda: interpreter.get_signature_runner("nope"),
        lambda: int8rt.Interpreter(),
        lambda: int8rt.Interpreter(model_content=b"short"),
        lambda: int8rt.Interpreter(model_path="no such file"),
        lambda: load_delegate("libedgetpu.so.1"),
    ):
        with pytest.raises(int8rt.Int8rtError):
            call()


def test_a_model_that_was_read_before() -> None:
    model = read_model(models.two_adds())
    interpreter = int8rt.Interpreter(model_content=model)
    assert interpreter.model is model
    interpreter.allocate_tensors()


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_content_as_any_buffer(kind: Any) -> None:
    int8rt.Interpreter(model_content=kind(models.two_adds())).allocate_tensors()


def test_observer_sees_every_tensor_in_order() -> None:
    interpreter = int8rt.Interpreter(model_content=models.two_adds())
    interpreter.allocate_tensors()
    interpreter.set_tensor(0, np.full((1, 4), 1, np.int8))
    interpreter.set_tensor(1, np.full((1, 4), 1, np.int8))
    seen: list[tuple[int, int, list[list[int]]]] = []
    interpreter.invoke(lambda operator, tensor, value: seen.append((operator, tensor, value.tolist())))
    assert seen == [(0, 2, [[3, 3, 3, 3]]), (1, 3, [[3, 4, 5, 6]])]


def test_intermediate_tensors_are_not_kept_unless_asked_for() -> None:
    interpreter = int8rt.Interpreter(model_content=models.two_adds())
    interpreter.allocate_tensors()
    interpreter.invoke()
    with pytest.raises(int8rt.InputError, match="experimental_preserve_all_tensors"):
        interpreter.get_tensor(2)


def test_a_constant_cannot_be_set() -> None:
    interpreter = int8rt.Interpreter(model_content=models.two_adds())
    interpreter.allocate_tensors()
    with pytest.raises(int8rt.InputError, match="constant"):
        interpreter.set_tensor(4, np.zeros((1, 4), np.int8))
    with pytest.raises(ValueError, match="read-only"):
        interpreter.tensor(4)()[:] = 0


def test_all_unsupported_operators_are_named_in_one_error() -> None:
    builder = ModelBuilder().input("x", TensorType.COMPLEX64, (2,))
    for i, (name, code) in enumerate([("ADD", ""), ("CUSTOM", "FFT2D"), ("ADD", "")]):
        builder.tensor(f"t{i}", TensorType.COMPLEX64, (2,))
        builder.operator(name, ["x", "x"], [f"t{i}"], custom_code=code)
    interpreter = int8rt.Interpreter(model_content=builder.output("t2").build())
    with pytest.raises(int8rt.UnsupportedError) as caught:
        interpreter.allocate_tensors()
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("  ADD: types complex64, complex64 -> complex64; accepted: ")
    assert lines[1].endswith("(operators 0, 2)")
    reason, _, rest = lines[2].partition("; ")
    assert reason == "  CUSTOM:FFT2D: int8rt has no such operator (int8rt.register_custom_op adds one)"
    assert rest == "types complex64,complex64 -> complex64 (operator 1)"


def test_resolvers() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for quiet in (OpResolverType.AUTO, OpResolverType.BUILTIN_REF):
            int8rt.Interpreter(model_content=models.two_adds(), experimental_op_resolver_type=quiet)
        own = {OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES: "tflite-opt", OpResolverType.BUILTIN: "xnnpack"}
        for choice, profile in own.items():
            int8rt.Interpreter(model_content=models.two_adds(), experimental_op_resolver_type=choice, profile=profile)
    for other in (OpResolverType.BUILTIN, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES):
        with pytest.warns(UserWarning, match="tflite-ref"):
            int8rt.Interpreter(model_content=models.two_adds(), experimental_op_resolver_type=other)


@pytest.mark.litert
def test_litert_s_own_resolver_type_is_understood() -> None:
    from ai_edge_litert.interpreter import OpResolverType as Theirs

    assert [item.name for item in OpResolverType] == [item.name for item in Theirs]
    int8rt.Interpreter(model_content=models.two_adds(), experimental_op_resolver_type=Theirs.BUILTIN_REF)


@pytest.mark.parametrize("options", [{"backend": "gpu"}, {"profile": "nope"}, {"experimental_delegates": [object()]}])
def test_unknown_choices(options: dict[str, Any]) -> None:
    with pytest.raises(int8rt.Int8rtError):
        int8rt.Interpreter(model_content=models.two_adds(), **options)


def test_memory_limits() -> None:
    def allocate(limits: MemoryLimits, shape: list[int] | None = None) -> None:
        interpreter = int8rt.Interpreter(model_content=models.two_adds(), limits=limits)
        if shape is not None:
            interpreter.resize_tensor_input(0, shape)
        interpreter.allocate_tensors()

    allocate(MemoryLimits(tensor=4, total=20))
    with pytest.raises(int8rt.ModelError, match="the limit is 3"):
        allocate(MemoryLimits(tensor=3))
    with pytest.raises(int8rt.ModelError, match="the limit is 19"):
        allocate(MemoryLimits(total=19))
    allocate(MemoryLimits(undeclared=0))
    allocate(MemoryLimits(undeclared=0), [1000, 4])
    with pytest.raises(int8rt.ModelError, match="'x' gets the shape"):
        allocate(MemoryLimits(), [2**20, 2**20])


def test_what_running_makes_beyond_the_declared_size_is_refused() -> None:
    builder = ModelBuilder().input("x", TensorType.INT8, (1, 8)).output("y", TensorType.INT8, (1, 1))
    builder.constant("multiples", np.array([1000, 1000], np.int32)).operator("TILE", ["x", "multiples"], ["y"])
    interpreter = int8rt.Interpreter(model_content=builder.build(), limits=MemoryLimits(undeclared=1 << 20))
    with pytest.raises(int8rt.ModelError, match="but the file declares"):
        interpreter.allocate_tensors()


def test_what_the_caller_s_values_ask_for_has_a_limit_of_its_own() -> None:
    builder = ModelBuilder().input("x", TensorType.INT8, (1, 8)).input("multiples", TensorType.INT32, (2,))
    builder.output("y", TensorType.INT8, (1, 8)).operator("TILE", ["x", "multiples"], ["y"])
    interpreter = int8rt.Interpreter(model_content=builder.build(), limits=MemoryLimits(undeclared=0, running=1 << 20))
    interpreter.allocate_tensors()
    interpreter.set_tensor(1, np.array([1000, 10], np.int32))
    interpreter.invoke()
    assert interpreter.get_tensor(2).shape == (1000, 80)
    interpreter.set_tensor(1, np.array([1 << 14, 1 << 6], np.int32))
    with pytest.raises(int8rt.ModelError, match="but the file declares"):
        interpreter.invoke()
    interpreter.set_tensor(1, np.array([1, 2], np.int32))
    interpreter.invoke()
    assert interpreter.get_output_details()[0]["shape"].tolist() == [1, 16]


def test_an_operator_before_its_inputs() -> None:
    builder = ModelBuilder().input("x", TensorType.FLOAT32, (1,)).tensor("a", TensorType.FLOAT32, (1,))
    builder.output("y", TensorType.FLOAT32, (1,))
    builder.operator("ADD", ["a", "a"], ["y"]).operator("ADD", ["x", "x"], ["a"])
    with pytest.raises(int8rt.ModelError, match=r"operator 0 \(ADD\) reads tensor 1 'a', which nothing has written"):
        int8rt.Interpreter(model_content=builder.build()).allocate_tensors()


def test_a_vector_without_elements_and_data() -> None:
    builder = ModelBuilder().input("x", TensorType.FLOAT32, (1,)).tensor("shape", TensorType.INT32, (0,))
    model = builder.output("y", TensorType.FLOAT32, ()).operator("RESHAPE", ["x", "shape"], ["y"]).build()
    interpreter = int8rt.Interpreter(model_content=model)
    interpreter.allocate_tensors()
    interpreter.set_tensor(0, np.array([5.0], np.float32))
    interpreter.invoke()
    assert interpreter.get_tensor(2) == np.float32(5)
    assert interpreter.get_tensor(2).shape == ()


def test_a_tensor_written_twice_or_never() -> None:
    def allocate(outputs: list[str], constant: bool = False) -> None:
        builder = ModelBuilder().input("x", TensorType.FLOAT32, (1,))
        if constant:
            builder.constant("y", np.zeros(1, np.float32))
        else:
            builder.tensor("y", TensorType.FLOAT32, (1,))
        for output in outputs:
            builder.operator("ADD", ["x", "x"], [output])
        int8rt.Interpreter(model_content=builder.output("y").build()).allocate_tensors()

    allocate(["y"])
    for outputs, constant in ((["y", "y"], False), (["x"], False), (["y"], True)):
        with pytest.raises(int8rt.ModelError, match="which already has a value"):
            allocate(outputs, constant)
    with pytest.raises(int8rt.ModelError, match="output tensor 1 'y' is never written"):
        allocate([])


@pytest.mark.parametrize("backend", ["numpy", "jit"])
def test_a_variable_that_a_caller_feeds_has_the_callers_shape(backend: Backend) -> None:
    model = while_model(2, join)
    body = model.subgraphs[2]
    tensors = [replace(tensor, is_variable=tensor.name == "a") for tensor in body.tensors]
    model = replace(model, subgraphs=(*model.subgraphs[:2], replace(body, tensors=tuple(tensors))))
    interpreter = int8rt.Interpreter(model_content=model, backend=backend)
    interpreter.allocate_tensors()
    a, b = interpreter.get_input_details()
    interpreter.set_tensor(a["index"], np.array([1, 2], np.int32))
    interpreter.set_tensor(b["index"], np.array([3, 4], np.int32))
    interpreter.invoke()
    joined = interpreter.get_tensor(interpreter.get_output_details()[1]["index"])
    assert joined.tolist() == [1, 2, 3, 4, 3, 4]
