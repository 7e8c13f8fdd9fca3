from __future__ import annotations

import numpy as np
import pytest

from int8rt.model import Quantization, TensorType
from int8rt.schema import TensorSpec, single_operator_model
from int8rt.schema.options import AddOptions
from int8rt.verify.identify.piece import Piece
from int8rt.verify.identify.sums import REFERENCE, VECTORS, XNNPACK, add
from int8rt.verify.teacher import Teacher


@pytest.mark.parametrize(("scale", "taken"), [(0.25, True), (2.0**-60, False), (2.0**12, False)])
def test_sums_of_scales_that_xnnpack_leaves_to_other_kernels(scale: float, taken: bool) -> None:
    specs = [TensorSpec(TensorType.INT8, (40,), Quantization.per_tensor(s, 3)) for s in (scale, 0.5, 1.0)]
    model = single_operator_model("ADD", specs[:2], specs[2:], AddOptions())
    rng = np.random.default_rng(1)
    inputs = [rng.integers(-128, 128, 40).astype(np.int8) for _ in range(2)]
    teacher = Teacher(model, inputs, "tflite-ref")
    values = dict(enumerate(inputs))
    right = teacher.outputs(0, values)[2]
    found = dict(add(Piece.make("one", teacher, 0, values, right)))
    np.testing.assert_array_equal(found[REFERENCE], right)
    assert np.array_equal(found[XNNPACK], found[VECTORS]) == (not taken)
