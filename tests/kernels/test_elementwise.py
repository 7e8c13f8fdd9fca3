from __future__ import annotations

import numpy as np
import pytest

from int8rt.errors import EvaluationError, ModelError
from int8rt.model import Quantization, TensorType
from int8rt.schema.builder import TensorSpec
from tests.kernels.single import q, run_operator, variable


def unary(
    name: str, codes: list[int], input: Quantization | None, output: Quantization | None, dtype: str = "int8"
) -> list[int]:
    spec = TensorSpec(TensorType[dtype.upper()], (), output)
    return run_operator(name, [variable(np.array(codes, dtype), input)], [spec]).tolist()


def test_abs() -> None:
    assert unary("ABS", [-128, -3, 1, 127], q(0.5, 1), q(0.5, -2)) == [127, 2, -2, 124]
    assert unary("ABS", [-128, -3, -1, 3], q(0.5), q(1.0)) == [64, 2, 1, 2]  # ties away from zero
    assert unary("ABS", [-32768, -5, 5], None, None, "int16") == [-32768, 5, 5]
    assert unary("ABS", [-32768, -5, 5], q(0.5), q(0.5), "int16") == [32767, 5, 5]


def test_neg_ignores_the_parameters() -> None:
    assert unary("NEG", [-128, -3, 127], q(0.5, 100), q(2.0, -7)) == [-128, 3, -127]


def test_sqrt_truncates() -> None:
    assert unary("SQRT", [0, 1, 2, 3, 4, 127], q(1.0), q(1.0)) == [0, 1, 1, 1, 2, 11]
    assert unary("SQRT", [-128, -126, -28], q(1.0, -128), q(0.5, 10)) == [10, 12, 30]
    assert unary("SQRT", [0, 10000, 32767], q(1.0), q(0.5), "int16") == [0, 200, 362]


def test_rsqrt() -> None:
    assert unary("RSQRT", [0, 1, 4, 16, 64], q(1.0), q(1 / 64)) == [127, 64, 32, 16, 8]
    assert unary("RSQRT", [10, 14], q(1.0, 10), q(1 / 64, -100)) == [127, -68]
    assert unary("RSQRT", [12800, 25600], q(1 / 256), q(1e-4), "int16") == [1414, 1000]


@pytest.mark.parametrize("name", ["SQRT", "RSQRT"])
@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_negative_numbers_are_refused_while_running(name: str, dtype: str) -> None:
    with pytest.raises(EvaluationError, match=f"{name}.*the input holds negative numbers"):
        unary(name, [3, -1], q(1.0), q(1.0), dtype)


@pytest.mark.parametrize(
    ("name", "dtype", "input", "output", "message"),
    [
        ("ABS", "int16", q(0.1, 4), q(0.1), "zero point 4, expected 0"),
        ("SQRT", "int16", q(0.1), q(0.1, 4), "zero point 4, expected 0"),
        ("SQRT", "int16", None, q(0.1), "has no quantization parameters"),
        ("RSQRT", "int8", q(0.0), q(0.1), "must be finite, found inf"),
        ("ABS", "int8", q(0.1), q(0.0), "must be finite, found inf"),
        ("ABS", "int8", None, q(0.1), "has no quantization parameters"),
    ],
)
def test_parameters_are_refused(
    name: str, dtype: str, input: Quantization | None, output: Quantization, message: str
) -> None:
    with pytest.raises(ModelError, match=f"{name}.*{message}"):
        unary(name, [1], input, output, dtype)
