from __future__ import annotations

import numpy as np
import pytest

from int8rt.samples import digits, record
from int8rt.verify.oracle import Oracle


def test_files_fit_together() -> None:
    sample = digits()
    assert sample.model[4:8] == b"TFL3"
    assert (sample.inputs.dtype, sample.inputs.shape) == (np.int8, (12, 16, 16, 1))
    assert (sample.recorded.outputs.dtype, sample.recorded.outputs.shape) == (np.int8, (12, 10))
    assert set(sample.labels.tolist()) == set(range(10))
    assert len(sample.recorded.sha256) == 15


def test_record_separates_what_differs_by_one_bit() -> None:
    values = np.zeros((1, 10), np.int8)
    changed = values.copy()
    changed[0, 3] = 1
    same, other = (record("x", [{7: value}, {7: values}], output=7) for value in (values, changed))
    assert same.outputs.shape == (2, 10)
    assert same.sha256[7] != other.sha256[7]
    assert same.sha256 == record("y", [{7: values}, {7: values}], output=7).sha256


@pytest.mark.litert
def test_record_is_what_litert_gives() -> None:
    sample = digits()
    with Oracle() as litert:
        runs = [litert.run(sample.model, [x[None]], read=list(sample.recorded.sha256)) for x in sample.inputs]
    again = record("again", [run.tensors for run in runs], output=max(sample.recorded.sha256))
    np.testing.assert_array_equal(np.concatenate([run.outputs[0] for run in runs]), sample.recorded.outputs)
    assert again.sha256 == sample.recorded.sha256
