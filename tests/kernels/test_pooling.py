from __future__ import annotations

import numpy as np
import pytest

from int8rt.errors import ModelError, SpecError, UnsupportedError
from int8rt.model import ActivationFunctionType, Padding, TensorType
from int8rt.schema.builder import TensorSpec
from int8rt.schema.options import Pool2DOptions
from tests.kernels.single import q, run_operator, variable

INT8 = TensorSpec(TensorType.INT8, (), q(0.5, 0))


def pool(name: str, rows: list[list[int]], dtype: str = "int8", **options: int) -> list[list[int]]:
    data = np.array(rows, dtype)[np.newaxis, :, :, np.newaxis]
    settings = Pool2DOptions(**{"stride_w": 1, "stride_h": 1, "padding": Padding.VALID, **options})
    output = TensorSpec(TensorType[dtype.upper()], (), q(0.5, 0))
    return run_operator(name, [variable(data, q(0.5, 0))], [output], settings)[0, :, :, 0].tolist()


def test_means_are_rounded_away_from_zero() -> None:
    assert pool("AVERAGE_POOL_2D", [[1, 2, -1, -2, 0]], filter_width=2, filter_height=1) == [[2, 1, -2, -1]]


def test_a_mean_is_over_the_taps_inside_the_input() -> None:
    rows = [[10, 20], [30, 44]]
    same = {"padding": Padding.SAME, "filter_width": 2, "filter_height": 2}
    assert pool("AVERAGE_POOL_2D", rows, **same) == [[26, 32], [37, 44]]


def test_strides_and_clamp() -> None:
    rows = [[-3, 9, 5, 120, -7]]
    relu6 = {"fused_activation_function": ActivationFunctionType.RELU6}
    assert pool("MAX_POOL_2D", rows, filter_width=2, filter_height=1, stride_w=2, **relu6) == [[9, 12]]


def test_a_window_of_two_billion_elements_takes_no_time() -> None:
    same = {"padding": Padding.SAME, "filter_width": 2**31 - 1, "filter_height": 2**31 - 1}
    assert pool("AVERAGE_POOL_2D", [[1, 2], [3, 5]], **same) == [[3, 3], [3, 3]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"filter_width": 0, "filter_height": 1}, r"window \(1, 0\) must be at least 1"),
        ({"filter_width": 1, "filter_height": 1, "stride_h": 0}, r"strides \(0, 1\)"),
        ({"filter_width": 7, "filter_height": 1}, r"a \(1, 7\) window does not fit the input \[1, 1, 3, 1\]"),
    ],
)
def test_impossible_windows_are_refused(options: dict[str, int], message: str) -> None:
    with pytest.raises(ModelError, match=r"MAX_POOL_2D.*" + message):
        pool("MAX_POOL_2D", [[1, 2, 3]], **options)


def test_other_types_and_ranks_are_refused() -> None:
    one = Pool2DOptions(stride_w=1, stride_h=1, filter_width=1, filter_height=1)
    with pytest.raises(UnsupportedError, match="types int32 -> int8; accepted: int8 -> int8"):
        run_operator("MAX_POOL_2D", [variable(np.zeros((1, 1, 1, 1), np.int32))], [INT8], one)
    with pytest.raises(ModelError, match=r"must have rank 4, found \[2, 2\]"):
        run_operator("MAX_POOL_2D", [variable(np.zeros((2, 2), np.int8))], [INT8], one)


def test_a_clamp_needs_a_scale() -> None:
    relu = Pool2DOptions(
        stride_w=1, stride_h=1, filter_width=1, filter_height=1, fused_activation_function=ActivationFunctionType.RELU
    )
    data = variable(np.zeros((1, 1, 1, 1), np.int8))
    with pytest.raises(SpecError, match="activation bound"):
        run_operator("MAX_POOL_2D", [data], [TensorSpec(TensorType.INT8, ())], relu)
