from __future__ import annotations

import numpy as np
import pytest

from int8rt.errors import EvaluationError, ModelError, UnsupportedError
from int8rt.model import Quantization, TensorType
from int8rt.schema.builder import TensorSpec
from int8rt.schema.options import SoftmaxOptions
from tests.kernels.single import q, run_operator, variable

INT8 = TensorSpec(TensorType.INT8, (), q(1 / 256, -128))
LOG_INT8 = TensorSpec(TensorType.INT8, (), q(1 / 16, 127))
ONE = SoftmaxOptions(1.0)


def softmax(row: list[int], scale: float = 1.0, output: TensorSpec = INT8, beta: float = 1.0) -> list[int]:
    return run_operator("SOFTMAX", [variable(np.int8([row]), q(scale))], [output], SoftmaxOptions(beta))[0].tolist()


def test_halves_quarters_and_one() -> None:
    assert softmax([5, 5]) == [0, 0]
    assert softmax([-7, -7, -7, -7]) == [-64, -64, -64, -64]
    assert softmax([100, -128]) == [127, -128]
    assert softmax([3]) == [127]


def test_ratios_of_powers_of_e() -> None:
    # 1 / (1 + e^-1) = 0.73106 and 0.26894 of 256
    assert softmax([1, 0]) == [187 - 128, 69 - 128]
    assert softmax([10, 0], 0.1) == softmax([1, 0])
    assert softmax([1, 0], 0.5, beta=2.0) == softmax([1, 0])


def test_wide_output() -> None:
    output = TensorSpec(TensorType.INT16, (), q(1 / 65536, -32768))
    assert softmax([1, 0], 1.0, output) == [47911 - 32768, 17625 - 32768]


def test_int16() -> None:
    output = TensorSpec(TensorType.INT16, (), q(1 / 32768))
    found = run_operator("SOFTMAX", [variable(np.int16([[0, 0], [1000, 0]]), q(1e-3))], [output], ONE)
    assert found.tolist() == [[16384, 16384], [23956, 8812]]


def test_the_sum_of_512_equal_exponentials_is_too_much() -> None:
    assert softmax([1] * 511) == [-127] * 511
    with pytest.raises(EvaluationError, match=r"SOFTMAX.*a row of 512 elements add up to 512 or more"):
        softmax([1] * 512)


@pytest.mark.parametrize(
    ("input", "output", "beta", "message"),
    [
        (q(0.1), q(1 / 256, 0), 1.0, r"zero point 0, expected 0.00390625 and -128"),
        (q(0.1), q(1 / 255, -128), 1.0, r"scale 0.00392157 and zero point -128, expected"),
        (q(0.1), q(1 / 256, -128), 0.0, r"above 1, found 0"),
        (q(1e-9), q(1 / 256, -128), 1.0, r"above 1, found 0.067"),
        (None, q(1 / 256, -128), 1.0, r"'input0' \(int8\) has no quantization parameters"),
    ],
)
def test_parameters_are_refused(input: Quantization | None, output: Quantization, beta: float, message: str) -> None:
    specs = [TensorSpec(TensorType.INT8, (), output)]
    with pytest.raises(ModelError, match=r"SOFTMAX.*" + message):
        run_operator("SOFTMAX", [variable(np.int8([1, 2]), input)], specs, SoftmaxOptions(beta))


def test_types_and_ranks_are_refused() -> None:
    with pytest.raises(UnsupportedError, match=r"types int8 -> uint8; accepted: int8 -> int8\|int16"):
        run_operator("SOFTMAX", [variable(np.int8([1]), q(1.0))], [TensorSpec(TensorType.UINT8, (), q(1 / 256))], ONE)
    with pytest.raises(ModelError, match="'input0' must have at least one dimension"):
        run_operator("SOFTMAX", [variable(np.int8(1), q(1.0))], [INT8], ONE)
    output = TensorSpec(TensorType.INT16, (), q(1 / 32768))
    with pytest.raises(ModelError, match="zero point 3"):
        run_operator("SOFTMAX", [variable(np.int16([1]), q(1.0, 3))], [output], ONE)


def log_softmax(row: list[int], scale: float = 1.0) -> list[int]:
    return run_operator("LOG_SOFTMAX", [variable(np.int8([row]), q(scale))], [LOG_INT8])[0].tolist()


def test_logarithms() -> None:
    # log(1/2) = -0.693 is 11.09 steps of 1/16
    assert log_softmax([5, 5]) == [127 - 11, 127 - 11]
    assert log_softmax([3]) == [127]
    assert log_softmax([1, 0]) == [127 - 5, 127 - 21]  # -0.3133, -1.3133
    assert log_softmax([100, 85, 84, 83]) == [127, 127 - 240, -128, -128]


@pytest.mark.parametrize(
    ("scale", "zero_point", "message"),
    [(1 / 32, 127, "scale 0.03125, expected 0.0625"), (1 / 16, 0, "zero point 0, expected 127")],
)
def test_log_softmax_refuses_other_output_parameters(scale: float, zero_point: int, message: str) -> None:
    output = TensorSpec(TensorType.INT8, (), q(scale, zero_point))
    with pytest.raises(ModelError, match="LOG_SOFTMAX.*" + message):
        run_operator("LOG_SOFTMAX", [variable(np.int8([1, 2]), q(1.0))], [output])


def test_log_softmax_refuses_small_scales_and_wide_types() -> None:
    with pytest.raises(ModelError, match="above 1"):
        log_softmax([1, 2], 2.0**-26)
    with pytest.raises(UnsupportedError, match="types int16 -> int16"):
        run_operator("LOG_SOFTMAX", [variable(np.int16([1]), q(1.0))], [TensorSpec(TensorType.INT16, (), q(1 / 16))])


def test_a_log_softmax_whose_sum_wraps_to_nothing() -> None:
    with pytest.raises(EvaluationError, match=r"LOG_SOFTMAX.*a row of 8192 elements add up to 8192"):
        log_softmax([7] * 8192)
