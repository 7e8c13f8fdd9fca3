"""What scripts rely on, run on int8rt and on LiteRT: what is told of tensors and operators."""

from __future__ import annotations

import numpy as np
import pytest

from tests.interpreter import models
from tests.interpreter.conftest import Make


@pytest.mark.parametrize("index", [1, -1, 3])
def test_wrong_subgraph(make: Make, index: int) -> None:
    with pytest.raises(ValueError, match="subgraph_index is out of range"):
        make(model_content=models.two_adds()).get_tensor_details(subgraph_index=index)


def test_details_of_a_quantized_tensor(make: Make) -> None:
    detail = make(model_content=models.two_adds()).get_input_details()[0]
    assert (detail["name"], detail["index"], detail["dtype"], detail["quantization"]) == ("x", 0, np.int8, (0.5, -3))
    assert detail["shape"].dtype == np.int32
    assert detail["sparsity_parameters"] == {}
    scale, zero_point = detail["quantization"]
    assert round(1.0 / scale) + zero_point == -1


def test_details_of_a_tensor_quantized_per_axis(make: Make) -> None:
    detail = make(model_content=models.per_axis()).get_tensor_details()[1]
    parameters = detail["quantization_parameters"]
    assert detail["quantization"] == (0.0, 0)
    assert parameters["scales"].tolist() == [0.5, 0.25, 0.125, 1.0]
    assert parameters["zero_points"].tolist() == [0, 0, 0, 0]
    assert parameters["quantized_dimension"] == 0


def test_details_of_operators(make: Make) -> None:
    first = make(model_content=models.per_axis())._get_ops_details()[0]
    assert (first["index"], first["op_name"]) == (0, "CONV_2D")
    assert (first["inputs"].tolist(), first["outputs"].tolist()) == ([0, 1, 2], [3])
    assert first["operand_types"] == [np.int8, np.int8, np.int32]
    assert first["result_types"] == [np.int8]
