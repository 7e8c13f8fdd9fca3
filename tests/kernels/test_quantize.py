from __future__ import annotations

import numpy as np
import pytest

from int8rt.errors import ModelError, UnsupportedError
from int8rt.model import Quantization, TensorType
from int8rt.schema.builder import TensorSpec
from int8rt.schema.options import CastOptions
from tests.kernels.single import q, run_operator, variable

CODES = np.arange(-128, 128).astype(np.int8)


def test_ties_away_from_zero_and_saturation() -> None:
    data = variable(np.array([0.25, -0.25, 0.74, 1000.0, -1000.0], np.float32))
    result = run_operator("QUANTIZE", [data], [TensorSpec(TensorType.INT8, (5,), q(0.5, 1))])
    assert result.tolist() == [2, 0, 2, 127, -128]


def test_infinity_and_nan_end_where_an_x86_processor_puts_them() -> None:
    data = variable(np.array([np.inf, -np.inf, np.nan, 1e30], np.float32))
    for zero_point, end in ((0, -128), (-1, 127)):
        result = run_operator("QUANTIZE", [data], [TensorSpec(TensorType.INT8, (4,), q(0.5, zero_point))])
        assert set(result.tolist()) == {end}


def test_a_scale_for_each_index_of_an_axis() -> None:
    axis = Quantization.per_axis([1.0, 0.5], [0, 10], 0)
    data = variable(np.array([[3.0, 4.0], [3.0, 4.0]], np.float32))
    result = run_operator("QUANTIZE", [data], [TensorSpec(TensorType.INT8, (2, 2), axis)])
    assert result.tolist() == [[3, 4], [16, 18]]
    back = run_operator("DEQUANTIZE", [variable(result, axis)], [TensorSpec(TensorType.FLOAT32, (2, 2))])
    assert back.tolist() == [[3.0, 4.0], [3.0, 4.0]]


@pytest.mark.parametrize("scale", [0.5, 0.1, 1e-3, 777.0])
def test_the_exclusive_or_short_cut_changes_nothing(scale: float) -> None:
    """int8 to uint8 at the same scale with zero points 128 apart, which TensorFlow Lite does with code ^ 0x80."""
    result = run_operator(
        "QUANTIZE", [variable(CODES, q(scale, -5))], [TensorSpec(TensorType.UINT8, (256,), q(scale, 123))]
    )
    np.testing.assert_array_equal(result, CODES.view(np.uint8) ^ 0x80)


def test_int4_constants() -> None:
    constant = TensorSpec.constant(np.array([-8, 0, 7], np.int8), q(0.5), type=TensorType.INT4)
    result = run_operator("DEQUANTIZE", [constant], [TensorSpec(TensorType.FLOAT32, (3,))])
    assert result.tolist() == [-4.0, 0.0, 3.5]


def test_casts_truncate_saturate_and_ignore_scales() -> None:
    data = variable(np.array([1.9, -1.9, 300.0, -300.0, np.nan], np.float32))
    result = run_operator("CAST", [data], [TensorSpec(TensorType.INT8, (5,), q(0.1, 3))], CastOptions())
    assert result.tolist() == [1, -1, 127, -128, 127]


def test_refusals() -> None:
    plain = TensorSpec(TensorType.INT8, (2,))
    with pytest.raises(ModelError, match=r"QUANTIZE.*'output0' \(int8\) has no quantization parameters"):
        run_operator("QUANTIZE", [variable(np.zeros(2, np.float32))], [plain])
    unsigned = TensorSpec(TensorType.UINT8, (2,), q(1.0))
    with pytest.raises(UnsupportedError, match=r"QUANTIZE.*types int16 -> uint8"):
        run_operator("QUANTIZE", [variable(np.zeros(2, np.int16), q(1.0))], [unsigned])
    axis = Quantization.per_axis([1.0, 2.0], [0, 0], 1)
    with pytest.raises(ModelError, match=r"2 scales for dimension 1 of \[2, 3\]"):
        run_operator("QUANTIZE", [variable(np.zeros((2, 3), np.float32))], [TensorSpec(TensorType.INT8, (2, 3), axis)])
    with pytest.raises(UnsupportedError, match="int16 tensor 'input0' has 2 scales"):
        run_operator(
            "DEQUANTIZE", [variable(np.zeros((3, 2), np.int16), axis)], [TensorSpec(TensorType.FLOAT32, (3, 2))]
        )
