from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from int8rt.errors import EvaluationError, ModelError, UnsupportedError
from int8rt.model import TensorType
from int8rt.schema.builder import TensorSpec
from int8rt.schema.options import (
    BatchToSpaceNDOptions,
    DepthToSpaceOptions,
    GatherOptions,
    SpaceToBatchNDOptions,
    SpaceToDepthOptions,
    SplitOptions,
    SplitVOptions,
)
from tests.kernels.single import q, run_operator, variable

INT8 = TensorSpec(TensorType.INT8, ())
SIX = variable(np.arange(6, dtype=np.int8).reshape(2, 3))
FOUR = variable(np.arange(16, dtype=np.int8).reshape(1, 4, 4, 1))


def vector(*values: int) -> TensorSpec:
    return TensorSpec.constant(np.array(values, np.int32))


def pairs(*values: tuple[int, int]) -> TensorSpec:
    return TensorSpec.constant(np.array(values, np.int32))


def test_split_into_parts_of_given_sizes() -> None:
    parts = run_operator("SPLIT_V", [SIX, vector(1, -1), vector(-1)], [INT8, INT8], SplitVOptions(2))
    assert [part.tolist() for part in parts] == [[[0], [3]], [[1, 2], [4, 5]]]


def test_gather_with_batches() -> None:
    positions = TensorSpec.constant(np.array([[2, 0], [1, 1]], np.int64))
    assert run_operator("GATHER", [SIX, positions], [INT8], GatherOptions(1, 1)).tolist() == [[2, 0], [4, 4]]


def test_gather_of_one_element() -> None:
    found = run_operator("GATHER", [variable(np.arange(4, dtype=np.int8)), vector(3)], [INT8], GatherOptions())
    assert found.tolist() == [3]


@pytest.mark.parametrize("index", [-1, 2])
def test_an_index_out_of_range_is_found_while_running(index: int) -> None:
    positions = variable(np.array([index, 0], np.int32))
    with pytest.raises(EvaluationError, match=r"GATHER.*is outside a dimension of size 2"):
        run_operator("GATHER", [SIX, positions], [INT8], GatherOptions())
    with pytest.raises(EvaluationError, match=r"GATHER_ND.*is outside a dimension of size 2"):
        run_operator("GATHER_ND", [SIX, positions], [INT8])


def test_squares_as_channels() -> None:
    deep = run_operator("SPACE_TO_DEPTH", [FOUR], [INT8], SpaceToDepthOptions(2))
    assert deep[0].tolist() == [[[0, 1, 4, 5], [2, 3, 6, 7]], [[8, 9, 12, 13], [10, 11, 14, 15]]]
    back = run_operator("DEPTH_TO_SPACE", [variable(deep)], [INT8], DepthToSpaceOptions(2), version=2)
    assert np.array_equal(back, FOUR[1])


def test_blocks_as_batches() -> None:
    data = variable(np.array([[[7], [8], [9]]], np.int8), q(0.5, -1))
    output = TensorSpec(TensorType.INT8, (), q(0.5, -1))
    many = run_operator("SPACE_TO_BATCH_ND", [data, vector(2), pairs((1, 0))], [output], SpaceToBatchNDOptions())
    assert many[..., 0].tolist() == [[-1, 8], [7, 9]]
    back = run_operator(
        "BATCH_TO_SPACE_ND", [variable(many, q(0.5, -1)), vector(2), pairs((1, 0))], [output], BatchToSpaceNDOptions()
    )
    assert back[..., 0].tolist() == [[7, 8, 9]]


def test_version_3_of_tile() -> None:
    """BUILTIN_REF knows two versions, the optimized resolver three."""
    assert run_operator("TILE", [SIX, vector(1, 2)], [INT8], version=3).tolist() == [[0, 1, 2] * 2, [3, 4, 5] * 2]
    with pytest.raises(UnsupportedError, match="version 4; supported up to 3"):
        run_operator("TILE", [SIX, vector(1, 2)], [INT8], version=4)


def test_the_largest_in_order() -> None:
    outputs = [INT8, TensorSpec(TensorType.INT32, ())]
    data = variable(np.array([[3, -128, 3, 127]], np.int8))
    values, positions = run_operator("TOPK_V2", [data, vector(3)], outputs)
    assert values.tolist() == [[127, 3, 3]]
    assert positions.tolist() == [[3, 0, 2]]


@pytest.mark.parametrize(
    ("name", "inputs", "options", "message"),
    [
        ("SPLIT", [vector(1), SIX], SplitOptions(1), r"has 2 outputs, num_splits says 1"),
        ("SPLIT", [vector(1), SIX], SplitOptions(2), r"dimension 1 of \[2, 3\] cannot be cut into 2 equal parts"),
        ("SPLIT_V", [SIX, vector(1, 1), vector(1)], SplitVOptions(2), r"sizes \[1, 1\] do not add up"),
        ("SPLIT_V", [SIX, vector(-1, -1), vector(1)], SplitVOptions(2), r"sizes \[-1, -1\] do not add up"),
        ("SPLIT_V", [SIX, vector(5, -2), vector(1)], SplitVOptions(2), r"sizes \[5, -2\] do not add up"),
        ("GATHER", [SIX, vector(0)], GatherOptions(2), r"axis 2 is outside"),
        ("GATHER", [SIX, vector(0)], GatherOptions(1, 1), r"the first 1 dimensions of \[2, 3\] and \[1\] differ"),
        ("GATHER_ND", [SIX, vector(0, 0, 0)], None, r"indices of 3 numbers are too long"),
        ("TILE", [SIX, vector(2)], None, r"has 1 multipliers for a tensor of rank 2"),
        ("TILE", [SIX, vector(2, -1)], None, r"multipliers \[2, -1\] must not be negative"),
        ("TILE", [SIX, vector(2**31 - 1, 2**31 - 1)], None, r"limit"),
        ("SPACE_TO_DEPTH", [FOUR], SpaceToDepthOptions(3), r"height 4 and width 4 are not multiples of 3"),
        ("SPACE_TO_DEPTH", [FOUR], SpaceToDepthOptions(0), r"block size 0 must be at least 1"),
        ("DEPTH_TO_SPACE", [FOUR], DepthToSpaceOptions(2), r"1 channels are not a multiple of 4"),
        ("SPACE_TO_BATCH_ND", [FOUR, vector(3, 2), pairs((0, 0), (0, 0))], None, r"padded size \[4, 4\] is not"),
        ("SPACE_TO_BATCH_ND", [FOUR, vector(0, 2), pairs((0, 0), (0, 0))], None, r"negative or 0"),
        ("BATCH_TO_SPACE_ND", [FOUR, vector(2, 1), pairs((0, 0), (0, 0))], None, r"1 batches are not a multiple of 2"),
        ("BATCH_TO_SPACE_ND", [FOUR, vector(1, 1), pairs((3, 2), (0, 0))], None, r"leave less than nothing"),
        ("REVERSE_V2", [FOUR, vector(0, 2)], None, r"axes \[0, 2\] are not neighbours"),
        ("BROADCAST_TO", [SIX, vector(4, 3)], None, r"\[2, 3\] does not broadcast to \[4, 3\]"),
        ("BROADCAST_TO", [SIX, vector(3)], None, r"\[2, 3\] does not broadcast to \[3\]"),
    ],
)
def test_refusals(name: str, inputs: list[Any], options: Any, message: str) -> None:
    outputs = [INT8, INT8] if name.startswith("SPLIT") else [INT8]
    with pytest.raises(ModelError, match=f"{name}.*{message}"):
        run_operator(name, inputs, outputs, options)
