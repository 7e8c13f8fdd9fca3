"""What scripts rely on, run on int8rt and on LiteRT: setting tensors, running, reading them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.interpreter import models
from tests.interpreter.conftest import Make, ones, ready


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
