"""TRANSPOSE_CONV with float activations and integer weights.

filter: int8[O,KH,KW,I], input: float32[N,H,W,I], bias: float32[O] or none, output: float32[N,OH,OW,O]. Each image is
quantized on its own, with a zero point; every single product is scaled before it is added, in float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, OperatorContext
from int8rt.kernels.float32.transpose_conv import FloatTransposeConvParams, add_bias_and_clamp, scatter
from int8rt.kernels.float32.transpose_conv import prepare as prepare_float
from int8rt.kernels.hybrid.scales import channel_scales
from int8rt.kernels.padding import Window
from int8rt.model import Shape
from int8rt.quantization.hybrid import batch_quantize_floats

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class HybridTransposeConvParams(FloatTransposeConvParams):
    """scale: float32[O]."""

    scale: Float32


def prepare(context: OperatorContext, shape: Shape, height: Window, width: Window) -> HybridTransposeConvParams:
    """The parameters, given the output's shape and the windows, which have been checked."""
    plain, filter = prepare_float(context, shape, height, width), context.input(1)
    return HybridTransposeConvParams(
        output_shapes=(shape,),
        height=height,
        width=width,
        input_channels=plain.input_channels,
        activation_min=plain.activation_min,
        activation_max=plain.activation_max,
        scale=channel_scales(context, filter, filter.shape[0], repeat=True),
    )


def evaluate(
    params: HybridTransposeConvParams, output_shape: Array, filter: Array, input: Array, bias: Array | None = None
) -> Array:
    """TRANSPOSE_CONV of images that are quantized first."""
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.zeros(shape, np.float32)
    if not output.size:
        return output
    quantized = batch_quantize_floats(input.reshape(len(input), -1), True)
    weights = filter.astype(np.float32)
    for image, result in enumerate(output):
        pixels = quantized.codes[image].astype(np.int32) - quantized.zero_point[image]
        factors = (params.scale, quantized.scale[image])
        scatter(params, pixels.astype(np.float32).reshape(input.shape[1:]), weights, result, factors)
    return add_bias_and_clamp(params, output, bias)
