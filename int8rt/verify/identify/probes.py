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
    Conv2DOptions,
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
    TransposeConvOptions,
)

Array = npt.NDArray[Any]
Probe = tuple[str, Model, list[Array]]

# No multiple of 8: LiteRT's vectors leave a rest, which it rounds in another way.
CHANNELS = 20
_OPTIONS: dict[str, Any] = {
    "CONV_2D": Conv2DOptions,
    "DEPTHWISE_CONV_2D": DepthwiseConv2DOptions,
    "FULLY_CONNECTED": FullyConnectedOptions,
    "TRANSPOSE_CONV": TransposeConvOptions,
}


# Convolutions that have a bias of int32 for int16, too.
_NARROW = ("CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")


def every_code(type: TensorType) -> Array:
    """256 codes: all that there are, or of int16 the ends, those around 0, and others between them."""
    if type != TensorType.INT16:
        return np.arange(256).astype(np.uint8).view(type.dtype)
    spread = np.arange(-32768, 32768, 521)
    return np.concatenate([np.arange(-64, 65), [32766, 32767], spread[:125]]).astype(np.int16)


def zero(type: TensorType, zero_point: int) -> int:
    """A zero point of int8 as that of the type: uint8 has 128 more, int16 none."""
    return {TensorType.INT8: zero_point, TensorType.UINT8: zero_point + 128}.get(type, 0)


def weights_of(type: TensorType, weights: Array) -> Array:
    """Weights around 0 as a filter for activations of that type."""
    return (weights + 128).astype(np.uint8) if type == TensorType.UINT8 else weights.astype(np.int8)


@dataclass(frozen=True, slots=True)
class Product:
    """Accumulators (input - zero point) · weight + bias, rescaled by `multiplier`; one entry for each channel.

    bias_type: of int16 activations.
    """

    name: str
    multiplier: Array
    weight: Array
    bias: Array
    scales: tuple[float, float] = (0.5, 0.25)
    zero_points: tuple[int, int] = (-3, 5)
    activation: ActivationFunctionType = ActivationFunctionType.NONE
    bias_type: TensorType = TensorType.INT64


def products(name: str, type: TensorType, rng: np.random.Generator) -> Iterator[Product]:
    """What convolutions and FULLY_CONNECTED are tried on."""
    n = CHANNELS
    odd = (0.0371, 0.0527)
    powers = 0.5 ** (np.arange(n) % 8 + 1)
    small = rng.integers(-40, 40, n)
    weight = rng.choice([-3, -2, -1, 1, 2, 3], n)
    yield Product("ties of both signs", powers, weight, small)
    yield Product("a first rounding that makes a tie", rng.uniform(1 / 16, 1 / 2, n), weight, small, odd)
    for power, label, reach in (
        (-12, "sums near 2^19", 100),
        (-18, "sums near 2^25", 100),
        (-25, "sums near 2^30", 30),
    ):
        multiplier = rng.uniform(1, 2, n) * 2.0**power
        yield Product(label, multiplier, np.sign(weight), _beside_ties(rng, multiplier, reach), odd)
    exponent = -(np.arange(n) % 9 + 1.0)
    ends = 2.0**exponent * np.where(np.arange(n) % 2, 1 + 2.0**-22, 1 - 2.0**-23)
    yield Product("multipliers near 2^30 and 2^31 - 1", ends, weight, _beside_ties(rng, ends, 60))
    tiny = ends * 2.0**-14
    yield Product("multipliers near 2^30 and 2^31 - 1, large sums", tiny, weight, _beside_ties(rng, tiny, 90))
    yield Product("shifts to the left, saturation", rng.uniform(1, 64, n), np.sign(weight), np.zeros(n), odd)
    clamp = ActivationFunctionType.RELU6
    yield Product("a clamp on a tie", rng.uniform(1 / 16, 1 / 2, n), weight, small, (0.5, 4.0), (-3, 1), clamp)
    if type == TensorType.INT16:
        huge = rng.uniform(1, 2, n) * 2.0**-24
        yield Product("sums beyond 32 bits", huge, weight, _beside_ties(rng, huge, 30000), odd)
        if name in _NARROW:
            narrow = rng.uniform(1 / 16, 1 / 2, n)
            yield Product("a bias of int32", narrow, weight, small, odd, bias_type=TensorType.INT32)


def _beside_ties(rng: np.random.Generator, multiplier: Array, reach: int) -> Array:
    """Biases that bring sums to half a step from an integer below `reach`, of either sign."""
    return np.rint((rng.integers(-reach, reach, multiplier.size) + 0.5) / multiplier)


