"""What scripts rely on, run on int8rt and on LiteRT: opening a model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.interpreter import models
from tests.interpreter.conftest import Make, ones, ready


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
