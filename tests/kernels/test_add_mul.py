from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from int8rt.errors import ModelError, UnsupportedError
from int8rt.model import ActivationFunctionType, TensorType
from int8rt.schema.builder import TensorSpec
from int8rt.schema.options import AddOptions, MulOptions, SubOptions
from tests.kernels.single import q, run_operator, variable

INT8, INT16 = np.int8, np.int16


def run(name: str, a: Any, b: Any, scales: tuple[float, float, float], options: Any = None, dtype: Any = INT8) -> Any:
    inputs = [variable(np.array(values, dtype), q(scale)) for values, scale in zip((a, b), scales, strict=False)]
    output = TensorSpec(TensorType[np.dtype(dtype).name.upper()], (), q(scales[2]))
    return run_operator(name, inputs, [output], options, version=2).tolist()


def test_sums_are_sums_of_real_numbers() -> None:
    # 10 · 0.5 + 4 · 0.25 = 6 = 6 · 1; 0.5 - 0.25 = 0.25 is rounded to 0; -3 - 0.5 = -3.5 away from 0.
    assert run("ADD", [10, 1, -6], [4, -1, -2], (0.5, 0.25, 1.0)) == [6, 0, -4]
    assert run("SUB", [10, 1, -6], [4, 1, 2], (0.5, 0.25, 1.0)) == [4, 0, -4]


def test_products_are_products_of_real_numbers() -> None:
    assert run("MUL", [10, -7, 127], [3, 3, 127], (0.5, 0.25, 1.0)) == [4, -3, 127]


def test_zero_points_are_taken_off_and_put_back() -> None:
    inputs = [variable(np.array([-128, 5], INT8), q(1.0, -128)), variable(np.array([127, 127], INT8), q(1.0, 127))]
    output = TensorSpec(TensorType.INT8, (), q(2.0, 10))
    assert run_operator("ADD", inputs, [output]).tolist() == [10, 77]
    assert run_operator("MUL", inputs, [output]).tolist() == [10, 10]


def test_fused_activation_is_a_clamp_of_codes() -> None:
    options = AddOptions(ActivationFunctionType.RELU6)
    assert run("ADD", [-5, 5, 50], [0, 0, 0], (0.5, 0.5, 0.5), options) == [0, 5, 12]


@pytest.mark.parametrize(("name", "expected"), [("ADD", [32767, -32768, 3]), ("SUB", [32764, -32765, -1])])
def test_int16_powers_of_two_saturate(name: str, expected: list[int]) -> None:
    """The second input is shifted by two bits: 6 / 4 = 1.5, away from zero."""
    options = (AddOptions if name == "ADD" else SubOptions)(pot_scale_int16=True)
    assert run(name, [32766, -32767, 1], [6, -6, 8], (1.0, 0.25, 1.0), options, INT16) == expected


def test_plain_integers_wrap_and_broadcast() -> None:
    big = variable(np.array([[2**31 - 1], [5]], np.int32))
    output = TensorSpec(TensorType.INT32, ())
    assert run_operator("ADD", [big, variable(np.array([1, 2], np.int32))], [output]).tolist() == [
        [-(2**31), -(2**31) + 1],
        [6, 7],
    ]


@pytest.mark.parametrize("name", ["ADD", "SUB", "MUL"])
def test_scalars(name: str) -> None:
    for dtype in (np.int8, np.int16, np.float32):
        quantization = None if dtype == np.float32 else q(1.0)
        spec = TensorSpec(TensorType[np.dtype(dtype).name.upper()], (), quantization)
        inputs = [variable(np.array(3, dtype), quantization), variable(np.array(2, dtype), quantization)]
        result = run_operator(name, inputs, [spec], version=2)
        assert result.shape == ()
        assert result == {"ADD": 5, "SUB": 1, "MUL": 6}[name]


def test_an_output_scale_that_is_too_small_is_refused() -> None:
    with pytest.raises(ModelError, match=r"ADD.*output scale 1e-06 of 'output0' does not fit input scales 1 and 0.5"):
        run("ADD", [1], [1], (1.0, 0.5, 1e-6))


def test_sub_with_an_output_scale_next_to_nothing_is_refused() -> None:
    with pytest.raises(ModelError, match=r"SUB.*output scale 1e-30 of 'output0' does not fit input scales 1 and 1"):
        run("SUB", [1], [1], (1.0, 1.0, 1e-30))


def test_sub_shifts_the_wrong_way_where_the_output_scale_is_very_small() -> None:
    # The sign is left, and +1 unless it is negative.
    assert run("SUB", [1, 1, -9, 3], [1, 2, -8, 0], (1.0, 1.0, 1e-6)) == [1, -1, -1, 1]


def test_scales_without_a_product_are_refused() -> None:
    with pytest.raises(ModelError, match=r"MUL.*must be finite, found inf"):
        run("MUL", [1], [1], (1e30, 1e30, 1e-30))
    with pytest.raises(ModelError, match=r"MUL.*the activation bound 6.0 is not representable"):
        run("MUL", [1], [1], (1e-20, 1e-20, 1e-20), MulOptions(ActivationFunctionType.RELU6))


@pytest.mark.parametrize("exponents", [(-3, -3, -2), (-3, -2, -3), (-40, -2, -2)])
def test_int16_powers_of_two_that_do_not_fit_are_refused(exponents: tuple[int, int, int]) -> None:
    first, second, output = (2.0**exponent for exponent in exponents)
    with pytest.raises(ModelError, match=rf"needs an output scale equal to the larger.*found 2\^{exponents[2]}"):
        run("ADD", [1], [1], (first, second, output), AddOptions(), INT16)


def test_shapes_that_do_not_broadcast_are_refused() -> None:
    with pytest.raises(ModelError, match=r"MUL.*'input0' \[2\] and 'input1' \[3\] do not broadcast"):
        run("MUL", [1, 2], [1, 2, 3], (1.0, 1.0, 1.0))
    with pytest.raises(UnsupportedError, match="broadcasts to rank 9; supported up to 8"):
        run("MUL", np.ones((2,) * 9), 1, (1.0, 1.0, 1.0))
    with pytest.raises(UnsupportedError, match="pot_scale_int16 does not broadcast"):
        run("ADD", [1, 2], [1], (1.0, 1.0, 1.0), AddOptions(), INT16)


def test_tensors_without_a_scale_and_mixed_types_are_refused() -> None:
    with pytest.raises(ModelError, match=r"tensor 'input0' \(int8\) has no quantization parameters"):
        run_operator("ADD", [variable(np.zeros(1, INT8))] * 2, [TensorSpec(TensorType.INT8, (1,), q(1.0))])
    inputs = [variable(np.zeros(1, INT8), q(1.0)), variable(np.zeros(1, np.int32))]
    with pytest.raises(UnsupportedError, match="types int8, int32 -> int8; accepted: int8,int8 -> int8"):
        run_operator("ADD", inputs, [TensorSpec(TensorType.INT8, (1,), q(1.0))])


def test_int16_zero_points_are_refused() -> None:
    inputs = [variable(np.zeros(1, INT16), q(1.0, 3)), variable(np.zeros(1, INT16), q(1.0))]
    with pytest.raises(ModelError, match="int16 tensor 'input0' has zero point 3, expected 0"):
        run_operator("MUL", inputs, [TensorSpec(TensorType.INT16, (1,), q(1.0))])
