"""What scripts rely on, run on int8rt and on LiteRT: signatures and their runners."""

from __future__ import annotations

import numpy as np
import pytest

from tests.interpreter import models
from tests.interpreter.conftest import Make, ones


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
