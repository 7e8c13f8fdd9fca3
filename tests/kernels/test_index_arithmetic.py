"""ARG_MAX, comparisons, FLOOR_DIV: what stands at the ends of models and between their shapes."""

from __future__ import annotations

import numpy as np
import pytest

from int8rt.errors import EvaluationError, ModelError, UnsupportedError
from int8rt.model import TensorType
from int8rt.schema.builder import TensorSpec
from int8rt.schema.options import ArgMaxOptions, ArgMinOptions
from tests.kernels.single import q, run_operator, variable

INDEX = TensorSpec(TensorType.INT32, ())
BOOL = TensorSpec(TensorType.BOOL, ())


def axis(value: int) -> TensorSpec:
    return TensorSpec.constant(np.array(value, np.int32))


def test_the_first_of_equals() -> None:
    data = variable(np.array([[1, 5, 5], [-2, -2, -3]], np.int8))
    assert run_operator("ARG_MAX", [data, axis(-1)], [INDEX], ArgMaxOptions(TensorType.INT32)).tolist() == [1, 0]
    assert run_operator("ARG_MIN", [data, axis(0)], [INDEX], ArgMinOptions(TensorType.INT32)).tolist() == [1, 1, 1]


def test_an_axis_known_while_running() -> None:
    data = variable(np.array([[1, 5], [7, 0]], np.uint8))
    result = run_operator("ARG_MAX", [data, variable(np.array(0, np.int64))], [INDEX], ArgMaxOptions(TensorType.INT32))
    assert result.tolist() == [1, 0]


def test_comparison_at_the_scales_of_both_sides() -> None:
    first, second = variable(np.array([2, 2, -3], np.int8), q(0.5)), variable(np.array([4, 5, -6], np.int8), q(0.25))
    assert run_operator("EQUAL", [first, second], [BOOL], version=2).tolist() == [True, False, True]
    assert run_operator("LESS", [first, second], [BOOL], version=2).tolist() == [False, True, False]


def test_division_rounds_down_and_the_remainder_follows_the_divisor() -> None:
    pair = [variable(np.array([7, -7, 7, -7], np.int32)), variable(np.array([2, 2, -2, -2], np.int32))]
    assert run_operator("FLOOR_DIV", pair, [INDEX]).tolist() == [3, -4, -4, 3]
    assert run_operator("FLOOR_MOD", pair, [INDEX]).tolist() == [1, 1, -1, -1]


def test_squared_difference() -> None:
    inputs = [variable(np.array([4, -4, 0], np.int8), q(0.5)), variable(np.array([0, 4, 1], np.int8), q(0.5))]
    output = TensorSpec(TensorType.INT8, (), q(0.5))
    assert run_operator("SQUARED_DIFFERENCE", inputs, [output]).tolist() == [8, 32, 1]
    with pytest.raises(ModelError, match=r"output scale 1e-05 of 'output0' does not fit input scales 0.5 and 0.5"):
        run_operator("SQUARED_DIFFERENCE", inputs, [TensorSpec(TensorType.INT8, (), q(1e-5))])


def test_what_the_numbers_forbid_is_an_evaluation_error() -> None:
    smallest = np.array([-(2**31)], np.int32)
    with pytest.raises(EvaluationError, match=r"FLOOR_DIV.*division by 0"):
        run_operator("FLOOR_DIV", [variable(smallest), variable(np.array([0], np.int32))], [INDEX])
    with pytest.raises(EvaluationError, match=r"FLOOR_MOD.*-2147483648 divided by -1 does not fit int32"):
        run_operator("FLOOR_MOD", [variable(smallest), variable(np.array([-1], np.int32))], [INDEX])


def test_refusals() -> None:
    data, options = variable(np.zeros((2, 3), np.int8), q(1.0)), ArgMaxOptions(TensorType.INT32)
    with pytest.raises(ModelError, match="axis 2 is outside a tensor of rank 2"):
        run_operator("ARG_MAX", [data, axis(2)], [INDEX], options)
    with pytest.raises(ModelError, match="output_type float32 is not that of 'output0', int32"):
        run_operator("ARG_MAX", [data, axis(0)], [INDEX], ArgMaxOptions())
    with pytest.raises(ModelError, match=r"axis 1 of input \[2, 0\] is empty"):
        run_operator("ARG_MAX", [variable(np.zeros((2, 0), np.int8)), axis(1)], [INDEX], options)
    with pytest.raises(
        ModelError, match=r"EQUAL.*scale 1 of 'input0': its multiplier is 1, it must be between 0 and 1"
    ):
        run_operator("EQUAL", [data, data], [BOOL])
    with pytest.raises(UnsupportedError, match=r"NOT_EQUAL.*int16 tensor 'input0' has no quantization parameters"):
        run_operator("NOT_EQUAL", [variable(np.zeros(2, np.int16))] * 2, [BOOL])
