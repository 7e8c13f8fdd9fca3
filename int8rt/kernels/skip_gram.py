"""SKIP_GRAM: sequences of the words of a sentence.

input: string, whose first element is the sentence -> string[n], each `ngram_size` words (or up to that many with
`include_all_ngrams`) in their order, with at most `max_skip_size` words left out between two of them, joined by spaces.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.signature import signatures
from int8rt.schema.options import SkipGramOptions

_SPACES = b" \t\n\v\f\r"
# The number of sequences grows exponentially with their length. LiteRT has no limit.
_MOST_STEPS = 1 << 20
_MOST_BYTES = 1 << 26


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipGramParams(Params):
    """The options, in words."""

    ngram_size: int
    max_skip_size: int
    include_all_ngrams: bool


def prepare(context: OperatorContext) -> SkipGramParams:
    """Nothing is known of the output before the sentence is."""
    options = context.options(SkipGramOptions)
    return SkipGramParams(
        output_shapes=(None,),
        ngram_size=options.ngram_size,
        max_skip_size=options.max_skip_size,
        include_all_ngrams=options.include_all_ngrams,
    )


def evaluate(params: SkipGramParams, input: Array) -> Array:
    """The sequences; `EvaluationError` without a sentence, or with too many sequences."""
    if not input.size:
        raise EvaluationError("there is no sentence")
    words = split_words(input.flat[0])
    grams, total = [], 0
    if 0 < params.ngram_size <= len(words):
        for places in _sequences(params, len(words)):
            gram = b" ".join(words[place] for place in places)
            total += len(gram)
            if total > _MOST_BYTES:
                raise EvaluationError(f"the sequences take more than {_MOST_BYTES} bytes")
            grams.append(gram)
    result = np.empty(len(grams), object)
    result[:] = grams
    return result


def split_words(sentence: bytes) -> list[bytes]:
    """The words between white space.

    A sentence that begins with a space loses its first word, unless that is the only one: then the space stays with it.
    """
    words, start = [], 0
    for at in range(1, len(sentence)):
        if sentence[at] in _SPACES:
            if at > start and sentence[start] not in _SPACES:
                words.append(sentence[start:at])
            start = at + 1
    if len(sentence) > start:
        words.append(sentence[start:])
    return words


def _sequences(params: SkipGramParams, count: int) -> Iterator[list[int]]:
    """The words of each sequence, by their places; a walk through all prefixes."""
    places, depth = [0] * params.ngram_size, 1
    for _ in range(_MOST_STEPS):
        if depth < params.ngram_size and places[depth] + 1 < count and _within(params, places, depth):
            places[depth] += 1
            depth += 1
            if depth < params.ngram_size:
                places[depth] = places[depth - 1]
            continue
        if depth > 0 and (depth == params.ngram_size or params.include_all_ngrams):
            yield places[:depth]
        depth -= 1
        if depth < 0:
            return
    raise EvaluationError(f"there are too many sequences: more than {_MOST_STEPS} steps")


def _within(params: SkipGramParams, places: list[int], depth: int) -> bool:
    return depth == 0 or places[depth] - places[depth - 1] <= params.max_skip_size


SKIP_GRAM = Kernel(
    name="SKIP_GRAM",
    signatures=signatures("string -> string"),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/skip_gram.cc",
    max_version=1,
)
