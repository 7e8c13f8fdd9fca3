"""Scales and data for element-wise operators: every code, or every pair of codes, in one model."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from int8rt.model import Quantization, Shape, TensorType
from tests.differential.cases import SCALES

Array = npt.NDArray[Any]

# Powers of two make ties; the rest is spread over the magnitudes.
scales = (
    st.sampled_from(SCALES)
    | st.integers(-16, 6).map(lambda exponent: 2.0**exponent)
    | st.floats(-16, 6).map(lambda exponent: float(np.float32(2.0**exponent)))
)

# Beside finite numbers of all sizes: both zeros, infinities, NaN, subnormal numbers, the ends of float32.
SPECIAL = np.array(
    [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 6.0, 6.5, -6.0, 1e-45, -1e-45, 1e-38, 3.4e38, -3.4e38, np.inf, -np.inf, np.nan],
    np.float32,
)


def all_codes(type: TensorType) -> Array:
    """Every code of an 8-bit or 16-bit type, in order."""
    info = np.iinfo(type.dtype)
    return np.arange(info.min, info.max + 1).astype(type.dtype)


def all_pairs(values: Array) -> tuple[Array, Array]:
    """Two arrays [n,n] that hold every pair of values."""
    first, second = np.meshgrid(values, values, indexing="ij")
    return first, second


def zero_points(type: TensorType) -> st.SearchStrategy[int]:
    """Both ends of an 8-bit type, zero, and anything between; 0 for int16."""
    if type == TensorType.INT16:
        return st.just(0)
    info = np.iinfo(type.dtype)
    return st.sampled_from([int(info.min), int(info.max), 0]) | st.integers(int(info.min), int(info.max))


@st.composite
def quantized(draw: st.DrawFn, type: TensorType, scale: st.SearchStrategy[float] | float = scales) -> Quantization:
    """Per-tensor parameters with a scale drawn here, or a given one."""
    value = scale if isinstance(scale, float) else draw(scale)
    return Quantization.per_tensor(value, draw(zero_points(type)))


def scale_of(quantization: Quantization) -> float:
    """The one scale, as the float32 of the file."""
    return float(quantization.scale[0])


@st.composite
def broadcastable(draw: st.DrawFn, max_rank: int = 4, largest: int = 5) -> tuple[Shape, Shape]:
    """Two shapes that broadcast; a dimension of 0 now and then, and ranks that differ."""
    full = draw(st.lists(st.integers(0, largest) | st.integers(1, largest), max_size=max_rank))
    shapes = []
    for _ in range(2):
        kept = [1 if size != 1 and draw(st.integers(0, 3)) == 0 else size for size in full]
        shapes.append(tuple(kept[draw(st.integers(0, len(kept))) if draw(st.booleans()) else 0 :]))
    return shapes[0], shapes[1]
