"""DEPTHWISE_CONV_2D with float activations and integer weights.

input: float32[N,H,W,I], filter: int8[1,KH,KW,O] with a scale for each output channel, bias: float32[O] or none,
output: float32[N,OH,OW,O]. Each image is quantized on its own, with a zero point.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.kernels.arithmetic import clamp
from int8rt.kernels.base import Array, OperatorContext, Params
from int8rt.kernels.depthwise_sums import DepthwiseSums
from int8rt.kernels.exact_product import FLOAT32_INTEGERS
from int8rt.kernels.hybrid.product import LARGEST_CODE
from int8rt.kernels.hybrid.scales import channel_scales
from int8rt.kernels.padding import Window
from int8rt.kernels.taps import pad_input, reachable_taps
from int8rt.model import Shape
from int8rt.quantization.activation_range import calculate_float_activation_range
from int8rt.quantization.hybrid import batch_quantize_floats
from int8rt.schema.options import DepthwiseConv2DOptions

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class HybridDepthwiseConv2DParams(Params):
    """`scale`: float32[O]. `depth_multiplier`: output channels for each input channel.

    in_fours: sums are multiplied by one scale after the other, as in the optimized kernels: in whole groups of four
    channels first by the filter's, in those after them first by the input's. The activation turns NaN in whole groups
    into its lower bound.
    """

    height: Window
    width: Window
    depth_multiplier: int
    scale: Float32
    activation_min: float
    activation_max: float
    in_fours: bool = False


def prepare(
    context: OperatorContext, shape: Shape, height: Window, width: Window, depth_multiplier: int
) -> HybridDepthwiseConv2DParams:
    """The parameters, given the output's shape and the windows, which have been checked."""
    options = context.options(DepthwiseConv2DOptions)
    low, high = calculate_float_activation_range(options.fused_activation_function)
    return HybridDepthwiseConv2DParams(
        output_shapes=(shape,),
        height=height,
        width=width,
        depth_multiplier=depth_multiplier,
        scale=channel_scales(context, context.input(1), shape[3]),
        activation_min=low,
        activation_max=high,
    )


def evaluate(params: HybridDepthwiseConv2DParams, input: Array, filter: Array, bias: Array | None = None) -> Array:
    """DEPTHWISE_CONV_2D of images that are quantized first."""
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.empty(shape, np.float32)
    if not output.size:
        return output
    quantized = batch_quantize_floats(input.reshape(len(input), -1), True)
    height, width, filter = reachable_taps(params.height, params.width, filter)
    weights = filter[0].astype(np.int64)
    bound = np.abs(weights).sum(axis=(0, 1)).max(initial=0) * LARGEST_CODE
    sums = DepthwiseSums(
        weights.astype(np.float32 if bound < FLOAT32_INTEGERS else np.float64), params.depth_multiplier, height, width
    )
    for image, result in enumerate(output):
        zero_point = int(quantized.zero_point[image])
        factors = _factors(params, quantized.scale[image])
        codes = pad_input(quantized.codes[image].reshape(1, *input.shape[1:]), height, width, zero_point)[0]
        correction = zero_point * weights.sum(axis=(0, 1))

        def finish(
            total: Array, target: Array, factors: list[Float32] = factors, correction: Array = correction
        ) -> None:
            exact = total.astype(np.float64) - correction
            with np.errstate(all="ignore"):
                target[...] = exact.astype(np.int64).astype(np.int32).astype(np.float32)
                for factor in factors:
                    target *= factor
                if bias is not None:
                    target += bias
            if params.in_fours:
                fours = target[..., : params.scale.size // 4 * 4]
                np.copyto(fours, np.float32(params.activation_min), where=np.isnan(fours))
            clamp(target, params.activation_min, params.activation_max)

        sums(codes, result, finish)
    return output


def _factors(params: HybridDepthwiseConv2DParams, input_scale: np.float32) -> list[Float32]:
    """What sums are multiplied by, in turn: float32[O] each."""
    if not params.in_fours:
        return [params.scale * input_scale]
    fours = np.arange(params.scale.size) < params.scale.size // 4 * 4
    return [np.where(fours, params.scale, input_scale), np.where(fours, input_scale, params.scale)]
