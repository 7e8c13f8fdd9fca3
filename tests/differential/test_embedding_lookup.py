from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.model import BlockwiseQuantization, Quantization, TensorType
from int8rt.schema.builder import ModelBuilder, TensorSpec, single_operator_model
from tests.differential.cases import Case, check_cases, examples, random_data, shapes, types
from tests.differential.convolutions import generator, weights

pytestmark = pytest.mark.litert


def ids_of(rng: np.random.Generator, rows: int) -> np.ndarray:
    """Some rows; rarely one that does not exist."""
    ids = rng.integers(0, rows, rng.integers(0, 6)).astype(np.int32)
    if ids.size and rng.random() < 0.1:
        ids[0] = rng.choice([-1, rows, 2**31 - 1])
    return ids


@st.composite
def copies(draw: st.DrawFn) -> Case:
    integers = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "bool")
    real = ("float16", "float32", "float64", "complex64", "complex128")
    shape, type = draw(shapes((2, 4), 5)), draw(types(*integers, *real))
    rng = generator(draw, *shape)
    table = TensorSpec(type, shape, Quantization.per_tensor(0.5, 3) if type == TensorType.INT8 else None)
    ids = ids_of(rng, shape[0])
    specs = [TensorSpec(TensorType.INT32, ids.shape), TensorSpec.constant(random_data(rng, table))]
    model = single_operator_model("EMBEDDING_LOOKUP", specs, [TensorSpec(type, ())], version=5)
    return Case(model, [ids])


@st.composite
def scaled(draw: st.DrawFn) -> Case:
    shape, type = draw(shapes((2, 4), 7)), draw(types("int8", "uint8", "int4", "int2"))
    rng = generator(draw, *shape)
    scales = rng.choice([0.5, 1 / 3, 1e-40, 3e38, 0.0071], shape[0] if draw(st.booleans()) else 1)
    zero_points = rng.choice([0, 0, 0, 0, 1], len(scales))
    quantization = Quantization.per_axis(scales, zero_points, 0) if draw(st.integers(0, 9)) else None
    table = TensorSpec.constant(weights(rng, shape, type), quantization, type=type)
    ids = ids_of(rng, shape[0])
    output = TensorSpec(draw(types("float32", "float16")), ())
    model = single_operator_model(
        "EMBEDDING_LOOKUP", [TensorSpec(TensorType.INT32, ids.shape), table], [output], version=5
    )
    return Case(model, [ids])


@st.composite
def blocks(draw: st.DrawFn) -> Case:
    type, size, count, rows = draw(types("int4", "int2")), draw(st.integers(1, 9)), draw(st.integers(1, 4)), 5
    odd = draw(st.integers(0, 9)) == 0
    rng = generator(draw, size, count)
    ids = ids_of(rng, rows)
    builder = ModelBuilder().input("ids", TensorType.INT32, ids.shape)
    scales = rng.choice([0.5, 1 / 3, 1e-7, 6e4], (rows, count)).astype(np.float16)
    builder.constant("scales", scales)
    details = BlockwiseQuantization(1, -1, size + odd)
    quantization = Quantization(np.zeros(0, np.float32), np.zeros(0, np.int64), blockwise=details)
    builder.constant("table", weights(rng, (rows, size * count), type), quantization, type=type)
    builder.output("out", draw(types("float32", "float16")), ()).operator("EMBEDDING_LOOKUP", [0, 2], [3], version=5)
    return Case(builder.build(), [ids])


@examples
def test_blocks(examples: int) -> None:
    check_cases(blocks(), examples)


@examples
def test_copies(examples: int) -> None:
    check_cases(copies(), examples)


@examples
def test_scaled(examples: int) -> None:
    check_cases(scaled(), examples)
