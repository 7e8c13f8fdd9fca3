"""Types beyond numbers of whole bytes, where data movement takes them: strings and int4."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from int8rt.model import TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import ConcatenationOptions, GatherOptions, ReshapeOptions, StridedSliceOptions
from tests.differential.cases import vector
from tests.differential.harness import assert_same_bits

pytestmark = pytest.mark.litert

WORDS = np.array([[b"a", b"bcd", b""], [b"xx", b"yyy", b"\xff"]], object)
PLACES = TensorSpec.constant(np.array([[1, 2], [0, 1]], np.int32))


@pytest.mark.parametrize(
    ("name", "words", "others", "options"),
    [
        ("RESHAPE", WORDS, [vector([3, -1])], None),
        ("RESHAPE", WORDS, [], ReshapeOptions((6,))),
        ("SQUEEZE", WORDS[:1], [], None),
        ("EXPAND_DIMS", WORDS, [vector([0])], None),
        ("SLICE", WORDS, [vector([0, 1]), vector([2, -1])], None),
        ("STRIDED_SLICE", WORDS, [vector([0, 2]), vector([2, 0]), vector([1, -1])], StridedSliceOptions()),
        ("TILE", WORDS, [vector([2, 1])], None),
        ("GATHER", WORDS[0], [vector([2, 0, 2])], GatherOptions()),
        ("GATHER_ND", WORDS, [PLACES], None),
    ],
)
def test_strings(name: str, words: Any, others: list[TensorSpec], options: Any) -> None:
    inputs, output = [TensorSpec(TensorType.STRING, words.shape), *others], TensorSpec(TensorType.STRING, ())
    assert_same_bits(single_operator_model(name, inputs, [output], options), [words])


def test_fill_with_a_string() -> None:
    word = TensorSpec(TensorType.STRING, (), data=np.array(b"abc", object))
    assert_same_bits(single_operator_model("FILL", [vector([2, 2]), word], [TensorSpec(TensorType.STRING, ())]), [])


@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize(
    ("name", "others", "options"),
    [
        ("RESHAPE", [vector([4, 2])], None),
        ("TRANSPOSE", [vector([1, 0])], None),
        ("SLICE", [vector([0, 1]), vector([2, 2])], None),
        ("CONCATENATION", [], ConcatenationOptions(1)),
        ("GATHER", [vector([1, 0, 1])], GatherOptions(0)),
    ],
)
def test_int4(name: str, others: list[TensorSpec], options: Any, constant: bool) -> None:
    data = np.array([[-8, 7, 0, -1], [3, -4, 5, 6]], np.int8)
    input = TensorSpec(TensorType.INT4, data.shape, data=data if constant else None)
    model = single_operator_model(name, [input, *others], [TensorSpec(TensorType.INT4, ())], options)
    assert_same_bits(model, [] if constant else [data])
