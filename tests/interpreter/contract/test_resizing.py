"""What scripts rely on, run on int8rt and on LiteRT: other shapes of the inputs."""

from __future__ import annotations

import numpy as np
import pytest

from tests.interpreter import models
from tests.interpreter.conftest import Make, ones, ready


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
