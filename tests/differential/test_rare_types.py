"""Types that few operators take, or take in few combinations."""

from __future__ import annotations

import numpy as np
import pytest

from int8rt.model import TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from tests.differential.cases import vector
from tests.differential.harness import assert_same_bits

pytestmark = pytest.mark.litert


@pytest.mark.parametrize("name", ["LESS", "GREATER", "EQUAL", "LESS_EQUAL"])
def test_comparing_bfloat16(name: str) -> None:
    ordered = np.array([0xFF80, 0xC000, 0x8001, 0x8000, 0, 1, 0x3F80, 0x3F81, 0x7F80, 0x7FC0], np.uint16)
    sides = [TensorSpec.constant(side, type=TensorType.BFLOAT16) for side in (ordered, ordered[:, np.newaxis])]
    assert_same_bits(single_operator_model(name, sides, [TensorSpec(TensorType.BOOL, (10, 10))]), [])


def test_transposing_uint4() -> None:
    codes = TensorSpec.constant(np.arange(15, dtype=np.uint8).reshape(3, 5), type=TensorType.UINT4)
    model = single_operator_model("TRANSPOSE", [codes, vector([1, 0])], [TensorSpec(TensorType.UINT4, (5, 3))])
    assert_same_bits(model, [])
