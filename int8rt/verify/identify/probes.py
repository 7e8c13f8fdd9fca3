"""Models of one operator, and inputs, on which the known arithmetics part.

Random data barely does that: it meets few ties, and none at the far ends. Here accumulators are placed on ties of both
signs and beside them, multipliers at the ends of their mantissa, shifts from 2^-25 to 2^6, outputs at their limits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.model import ActivationFunctionType, Model, Padding, Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import (
    AddOptions,
    Conv2DOptions,
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
    MulOptions,
)

Array = npt.NDArray[Any]
Probe = tuple[str, Model, list[Array]]

# No multiple of 8: LiteRT's vectors leave a rest, which it rounds in another way.
CHANNELS = 20
_OPTIONS: dict[str, Any] = {
    "CONV_2D": Conv2DOptions,
    "DEPTHWISE_CONV_2D": DepthwiseConv2DOptions,
    "FULLY_CONNECTED": FullyConnectedOptions,
    "ADD": AddOptions,
    "MUL": MulOptions,
}


@dataclass(frozen=True, slots=True)
class Product:
    """Accumulators (input - zero point) · weight + bias, rescaled by `multiplier`; one entry for each channel."""

    name: str
    multiplier: Array
    weight: Array
    bias: Array
    scales: tuple[float, float] = (0.5, 0.25)
    zero_points: tuple[int, int] = (-3, 5)
    activation: ActivationFunctionType = ActivationFunctionType.NONE


def products(rng: np.random.Generator) -> Iterator[Product]:
    """What CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED are tried on."""
    n = CHANNELS
    odd = (0.0371, 0.0527)
    powers = 0.5 ** (np.arange(n) % 8 + 1)
    small = rng.integers(-40, 40, n)
    weight = rng.choice([-3, -2, -1, 1, 2, 3], n)
    yield Product("ties of both signs", powers, weight, small)
    yield Product("a first rounding that makes a tie", rng.uniform(1 / 16, 1 / 2, n), weight, small, odd)
    for power, name, reach in (
        (-12, "sums near 2^19", 100),
        (-18, "sums near 2^25", 100),
        (-25, "sums near 2^30", 30),
    ):
        multiplier = rng.uniform(1, 2, n) * 2.0**power
        yield Product(name, multiplier, np.sign(weight), _beside_ties(rng, multiplier, reach), odd)
    exponent = -(np.arange(n) % 9 + 1.0)
    ends = 2.0**exponent * np.where(np.arange(n) % 2, 1 + 2.0**-22, 1 - 2.0**-23)
    yield Product("multipliers near 2^30 and 2^31 - 1", ends, weight, _beside_ties(rng, ends, 60))
    tiny = ends * 2.0**-14
    yield Product("multipliers near 2^30 and 2^31 - 1, large sums", tiny, weight, _beside_ties(rng, tiny, 90))
    yield Product("shifts to the left, saturation", rng.uniform(1, 64, n), np.sign(weight), np.zeros(n), odd)
    clamp = ActivationFunctionType.RELU6
    yield Product("a clamp on a tie", rng.uniform(1 / 16, 1 / 2, n), weight, small, (0.5, 4.0), (-3, 1), clamp)


def _beside_ties(rng: np.random.Generator, multiplier: Array, reach: int) -> Array:
    """Biases that bring sums to half a step from an integer below `reach`, of either sign."""
    return np.rint((rng.integers(-reach, reach, multiplier.size) + 0.5) / multiplier)


def convolution(name: str, type: TensorType, product: Product) -> Iterator[Probe]:
    """A 1x1 convolution or a matrix: every code of the input, with every channel."""
    signed = type == TensorType.INT8
    groups: Sequence[Any] = [slice(None)] if signed else [[i] * CHANNELS for i in range(0, CHANNELS, 5)]
    shift = 0 if signed else 128
    zero_in, zero_out = (z + shift for z in product.zero_points)
    scale_in, scale_out = product.scales
    codes = np.arange(256).astype(np.uint8).view(type.dtype)
    for group in groups:  # unsigned filters have one scale
        weight, bias = product.weight[group], product.bias[group]
        if not signed:
            weight = np.resize(np.unique(product.weight), CHANNELS)
            bias = bias + np.resize(product.bias % 7 - 3, CHANNELS)
        scale = (product.multiplier[group] * scale_out / scale_in).astype(np.float32)
        shape = {"CONV_2D": (-1, 1, 1, 1), "DEPTHWISE_CONV_2D": (1, 1, 1, -1), "FULLY_CONNECTED": (-1, 1)}[name]
        axis = shape.index(-1)
        filter = (weight + shift).astype(type.dtype).reshape(shape)
        bias_scale = np.float32(scale_in) * scale
        if signed:
            quantized = Quantization.per_axis(scale, np.zeros(CHANNELS), axis)
            bias_quantized = Quantization.per_axis(bias_scale, np.zeros(CHANNELS), 0)
        else:
            quantized = Quantization.per_tensor(float(scale[0]), shift)
            bias_quantized = Quantization.per_tensor(float(bias_scale[0]))
        options: dict[str, Any] = {"fused_activation_function": product.activation}
        rows: tuple[int, ...] = (256,)
        if name != "FULLY_CONNECTED":
            rows = (1, 16, 16)
            options |= {"stride_w": 1, "stride_h": 1}
        x = codes.reshape(*rows, 1)
        if name == "DEPTHWISE_CONV_2D":
            options["depth_multiplier"] = 1
            x = np.repeat(x, CHANNELS, axis=-1)
        model = single_operator_model(
            name,
            [
                TensorSpec(type, x.shape, Quantization.per_tensor(scale_in, zero_in)),
                TensorSpec.constant(filter, quantized),
                TensorSpec.constant(bias.astype(np.int32), bias_quantized),
            ],
            [TensorSpec(type, (*rows, CHANNELS), Quantization.per_tensor(scale_out, zero_out))],
            _OPTIONS[name](**options),
            3,
        )
        yield product.name, model, [x]


def borders(name: str, type: TensorType, rng: np.random.Generator) -> Iterator[Probe]:
    """A 3x3 convolution with a border, for what the border counts as."""
    shift = 0 if type == TensorType.INT8 else 128
    channels = CHANNELS if name == "DEPTHWISE_CONV_2D" else 3
    shape = (1, 3, 3, CHANNELS) if name == "DEPTHWISE_CONV_2D" else (CHANNELS, 3, 3, channels)
    x = rng.integers(0, 256, (1, 9, 9, channels)).astype(np.uint8).view(type.dtype)
    filter = (rng.integers(-127, 128, shape) + shift).astype(type.dtype)
    options = {"stride_w": 2, "stride_h": 2, "padding": Padding.SAME}
    if name == "DEPTHWISE_CONV_2D":
        options["depth_multiplier"] = 1
    bias = rng.integers(-3000, 3000, CHANNELS).astype(np.int32)
    model = single_operator_model(
        name,
        [
            TensorSpec(type, x.shape, Quantization.per_tensor(0.05, shift - 37)),
            TensorSpec.constant(filter, Quantization.per_tensor(0.01, shift)),
            TensorSpec.constant(bias, Quantization.per_tensor(float(np.float32(0.05) * np.float32(0.01)))),
        ],
        [TensorSpec(type, (1, 5, 5, CHANNELS), Quantization.per_tensor(0.37, shift + 11))],
        _OPTIONS[name](**options),
        3,
    )
    yield "a border", model, [x]


def groups(type: TensorType, rng: np.random.Generator) -> Iterator[Probe]:
    """CONV_2D with channels in two groups: ties, a first rounding that makes ties, and large sums."""
    shift = 0 if type == TensorType.INT8 else 128
    for name, scale_in, multiplier in (
        ("ties", 0.5, 0.125),
        ("small sums", 0.0371, 0.29),
        ("large sums", 0.0371, 5e-6),
    ):
        x = rng.integers(0, 256, (1, 8, 8, 4)).astype(np.uint8).view(type.dtype)
        filter = (rng.integers(-2, 3, (CHANNELS, 1, 1, 2)) + shift).astype(type.dtype)
        scale_out = scale_in if name == "ties" else 0.0527
        scale = float(np.float32(multiplier * scale_out / scale_in))
        bias = _beside_ties(rng, np.full(CHANNELS, multiplier), 90).astype(np.int32)
        bias_scale = float(np.float32(scale_in) * np.float32(scale))
        model = single_operator_model(
            "CONV_2D",
            [
                TensorSpec(type, x.shape, Quantization.per_tensor(scale_in, shift - 5)),
                TensorSpec.constant(filter, Quantization.per_tensor(scale, shift)),
                TensorSpec.constant(bias, Quantization.per_tensor(bias_scale)),
            ],
            [TensorSpec(type, (1, 8, 8, CHANNELS), Quantization.per_tensor(scale_out, shift + 3))],
            Conv2DOptions(stride_w=1, stride_h=1),
            3,
        )
        yield f"two groups, {name}", model, [x]


def pairs(name: str, type: TensorType, rng: np.random.Generator) -> Iterator[Probe]:
    """ADD and MUL of every code with others; a number of elements that no vector divides."""
    ratios = [(1.0, 1.0, 2.0), (1.0, 0.5, 4.0), (0.0371, 0.0371, 0.0527), (0.03, 0.0117, 0.041), (0.9, 0.0071, 1.1)]
    if name == "MUL":
        ratios = [(0.5**i, 1.0, 16.0) for i in range(4)]
        ratios += [
            (0.031, 0.7, 0.45),
            (0.9, 0.73, 31.7),
            (0.0117, 0.013, 0.011),
        ]
    none, clamp = ActivationFunctionType.NONE, ActivationFunctionType.RELU6
    cases = [(scales, (3, -11, 7), none) for scales in ratios]
    cases += [((1.5, 1.0, 4.0), (-3, 2, 1), clamp), (ratios[3], (-128, -128, -128), none)]
    count = 32 * 256 + 13
    for scales, zero_points, activation in cases:
        first = np.resize(np.arange(256), count).astype(np.uint8).view(type.dtype).reshape(1, -1)
        second = np.repeat(rng.integers(0, 256, 33), 256)[:count].astype(np.uint8).view(type.dtype).reshape(1, -1)
        model = pair_model(name, type, count, scales, zero_points, activation)
        yield f"scales {scales}", model, [first, second]


def pair_model(
    name: str,
    type: TensorType,
    count: int,
    scales: Sequence[float],
    zero_points: Sequence[int],
    activation: ActivationFunctionType = ActivationFunctionType.NONE,
) -> Model:
    """ADD or MUL of two inputs [1, count]. zero_points: for int8; uint8 has 128 more."""
    shift = 0 if type == TensorType.INT8 else 128
    specs = [
        TensorSpec(type, (1, count), Quantization.per_tensor(s, z + shift))
        for s, z in zip(scales, zero_points, strict=True)
    ]
    return single_operator_model(name, specs[:2], specs[2:], _OPTIONS[name](fused_activation_function=activation), 2)
