from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from int8rt.errors import Int8rtError, ModelError, UnsupportedError
from int8rt.model import TensorType
from int8rt.schema.builder import TensorSpec
from int8rt.schema.options import (
    ConcatenationOptions,
    MirrorPadOptions,
    PackOptions,
    ReshapeOptions,
    ShapeOptions,
    SqueezeOptions,
    StridedSliceOptions,
    UnpackOptions,
)
from tests.kernels.single import q, run_operator, variable

INT8 = TensorSpec(TensorType.INT8, ())
SIX = variable(np.arange(6, dtype=np.int8).reshape(2, 3))


def vector(*values: int) -> TensorSpec:
    return TensorSpec.constant(np.array(values, np.int32))


def test_reshape_keeps_the_order() -> None:
    assert run_operator("RESHAPE", [SIX, vector(3, -1)], [INT8]).tolist() == [[0, 1], [2, 3], [4, 5]]


def test_reshape_from_the_options() -> None:
    assert run_operator("RESHAPE", [SIX], [INT8], ReshapeOptions((-1,))).tolist() == [0, 1, 2, 3, 4, 5]


def test_shape_is_known_before_anything_runs() -> None:
    output = TensorSpec(TensorType.INT64, ())
    found = run_operator("SHAPE", [SIX], [output], ShapeOptions(TensorType.INT64))
    assert found.tolist() == [2, 3]
    assert found.dtype == np.int64


def test_stacked_and_taken_apart() -> None:
    scalars = [variable(np.array(n, np.int8)) for n in (4, 5)]
    scalars = [(TensorSpec(spec.type, spec.shape, name=f"x{i}"), data) for i, (spec, data) in enumerate(scalars)]
    assert run_operator("PACK", scalars, [INT8], PackOptions(2, -1)).tolist() == [4, 5]
    parts = run_operator("UNPACK", [variable(np.array([4, 5], np.int8))], [INT8, INT8], UnpackOptions(2, 0))
    assert [(part.shape, int(part)) for part in parts] == [((), 4), ((), 5)]


def test_transpose() -> None:
    assert run_operator("TRANSPOSE", [SIX, vector(1, 0)], [INT8]).tolist() == [[0, 3], [1, 4], [2, 5]]


def test_pad_fills_with_the_zero_point_of_the_output() -> None:
    paddings = TensorSpec.constant(np.array([[0, 0], [1, 0]], np.int32))
    data = variable(SIX[1], q(0.5, 3))
    output = TensorSpec(TensorType.INT8, (), q(0.5, -7))
    assert run_operator("PAD", [data, paddings], [output]).tolist() == [[-7, 0, 1, 2], [-7, 3, 4, 5]]


@pytest.mark.parametrize(
    ("mode", "expected"), [("REFLECT", [2, 1, 0, 1, 2, 3, 2]), ("SYMMETRIC", [1, 0, 0, 1, 2, 3, 3])]
)
def test_mirrored_borders(mode: str, expected: list[int]) -> None:
    options = MirrorPadOptions(getattr(type(MirrorPadOptions().mode), mode))
    paddings = TensorSpec.constant(np.array([[2, 1]], np.int32))
    data = variable(np.arange(4, dtype=np.int8))
    assert run_operator("MIRROR_PAD", [data, paddings], [INT8], options).tolist() == expected


def test_concatenation_rescales_uint8() -> None:
    # (q - 10) · 0.5 in steps of 0.25 from zero point 20: 2 · (q - 10) + 20, held within [0, 255].
    rescaled = TensorSpec.constant(np.array([0, 11, 200], np.uint8), q(0.5, 10))
    same = variable(np.array([1], np.uint8), q(0.25, 20))
    output = TensorSpec(TensorType.UINT8, (), q(0.25, 20))
    assert run_operator("CONCATENATION", [same, rescaled], [output], ConcatenationOptions(0)).tolist() == [
        1,
        0,
        22,
        255,
    ]


@pytest.mark.parametrize(
    ("begin", "end", "strides", "masks", "expected"),
    [
        ([0, 1], [2, 3], [1, 1], {}, [[1, 2], [4, 5]]),
        ([-1, 0], [0, 0], [1, 2], {"shrink_axis_mask": 1, "end_mask": 2}, [3, 5]),
        ([0], [0], [-1], {"begin_mask": 1, "end_mask": 1}, [[3, 4, 5], [0, 1, 2]]),
        ([0, 1], [0, 2], [1, 1], {"ellipsis_mask": 1}, [[1], [4]]),
        ([0, 0], [0, 1], [1, 1], {"new_axis_mask": 1}, [[[0, 1, 2]]]),
        ([5, 0], [9, 9], [1, 1], {}, []),
        ([1, 1], [1, 2], [1, 1], {"offset": True}, [[4, 5]]),
    ],
)
def test_strided_slice(
    begin: list[int], end: list[int], strides: list[int], masks: dict[str, Any], expected: list[Any]
) -> None:
    inputs = [SIX, vector(*begin), vector(*end), vector(*strides)]
    assert run_operator("STRIDED_SLICE", inputs, [INT8], StridedSliceOptions(**masks)).tolist() == expected


