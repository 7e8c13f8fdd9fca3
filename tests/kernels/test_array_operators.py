"""SCATTER_ND, ONE_HOT, WHERE, CUMSUM and others: worked-out numbers, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from int8rt.errors import EvaluationError, Int8rtError, ModelError, UnsupportedError
from int8rt.model import TensorType
from int8rt.schema import options as o
from int8rt.schema.builder import TensorSpec
from tests.kernels.single import q, run_operator, variable

INT32, INT64, FLOAT32 = (TensorSpec(TensorType[name], ()) for name in ("INT32", "INT64", "FLOAT32"))


def c(values: Any, dtype: Any = np.int32) -> TensorSpec:
    return TensorSpec.constant(np.array(values, dtype))


def v(values: Any, dtype: Any = np.int32) -> Any:
    return variable(np.array(values, dtype))


def test_scatter_adds() -> None:
    found = run_operator("SCATTER_ND", [c([[1], [3], [1]]), v([10, 20, 5]), c([5])], [INT32])
    assert found.tolist() == [0, 15, 0, 20, 0]


def test_sparse_to_dense_takes_the_last_value() -> None:
    found = run_operator("SPARSE_TO_DENSE", [c([[0, 1], [1, 0], [0, 1]]), c([2, 2]), v([7, 8, 9]), c(-1)], [INT32])
    assert found.tolist() == [[-1, 9], [8, -1]]


def test_update_is_moved_into_the_operand() -> None:
    found = run_operator("DYNAMIC_UPDATE_SLICE", [v([[1, 2, 3], [4, 5, 6]]), v([[0, 0]]), v([-4, 9])], [INT32])
    assert found.tolist() == [[1, 0, 0], [4, 5, 6]]


def test_segments() -> None:
    inputs = [v([[1, 2], [3, 4], [5, 6], [7, 8]]), v([2, 0, -1, 2]), c(3)]
    found = {name: run_operator(f"UNSORTED_SEGMENT_{name}", inputs, [INT32]).tolist() for name in ("SUM", "MAX")}
    assert found["SUM"] == [[3, 4], [0, 0], [8, 10]]
    assert found["MAX"] == [[3, 4], [-(2**31)] * 2, [7, 8]]


def test_positions_and_numbers_of_elements() -> None:
    assert run_operator("WHERE", [v([[0, 5], [-1, 0]])], [INT64]).tolist() == [[0, 1], [1, 0]]
    values, numbers = run_operator("UNIQUE", [v([4, 7, 4, 1])], [INT32, INT32], o.UniqueOptions())
    assert (values.tolist(), numbers.tolist()) == ([4, 7, 1], [0, 1, 0, 2])
    hot = run_operator("ONE_HOT", [v([2, 5]), c(3), c(9), c(-9)], [INT32], o.OneHotOptions(axis=0))
    assert hot.tolist() == [[-9, -9], [-9, -9], [9, -9]]


def test_running_sums_and_reversals() -> None:
    options = o.CumsumOptions(exclusive=True, reverse=True)
    assert run_operator("CUMSUM", [v([1, 2, 3]), c(0)], [INT32], options).tolist() == [5, 3, 0]
    data, reverse = v([[1, 2, 3], [4, 5, 6]]), o.ReverseSequenceOptions(seq_dim=1, batch_dim=0)
    assert run_operator("REVERSE_SEQUENCE", [data, v([2, 3])], [INT32], reverse).tolist() == [[2, 1, 3], [6, 5, 4]]
    assert run_operator("MATRIX_SET_DIAG", [data, v([0, 0])], [INT32]).tolist() == [[0, 2, 3], [4, 0, 6]]


def test_numbers_of_one_element_each() -> None:
    assert run_operator("DIV", [v([7, -7, -(2**31)]), v([2, 2, -1])], [INT32]).tolist() == [3, -3, 2**31 - 1]
    assert run_operator("POW", [v([3, -2, 10]), v([4, 3, 10])], [INT32]).tolist() == [81, -8, -(2**31)]
    halves = v([0.5, 1.5, 2.5, -0.5, -0.2], np.float32)
    assert [str(x) for x in run_operator("ROUND", [halves], [FLOAT32])] == ["0.0", "2.0", "2.0", "0.0", "0.0"]
    assert run_operator("RIGHT_SHIFT", [v([-9, 9, 9]), v([1, -5, 99])], [INT32]).tolist() == [-5, 9, 0]
    bounds = o.BucketizeOptions(boundaries=(0.0, 10.0))
    assert run_operator("BUCKETIZE", [v([-1, 0, 10, 11])], [INT32], bounds).tolist() == [0, 1, 2, 2]
    quarter = o.FakeQuantOptions(min=-1.0, max=2.0, num_bits=2)
    found = run_operator("FAKE_QUANT", [v([-9, 0.4, 0.6, 9, np.nan], np.float32)], [FLOAT32], quarter)
    assert found.tolist() == [-1.0, 0.0, 1.0, 2.0, -1.0]


def test_codes_are_divided_at_their_scales() -> None:
    inputs = [variable(np.array([100, -50], np.int8), q(0.1)), variable(np.array([4, 4], np.int8), q(0.5))]
    assert run_operator("DIV", inputs, [TensorSpec(TensorType.INT8, (), q(0.25))]).tolist() == [20, -10]


ROW = v([[1, 2, 3]])
REFUSED = [
    (ModelError, "must have at least one dimension", "SCATTER_ND", [c(1), v([1]), c([5])], None),
    (ModelError, "shape .-5. must not be negative", "SCATTER_ND", [c([[1]]), v([1]), c([-5])], None),
    (ModelError, r"updates 'input1' \[2\] do not fit", "SCATTER_ND", [c([[1]]), v([1, 2]), c([5])], None),
    (EvaluationError, r"outside of the shape \[5\]", "SCATTER_ND", [v([[5]]), v([1]), c([5])], None),
    (ModelError, "at most 2, exactly 1", "SPARSE_TO_DENSE", [c([[[1]]]), c([5]), v([1]), c(0)], None),
    (ModelError, "must have one element", "SPARSE_TO_DENSE", [c([1]), c([5]), v([1]), c([0, 1])], None),
    (ModelError, "do not fit 2 dimensions", "SPARSE_TO_DENSE", [c([1]), c([5, 5]), v([1]), c(0)], None),
    (ModelError, "has 2 values for 1 indices", "SPARSE_TO_DENSE", [c([1]), c([5]), v([1, 2]), c(0)], None),
    (ModelError, "must not be negative", "SPARSE_TO_DENSE", [c([1]), c([-5]), v([1]), c(0)], None),
    (EvaluationError, "outside of the shape", "SPARSE_TO_DENSE", [v([-1]), c([5]), v([1]), c(0)], None),
    (ModelError, "must be a vector of 2", "DYNAMIC_UPDATE_SLICE", [ROW, v([[1]]), c([0])], None),
    (ModelError, r"\[2, 1\] does not fit into", "DYNAMIC_UPDATE_SLICE", [ROW, v([[1], [2]]), c([0, 0])], None),
    (ModelError, "has rank 9", "DYNAMIC_UPDATE_SLICE", [v(np.ones((1,) * 9))] * 2 + [c([0] * 9)], None),
    (ModelError, "do not fit the first", "UNSORTED_SEGMENT_SUM", [ROW, c([0, 1]), c(2)], None),
    (ModelError, "must be one number", "UNSORTED_SEGMENT_SUM", [ROW, c([0]), c([2, 2])], None),
    (ModelError, "-1 must not be negative", "UNSORTED_SEGMENT_SUM", [ROW, c([0]), c(-1)], None),
    (EvaluationError, "segment 2 is beyond the 2", "UNSORTED_SEGMENT_SUM", [ROW, v([2]), c(2)], None),
    (ModelError, "do not fit 'input0'", "SEGMENT_SUM", [ROW, c([0, 1])], None),
    (ModelError, "go up by at most 1", "SEGMENT_SUM", [v([1, 2, 3]), c([0, 2, 3])], None),
    (ModelError, "must begin at 0", "SEGMENT_SUM", [v([1, 2, 3]), c([1, 1, 2])], None),
    (ModelError, "must be equal", "STABLEHLO_AND", [ROW, v([1, 2, 3])], None),
    (EvaluationError, "outside of 32 bits", "STABLEHLO_SHIFT_LEFT", [v([1]), v([32])], None),
    (ModelError, "axis 3 is outside", "ONE_HOT", [ROW, c(2), c(1), c(0)], o.OneHotOptions(axis=3)),
    (ModelError, "'input3' must have one", "ONE_HOT", [ROW, c(2), c(1), c([0, 0])], o.OneHotOptions(axis=0)),
    (ModelError, "depth -2 must not", "ONE_HOT", [ROW, c(-2), c(1), c(0)], o.OneHotOptions(axis=0)),
    (ModelError, "at least rank 1", "CUMSUM", [v(1), c(0)], None),
    (ModelError, "axis 2 is outside", "CUMSUM", [ROW, c(2)], None),
    (ModelError, "are no two dimensions of 2", "REVERSE_SEQUENCE", [ROW, c([1])], o.ReverseSequenceOptions()),
    (ModelError, "a vector of 1 elements", "REVERSE_SEQUENCE", [ROW, c([1, 1])], o.ReverseSequenceOptions(1, 0)),
    (EvaluationError, "more than the 3 elements", "REVERSE_SEQUENCE", [ROW, v([4])], o.ReverseSequenceOptions(1, 0)),
    (ModelError, "at least rank 1", "MATRIX_DIAG", [v(1)], None),
    (ModelError, "at least rank 2", "MATRIX_SET_DIAG", [v([1]), v([1])], None),
    (ModelError, "must have 1 elements", "MATRIX_SET_DIAG", [ROW, v([1, 2])], None),
    (ModelError, "expected two vectors", "BROADCAST_ARGS", [v(1), v([1])], None),
    (EvaluationError, r"\[2, 3\] and \[2\] do not", "BROADCAST_ARGS", [v([2, 3]), v([2])], None),
    (ModelError, "ascending", "BUCKETIZE", [ROW], o.BucketizeOptions(boundaries=(2.0, 1.0))),
    (UnsupportedError, "NaN among", "BUCKETIZE", [ROW], o.BucketizeOptions(boundaries=(float("nan"),))),
    (ModelError, "has 1 inputs", "ADD_N", [ROW], None),
    (ModelError, r"has shape \[1\], expected \[1, 3\]", "ADD_N", [ROW, v([1])], None),
    (EvaluationError, "division by 0", "DIV", [ROW, v([0])], None),
    (EvaluationError, "negative exponents", "POW", [ROW, v([-1])], None),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case[2]}: {case[1]}")
def test_refusals(case: tuple[type[Int8rtError], str, str, list[Any], Any]) -> None:
    error, message, name, inputs, options = case
    with pytest.raises(error, match=f"{name}.*{message}"):
        run_operator(name, inputs, [INT32], options)


def test_refusals_by_type() -> None:
    numbers = v([[1.0, np.nan]], np.float32)
    with pytest.raises(ModelError, match=r"ATAN2.*must have one shape"):
        run_operator("ATAN2", [numbers, v([1.0], np.float32)], [FLOAT32])
    with pytest.raises(ModelError, match=r"WHERE.*at least rank 1"):
        run_operator("WHERE", [v(1)], [INT64])
    with pytest.raises(ModelError, match=r"BITCAST.*must be 2, so many int32 elements make one of int64"):
        run_operator("BITCAST", [ROW], [INT64])
    with pytest.raises(ModelError, match=r"UNIQUE.*must be a vector"):
        run_operator("UNIQUE", [ROW], [INT32, INT32], o.UniqueOptions())
    with pytest.raises(ModelError, match=r"UNIQUE.*idx_out_type int32 is not the type of output 1, int64"):
        run_operator("UNIQUE", [v([1])], [INT32, INT64], o.UniqueOptions())
    with pytest.raises(EvaluationError, match=r"UNIQUE.*NaN has no place"):
        run_operator("UNIQUE", [v([1.0, np.nan], np.float32)], [FLOAT32, INT32], o.UniqueOptions())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (o.FakeQuantOptions(min=0.5, max=1.0, num_bits=8), "from 0.5 to 1 does not hold 0"),
        (o.FakeQuantOptions(min=0.0, max=1.0, num_bits=17), "17 bits; supported are 1 to 16"),
        (o.FakeQuantOptions(min=0.0, max=1.0, num_bits=8, narrow_range=True), "narrow_range is for weights"),
    ],
)
def test_ranges_that_are_refused(options: o.FakeQuantOptions, message: str) -> None:
    with pytest.raises(Int8rtError, match=f"FAKE_QUANT.*{message}"):
        run_operator("FAKE_QUANT", [v([1.0], np.float32)], [FLOAT32], options)
