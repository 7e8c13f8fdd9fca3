from __future__ import annotations

import numpy as np
import pytest

from int8rt.errors import ModelError
from int8rt.model import ActivationFunctionType, TensorType
from int8rt.schema.builder import TensorSpec
from int8rt.schema.options import L2NormOptions
from tests.kernels.single import q, run_operator, variable

INT8 = TensorSpec(TensorType.INT8, (), q(1 / 128))


def normalize(rows: list[list[int]], zero_point: int = 0, output: TensorSpec = INT8, **options: int) -> list[list[int]]:
    data, settings = np.array(rows, output.type.dtype), L2NormOptions(**options)
    return run_operator("L2_NORMALIZATION", [variable(data, q(0.1, zero_point))], [output], settings).tolist()


def test_rows_get_length_one() -> None:
    assert normalize([[3, 4], [-3, 4], [0, 0]]) == [[77, 102], [-77, 102], [0, 0]]  # 0.6 and 0.8 of 128
    assert normalize([[5, 0], [-5, 0]]) == [[127, 0], [-128, 0]]
    assert normalize([[13, 14]], zero_point=10) == [[77, 102]]


def test_uint8() -> None:
    output = TensorSpec(TensorType.UINT8, (), q(1 / 128, 128))
    assert normalize([[13, 14], [7, 14], [10, 10]], 10, output) == [[205, 230], [51, 230], [128, 128]]


@pytest.mark.parametrize(("scale", "zero_point"), [(1 / 256, 0), (1 / 128, 1)])
def test_other_output_parameters_are_refused(scale: float, zero_point: int) -> None:
    with pytest.raises(ModelError, match=r"L2_NORMALIZATION.*output 'output0' has .*expected"):
        normalize([[1, 2]], 0, TensorSpec(TensorType.INT8, (), q(scale, zero_point)))


def test_activations_and_scalars_are_refused() -> None:
    with pytest.raises(ModelError, match="has fused activation RELU, expected NONE"):
        normalize([[1, 2]], fused_activation_function=ActivationFunctionType.RELU)
    with pytest.raises(ModelError, match="must have at least one dimension"):
        run_operator("L2_NORMALIZATION", [variable(np.int8(1), q(0.1))], [INT8], L2NormOptions())
