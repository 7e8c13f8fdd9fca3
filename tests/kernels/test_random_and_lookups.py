"""Known answers of random bits, and numbers worked out by hand for look-ups, selections and sequences of words."""

from __future__ import annotations

import numpy as np
import pytest

from int8rt.errors import EvaluationError, ModelError
from int8rt.kernels.counter_random import counters, philox4x32, threefry2x32
from int8rt.kernels.skip_gram import split_words
from int8rt.model import TensorType
from int8rt.schema.builder import TensorSpec
from int8rt.schema.options import Conv3DOptions, LocalResponseNormalizationOptions, SkipGramOptions
from tests.kernels.single import run_operator, variable

FLOAT32, INT32, UINT8, STRING = (TensorType[name] for name in ("FLOAT32", "INT32", "UINT8", "STRING"))
ONES = 2**32 - 1


# The known answers of the authors' Random123 library.
@pytest.mark.parametrize(
    ("word", "philox", "threefry"),
    [
        (0, "6627e8d5 e169c58d bc57ac4c 9b00dbd8", "6b200159 99ba4efe"),
        (ONES, "408f276d 41c83b0e a20bc7c6 6d5451fd", "1cb996fc bb002be7"),
    ],
)
def test_known_answers(word: int, philox: str, threefry: str) -> None:
    first = counters(word << 32 | word, 1)
    found = philox4x32((word, word), (*first, word, word)), threefry2x32((word, word), first)
    for words, expected in zip(found, (philox, threefry), strict=True):
        assert [f"{int(n):08x}" for n in words[0]] == expected.split()


def test_counters_wrap_around() -> None:
    low, high = counters(2**64 - 1, 2)
    assert (low.tolist(), high.tolist()) == ([ONES, 0], [ONES, 0])


def test_hashtable_lookup() -> None:
    key = TensorSpec.constant(np.array([-3, 5, 8], np.int32))
    value = TensorSpec.constant(np.array([[1, 2], [3, 4], [5, 6]], np.float32))
    outputs = [TensorSpec(FLOAT32, ()), TensorSpec(UINT8, ())]
    rows, hits = run_operator("HASHTABLE_LOOKUP", [variable(np.array([8, 0, -3], np.int32)), key, value], outputs)
    np.testing.assert_array_equal(rows, [[5, 6], [0, 0], [1, 2]])
    np.testing.assert_array_equal(hits, [1, 0, 1])


def test_non_max_suppression_and_its_refusal() -> None:
    boxes = variable(np.array([[0, 0, 1, 1], [0, 0, 1, 0.9], [2, 2, 3, 3]], np.float32))
    scores = variable(np.array([0.5, 0.75, 0.25], np.float32))
    count = TensorSpec.constant(np.array(3, np.int32))
    half, zero, negative = (TensorSpec.constant(np.array(x, np.float32)) for x in (0.5, 0, -1))
    two = [TensorSpec(INT32, ())] * 2
    indices, number = run_operator("NON_MAX_SUPPRESSION_V4", [boxes, scores, count, half, zero], two)
    np.testing.assert_array_equal(indices, [1, 2, 0])
    assert number == 2
    three = [TensorSpec(INT32, ()), TensorSpec(FLOAT32, ()), TensorSpec(INT32, ())]
    with pytest.raises(EvaluationError, match=r"operator 0 \(NON_MAX_SUPPRESSION_V5\): soft_nms_sigma is -1.0"):
        run_operator("NON_MAX_SUPPRESSION_V5", [boxes, scores, count, half, zero, negative], three)


def test_skip_gram() -> None:
    assert split_words(b"one  two\tthree ") == [b"one", b"two", b"three"]
    # As LiteRT has it: a space at the beginning costs the first word, if another one follows.
    assert split_words(b" one two") == [b"two"]
    assert split_words(b" one") == [b" one"]
    sentence = np.array([b"a b c"], object)
    spec = TensorSpec(STRING, (1,))
    found = run_operator("SKIP_GRAM", [(spec, sentence)], [TensorSpec(STRING, ())], SkipGramOptions(2, 1))
    assert sorted(found.tolist()) == [b"a b", b"a c", b"b c"]
    words = np.array([b" ".join([b"x"] * 60)], object)
    with pytest.raises(EvaluationError, match="too many sequences"):
        run_operator("SKIP_GRAM", [(spec, words)], [TensorSpec(STRING, ())], SkipGramOptions(30, 60))


def test_refusals() -> None:
    image = variable(np.zeros((1, 2, 2), np.float32))
    options = LocalResponseNormalizationOptions(radius=1)
    with pytest.raises(ModelError, match=r"LOCAL_RESPONSE_NORMALIZATION.*rank 4, found \[1, 2, 2\]"):
        run_operator("LOCAL_RESPONSE_NORMALIZATION", [image], [TensorSpec(FLOAT32, ())], options)
    volume = variable(np.zeros((1, 2, 2, 2, 3), np.float32))
    filter = TensorSpec.constant(np.zeros((1, 1, 1, 4, 1), np.float32))
    with pytest.raises(ModelError, match=r"CONV_3D.*does not fit the filter"):
        run_operator("CONV_3D", [volume, filter], [TensorSpec(FLOAT32, ())], Conv3DOptions(stride_d=1))
    with pytest.raises(ModelError, match=r"DENSIFY.*sparse constant"):
        run_operator("DENSIFY", [image], [TensorSpec(FLOAT32, ())])
