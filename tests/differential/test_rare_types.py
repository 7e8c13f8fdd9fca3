"""Types that few operators take, or take in few combinations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from int8rt.errors import UnsupportedError
from int8rt.model import TensorType
from int8rt.schema import write_model
from int8rt.schema.builder import TensorSpec, single_operator_model
from tests.differential.cases import vector
from tests.differential.harness import assert_same_bits, oracle, run_int8rt
from tests.lint.examples import two_bits

pytestmark = pytest.mark.litert

X = np.ones((1, 2, 2, 4), np.float32)


@pytest.mark.parametrize("name", ["LESS", "GREATER", "EQUAL", "LESS_EQUAL"])
def test_comparing_bfloat16(name: str) -> None:
    ordered = np.array([0xFF80, 0xC000, 0x8001, 0x8000, 0, 1, 0x3F80, 0x3F81, 0x7F80, 0x7FC0], np.uint16)
    sides = [TensorSpec.constant(side, type=TensorType.BFLOAT16) for side in (ordered, ordered[:, np.newaxis])]
    assert_same_bits(single_operator_model(name, sides, [TensorSpec(TensorType.BOOL, (10, 10))]), [])


def test_int2_weights_that_are_taken_for_floats() -> None:
    """LiteRT runs it, but its result depends on what stands behind the weights in the file."""
    model = two_bits()
    longer = replace(model, buffers=(*model.buffers, bytes([0, 0, 128, 63] * 16)))
    results = [oracle().run(write_model(other), [X]).outputs[0].tobytes() for other in (model, longer)]
    assert results[0] != results[1]
    with pytest.raises(UnsupportedError, match="for float32, and reads past its end"):
        run_int8rt(model, [X])


def test_transposing_uint4() -> None:
    codes = TensorSpec.constant(np.arange(15, dtype=np.uint8).reshape(3, 5), type=TensorType.UINT4)
    model = single_operator_model("TRANSPOSE", [codes, vector([1, 0])], [TensorSpec(TensorType.UINT4, (5, 3))])
    assert_same_bits(model, [])