def convolution(name: str, type: TensorType, product: Product) -> Iterator[Probe]:
    """A 1x1 convolution or a matrix: every code of the input, with every channel."""
    signed = type != TensorType.UINT8
    groups: Sequence[Any] = [slice(None)] if signed else [[i] * CHANNELS for i in range(0, CHANNELS, 5)]
    zero_in, zero_out = (zero(type, z) for z in product.zero_points)
    scale_in, scale_out = product.scales
    for group in groups:  # unsigned filters have one scale
        weight, bias = product.weight[group], product.bias[group]
        if not signed:
            weight = np.resize(np.unique(product.weight), CHANNELS)
            bias = bias + np.resize(product.bias % 7 - 3, CHANNELS)
        scale = (product.multiplier[group] * scale_out / scale_in).astype(np.float32)
        shape = {"DEPTHWISE_CONV_2D": (1, 1, 1, -1), "FULLY_CONNECTED": (-1, 1)}.get(name, (-1, 1, 1, 1))
        axis = shape.index(-1)
        bias_scale = np.float32(scale_in) * scale
        if signed:
            quantized = Quantization.per_axis(scale, np.zeros(CHANNELS), axis)
            bias_quantized = Quantization.per_axis(bias_scale, np.zeros(CHANNELS), 0)
        else:
            quantized = Quantization.per_tensor(float(scale[0]), 128)
            bias_quantized = Quantization.per_tensor(float(bias_scale[0]))
        options: dict[str, Any] = {"fused_activation_function": product.activation}
        rows: tuple[int, ...] = (256,)
        if name != "FULLY_CONNECTED":
            rows = (1, 16, 16)
            options |= {"stride_w": 1, "stride_h": 1}
        x = every_code(type).reshape(*rows, 1)
        if name == "DEPTHWISE_CONV_2D":
            options["depth_multiplier"] = 1
            x = np.repeat(x, CHANNELS, axis=-1)
        if product.bias_type == TensorType.INT32:
            options["quantized_bias_type"] = TensorType.INT32
        wide = type == TensorType.INT16 and product.bias_type == TensorType.INT64
        inputs = [
            TensorSpec(type, x.shape, Quantization.per_tensor(scale_in, zero_in)),
            TensorSpec.constant(weights_of(type, weight).reshape(shape), quantized),
            TensorSpec.constant(bias.astype(np.int64 if wide else np.int32), bias_quantized),
        ]
        if name == "TRANSPOSE_CONV":
            inputs = [TensorSpec.constant(np.array((*rows, CHANNELS), np.int32)), inputs[1], inputs[0], inputs[2]]
        output = TensorSpec(type, (*rows, CHANNELS), Quantization.per_tensor(scale_out, zero_out))
        yield product.name, single_operator_model(name, inputs, [output], _OPTIONS[name](**options), 3), [x]


def borders(name: str, type: TensorType, rng: np.random.Generator) -> Iterator[Probe]:
    """A 3x3 convolution with a border, for what the border counts as."""
    channels = CHANNELS if name == "DEPTHWISE_CONV_2D" else 3
    shape = (1, 3, 3, CHANNELS) if name == "DEPTHWISE_CONV_2D" else (CHANNELS, 3, 3, channels)
    x = rng.choice(every_code(type), (1, 9, 9, channels))
    filter = weights_of(type, rng.integers(-127, 128, shape))
    options = {"stride_w": 2, "stride_h": 2, "padding": Padding.SAME}
    if name == "DEPTHWISE_CONV_2D":
        options["depth_multiplier"] = 1
    bias = rng.integers(-3000, 3000, CHANNELS).astype(np.int64 if type == TensorType.INT16 else np.int32)
    scale_out = 0.37 * (64 if type == TensorType.INT16 else 1)
    model = single_operator_model(
        name,
        [
            TensorSpec(type, x.shape, Quantization.per_tensor(0.05, zero(type, -37))),
            TensorSpec.constant(filter, Quantization.per_tensor(0.01, 128 if type == TensorType.UINT8 else 0)),
            TensorSpec.constant(bias, Quantization.per_tensor(float(np.float32(0.05) * np.float32(0.01)))),
        ],
        [TensorSpec(type, (1, 5, 5, CHANNELS), Quantization.per_tensor(scale_out, zero(type, 11)))],
        _OPTIONS[name](**options),
        3,
    )
    yield "a border", model, [x]


def groups(type: TensorType, rng: np.random.Generator) -> Iterator[Probe]:
    """CONV_2D with channels in two groups: ties, a first rounding that makes ties, and large sums."""
    for name, scale_in, multiplier in (
        ("ties", 0.5, 0.125),
        ("small sums", 0.0371, 0.29),
        ("large sums", 0.0371, 5e-6),
    ):
        x = rng.choice(every_code(type), (1, 8, 8, 4))
        filter = weights_of(type, rng.integers(-2, 3, (CHANNELS, 1, 1, 2)))
        scale_out = scale_in if name == "ties" else 0.0527
        scale = float(np.float32(multiplier * scale_out / scale_in))
        bias = _beside_ties(rng, np.full(CHANNELS, multiplier), 90)
        bias_scale = float(np.float32(scale_in) * np.float32(scale))
        model = single_operator_model(
            "CONV_2D",
            [
                TensorSpec(type, x.shape, Quantization.per_tensor(scale_in, zero(type, -5))),
                TensorSpec.constant(filter, Quantization.per_tensor(scale, 128 if type == TensorType.UINT8 else 0)),
                TensorSpec.constant(
                    bias.astype(np.int64 if type == TensorType.INT16 else np.int32), Quantization.per_tensor(bias_scale)
                ),
            ],
            [TensorSpec(type, (1, 8, 8, CHANNELS), Quantization.per_tensor(scale_out, zero(type, 3)))],
            Conv2DOptions(stride_w=1, stride_h=1),
            3,
        )
        yield f"two groups, {name}", model, [x]
