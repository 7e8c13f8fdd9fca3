"""What the drawn models of convolutions and matrix products share: scales that make sense together, weights, biases."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from int8rt.model import Quantization, Shape, TensorType
from int8rt.schema.builder import TensorSpec
from tests.differential.elementwise import zero_points

Array = npt.NDArray[Any]

# Ranges of the weights' codes that are wider in memory than in the file.
_NARROW = {TensorType.INT4: (-8, 7), TensorType.INT2: (-2, 1)}


def ranges(type: TensorType) -> tuple[int, int]:
    """(typical |activation|, codes that an output has)."""
    return (20000, 60000) if type == TensorType.INT16 else (100, 200)


@st.composite
def scales_of(
    draw: st.DrawFn, terms: int, channels: int, largest_input: int, span: int
) -> tuple[float, list[float], float]:
    """(input scale, filter scales, output scale) for sums of so many terms.

    Mostly the sums then spread over the output's codes. Powers of two make ties. Now and then the multiplier is far
    off: flushed to zero, large enough to wrap around, or 0 in a dead channel.
    """
    typical = math.log2(span / (largest_input * 60 * math.sqrt(terms)))
    exponent = draw(
        st.floats(typical - 3, typical + 3) | st.sampled_from([typical, -1.0, 0.0, 1.0]) | st.floats(-36, 36)
    )
    input_scale, output_scale = draw(st.sampled_from([1.0, 0.5, 0.0235, 1e-3])), draw(st.sampled_from([1.0, 0.25, 0.1]))
    powers_of_two = draw(st.booleans())
    if powers_of_two:
        exponent, input_scale, output_scale = float(round(exponent)), 0.5, 0.25
    scales = []
    for _ in range(channels):
        spread = draw(st.sampled_from([0.0, 0.0, 1.0, -1.0, 2.0, 0.3, -0.7])) if channels > 1 else 0.0
        scale = 2.0 ** (exponent + (round(spread) if powers_of_two else spread)) * output_scale / input_scale
        scales.append(
            float(np.float32(scale)) if draw(st.integers(0, 30)) else draw(st.sampled_from([0.0, 1e-12, 1e-30]))
        )
    return input_scale, scales, output_scale


def weights(rng: np.random.Generator, shape: Shape, type: TensorType) -> Array:
    """Codes over the whole range, or few that are not 0, small ones, or all at one end."""
    info = np.iinfo(type.dtype)
    low, high = _NARROW.get(type, (int(info.min), int(info.max)))
    codes = rng.integers(low, high, shape, type.dtype, endpoint=True)
    match rng.integers(0, 8):
        case 0:
            return np.where(rng.random(shape) < 0.1, codes, codes.dtype.type(0))
        case 1:
            return rng.integers(max(low, -3), min(high, 3), shape, type.dtype, endpoint=True)
        case 2:
            return np.full(shape, rng.choice([low, high]), type.dtype)
    return codes


def filter_spec(
    rng: np.random.Generator, type: TensorType, shape: Shape, scales: list[float], axis: int, zero_point: int = 0
) -> TensorSpec:
    """A constant filter, per axis where there is more than one scale."""
    quantization = Quantization.per_axis(scales, [zero_point] * len(scales), axis if len(scales) > 1 else 0)
    return TensorSpec.constant(weights(rng, shape, type), quantization, type=type)


def bias_spec(
    rng: np.random.Generator, type: TensorType, channels: int, scale: float, terms: int, largest_input: int
) -> TensorSpec:
    """A constant bias: about as large as the sums, or now and then as its type allows."""
    info = np.iinfo(type.dtype)
    reach = largest_input * 60 * math.isqrt(terms) * 2
    bias = rng.integers(-reach, reach, channels)
    match rng.integers(0, 12):
        case 0:
            bias[:] = 0
        case 1 if type == TensorType.INT32:
            bias = rng.integers(info.min, info.max, channels, endpoint=True)
        case 2 if type == TensorType.INT32:
            bias[rng.integers(0, channels)] = rng.choice([info.min, info.max])
        case 3 if type == TensorType.INT64:
            bias = rng.integers(-(1 << 39), 1 << 39, channels)
    return TensorSpec.constant(bias.astype(type.dtype), Quantization.per_tensor(scale))


@st.composite
def zero_point_pair(draw: st.DrawFn, type: TensorType) -> tuple[int, int]:
    """Zero points of input and output; now and then beyond their type, which TensorFlow Lite does not mind."""
    wild = st.sampled_from([-1000, 300]) if type != TensorType.INT16 else st.just(0)
    one = zero_points(type) if draw(st.integers(0, 15)) else wild
    return draw(one), draw(zero_points(type))


def kernel_size(draw: st.DrawFn, size: int) -> int:
    """Mostly 1 to 3; sometimes larger than the input."""
    return draw(st.integers(1, 3) | st.integers(1, size + 2))


# Mostly a few steps; rarely so many that most taps are beyond the border.
steps = st.integers(1, 3) | st.sampled_from([1, 1, 1, 7, 1000, 32767, 32768])
