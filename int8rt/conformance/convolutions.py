"""Models of CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED from a case's parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.model import ActivationFunctionType, Model, Padding, Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import Conv2DOptions, DepthwiseConv2DOptions, FullyConnectedOptions

Array = npt.NDArray[Any]

# No multiple of 8: vectors leave a rest.
CHANNELS = 12
_INPUT_SCALE = 0.5


def convolution(
    operator: str,
    type: TensorType,
    rng: np.random.Generator,
    height: int = 6,
    width: int = 7,
    kernel: Sequence[int] = (1, 1),
    stride: Sequence[int] = (1, 1),
    dilation: Sequence[int] = (1, 1),
    padding: str = "SAME",
    weights: str = "full",
    multiplier: str = "fitting",
    bias: bool = True,
    activation: str = "NONE",
    output_scale: float = 0.25,
    zero_points: Sequence[int] = (-3, 5),
    batch: int = 1,
    groups: int = 1,
    depth_multiplier: int = 1,
    wrong: str = "",
) -> tuple[Model, list[Array]]:
    """multiplier: see `_multipliers`. weights: "full" or "small", -3 to 3. wrong: what makes the model invalid."""
    wide, unsigned = type == TensorType.INT16, type == TensorType.UINT8
    depthwise, dense = operator == "DEPTHWISE_CONV_2D", operator == "FULLY_CONNECTED"
    shift = 128 if unsigned else 0
    output_scale = output_scale / 64 if wide and activation != "NONE" else output_scale
    zero_in, zero_out = (0, 0) if wide else (z + shift for z in zero_points)
    small = weights == "small"
    channels = CHANNELS // depth_multiplier if depthwise else 1 if small else 3 * groups
    kernel = (1, 1) if dense else kernel
    depth = channels // groups  # of a filter
    terms = kernel[0] * kernel[1] * (1 if depthwise else depth)

    info = np.iinfo(type.dtype)
    rows: tuple[int, ...] = (height * width,) if dense else (batch, height, width)
    x = rng.integers(info.min, info.max, (*rows, channels), type.dtype, endpoint=True)
    if small:  # every code once with every channel
        spread = np.linspace(info.min, info.max, height * width).round().astype(type.dtype)
        x = np.repeat(spread.reshape(*rows, 1), channels, axis=-1)

    shape = (1, *kernel, CHANNELS) if depthwise else (CHANNELS, channels) if dense else (CHANNELS, *kernel, depth)
    values = rng.choice([-3, -2, -1, 1, 2, 3], shape) if small else rng.integers(-127, 128, shape)
    filter = (values + shift).astype(np.uint8 if unsigned else np.int8)
    # A sum spreads over some 60 codes (of int16: 15000).
    fitting = (60 if not wide else 15000) / ((74 if not wide else 19000) * 74 * terms**0.5)
    real = _multipliers(multiplier, fitting, rng)
    scale = (real * output_scale / _INPUT_SCALE).astype(np.float32)
    if unsigned:
        scale = scale[:1]
    reach = 40 if small else int(3000 * terms**0.5)
    offsets = rng.integers(-reach, reach, CHANNELS)
    if multiplier == "large_sums":
        offsets = np.rint((rng.integers(-60, 60, CHANNELS) + 0.5) / np.broadcast_to(real[: scale.size], CHANNELS))
    filter_zero = np.full(scale.size, 1 if wrong == "filter zero point" else shift)
    bias_scale = np.float32(_INPUT_SCALE) * scale
    if wrong == "bias length":
        offsets = offsets[:-1]
    bias_data = offsets.astype(np.int64 if wide else np.int32)

    if unsigned:
        filter_quantization = Quantization.per_tensor(float(scale[0]), int(filter_zero[0]))
    else:
        filter_quantization = Quantization.per_axis(scale, filter_zero, len(shape) - 1 if depthwise else 0)
    specs = [
        TensorSpec(type, x.shape, Quantization.per_tensor(_INPUT_SCALE, zero_in)),
        TensorSpec.constant(filter, filter_quantization),
        TensorSpec.constant(bias_data, Quantization.per_axis(bias_scale, np.zeros(scale.size), 0)) if bias else None,
    ]
    if wrong == "channels":
        x = np.concatenate([x, x[..., :1]], axis=-1)
        specs[0] = TensorSpec(type, x.shape, Quantization.per_tensor(_INPUT_SCALE, zero_in))
    out = rows
    options: dict[str, Any] = {"fused_activation_function": ActivationFunctionType[activation]}
    if not dense:
        spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
        sizes = zip((height, width), spans, stride, strict=True)
        out = (batch, *(-(-n // s) if padding == "SAME" else (n - k) // s + 1 for n, k, s in sizes))
        options |= {"padding": Padding[padding], "stride_h": stride[0], "stride_w": stride[1]}
        options |= {"dilation_h_factor": dilation[0], "dilation_w_factor": dilation[1]}
    if depthwise:
        options["depth_multiplier"] = depth_multiplier
    kind = DepthwiseConv2DOptions if depthwise else FullyConnectedOptions if dense else Conv2DOptions
    version = {"CONV_2D": 4, "DEPTHWISE_CONV_2D": 5, "FULLY_CONNECTED": 7}[operator] if wide else 3
    output = TensorSpec(type, (*out, CHANNELS), Quantization.per_tensor(output_scale, zero_out))
    return single_operator_model(operator, specs, [output], kind(**options), version), [x]


def _multipliers(name: str, fitting: float, rng: np.random.Generator) -> Array:
    """The real multiplier of each channel.

    "fitting": so that sums fit the output. "powers": of two, which makes ties. "odd": any below 1/2. "ends": mantissas
    near 2^30 and 2^31 - 1. "large_sums": 2^-18, for sums beside ties. "left": above 1, most sums saturate.
    "dead": every third below 2^-31.
    """
    n = CHANNELS
    match name:
        case "powers":
            return np.asarray(0.5 ** (np.arange(n) % 8 + 1.0))
        case "odd":
            return rng.uniform(1 / 16, 1 / 2, n)
        case "ends":
            return np.asarray(2.0 ** -(np.arange(n) % 6 + 1.0) * np.where(np.arange(n) % 2, 1 + 2.0**-22, 1 - 2.0**-23))
        case "large_sums":
            return rng.uniform(1, 2, n) * 2.0**-18
        case "dead":
            return np.where(np.arange(n) % 3 == 1, 2.0**-33, rng.uniform(0.6, 1.4, n) * fitting)
        case "left":
            return rng.uniform(1, 64, n)
        case _:
            return rng.uniform(0.6, 1.4, n) * fitting
