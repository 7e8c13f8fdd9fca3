"""What a script may rely on in `ai_edge_litert.interpreter.Interpreter`: every test here runs on both interpreters.

The behaviours are those that LiteRT's own interpreter_test.py and guides rely on, and some more that scripts do.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.interpreter import models
from tests.interpreter.conftest import Make


def ready(make: Make, content: bytes, **options: Any) -> Any:
    interpreter = make(model_content=content, **options)
    interpreter.allocate_tensors()
    return interpreter


def ones(*shape: int) -> np.ndarray[Any, Any]:
    return np.ones(shape, np.int8)


# Opening


def test_path_like_and_str(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(models.two_adds())
    for given in (path, os.fspath(path)):
        make(model_path=given).allocate_tensors()
    make(os.fspath(path)).allocate_tensors()


@pytest.mark.parametrize(
    "options", [{}, {"model_path": None, "model_content": None}, {"model_path": "a", "model_content": b"b"}], ids=str
)
def test_one_of_path_and_content(make: Make, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="model_path"):
        make(**options)


def test_missing_file(make: Make) -> None:
    with pytest.raises(ValueError, match=r"Could not open 'totally_invalid_file_name'"):
        make(model_path="totally_invalid_file_name")


@pytest.mark.parametrize("content", [b"short", b"wrong_identifier", bytes(100)])
def test_no_model(make: Make, content: bytes) -> None:
    with pytest.raises(ValueError, match=r"The model is not a valid Flatbuffer buffer"):
        make(model_content=content)


@pytest.mark.parametrize(
    ("threads", "message"), [(0, "should >= 1"), (-1, "should >= 1"), (4.2, "should be int"), ("2", "should be int")]
)
def test_wrong_num_threads(make: Make, threads: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"num_threads {message}"):
        make(model_content=models.two_adds(), num_threads=threads)


def test_two_threads(make: Make) -> None:
    interpreter = ready(make, models.two_adds(), num_threads=2)
    interpreter.set_tensor(0, ones(1, 4))
    interpreter.set_tensor(1, ones(1, 4))
    interpreter.invoke()
    np.testing.assert_array_equal(interpreter.get_tensor(3), [[3, 4, 5, 6]])


def test_wrong_resolver(make: Make) -> None:
    with pytest.raises(ValueError, match=r"Unrecognized passed in op resolver type: test"):
        make(model_content=models.two_adds(), experimental_op_resolver_type="test")


def test_no_delegates(make: Make) -> None:
    make(model_content=models.two_adds(), experimental_delegates=None).allocate_tensors()
    make(model_content=models.two_adds(), experimental_delegates=[]).allocate_tensors()


# Running


def test_set_invoke_get(make: Make) -> None:
    interpreter = ready(make, models.two_adds())
    for value in (1, 100, -100):
        interpreter.set_tensor(0, np.full((1, 4), value, np.int8))
        interpreter.set_tensor(1, np.full((1, 4), 3, np.int8))
        assert interpreter.invoke() is None
        np.testing.assert_array_equal(
            interpreter.get_tensor(3), np.clip(value + 3 + np.arange(4)[None], -128, 127).astype(np.int8)
        )
        np.testing.assert_array_equal(interpreter.get_tensor(0), np.full((1, 4), value))


def test_several_outputs(make: Make) -> None:
    interpreter = ready(make, models.two_outputs())
    interpreter.set_tensor(0, np.array([1, -2, 3], np.int8))
    interpreter.invoke()
    outputs = {detail["name"]: interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()}
    assert list(outputs) == ["y", "row"]
    np.testing.assert_array_equal(outputs["y"], [1, -2, 3])
    np.testing.assert_array_equal(outputs["row"], [[1, -2, 3]])


def test_output_stays_when_the_input_is_set_anew(make: Make) -> None:
    interpreter = ready(make, models.two_outputs())
    interpreter.set_tensor(0, np.array([1, 2, 3], np.int8))
    interpreter.invoke()
    before = interpreter.get_tensor(2)
    interpreter.invoke()
    np.testing.assert_array_equal(interpreter.get_tensor(2), before)


def test_output_that_is_an_input(make: Make) -> None:
    interpreter = ready(make, models.identity())
    interpreter.set_tensor(0, np.array([1, 2], np.int8))
    interpreter.invoke()
    np.testing.assert_array_equal(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]), [1, 2])


def test_scalars(make: Make) -> None:
    interpreter = ready(make, models.scalar())
    interpreter.set_tensor(0, np.float32(-2))
    interpreter.invoke()
    value = interpreter.get_tensor(1)
    assert type(value) is np.float32
    assert value == -4
    assert interpreter.get_input_details()[0]["shape"].shape == (0,)


def test_invoke_before_allocating(make: Make) -> None:
    interpreter = make(model_content=models.two_adds())
    with pytest.raises(RuntimeError, match=r"Invoke called on model that is not ready"):
        interpreter.invoke()


def test_tensors_before_allocating(make: Make) -> None:
    interpreter = make(model_content=models.two_adds())
    with pytest.raises(ValueError, match="allocate_tensors"):
        interpreter.set_tensor(0, ones(1, 4))
    with pytest.raises(ValueError, match="allocate_tensors"):
        interpreter.get_tensor(0)
    with pytest.raises(ValueError, match="allocate_tensors"):
        interpreter.tensor(0)()
    np.testing.assert_array_equal(interpreter.get_tensor(4), [[0, 1, 2, 3]])
    interpreter.reset_all_variables()


def test_output_before_invoke_has_its_shape(make: Make) -> None:
    value = ready(make, models.two_adds()).get_tensor(3)
    assert (value.shape, value.dtype) == ((1, 4), np.int8)


def test_preserved_tensors(make: Make) -> None:
    interpreter = ready(make, models.two_adds(), experimental_preserve_all_tensors=True)
    interpreter.set_tensor(0, ones(1, 4))
    interpreter.set_tensor(1, ones(1, 4))
    interpreter.invoke()
    np.testing.assert_array_equal(interpreter.get_tensor(2), [[3, 3, 3, 3]])


@pytest.mark.parametrize(
    "value",
    [
        np.zeros((1, 4), np.float32),
        np.zeros((1, 4), np.uint8),
        np.zeros(4, np.int8),
        np.zeros((1, 5), np.int8),
        [[1, 2, 3, 4]],
    ],
    ids=["float", "uint8", "rank", "size", "list"],
)
def test_set_tensor_takes_only_its_own_type_and_shape(make: Make, value: Any) -> None:
    with pytest.raises(ValueError, match=r"(?i)cannot set tensor"):
        ready(make, models.two_adds()).set_tensor(0, value)


def test_set_tensor_copies(make: Make) -> None:
    interpreter = ready(make, models.two_adds())
    value = np.arange(8, dtype=np.int8)[None, ::2]
    interpreter.set_tensor(0, value)
    value[:] = 0
    np.testing.assert_array_equal(interpreter.get_tensor(0), [[0, 2, 4, 6]])


def test_get_tensor_copies(make: Make) -> None:
    interpreter = ready(make, models.two_adds())
    interpreter.set_tensor(0, ones(1, 4))
    first = interpreter.get_tensor(0)
    interpreter.set_tensor(0, first + 1)
    np.testing.assert_array_equal(first, ones(1, 4))
    first[:] = 77
    np.testing.assert_array_equal(interpreter.get_tensor(0), ones(1, 4) + 1)


def test_intermediate_and_output_tensors_may_be_set(make: Make) -> None:
    interpreter = ready(make, models.two_adds())
    for index in (2, 3):
        interpreter.set_tensor(index, ones(1, 4))
    np.testing.assert_array_equal(interpreter.get_tensor(3), ones(1, 4))


@pytest.mark.parametrize("index", [100, -1])
def test_wrong_index(make: Make, index: int) -> None:
    interpreter = ready(make, models.two_adds())
    with pytest.raises(ValueError, match=r"Invalid tensor index"):
        interpreter.get_tensor(index)
    with pytest.raises(ValueError, match=r"Invalid tensor index"):
        interpreter.set_tensor(index, ones(1, 4))
    access = interpreter.tensor(index)
    with pytest.raises(ValueError, match=r"Invalid tensor index"):
        access()
    with pytest.raises(ValueError, match=r"Invalid tensor index"):
        interpreter._get_tensor_details(index, 0)
    with pytest.raises(ValueError, match=r"Invalid node index"):
        interpreter._get_op_details(index)


@pytest.mark.parametrize("index", ["x", 0.0, None], ids=repr)
def test_index_must_be_an_integer(make: Make, index: Any) -> None:
    interpreter = ready(make, models.two_adds())
    with pytest.raises(TypeError):
        interpreter.get_tensor(index)
    interpreter.set_tensor(np.int32(0), ones(1, 4))


def test_tensor_without_data(make: Make) -> None:
    with pytest.raises(ValueError, match="tensor"):
        ready(make, models.two_adds()).get_tensor(5)


def test_allocating_again_keeps_the_input(make: Make) -> None:
    interpreter = ready(make, models.two_adds())
    interpreter.set_tensor(0, ones(1, 4))
    interpreter.allocate_tensors()
    interpreter.resize_tensor_input(0, [1, 4])
    interpreter.allocate_tensors()
    np.testing.assert_array_equal(interpreter.get_tensor(0), ones(1, 4))


# Strings


@pytest.mark.parametrize(
    "value",
    [np.array(["a", "bé", ""]), np.array([b"a", "bé".encode(), b""]), np.array(["a", "bé".encode(), ""], object)],
    ids=["str", "bytes", "object"],
)
def test_strings(make: Make, value: Any) -> None:
    interpreter = ready(make, models.strings())
    assert interpreter.get_input_details()[0]["dtype"] is np.bytes_
    interpreter.set_tensor(0, value)
    interpreter.invoke()
    found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    assert (found.dtype, found.tolist()) == (object, [[b"a", "bé".encode(), b""]])


@pytest.mark.parametrize("value", [np.array([1, 2, 3]), np.array([1, 2, 3], object)], ids=["int", "object"])
def test_numbers_are_no_strings(make: Make, value: Any) -> None:
    interpreter = ready(make, models.strings())
    with pytest.raises(ValueError, match=r"(?i)cannot set tensor|PyBytes"):
        interpreter.set_tensor(0, value)


# Resizing


def test_resize_changes_the_batch(make: Make) -> None:
    interpreter = ready(make, models.two_adds())
    interpreter.resize_tensor_input(0, [2, 4])
    assert interpreter.get_input_details()[0]["shape"].tolist() == [2, 4]
    assert interpreter.get_input_details()[0]["shape_signature"].tolist() == [-1, 4]
    assert interpreter.get_output_details()[0]["shape"].tolist() == [1, 4]
    with pytest.raises(RuntimeError, match="not ready"):
        interpreter.invoke()
    with pytest.raises(ValueError, match="tensor"):
        interpreter.get_tensor(0)
    with pytest.raises(ValueError, match=r"(?i)cannot set tensor"):
        interpreter.set_tensor(0, ones(1, 4))
    interpreter.allocate_tensors()
    assert interpreter.get_output_details()[0]["shape"].tolist() == [2, 4]
    interpreter.set_tensor(0, np.array([[0] * 4, [10] * 4], np.int8))
    interpreter.set_tensor(1, np.full((1, 4), 3, np.int8))
    interpreter.invoke()
    np.testing.assert_array_equal(interpreter.get_tensor(3), [[3, 4, 5, 6], [13, 14, 15, 16]])
    interpreter.resize_tensor_input(0, (1, 4))
    interpreter.allocate_tensors()
    assert interpreter.get_tensor(3).shape == (1, 4)


def test_resize_to_no_elements(make: Make) -> None:
    interpreter = make(model_content=models.two_adds())
    for index in (0, 1):
        interpreter.resize_tensor_input(index, np.array([0, 4]))
    interpreter.allocate_tensors()
    interpreter.invoke()
    assert interpreter.get_tensor(3).shape == (0, 4)


def test_resize_to_shapes_that_do_not_fit(make: Make) -> None:
    interpreter = ready(make, models.two_adds())
    interpreter.resize_tensor_input(0, [1, 5])
    with pytest.raises(RuntimeError):
        interpreter.allocate_tensors()
    with pytest.raises(RuntimeError):
        interpreter.invoke()
    interpreter.resize_tensor_input(0, [1, 4])
    interpreter.allocate_tensors()
    interpreter.invoke()


def test_strict_resize_changes_only_open_dimensions(make: Make) -> None:
    interpreter = make(model_content=models.two_adds())
    interpreter.resize_tensor_input(0, [3, 4], strict=True)
    interpreter.resize_tensor_input(1, [1, 4], strict=True)
    for index, shape in ((0, [3, 5]), (0, [4]), (1, [3, 4])):
        with pytest.raises(RuntimeError):
            interpreter.resize_tensor_input(index, shape, strict=True)
    assert [detail["shape"].tolist() for detail in interpreter.get_input_details()] == [[3, 4], [1, 4]]


@pytest.mark.parametrize(
    ("index", "shape"), [(0, [-1, 4]), (4, [2, 4]), (77, [1, 4])], ids=["negative", "constant", "index"]
)
def test_impossible_resize(make: Make, index: int, shape: list[int]) -> None:
    with pytest.raises(RuntimeError):
        make(model_content=models.two_adds()).resize_tensor_input(index, shape)


def test_resize_takes_a_vector(make: Make) -> None:
    with pytest.raises(ValueError, match=r"(?i)shape should be 1D"):
        make(model_content=models.two_adds()).resize_tensor_input(0, [[1, 4]])


# Views


def test_tensor_is_a_view(make: Make) -> None:
    interpreter = ready(make, models.two_adds())
    access = interpreter.tensor(0)
    access()[:] = 5
    np.testing.assert_array_equal(interpreter.get_tensor(0), np.full((1, 4), 5))
    interpreter.set_tensor(0, ones(1, 4))
    np.testing.assert_array_equal(access(), ones(1, 4))
    interpreter.set_tensor(1, np.full((1, 4), 3, np.int8))
    output = interpreter.tensor(3)
    interpreter.invoke()
    np.testing.assert_array_equal(output(), [[4, 5, 6, 7]])


def test_a_view_follows_set_tensor(make: Make) -> None:
    interpreter = ready(make, models.two_adds())
    view = interpreter.tensor(0)()
    interpreter.set_tensor(0, ones(1, 4))
    np.testing.assert_array_equal(view, ones(1, 4))


def test_held_views_stop_what_would_leave_them_behind(make: Make) -> None:
    interpreter = ready(make, models.two_adds())
    access = interpreter.tensor(0)
    assert interpreter._safe_to_run()
    part = access()[:, :2]
    assert not interpreter._safe_to_run()
    for call in (
        interpreter.invoke,
        interpreter.allocate_tensors,
        lambda: interpreter.resize_tensor_input(0, [1, 4]),
    ):
        with pytest.raises(RuntimeError, match=r"There is at least 1 reference"):
            call()
    del part
    assert interpreter._safe_to_run()
    interpreter.allocate_tensors()
    interpreter.invoke()


# Variables


def test_variables(make: Make) -> None:
    interpreter = ready(make, models.accumulator())
    np.testing.assert_array_equal(interpreter.get_tensor(1), [5, 5])
    interpreter.set_tensor(1, np.array([9, 9], np.int8))
    interpreter.set_tensor(0, np.array([1, 2], np.int8))
    interpreter.invoke()
    np.testing.assert_array_equal(interpreter.get_tensor(2), [5, 6])
    interpreter.allocate_tensors()
    np.testing.assert_array_equal(interpreter.get_tensor(1), [9, 9])
    interpreter.reset_all_variables()
    np.testing.assert_array_equal(interpreter.get_tensor(1), [5, 5])
    interpreter.invoke()
    np.testing.assert_array_equal(interpreter.get_tensor(2), [1, 2])


# Signatures


def test_signature_list(make: Make) -> None:
    assert make(model_content=models.two_adds()).get_signature_list() == {
        "serving_default": {"inputs": ["first", "second"], "outputs": ["out"]}
    }
    assert make(model_content=models.two_outputs()).get_signature_list() == {}
    assert make(model_content=models.two_adds())._get_full_signature_list() == {
        "serving_default": {"inputs": {"first": 1, "second": 0}, "outputs": {"out": 3}}
    }


def test_signature_runner(make: Make) -> None:
    runner = make(model_content=models.two_adds()).get_signature_runner()
    assert list(runner.get_input_details()) == ["first", "second"]
    assert [(name, detail["name"], detail["index"]) for name, detail in runner.get_output_details().items()] == [
        ("out", "z", 3)
    ]
    for batch in (1, 3, 1):
        value = np.full((batch, 4), 3, np.int8)
        found = runner(second=value, first=value)
        assert list(found) == ["out"]
        np.testing.assert_array_equal(found["out"], [[6, 7, 8, 9]] * batch)
    assert runner.get_input_details()["second"]["shape"].tolist() == [1, 4]


def test_several_signatures(make: Make) -> None:
    interpreter = make(model_content=models.two_signatures())
    assert interpreter.num_subgraphs() == 2
    assert list(interpreter.get_signature_list()) == ["add", "mul"]
    arguments = {"x": np.array([2, 3], np.float32), "y": np.array([4, 5], np.float32)}
    add, mul = interpreter.get_signature_runner("add"), interpreter.get_signature_runner("mul")
    np.testing.assert_array_equal(add(**arguments)["output_0"], [6, 8])
    np.testing.assert_array_equal(mul(**arguments)["output_0"], [8, 15])
    assert [detail["name"] for detail in interpreter.get_tensor_details(subgraph_index=1)] == [
        "mul_x",
        "mul_y",
        "mul_z",
    ]
    np.testing.assert_array_equal(interpreter.get_tensor(2, subgraph_index=1), [8, 15])


@pytest.mark.parametrize("key", ["nope", "", None], ids=repr)
def test_wrong_signature_key(make: Make, key: str | None) -> None:
    with pytest.raises(ValueError, match="signature_key"):
        make(model_content=models.two_signatures()).get_signature_runner(key)
    with pytest.raises(ValueError, match="signature_key"):
        make(model_content=models.two_outputs()).get_signature_runner(key)


def test_wrong_signature_arguments(make: Make) -> None:
    runner = make(model_content=models.two_adds()).get_signature_runner()
    for arguments in ({"first": ones(1, 4)}, {"first": ones(1, 4), "third": ones(1, 4)}, {}):
        with pytest.raises(ValueError, match=r"(?i)input"):
            runner(**arguments)
    with pytest.raises(ValueError, match=r"(?i)cannot set tensor"):
        runner(first=ones(1, 4), second=np.ones((1, 4), np.float32))


# Details


@pytest.mark.parametrize("index", [1, -1, 3])
def test_wrong_subgraph(make: Make, index: int) -> None:
    with pytest.raises(ValueError, match="subgraph_index is out of range"):
        make(model_content=models.two_adds()).get_tensor_details(subgraph_index=index)


def test_details_of_a_quantized_tensor(make: Make) -> None:
    detail = make(model_content=models.two_adds()).get_input_details()[0]
    assert (detail["name"], detail["index"], detail["dtype"], detail["quantization"]) == ("x", 0, np.int8, (0.5, -3))
    assert detail["shape"].dtype == np.int32
    assert detail["sparsity_parameters"] == {}
    scale, zero_point = detail["quantization"]
    assert round(1.0 / scale) + zero_point == -1


def test_details_of_a_tensor_quantized_per_axis(make: Make) -> None:
    detail = make(model_content=models.per_axis()).get_tensor_details()[1]
    parameters = detail["quantization_parameters"]
    assert detail["quantization"] == (0.0, 0)
    assert parameters["scales"].tolist() == [0.5, 0.25, 0.125, 1.0]
    assert parameters["zero_points"].tolist() == [0, 0, 0, 0]
    assert parameters["quantized_dimension"] == 0


def test_details_of_operators(make: Make) -> None:
    first = make(model_content=models.per_axis())._get_ops_details()[0]
    assert (first["index"], first["op_name"]) == (0, "CONV_2D")
    assert (first["inputs"].tolist(), first["outputs"].tolist()) == ([0, 1, 2], [3])
    assert first["operand_types"] == [np.int8, np.int8, np.int32]
    assert first["result_types"] == [np.int8]