def test_versions_that_only_the_optimized_resolver_knows() -> None:
    assert run_operator("TRANSPOSE", [SIX, vector(1, 0)], [INT8], version=9).shape == (3, 2)
    assert run_operator("SQUEEZE", [variable(np.zeros((1, 2), np.int8))], [INT8], version=2).shape == (2,)
    with pytest.raises(UnsupportedError, match="version 9; supported up to 8"):
        run_operator("STRIDED_SLICE", [SIX, vector(0), vector(1), vector(1)], [INT8], version=9)


SCALED = TensorSpec(TensorType.INT8, (), q(0.5))
BORDERS = TensorSpec.constant(np.array([[0, 0], [0, -1]], np.int32))


@pytest.mark.parametrize(
    ("name", "inputs", "options", "message"),
    [
        ("RESHAPE", [SIX, vector(4, 2)], None, r"\[2, 3\] cannot take the shape \[4, 2\]"),
        ("RESHAPE", [SIX, vector(-1, -1)], None, r"must not be negative, but for one -1"),
        ("SQUEEZE", [SIX], SqueezeOptions((1,)), r"dimensions \[1\] of \[2, 3\] are not all of size 1"),
        ("EXPAND_DIMS", [SIX, vector(4)], None, r"axis 4 is outside a tensor of rank 3"),
        ("EXPAND_DIMS", [SIX, vector(1, 1)], None, r"has 2 elements, expected 1"),
        ("PACK", [SIX], PackOptions(2, 0), r"has 1 inputs, values_count says 2"),
        ("UNPACK", [SIX], UnpackOptions(1, 1), r"dimension 1 of \[2, 3\] makes 3 outputs; there are 1, num says 1"),
        ("TRANSPOSE", [SIX, vector(0, 0)], None, r"perm \[0, 0\] names a dimension twice"),
        ("TRANSPOSE", [SIX, vector(0, 2)], None, r"axis 2 is outside a tensor of rank 2"),
        ("PAD", [SIX, BORDERS], None, r"paddings \[0, 0, 0, -1\] must not be negative"),
        ("PAD", [SIX, vector(1, 1)], None, r"have shape \[2\], expected \[2, 2\]"),
        ("CONCATENATION", [SIX], ConcatenationOptions(2), r"axis 2 is outside a tensor of rank 2"),
        ("SLICE", [SIX, vector(0, 1), vector(2, 3)], None, r"leave the input \[2, 3\]"),
        ("SLICE", [SIX, vector(0, -1), vector(2, 2)], None, r"leave the input \[2, 3\]"),
        ("STRIDED_SLICE", [SIX, vector(0), vector(1), vector(0)], None, r"stride 0 of dimension 0"),
        ("STRIDED_SLICE", [SIX, vector(0), vector(1, 1), vector(1)], None, r"must be vectors of one length"),
        (
            "STRIDED_SLICE",
            [SIX, vector(1, 1, 1, 1), vector(2, 2, 2, 2), vector(1, 1, 1, 1)],
            StridedSliceOptions(new_axis_mask=8),
            r"4 indices are too many for the input \[2, 3\]",
        ),
        (
            "STRIDED_SLICE",
            [SIX, vector(2), vector(3), vector(1)],
            StridedSliceOptions(shrink_axis_mask=1),
            r"no element",
        ),
    ],
)
def test_refusals(name: str, inputs: list[Any], options: Any, message: str) -> None:
    with pytest.raises(ModelError, match=f"{name}.*{message}"):
        run_operator(name, inputs, [INT8], options)


def test_other_scales_are_refused_where_codes_are_copied_together() -> None:
    for name, options in (("PACK", PackOptions(1, 0)), ("CONCATENATION", ConcatenationOptions(0))):
        with pytest.raises(ModelError, match=r"scale 0\.25 and zero point 0.*must be equal"):
            run_operator(name, [variable(SIX[1], q(0.25))], [SCALED], options)


def test_types_are_named() -> None:
    with pytest.raises(UnsupportedError, match=r"types int8, int64 -> int8; accepted: int8,int32 -> int8"):
        run_operator("TRANSPOSE", [SIX, TensorSpec.constant(np.array([0, 1]))], [INT8])


def test_a_huge_border_takes_no_memory() -> None:
    paddings = TensorSpec.constant(np.array([[0, 2**31 - 1], [0, 2**31 - 1]], np.int32))
    with pytest.raises(Int8rtError, match="limit"):
        run_operator("PAD", [SIX, paddings], [INT8])
