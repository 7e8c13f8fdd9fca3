"""Explanations in profile xnnpack: of what differs by its rounding alone, and a refusal of the rest."""

from __future__ import annotations

import numpy as np
import pytest

from int8rt.errors import UnsupportedError
from int8rt.explain import explain
from int8rt.model import Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import AddOptions, FullyConnectedOptions

INT8 = TensorType.INT8


def test_a_matrix_product_ends_in_float32() -> None:
    q = Quantization.per_tensor
    filter = TensorSpec.constant(np.array([[1]], np.int8), q(0.5))
    inputs = [TensorSpec(INT8, (1, 1), q(1.0, -1)), filter, TensorSpec.constant(np.array([0], np.int32), q(0.5))]
    model = single_operator_model(
        "FULLY_CONNECTED", inputs, [TensorSpec(INT8, (1, 1), q(1.0))], FullyConnectedOptions()
    )
    # (4 + 1) · 0.5 = 2.5, a tie to the even number.
    found = explain(model, 0, inputs=[np.array([[4]], np.int8)], profile="xnnpack")
    assert found.result == 2
    assert "FLOAT32" in str(found)


def test_what_xnnpack_computes_otherwise_is_refused() -> None:
    q = Quantization.per_tensor
    specs = [TensorSpec(INT8, (4,), q(scale)) for scale in (0.5, 0.25, 0.5)]
    model = single_operator_model("ADD", specs[:2], specs[2:], AddOptions(), 2)
    with pytest.raises(UnsupportedError, match="XNNPACK's own arithmetic is not explained"):
        explain(model, 0, profile="xnnpack")
