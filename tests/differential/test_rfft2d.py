"""RFFT2D, the one builtin operator whose bits are not LiteRT's: compared within a bound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from int8rt.errors import ModelError, UnsupportedError
from int8rt.model import Model, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.writer import write_model
from int8rt.verify.oracle import OracleError
from tests.differential.cases import examples, generators
from tests.differential.harness import oracle, run_int8rt

pytestmark = pytest.mark.litert

LENGTHS = TensorSpec(TensorType.INT32, (2,))


@examples
def test_transforms(examples: int) -> None:
    @settings(max_examples=examples)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        rng = data.draw(generators)
        rows, columns = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 20))
        lengths = [2 ** data.draw(st.integers(0, 4)), 2 ** data.draw(st.integers(1, 6))]
        batches = data.draw(st.sampled_from([(), (2,), (1, 3)]))
        x = rng.normal(size=(*batches, rows, columns)).astype(np.float32) * np.float32(10.0 ** rng.uniform(-6, 6))
        x *= data.draw(st.sampled_from([0, 1, 1, 1]))
        constant = data.draw(st.booleans())
        length = np.array(lengths, np.int32)
        model = single_operator_model(
            "RFFT2D",
            [TensorSpec(TensorType.FLOAT32, x.shape), TensorSpec.constant(length) if constant else LENGTHS],
            [TensorSpec(TensorType.COMPLEX64, ())],
        )
        inputs = [x] if constant else [x, length]
        expected = oracle().run(write_model(model), inputs).outputs[0]
        found = run_int8rt(model, inputs)[model.subgraphs[0].outputs[0]]
        assert found.dtype == expected.dtype == np.complex64
        assert found.shape == expected.shape
        bound = 1e-15 * np.abs(x).sum(axis=(-2, -1), dtype=np.float64).max()
        for a, b in ((found.real, expected.real), (found.imag, expected.imag)):
            # One step of float32 where the float64 sums fall on both sides of a tie.
            assert np.all(np.abs(a.astype(np.float64) - b) <= np.spacing(np.abs(b)) + bound)
        # The transforms that are real whatever the input: LiteRT writes -0 beside them.
        ends = np.ix_([0, lengths[0] // 2], [0, -1])
        assert np.all(np.signbit(expected.imag[..., *ends]))
        np.testing.assert_array_equal(found.imag[..., *ends].view(np.int32), expected.imag[..., *ends].view(np.int32))

    check()


@pytest.mark.parametrize(("lengths", "message"), [([4, 6], "powers of two"), ([4, 0], "powers of two")])
def test_other_lengths_are_refused(lengths: list[int], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        run_int8rt(_constant(lengths), [np.zeros((4, 8), np.float32)])
    with pytest.raises(OracleError):
        oracle().run(write_model(_constant(lengths)), [np.zeros((4, 8), np.float32)])


def test_a_single_column_is_unsupported() -> None:
    with pytest.raises(UnsupportedError, match="fewer than 2 columns"):
        run_int8rt(_constant([4, 1]), [np.zeros((4, 8), np.float32)])


def _constant(lengths: list[int]) -> Model:
    inputs = [TensorSpec(TensorType.FLOAT32, (4, 8)), TensorSpec.constant(np.array(lengths, np.int32))]
    return single_operator_model("RFFT2D", inputs, [TensorSpec(TensorType.COMPLEX64, ())])
