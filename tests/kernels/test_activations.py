from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from int8rt.errors import ModelError, UnsupportedError
from int8rt.kernels.base import OperatorContext, TensorInfo
from int8rt.kernels.hard_swish import HARD_SWISH, HardSwishParams, hard_swish
from int8rt.model import Operator, TensorType
from int8rt.schema.builder import TensorSpec
from int8rt.schema.options import GeluOptions
from tests.kernels.single import q, run_operator, variable


def unary(
    name: str, codes: list[int], scale: float, out: tuple[float, int], dtype: str = "int8", options: object = None
) -> list[int]:
    output = TensorSpec(TensorType[dtype.upper()], (), q(*out))
    return run_operator(name, [variable(np.array(codes, dtype), q(scale))], [output], options).tolist()


def test_logistic() -> None:
    # 1/2, 0.7311, 0.2689, 0.99966
    assert unary("LOGISTIC", [0, 10, -10, 80], 0.1, (1 / 256, -128)) == [0, 59, -59, 127]
    assert unary("LOGISTIC", [0, 10], 0.1, (1 / 256, 0), "uint8") == [128, 187]
    assert unary("LOGISTIC", [0, 4096, -4096, 32767], 2.0**-12, (1 / 32768, 0), "int16") == [16384, 23956, 8812, 32757]
    assert unary("LOGISTIC", [0, 1000, -1000], 1e-3, (1 / 32768, 0), "int16") == [16384, 23956, 8812]


def test_tanh() -> None:
    assert unary("TANH", [0, 10, -10, 80], 0.1, (1 / 128, 0)) == [0, 97, -97, 127]  # 0.76159
    assert unary("TANH", [0, 2048, -2048], 2.0**-11, (1 / 32768, 0), "int16") == [0, 24956, -24956]


def test_exp_and_log() -> None:
    assert unary("EXP", [0, 10, -10, 100], 0.1, (0.0625, -128)) == [-112, -85, -122, 127]  # 1, e, 1/e in 1/16
    assert unary("LOG", [1, 2, 0, -5, 127], 1.0, (0.0625, 0)) == [0, 11, -128, -128, 78]


def test_gelu_and_elu() -> None:
    assert unary("GELU", [0, 10, -10, 40], 0.1, (0.0625, 0), options=GeluOptions()) == [0, 13, -3, 64]
    # Entries of an int16 table are off by the correction for interpolation: -1 for 0, -160 for -159.
    assert unary("GELU", [0, 1000, -1000], 1e-3, (1e-3, 0), "int16", GeluOptions(True)) == [-1, 841, -160]
    assert unary("ELU", [0, 10, -10, -100], 0.1, (0.0625, 0)) == [0, 16, -10, -16]


def test_hard_swish() -> None:
    # x · min(max(x + 3, 0), 6) / 6 in sixteenths: 0, 0, -1/3, 0, 2/3, 3, 4
    codes = [-64, -48, -16, 0, 16, 48, 64]
    assert unary("HARD_SWISH", codes, 0.0625, (0.0625, 0)) == [0, 0, -5, 0, 11, 48, 64]


def test_hard_swish_keeps_its_multipliers() -> None:
    tensors = [TensorInfo(name, TensorType.INT8, (4,), q(0.0625, 1)) for name in ("x", "y")]
    params = HARD_SWISH.prepare(OperatorContext(Operator("HARD_SWISH", (0,), (1,)), (tensors[0],), (tensors[1],)))
    assert isinstance(params, HardSwishParams)
    codes = np.arange(-128, 128).astype(np.int8)
    np.testing.assert_array_equal(HARD_SWISH.evaluate(params, codes), hard_swish(params, codes))
    other = dataclasses.replace(params, reluish_multiplier_exponent=params.reluish_multiplier_exponent + 1)
    assert (hard_swish(other, codes) != hard_swish(params, codes)).any()


@pytest.mark.parametrize(
    ("name", "dtype", "input", "output", "message"),
    [
        ("LOGISTIC", "int8", (0.1, 0), (1 / 128, 0), "'output0' has scale 0.0078125, expected 0.00390625"),
        ("LOGISTIC", "int16", (0.1, 0), (1 / 65536, 0), "expected 3.05176e-05"),
        ("LOGISTIC", "int16", (0.1, 5), (1 / 32768, 0), "has zero point 5, expected 0"),
        ("TANH", "int16", (0.1, 0), (1 / 16384, 0), "has scale 6.10352e-05, expected 1/32768"),
        ("EXP", "int16", (0.1, 0), (1.0, 3), "has zero point 3, expected 0"),
        ("HARD_SWISH", "int8", (1000.0, 0), (1.0, 0), "input scale 1000 is too large for the output scale 1"),
        ("HARD_SWISH", "int8", (1e9, 0), (1e9, 0), "scale 1e[+]09 of input 'input0' is out of range"),
        ("HARD_SWISH", "int8", (1.0, 0), (0.0, 0), "must be finite, found inf"),
    ],
)
def test_parameters_are_refused(
    name: str, dtype: str, input: tuple[float, int], output: tuple[float, int], message: str
) -> None:
    specs = [TensorSpec(TensorType[dtype.upper()], (), q(*output))]
    with pytest.raises(ModelError, match=f"{name}.*{message}"):
        run_operator(name, [variable(np.zeros(3, dtype), q(*input))], specs)


@pytest.mark.parametrize("name", ["LOGISTIC", "TANH", "HARD_SWISH", "EXP", "LOG", "GELU", "ELU"])
def test_missing_parameters_and_types_are_refused(name: str) -> None:
    with pytest.raises(ModelError, match=rf"{name}.*has no quantization parameters"):
        run_operator(name, [variable(np.int8([1]))], [TensorSpec(TensorType.INT8, (), q(1 / 256, -128))])
    with pytest.raises(UnsupportedError, match=rf"{name}: types int32 -> int32; accepted: int8 -> int8"):
        run_operator(name, [variable(np.int32([1]))], [TensorSpec(TensorType.INT32, ())])


@pytest.mark.parametrize("name", ["LOGISTIC", "TANH", "EXP"])
def test_int16_inputs_with_more_elements_than_codes(name: str) -> None:
    codes = np.arange(-(1 << 15), 1 << 15).astype(np.int16)
    output = TensorSpec(TensorType.INT16, (), q(1 / 32768))
    few = run_operator(name, [variable(codes, q(2e-4))], [output])
    many = run_operator(name, [variable(np.stack([codes, codes[::-1]]), q(2e-4))], [output])
    np.testing.assert_array_equal(many, [few, few[::-1]])
    assert np.unique(few).size > 1000
