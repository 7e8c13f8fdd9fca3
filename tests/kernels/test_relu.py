from __future__ import annotations

import numpy as np
import pytest

from int8rt.errors import ModelError, UnsupportedError
from int8rt.model import TensorType
from int8rt.schema.builder import TensorSpec
from int8rt.schema.options import LeakyReluOptions
from tests.kernels.single import q, run_operator, variable

CODES = np.array([-128, -6, -1, 0, 1, 3, 12, 127], np.int8)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("RELU", [0, 0, 0, 0, 1, 3, 12, 127]),
        ("RELU6", [0, 0, 0, 0, 1, 3, 12, 12]),
        ("RELU_N1_TO_1", [-2, -2, -1, 0, 1, 2, 2, 2]),
        ("RELU_0_TO_1", [0, 0, 0, 0, 1, 2, 2, 2]),
    ],
)
def test_bounds_are_codes_of_the_output(name: str, expected: list[int]) -> None:
    result = run_operator(name, [variable(CODES, q(0.5))], [TensorSpec(TensorType.INT8, (8,), q(0.5))])
    assert result.tolist() == expected


def test_from_one_scale_to_another() -> None:
    result = run_operator("RELU", [variable(CODES, q(0.5))], [TensorSpec(TensorType.INT8, (8,), q(1.0, -128))])
    assert result.tolist() == [-128, -128, -128, -128, -127, -126, -122, -64]


@pytest.mark.parametrize(("alpha", "expected"), [(0.5, [-64, -3, 0, 0]), (-0.5, [64, 3, 0, 0])])
def test_a_negative_alpha_rounds_like_a_positive_one(alpha: float, expected: list[int]) -> None:
    """-1 · 0.5 is a tie, which goes up to 0; 0.5 itself would have become 1."""
    output = TensorSpec(TensorType.INT8, (4,), q(0.5))
    result = run_operator("LEAKY_RELU", [variable(CODES[:4], q(0.5))], [output], LeakyReluOptions(alpha))
    assert result.tolist() == expected


def test_int16_scalar() -> None:
    output = TensorSpec(TensorType.INT16, (), q(0.5))
    for name, options in (("LEAKY_RELU", LeakyReluOptions(0.25)), ("RELU", None)):
        result = run_operator(name, [variable(np.array(-400, np.int16), q(0.5))], [output], options, version=2)
        assert result.shape == ()
        assert result == (-100 if options else 0)


def test_an_alpha_for_each_channel() -> None:
    alphas = variable(np.array([4, -2], np.int8), q(0.25))
    data = variable(np.array([[-8, -8], [8, 8]], np.int8), q(1.0))
    result = run_operator("PRELU", [data, alphas], [TensorSpec(TensorType.INT8, (2, 2), q(1.0))])
    assert result.tolist() == [[-8, 4], [8, 8]]


def test_an_output_scale_beyond_int32_leaves_only_the_zero_point() -> None:
    """6 / scale does not fit int32: TensorFlow Lite's upper bound becomes the smallest number."""
    output = TensorSpec(TensorType.INT8, (8,), q(1e-10, 7))
    assert set(run_operator("RELU6", [variable(CODES, q(0.5))], [output]).tolist()) == {7}


def test_refusals() -> None:
    output = TensorSpec(TensorType.INT8, (8,), q(0.5))
    with pytest.raises(UnsupportedError, match=r"RELU6.*version 4; supported up to 3"):
        run_operator("RELU6", [variable(CODES, q(0.5))], [output], version=4)
    with pytest.raises(UnsupportedError, match=r"RELU_0_TO_1.*types int16 -> int16"):
        run_operator("RELU_0_TO_1", [variable(np.zeros(1, np.int16), q(1.0))], [TensorSpec(TensorType.INT16, (1,))])
    with pytest.raises(ModelError, match=r"LEAKY_RELU.*must be finite, found nan"):
        run_operator("LEAKY_RELU", [variable(CODES, q(0.5))], [output], LeakyReluOptions(float("nan")))
    alpha = variable(np.zeros((3, 8), np.int8), q(0.5))
    with pytest.raises(ModelError, match=r"alpha \[3, 8\] does not broadcast to the input \[8\]"):
        run_operator("PRELU", [variable(CODES, q(0.5)), alpha], [output])
