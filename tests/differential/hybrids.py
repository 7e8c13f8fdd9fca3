"""What the drawn models of hybrid operators share: float activations, weights and their scales."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from int8rt.model import ActivationFunctionType, Quantization, Shape, TensorType
from int8rt.schema.builder import TensorSpec
from tests.differential.convolutions import weights

Array = npt.NDArray[Any]

all_activations = st.sampled_from(ActivationFunctionType)


def activation_values(rng: np.random.Generator, shape: Shape) -> Array:
    """Real numbers on both sides of zero or on one; sometimes with many ties, zeros, or of an extreme size."""
    values = rng.normal(rng.choice([0, 0, 3, -2]), 1, shape)
    match rng.integers(0, 10):
        case 0:
            values = np.round(values * 40) / 2
        case 1:
            values[rng.random(shape) < 0.5] = 0
        case 2:
            values = values * 10.0 ** rng.integers(-44, 38)
        case 3:
            values = values * 0
        case 4:
            values = np.abs(values) * rng.choice([1, -1])
        case 5:
            values = rng.integers(-127, 128, shape) + rng.choice([-0.5, 0.5, 0], shape)
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def float_bias(rng: np.random.Generator, channels: int) -> TensorSpec:
    return TensorSpec.constant(rng.choice([0, -0.0, *rng.normal(0, 30, 5)], channels).astype(np.float32))


def float_filter(rng: np.random.Generator, shape: Shape) -> TensorSpec:
    """A constant filter of real numbers, some of them zeros of either sign."""
    values = np.where(rng.random(shape) < 0.1, rng.choice([0.0, -0.0], shape), rng.normal(0, 1, shape))
    return TensorSpec.constant(values.astype(np.float32))


def hybrid_filter(
    rng: np.random.Generator,
    type: TensorType,
    shape: Shape,
    channels: int,
    axis: int,
    per_axis: bool,
    equal: bool = True,
) -> TensorSpec:
    """A constant filter with one scale, or with a scale for each channel along `axis`.

    equal: the scales of the channels may all be the same now and then.
    """
    scales = rng.choice([0.02, 0.5, 1 / 3, 0.0071, 1e-5, 7.0], channels if per_axis else 1)
    if equal and rng.random() < 0.15:
        scales[:] = scales[0]
    elif not equal:
        scales[0] = 0.0123
    quantization = Quantization.per_axis(scales, [0] * len(scales), axis if per_axis else 0)
    return TensorSpec.constant(weights(rng, shape, type), quantization, type=type)
