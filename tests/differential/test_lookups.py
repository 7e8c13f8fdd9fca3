"""Look-ups, hashes and sequences of words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.enums import CombinerType, LSHProjectionType
from int8rt.schema.options import EmbeddingLookupSparseOptions, LSHProjectionOptions, SkipGramOptions
from tests.differential.cases import Case, check_cases, examples, generators, random_data, shapes, types
from tests.differential.harness import assert_same_bits
from tests.schema.test_constant import sparsify

pytestmark = pytest.mark.litert

INT8, UINT8, INT32, FLOAT32, STRING = (TensorType[n] for n in ("INT8", "UINT8", "INT32", "FLOAT32", "STRING"))


@pytest.mark.parametrize("dtype", [np.int8, np.float32, np.float16])
def test_densify(dtype: type[np.generic]) -> None:
    dense = np.zeros((4, 8), dtype)
    dense[[0, 1, 1, 3], [2, 0, 7, 5]] = [1, -2, 3, 4]
    type = TensorType[np.dtype(dtype).name.upper()]
    quantization = Quantization.per_tensor(0.5, 3) if type is INT8 else None
    for order, blocks, sparse in (((0, 1), {}, {1}), ((1, 0), {}, {0}), ((0, 1, 2), {1: 4}, {1})):
        values, sparsity = sparsify(dense, order, blocks, sparse)
        raw = np.array(values, dtype).tobytes()
        stored = TensorSpec(type, dense.shape, quantization, raw=raw, sparsity=sparsity)
        assert_same_bits(single_operator_model("DENSIFY", [stored], [TensorSpec(type, (), quantization)]), [])


def test_densify_of_a_dense_constant() -> None:
    stored = TensorSpec.constant(np.ones((2, 2), np.float32))
    assert_same_bits(single_operator_model("DENSIFY", [stored], [TensorSpec(FLOAT32, ())]), [])


@st.composite
def tables(draw: st.DrawFn) -> Case:
    rng, rows, count = draw(generators), draw(st.integers(1, 12)), draw(st.integers(1, 9))
    type = draw(types("int8", "uint8", "int16", "int32", "int64", "float32", "bool", "float16", "string"))
    keys = rng.integers(-9, 9, rows).astype(np.int32)
    if draw(st.integers(0, 4)):
        keys.sort()
    if draw(st.integers(0, 4)) == 0:
        keys[-1] = 2**31 - 1
    wanted = rng.choice([*range(-9, 9), *keys, -(2**31)], count).astype(np.int32)
    shape = (rows,) if type is STRING else (rows, *draw(shapes((0, 2), 4)))
    value = TensorSpec(type, shape)
    data = random_data(rng, value) if type is not STRING else np.array([b"x" * i for i in range(rows)], object)
    inputs = [TensorSpec(INT32, wanted.shape), TensorSpec.constant(keys), value]
    model = single_operator_model("HASHTABLE_LOOKUP", inputs, [TensorSpec(type, ()), TensorSpec(UINT8, ())])
    return Case(model, [wanted, data])


@examples
def test_hashtable_lookup(examples: int) -> None:
    check_cases(tables(), examples)


@st.composite
def sparse_embeddings(draw: st.DrawFn) -> Case:
    rng, places = draw(generators), draw(shapes((1, 3), 4))
    table = rng.normal(0, 1, draw(shapes((2, 4), 4))).astype(np.float32)
    count = draw(st.integers(1, 12))
    indices = rng.integers(0, places, (count, len(places))).astype(np.int32)
    if draw(st.booleans()):
        indices = indices[np.lexsort(indices.T[::-1])]
    ids = rng.integers(0, len(table), count).astype(np.int32)
    if draw(st.integers(0, 9)) == 0:
        ids[-1] = rng.choice([-1, len(table)])
    weights = rng.normal(0, 1, count).astype(np.float32)
    data = [ids, indices, np.array(places, np.int32), weights, table]
    types_ = [INT32, INT32, INT32, FLOAT32, FLOAT32]
    constant = draw(st.booleans())
    inputs = [
        TensorSpec(type, value.shape, data=value if i == 2 and constant else None)
        for i, (type, value) in enumerate(zip(types_, data, strict=True))
    ]
    options = EmbeddingLookupSparseOptions(draw(st.sampled_from(CombinerType)))
    model = single_operator_model("EMBEDDING_LOOKUP_SPARSE", inputs, [TensorSpec(FLOAT32, ())], options)
    return Case(model, [value for i, value in enumerate(data) if not (i == 2 and constant)])


@examples
def test_embedding_lookup_sparse(examples: int) -> None:
    check_cases(sparse_embeddings(), examples)


@st.composite
def projections(draw: st.DrawFn) -> Case:
    rng, type = draw(generators), draw(types("int8", "uint8", "int32", "int64", "float32", "float64"))
    functions, bits, items = draw(st.integers(1, 4)), draw(st.integers(1, 6)), draw(st.integers(1, 5))
    size = draw(st.integers(1, 12) | st.integers(13, 200))
    shapes_ = [(functions, bits), (items, size)] + ([(items,)] if draw(st.booleans()) else [])
    inputs = [
        TensorSpec(type, shape) for type, shape in zip([FLOAT32, type, FLOAT32][: len(shapes_)], shapes_, strict=True)
    ]
    options = LSHProjectionOptions(draw(st.sampled_from(LSHProjectionType)))
    model = single_operator_model("LSH_PROJECTION", inputs, [TensorSpec(INT32, ())], options)
    return Case(model, [random_data(rng, spec) for spec in inputs])


@examples
def test_lsh_projection(examples: int) -> None:
    check_cases(projections(), examples)


@pytest.mark.parametrize("type", [LSHProjectionType.SPARSE, LSHProjectionType.DENSE])
def test_lsh_projection_of_every_length(type: LSHProjectionType) -> None:
    rng = np.random.default_rng(0)
    for length in [*range(1, 70), 124, 125, 188, 189, 300]:
        inputs = [TensorSpec(FLOAT32, (2, 5)), TensorSpec(UINT8, (1, length))]
        model = single_operator_model("LSH_PROJECTION", inputs, [TensorSpec(INT32, ())], LSHProjectionOptions(type))
        assert_same_bits(model, [random_data(rng, spec) for spec in inputs])


SENTENCES = (b"The quick\t brown fox  jumps over", b" a b ", b"one", b"one two ", b" ", b"\xc3\xa4 \x85 b\xa0c d\ne")


@pytest.mark.parametrize("sentence", SENTENCES)
def test_skip_gram(sentence: bytes) -> None:
    for size, skip, everything in (
        (1, 0, False),
        (2, 0, False),
        (2, 1, True),
        (3, 2, False),
        (3, 9, True),
        (0, 0, True),
    ):
        options = SkipGramOptions(size, skip, everything)
        model = single_operator_model("SKIP_GRAM", [TensorSpec(STRING, (1,))], [TensorSpec(STRING, ())], options)
        assert_same_bits(model, [np.array([sentence], object)])
