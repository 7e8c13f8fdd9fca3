"""What the drawn models of convolutions and matrix products share: scales that make sense together, weights, biases."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from int8rt.model import ActivationFunctionType, Quantization, Shape, TensorType
from int8rt.schema.builder import TensorSpec

Array = npt.NDArray[Any]

# Ranges of the weights' codes that are wider in memory than in the file.
_NARROW = {TensorType.INT4: (-8, 7), TensorType.INT2: (-2, 1)}


def generator(draw: st.DrawFn, *numbers: int) -> np.random.Generator:
    """Random numbers that depend on what was drawn before, since hypothesis likes to draw the same seeds again."""
    return np.random.default_rng([draw(st.integers(0, 2**32 - 1)), *numbers])


# Standard deviations of random codes, by their types.
_SPREAD = {
    TensorType.INT16: 19000,
    TensorType.INT8: 74,
    TensorType.UINT8: 74,
    TensorType.INT4: 4.6,
    TensorType.INT2: 1.1,
}


def scales_of(
    rng: np.random.Generator, type: TensorType, filter_type: TensorType, terms: int, channels: int
) -> tuple[float, list[float], float]:
    """(input scale, filter scales, output scale) for sums of so many terms.

    Mostly the sums then spread over the output's codes. Powers of two make ties. Now and then the multiplier is far
    off: 1 and beyond, so large that it wraps around, flushed to zero, or 0 in a dead channel.
    """
    sums = _SPREAD[type] * _SPREAD[filter_type] * math.sqrt(terms)
    exponent = math.log2(_SPREAD[type] / sums) + rng.uniform(-3, 0.5)
    if rng.random() < 0.2:
        exponent = rng.choice([-1.0, 0.0, 1.0, rng.uniform(-36, 36)])
    input_scale, output_scale = rng.choice([1.0, 0.5, 0.0235, 1e-3]), rng.choice([1.0, 0.25, 0.1, 0.0217])
    spread = rng.choice([0.0, 0.0, 1.0, -1.0, 2.0, 0.3, -0.7], channels)
    if rng.random() < 0.5:
        exponent, input_scale, output_scale, spread = np.round(exponent), 0.5, 0.25, np.round(spread)
    scales = np.float32(2.0 ** (exponent + spread) * output_scale / input_scale)
    dead = rng.random(channels) < 0.03
    scales[dead] = rng.choice([0.0, 1e-12, 1e-30], np.count_nonzero(dead))
    return float(input_scale), scales.astype(float).tolist(), float(output_scale)


def weights(rng: np.random.Generator, shape: Shape, type: TensorType) -> Array:
    """Codes over the whole range, or few that are not 0, small ones, or all at one end."""
    info = np.iinfo(type.dtype)
    low, high = _NARROW.get(type, (int(info.min), int(info.max)))
    codes = rng.integers(low, high, shape, type.dtype, endpoint=True)
    match rng.integers(0, 12):
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


def filter_zero_point(rng: np.random.Generator, type: TensorType) -> int:
    """For uint8 mostly about the middle, for others mostly 0."""
    if type == TensorType.UINT8:
        return int(rng.choice([0, 255, 128])) if rng.random() < 0.2 else int(rng.integers(100, 156))
    return int(rng.choice([5, -128])) if rng.random() < 0.1 else 0


def bias_spec(
    rng: np.random.Generator, type: TensorType, channels: int, scale: float, terms: int, input_type: TensorType
) -> TensorSpec:
    """A constant bias: about as large as the sums, or now and then as its type allows."""
    info = np.iinfo(type.dtype)
    reach = int(_SPREAD[input_type] * 30 * math.sqrt(terms))
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


def zero_point_pair(rng: np.random.Generator, type: TensorType) -> tuple[int, int]:
    """Zero points of input and output; now and then beyond their type, which TensorFlow Lite does not mind."""
    if type == TensorType.INT16:
        return 0, 0
    info = np.iinfo(type.dtype)
    drawn = rng.integers(info.min, info.max, 2, endpoint=True)
    ends = rng.choice([info.min, info.max, 0, (info.min + info.max) // 2], 2)
    pair = np.where(rng.random(2) < 0.5, drawn, ends)
    if rng.random() < 0.05:
        pair[rng.integers(0, 2)] = rng.choice([-1000, 300])
    return int(pair[0]), int(pair[1])


def kernel_size(draw: st.DrawFn, rng: np.random.Generator, size: int) -> int:
    """Mostly 1 to 3; sometimes larger than the input."""
    return draw(st.integers(1, min(3, size))) if rng.random() < 0.9 else draw(st.integers(1, size + 2))


def step(draw: st.DrawFn, rng: np.random.Generator) -> int:
    """A stride or dilation: mostly a few; rarely so many that most taps are beyond the border, or too many."""
    return draw(st.integers(1, 3)) if rng.random() < 0.95 else int(rng.choice([7, 1000, 32767, 32768]))


# TensorFlow Lite ignores the last two of the schema in convolutions.
activations = st.sampled_from(
    [a for a in ActivationFunctionType if a <= ActivationFunctionType.RELU6] * 3
    + [ActivationFunctionType.TANH, ActivationFunctionType.SIGN_BIT]
)
