from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import strategies as st

from int8rt.model import TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import CastOptions
from tests.differential.cases import Case, check_cases
from tests.differential.elementwise import SPECIAL

pytestmark = pytest.mark.litert

TYPES = [
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "float16",
    "float32",
    "float64",
    "bool",
    "complex64",
]


def numbers(type: TensorType) -> npt.NDArray[Any]:
    """The ends of every integer type and what lies around them, fractions, special floats; random bits too."""
    dtype, rng = type.dtype, np.random.default_rng(7)
    ends = [
        sign * 2**bits + step
        for sign in (-1, 1)
        for bits in (0, 7, 8, 15, 16, 24, 31, 32, 53, 63)
        for step in (-1, 0, 1)
    ]
    if dtype.kind == "b":
        return np.array([False, True, True])
    if dtype.kind in "iu":
        random = rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, 1000, dtype, endpoint=True)
        return np.concatenate([np.array([end % 2**64 for end in ends], np.uint64).astype(dtype), random])
    near = np.array(ends, np.float64)[:, np.newaxis] + np.array([0.0, 0.5, -0.5, 0.25])
    real = np.concatenate(
        [near.ravel(), SPECIAL.astype(np.float64), rng.normal(0, 300, 1000), 10 ** rng.uniform(-9, 12, 300)]
    )
    with np.errstate(all="ignore"):
        values = real.astype(dtype)
    return values + values[::-1] * np.complex64(1j) if dtype.kind == "c" else values


def cast(source: TensorType, target: TensorType, data: npt.NDArray[Any], *, constant: bool = False) -> Case:
    spec = TensorSpec.constant(data, type=source) if constant else TensorSpec(source, data.shape)
    output = TensorSpec(target, data.shape)
    model = single_operator_model("CAST", [spec], [output], CastOptions(source, target), version=5)
    return Case(model, [] if constant else [data])


@pytest.mark.parametrize("target", TYPES)
@pytest.mark.parametrize("source", TYPES)
@pytest.mark.filterwarnings("ignore:invalid value encountered in multiply")
def test_every_pair_of_types(source: str, target: str) -> None:
    source_type, target_type = TensorType[source.upper()], TensorType[target.upper()]
    data = numbers(source_type)
    if target == "complex64" and data.dtype.kind in "fc":
        data = data[~np.isnan(data)]  # which is not equal to itself
    check_cases(st.just(cast(source_type, target_type, data)), 1)


@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
def test_shapes(shape: tuple[int, ...]) -> None:
    check_cases(st.just(cast(TensorType.FLOAT32, TensorType.INT8, np.full(shape, 3.7, np.float32))), 1)


def bits(count: int = 1000) -> npt.NDArray[Any]:
    """Any bfloat16: NaN, infinities, subnormal numbers and zeros of both signs among them."""
    special = [0, 0x8000, 1, 0x8001, 0x7F80, 0xFF80, 0x7FC0, 0x3F80, 0x42FE, 0x4300, 0xC300, 0xC301, 0x4F00, 0xDF00]
    return np.concatenate([special, np.random.default_rng(3).integers(0, 1 << 16, count)]).astype(np.uint16)


@pytest.mark.parametrize("target", TYPES)
def test_from_bfloat16(target: str) -> None:
    data = bits()
    if target == "complex64":
        data = data[(data & 0x7FFF) <= 0x7F80]
    check_cases(st.just(cast(TensorType.BFLOAT16, TensorType[target.upper()], data, constant=True)), 1)


@pytest.mark.parametrize("target", [TensorType.INT4, TensorType.INT2, TensorType.UINT4])
def test_to_types_that_share_bytes(target: TensorType) -> None:
    real = np.array([*np.arange(-20, 20, 0.25), np.nan, np.inf, -np.inf, -0.0, 1e30, -1e30], np.float32)
    check_cases(st.just(cast(TensorType.FLOAT32, target, real)), 1)


def test_int4() -> None:
    data = np.arange(-8, 8, dtype=np.int8)
    check_cases(st.just(cast(TensorType.INT4, TensorType.FLOAT32, data, constant=True)), 1)
