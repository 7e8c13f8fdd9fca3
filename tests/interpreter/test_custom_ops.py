"""Custom operators that a user registers, and what is said of those that he has not."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from flatbuffers import flexbuffers

import int8rt
from int8rt.interpreter import Backend
from int8rt.kernels.custom import user
from int8rt.model import Model, TensorType
from int8rt.schema import TensorSpec, read_model, single_operator_model, write_model
from int8rt.schema.builder import ModelBuilder

FLOAT32 = TensorType.FLOAT32


@pytest.fixture(autouse=True)
def nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever other tests have registered, the README's among them."""
    monkeypatch.setattr(user, "_registered", {})


def clip(op: int8rt.CustomOp, x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.minimum(x, np.float32(op.options["limit"]))


def model(options: bytes | None = None) -> Model:
    """A custom operator between two builtin ones."""
    options = bytes(flexbuffers.Dumps({"limit": 1.5})) if options is None else options
    builder = ModelBuilder().input("x", FLOAT32, (2, 3))
    for name in ("y", "z", "out"):
        builder.tensor(name, FLOAT32, (2, 3))
    builder.operator("NEG", ["x"], ["y"])
    builder.operator("CUSTOM", ["y"], ["z"], custom_code="Clip", custom_options=options)
    return builder.operator("NEG", ["z"], ["out"]).output("out").build()


def run(model: Model, value: npt.NDArray[Any], backend: Backend = "numpy") -> npt.NDArray[Any]:
    interpreter = int8rt.Interpreter(model_content=read_model(write_model(model)), backend=backend)
    interpreter.resize_tensor_input(0, value.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(0, value)
    interpreter.invoke()
    return interpreter.get_tensor(model.subgraphs[0].outputs[0])


X = np.array([[1, -1, -2], [-9, 0, 3]], np.float32)


@pytest.mark.parametrize("backend", ["numpy", "jit"])
def test_a_registered_operator_runs(backend: Backend) -> None:
    int8rt.register_custom_op("Clip", clip, types="float32 -> float32")
    np.testing.assert_array_equal(run(model(), X, backend), -np.minimum(-X, np.float32(1.5)))


def test_its_shapes_can_follow_the_inputs() -> None:
    wide = np.ones((4, 5), np.float32)
    int8rt.register_custom_op("Clip", clip)
    with pytest.raises(int8rt.EvaluationError, match=r"shape \[4, 5\].* expected \[2, 3\]; other shapes .* `prepare`"):
        run(model(), wide)
    int8rt.register_custom_op("Clip", clip, prepare=lambda op: [op.inputs[0].shape], replace=True)
    np.testing.assert_array_equal(run(model(), wide), -np.minimum(-wide, np.float32(1.5)))


@pytest.mark.parametrize("backend", ["numpy", "jit"])
def test_several_outputs_whose_shapes_the_data_decides(backend: Backend) -> None:
    def split(op: int8rt.CustomOp, x: npt.NDArray[Any], missing: None) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        assert missing is None
        return x[x > 0], np.flatnonzero(x > 0).astype(np.int32)

    outputs = [TensorSpec(FLOAT32, ()), TensorSpec(TensorType.INT32, ())]
    made = single_operator_model("CUSTOM", [TensorSpec(FLOAT32, (2, 3)), None], outputs, custom_code="Split")
    int8rt.register_custom_op("Split", split, prepare=lambda op: None, types="float32,int8? -> float32,int32")
    np.testing.assert_array_equal(run(made, X, backend), [1, 3])


def test_raw_options_that_are_no_flexbuffer() -> None:
    int8rt.register_custom_op("Clip", lambda op, x: np.minimum(x, np.frombuffer(op.custom_options, "<f4")))
    np.testing.assert_array_equal(run(model(b"\0\0\x20\x40"), X), -np.minimum(-X, np.float32(2.5)))
    int8rt.register_custom_op("Clip", clip, replace=True)
    with pytest.raises(int8rt.ModelError, match=r"options of custom operator 'Clip': FlexBuffer"):
        run(model(b"\0\0\x20\x40"), X)


@pytest.mark.parametrize(
    ("evaluate", "words"),
    [
        (lambda op, x: x.astype(np.float64), "returned float64 for output 'z', which is float32"),
        (lambda op, x: (x, x), "returned 2 arrays for 1 outputs"),
        (lambda op, x: None, "returned 0 arrays for 1 outputs"),
        (lambda op, x: 1.5, "float64 for output 'z'"),
        (lambda op, x: x[0], r"shape \[3\] for output 'z', expected \[2, 3\]"),
    ],
)
def test_wrong_results_are_refused(evaluate: Any, words: str) -> None:
    int8rt.register_custom_op("Clip", evaluate)
    with pytest.raises(int8rt.EvaluationError, match=rf"operator 1 \(CUSTOM:Clip\): .*{words}"):
        run(model(), X)


def test_errors_of_the_function_say_where_they_come_from() -> None:
    int8rt.register_custom_op("Clip", lambda op, x: x[op.options["nothing"]])
    with pytest.raises(KeyError) as caught:
        run(model(), X)
    assert caught.value.__notes__ == ["in `evaluate` of the custom operator 'Clip'"]


@pytest.mark.parametrize("backend", ["numpy", "jit"])
def test_inputs_are_read_only_and_results_are_copied(backend: Backend) -> None:
    kept = np.zeros((2, 3), np.float32)

    def evaluate(op: int8rt.CustomOp, x: npt.NDArray[Any]) -> npt.NDArray[Any]:
        assert not x.flags.writeable
        return kept

    int8rt.register_custom_op("Clip", evaluate)
    interpreter = int8rt.Interpreter(model_content=model(), backend=backend, experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    interpreter.invoke()
    kept[...] = 7
    assert not interpreter.get_tensor(2).any()


def test_types_and_what_prepare_refuses() -> None:
    int8rt.register_custom_op("Clip", clip, types="int8 -> int8")
    with pytest.raises(int8rt.UnsupportedError, match="CUSTOM:Clip: types float32 -> float32; accepted: int8 -> int8"):
        run(model(), X)

    def refuse(op: int8rt.CustomOp) -> None:
        raise int8rt.UnsupportedError(f"{op.name} v{op.version} {op.inputs[0].shape} in {op.profile}")

    int8rt.register_custom_op("Clip", clip, prepare=refuse, replace=True)
    with pytest.raises(int8rt.UnsupportedError, match=r"Clip v1 \(2, 3\) in tflite-ref"):
        run(model(), X)


def test_registering_twice_takes_replace() -> None:
    int8rt.register_custom_op("Clip", clip)
    with pytest.raises(int8rt.InputError, match="'Clip' already"):
        int8rt.register_custom_op("Clip", clip)
    with pytest.raises(int8rt.InputError, match="there is no type 'INT9'"):
        int8rt.register_custom_op("Split", clip, types="int9 -> int8")
    with pytest.raises(int8rt.InputError, match="name is empty"):
        int8rt.register_custom_op("", clip)
    int8rt.unregister_custom_op("Clip")
    with pytest.raises(int8rt.UnsupportedError, match="CUSTOM:Clip"):
        run(model(), X)
    with pytest.raises(int8rt.InputError, match="no custom operator 'Clip' is registered"):
        int8rt.unregister_custom_op("Clip")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("edgetpu-custom-op", "compiled for the Coral Edge TPU; only its device can run it"),
        ("ethos-u", "compiled for an Arm Ethos-U NPU"),
        ("XC_conv2d_v2", "compiled for an XMOS xcore processor"),
        ("FlexErf", "TensorFlow's operator 'Erf', which only the Flex delegate runs"),
        ("Flexible", r"int8rt has no such operator \(int8rt.register_custom_op adds one\)"),
    ],
)
def test_what_is_said_of_others(code: str, words: str) -> None:
    made = single_operator_model("CUSTOM", [TensorSpec(FLOAT32, (1,))], [TensorSpec(FLOAT32, (1,))], custom_code=code)
    with pytest.raises(int8rt.UnsupportedError, match=f"CUSTOM:{code}: {words}.*; types float32 -> float32"):
        run(made, np.zeros(1, np.float32))
