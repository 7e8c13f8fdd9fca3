"""CONV_2D with float activations and integer weights.

input: float32[N,H,W,I·groups], filter: int8[O,KH,KW,I], bias: float32[O], output: float32[N,OH,OW,O]. Each image is
quantized on its own: with a zero point where the channels have different scales, else without.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.kernels.arithmetic import clamp
from int8rt.kernels.base import Array, OperatorContext, Params, TensorInfo
from int8rt.kernels.exact_product import ExactProduct
from int8rt.kernels.hybrid.product import COLUMNS, LARGEST_CODE
from int8rt.kernels.padding import Window
from int8rt.kernels.taps import blocks, grouped_windows, pad_input, reachable_taps
from int8rt.model import Shape, TensorType
from int8rt.quantization.activation_range import calculate_float_activation_range
from int8rt.quantization.hybrid import batch_quantize_floats
from int8rt.schema.options import Conv2DOptions

Float32 = npt.NDArray[np.float32]

_BLOCK_ELEMENTS = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class HybridConv2DParams(Params):
    """scale: float32[O] where `per_channel`, else float32[1].

    one_factor: both scales are multiplied first, as in the optimized kernels.
    flawed: the sums are those of the vector code that has no negative of the weight -128 (see `hybrid.product`).
    """

    height: Window
    width: Window
    groups: int
    filter_channels: int
    scale: Float32
    per_channel: bool
    flawed: bool
    activation_min: float
    activation_max: float
    one_factor: bool = False


def prepare(context: OperatorContext, shape: Shape, height: Window, width: Window, groups: int) -> HybridConv2DParams:
    """The parameters, given the output's shape, the windows and the groups, which have been checked."""
    filter, options = context.input(1), context.options(Conv2DOptions)
    low, high = calculate_float_activation_range(options.fused_activation_function)
    scale = _scale(context, filter)
    if groups != 1 and scale.size == 1:
        # TensorFlow Lite reads beyond the end of the scales.
        raise context.unsupported("groups of channels need a scale for each output channel")
    return HybridConv2DParams(
        output_shapes=(shape,),
        height=height,
        width=width,
        groups=groups,
        filter_channels=filter.shape[3],
        scale=scale,
        per_channel=scale.size > 1,
        # With a multiple of four channels a matrix product without the flaw takes over.
        flawed=scale.size == 1 and filter.shape[0] % 4 != 0,
        activation_min=low,
        activation_max=high,
    )


def _scale(context: OperatorContext, filter: TensorInfo) -> Float32:
    """One scale for each output channel; one for all if they are equal or the weights are uint8; 0 if there is none."""
    scale = np.zeros(0, np.float32) if filter.quantization is None else filter.quantization.scale
    if scale.size == 0:
        return np.zeros(1, np.float32)
    if filter.type == TensorType.UINT8 or np.all(scale == scale[0]):
        return scale[:1]
    if scale.size < filter.shape[0]:
        raise context.invalid(f"filter {filter.name!r} has {scale.size} scales, expected {filter.shape[0]}")
    return scale[: filter.shape[0]]


def evaluate(params: HybridConv2DParams, input: Array, filter: Array, bias: Array) -> Array:
    """CONV_2D of images that are quantized first."""
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.empty(shape, np.float32)
    if not output.size:
        return output
    quantized = batch_quantize_floats(input.reshape(len(input), -1), params.per_channel)
    filter = filter.view(np.int8)
    height, width, reachable = reachable_taps(params.height, params.width, filter)
    product = ExactProduct(reachable.reshape(shape[3], -1), LARGEST_CODE, params.groups)
    extreme = _extreme_weights(params, filter)
    with np.errstate(all="ignore"):
        for image, result in enumerate(output):
            zero_point = int(quantized.zero_point[image])
            codes = pad_input(quantized.codes[image].reshape(1, *input.shape[1:]), height, width, zero_point)[0]
            sums = _sums(params, codes, product, height, width) - zero_point * product.sums
            if extreme is not None:
                sums += 256 * _sums(params, np.minimum(codes, 0), extreme, height, width)
            values = sums.astype(np.int64).astype(np.int32).astype(np.float32)
            if params.per_channel and not params.one_factor:
                values = values * params.scale * quantized.scale[image]
            else:
                values = values * (quantized.scale[image] * params.scale)
                values += np.float32(0 if not params.per_channel else -0.0)
            values += bias.reshape(-1)
            clamp(values, params.activation_min, params.activation_max)
            result[...] = values.reshape(result.shape)
    return output


def _extreme_weights(params: HybridConv2DParams, filter: Array) -> ExactProduct | None:
    """A filter of ones where the flawed code meets a weight of -128; None where it does not."""
    if not params.flawed:
        return None
    extreme = (filter == -128).reshape(len(filter), -1)
    extreme[:, extreme.shape[1] // COLUMNS * COLUMNS :] = False
    if not np.any(extreme):
        return None
    _, _, reachable = reachable_taps(params.height, params.width, extreme.reshape(filter.shape))
    return ExactProduct(reachable.reshape(len(filter), -1).astype(np.int8), LARGEST_CODE)


def _sums(
    params: HybridConv2DParams, codes: Array, product: ExactProduct, height: Window, width: Window
) -> npt.NDArray[np.float64]:
    """The sums of a padded image over every window: float64[OH·OW,O]."""
    view = grouped_windows(codes, height, width, params.groups)
    depth = height.kernel * width.kernel * codes.shape[2]
    sums = []
    for place in blocks(height.output, width.output, _BLOCK_ELEMENTS // max(1, depth)):
        block = view[:, *place]
        sums.append(product(block, block.shape[1] * block.shape[2]).astype(np.float64))
    return np.concatenate(sums)
