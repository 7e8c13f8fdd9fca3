"""Types that few operators take, or take in few combinations."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from int8rt.errors import UnsupportedError
from int8rt.model import Model, Shape, TensorType
from int8rt.schema import ModelBuilder, write_model
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import CastOptions
from tests.differential.cases import vector
from tests.differential.harness import assert_same_bits, oracle, run_int8rt
from tests.lint.models import two_bits

pytestmark = pytest.mark.litert

X = np.ones((1, 2, 2, 4), np.float32)


@pytest.mark.parametrize("name", ["LESS", "GREATER", "EQUAL", "LESS_EQUAL"])
def test_comparing_bfloat16(name: str) -> None:
    ordered = np.array([0xFF80, 0xC000, 0x8001, 0x8000, 0, 1, 0x3F80, 0x3F81, 0x7F80, 0x7FC0], np.uint16)
    sides = [TensorSpec.constant(side, type=TensorType.BFLOAT16) for side in (ordered, ordered[:, np.newaxis])]
    assert_same_bits(single_operator_model(name, sides, [TensorSpec(TensorType.BOOL, (10, 10))]), [])


def as_bfloat16(name: str, count: int, options: Any = None) -> Model:
    """The operator on bfloat16, in a model whose inputs and output are the bits."""
    builder = ModelBuilder()
    names = [f"x{i}" for i in range(count)]
    for x in names:
        builder.input(x, TensorType.UINT16, (4096,)).tensor(f"real {x}", TensorType.BFLOAT16, (4096,))
        builder.operator("BITCAST", [x], [f"real {x}"])
    builder.tensor("y", TensorType.BFLOAT16, (4096,)).operator(name, [f"real {x}" for x in names], ["y"], options)
    return builder.output("bits", TensorType.UINT16, (4096,)).operator("BITCAST", ["y"], ["bits"]).build()


@pytest.mark.parametrize(
    ("name", "count"),
    [("NEG", 1), ("FLOOR", 1), ("MAXIMUM", 2), ("MINIMUM", 2), ("ATAN2", 2), ("TANH", 1), ("LOGISTIC", 1)],
)
def test_computing_in_bfloat16(name: str, count: int) -> None:
    inputs = [np.random.default_rng(seed).integers(0, 1 << 16, 4096).astype(np.uint16) for seed in range(count)]
    if count == 2:
        inputs[1][::3] = inputs[0][::3] ^ (np.arange(0, 4096, 3) % 2 << 15).astype(np.uint16)
    else:
        inputs[0][::2] = (inputs[0][::2] & 0x8FFF) | 0x3800
    assert_same_bits(as_bfloat16(name, count), inputs)


def test_rounding_bfloat16_as_the_optimized_kernel_does() -> None:
    bits = ((np.arange(4096) * 16) & 0xCFFF | 0x3000).astype(np.uint16)
    model = as_bfloat16("ROUND", 1)
    (expected,) = oracle().run(write_model(model), [bits], resolver="opt").outputs
    np.testing.assert_array_equal(run_int8rt(model, [bits])[model.subgraphs[0].outputs[0]], expected)


@pytest.mark.parametrize(
    "type", ["float32", "float16", "float64", "int8", "uint8", "int32", "int64", "bool", "complex64"]
)
def test_casting_to_bfloat16(type: str) -> None:
    source = TensorType[type.upper()]
    real = np.concatenate([np.float32([0, -0.0, np.inf, -np.inf]), np.random.default_rng(1).normal(0, 100, 2000)])
    if source == TensorType.FLOAT32:
        halves = np.random.default_rng(2).integers(0, 1 << 16, 2000).astype(np.uint32) << 16 | 0x8000
        real = np.concatenate([real.astype(np.float32), halves.view(np.float32)])
    with np.errstate(all="ignore"):
        data = real.astype(source.dtype)
    builder = ModelBuilder().input("x", source, data.shape).tensor("y", TensorType.BFLOAT16, data.shape)
    builder.operator("CAST", ["x"], ["y"], CastOptions(source, TensorType.BFLOAT16))
    builder.output("bits", TensorType.UINT16, data.shape).operator("BITCAST", ["y"], ["bits"])
    assert_same_bits(builder.build(), [data])


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


PACKED = {TensorType.INT4: (-8, 7), TensorType.UINT4: (0, 15), TensorType.INT2: (-2, 1)}


def packed(type: TensorType, shape: Shape) -> TensorSpec:
    codes = np.random.default_rng(int(np.prod(shape))).integers(*PACKED[type], shape, endpoint=True)
    return TensorSpec.constant(codes.astype(type.dtype), type=type)


@pytest.mark.parametrize("shape", [(3, 5), (2, 8), (1,), ()])
@pytest.mark.parametrize(("type", "other"), list(itertools.product(PACKED, PACKED)))
def test_bitcast_of_codes_that_share_bytes(type: TensorType, other: TensorType, shape: Shape) -> None:
    model = single_operator_model("BITCAST", [packed(type, shape)], [TensorSpec(other, shape)])
    if type.bits == other.bits:
        assert_same_bits(model, [])
    else:
        with pytest.raises(UnsupportedError, match=r"BITCAST.* types"):
            run_int8rt(model, [])


@pytest.mark.parametrize("shape", [(3, 4), (4, 2, 2), (4, 1, 8), (3, 3), (4,), (4, 0)])
@pytest.mark.parametrize("type", PACKED)
def test_rows_of_codes_that_share_bytes(type: TensorType, shape: Shape) -> None:
    wanted, keys = vector([5, 1, 7, 0, 5]), vector(range(1, 2 * shape[0], 2))
    outputs = [TensorSpec(type, ()), TensorSpec(TensorType.UINT8, ())]
    model = single_operator_model("HASHTABLE_LOOKUP", [wanted, keys, packed(type, shape)], outputs)
    if np.prod(shape[1:]) * type.bits % 8:
        with pytest.raises(UnsupportedError, match="share a byte with the next row"):
            run_int8rt(model, [])
    else:
        assert_same_bits(model, [])
