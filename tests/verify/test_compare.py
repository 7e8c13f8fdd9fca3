from __future__ import annotations

import numpy as np
import pytest

from int8rt.model import TensorType
from int8rt.schema import ModelBuilder, read_model, write_model
from int8rt.verify import compare as library
from int8rt.verify.compare import compare_run
from int8rt.verify.oracle import Oracle, OracleCrashError, OracleError
from tests.interpreter import models

pytestmark = pytest.mark.litert

ONES = [np.ones((1, 4), np.int8), np.ones((1, 4), np.int8)]


def test_equal_run() -> None:
    content = models.two_adds()
    with Oracle() as oracle, Oracle() as second:
        run = compare_run(read_model(content), content, ONES, oracle, label="ones", second_oracle=second)
    assert (run.label, run.equal, run.first) == ("ones", True, None)
    assert [(item.position, item.operator, item.name) for item in run.tensors] == [(0, "ADD", "m"), (1, "ADD", "z")]
    assert [(item.position, item.name) for item in run.outputs] == [(1, "z")]
    assert run.seconds > 0 < run.oracle_seconds


def test_resized_inputs() -> None:
    content = models.two_adds()
    with Oracle() as oracle:
        run = compare_run(read_model(content), content, [np.ones((5, 4), np.int8), ONES[1]], oracle)
    assert run.equal
    assert run.outputs[0].difference.shape == (5, 4)


def test_the_first_difference_in_the_order_of_execution(monkeypatch: pytest.MonkeyPatch) -> None:
    content = models.two_adds()
    model = read_model(content)
    honest = library.run_int8rt

    def wrong(*arguments: object, keep: bool) -> object:
        found, seconds = honest(*arguments, keep=keep)  # type: ignore[arg-type]
        return {index: value + np.int8(index) for index, value in found.items()}, seconds

    monkeypatch.setattr(library, "run_int8rt", wrong)
    with Oracle() as oracle:
        run = compare_run(model, content, ONES, oracle)
    assert not run.equal
    assert run.first is not None
    assert (run.first.name, run.first.difference.different, run.first.difference.largest) == ("m", 4, 2)
    assert run.outputs[0].difference.largest == 3


def test_a_model_that_litert_refuses() -> None:
    builder = ModelBuilder().input("x", TensorType.FLOAT32, (2,)).input("y", TensorType.FLOAT32, (3,))
    content = write_model(builder.output("z", TensorType.FLOAT32, (2,)).operator("ADD", ["x", "y"], ["z"]).build())
    inputs = [np.zeros(2, np.float32), np.zeros(3, np.float32)]
    with Oracle() as oracle:
        with pytest.raises(OracleError, match="RuntimeError"):
            compare_run(read_model(content), content, inputs, oracle)
        with pytest.raises(OracleError, match="RuntimeError"):
            oracle.run(content, None)
        assert oracle.run(models.two_adds(), ONES).outputs[0].tolist() == [[3, 4, 5, 6]]


def test_the_oracle_outlives_a_model_that_kills_its_process() -> None:
    builder = ModelBuilder().input("x", TensorType.INT8, (2,)).output("y", TensorType.INT8, (2,))
    killer = write_model(builder.operator("ADD", ["x", "x"], ["y"]).build())  # without scales: SIGABRT
    with Oracle() as oracle:
        with pytest.raises(OracleCrashError, match="ended with code"):
            oracle.run(killer, None)
        assert oracle.run(models.two_adds(), ONES).outputs[0].tolist() == [[3, 4, 5, 6]]


def test_an_oracle_that_takes_too_long() -> None:
    with Oracle(timeout=0.0) as oracle, pytest.raises(OracleCrashError, match="did not answer within 0 s"):
        oracle.run(models.two_adds(), ONES)
