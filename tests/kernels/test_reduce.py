from __future__ import annotations

import numpy as np
import pytest

from int8rt.errors import ModelError
from int8rt.model import TensorType
from int8rt.schema.builder import TensorSpec
from int8rt.schema.options import ReducerOptions
from tests.kernels.single import q, run_operator, variable

INT8 = TensorSpec(TensorType.INT8, (), q(0.5, 0))
AXIS_1 = TensorSpec.constant(np.array([1], np.int32))


def test_mean_rescales_and_rounds_ties_away_from_zero() -> None:
    # Real values: 0.25 · (3 + 4) / 2 = 0.875 and -0.875 are 1.75 and -1.75 steps of 0.5; 0.25 · 6 / 2 is 1.5 steps.
    data = variable(np.array([[13, 14], [7, 6], [13, 13], [7, 7]], np.int8), q(0.25, 10))
    assert run_operator("MEAN", [data, AXIS_1], [INT8], ReducerOptions()).tolist() == [2, -2, 2, -2]


def test_mean_of_plain_integers_is_truncated() -> None:
    output = TensorSpec(TensorType.INT32, ())
    data = variable(np.array([[-3, -4], [3, 4]], np.int32))
    assert run_operator("MEAN", [data, AXIS_1], [output], ReducerOptions(True)).tolist() == [[-3], [3]]


def test_sum_of_int8_is_that_of_its_bytes() -> None:
    """A defect of the reference resolver: -1 counts as 255, and the result is clamped to [0, 255]."""
    data = variable(np.array([[1, 2], [-1, 1], [-1, -1]], np.int8), q(0.5, 0))
    assert run_operator("SUM", [data, AXIS_1], [INT8], ReducerOptions()).tolist() == [3, -1, -1]


def test_products_of_sizes() -> None:
    output = TensorSpec(TensorType.INT32, ())
    data = variable(np.array([[2, 3, 7], [1 << 20, 1 << 11, 5]], np.int32))
    assert run_operator("REDUCE_PROD", [data, AXIS_1], [output], ReducerOptions()).tolist() == [42, -(1 << 31)]


def test_quantized_products_are_rescaled_at_every_step() -> None:
    # Real values 1.5 · -2 · 2 = -6; the scale of a step is 0.5 / 0.125^(1/3) = 1, so 3 · -4 · 4 = -48 steps of 0.125.
    data = variable(np.array([[4, -3, 5]], np.int8), q(0.5, 1))
    output = TensorSpec(TensorType.INT8, (), q(0.125, 2))
    assert run_operator("REDUCE_PROD", [data, AXIS_1], [output], ReducerOptions()).tolist() == [-46]
    negative = variable(np.array([[4, -3, 5]], np.int8), q(-0.5, 1))
    with pytest.raises(ModelError, match="make a multiplier out of range"):
        run_operator("REDUCE_PROD", [negative, AXIS_1], [output], ReducerOptions())


def test_products_of_huge_multipliers() -> None:
    # A multiplier of 37000 is 2^16 times a fraction: the shift by 15 - 16 is one by 63, which leaves the sign.
    data = variable(np.array([[22305]], np.int16), q(3.7))
    output = TensorSpec(TensorType.INT16, (), q(1e-4))
    assert run_operator("REDUCE_PROD", [data, AXIS_1], [output], ReducerOptions()).tolist() == [0]


def test_an_axis_beyond_the_rank_is_refused() -> None:
    data = variable(np.zeros((2, 2), np.int8), q(0.5))
    axis = TensorSpec.constant(np.array([2], np.int32))
    with pytest.raises(ModelError, match=r"MEAN.*axis 2 is outside a tensor of rank 2"):
        run_operator("MEAN", [data, axis], [INT8], ReducerOptions())


def test_a_maximum_between_different_scales_is_refused() -> None:
    data = variable(np.zeros((2, 2), np.int8), q(0.25, 0))
    with pytest.raises(ModelError, match=r"scale 0\.25 and zero point 0.*scale 0\.5.*must be equal"):
        run_operator("REDUCE_MAX", [data, AXIS_1], [INT8], ReducerOptions())


def test_a_mean_needs_scales() -> None:
    data = variable(np.zeros((2, 2), np.int8))
    with pytest.raises(ModelError, match="has no quantization parameters"):
        run_operator("MEAN", [data, AXIS_1], [INT8], ReducerOptions())
