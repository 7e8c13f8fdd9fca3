"""FULLY_CONNECTED and CONV_2D of real numbers with int8 or int4 weights in XNNPACK.

Each row, or each image, is quantized on its own, always with a zero point. The exact sum of the products, in float32,
is multiplied by the scale of the activations; then comes a fused multiply-add of the weights' scale and the bias, on
processors that have it. A convolution of single pixels counts as FULLY_CONNECTED: each pixel is quantized on its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import EvaluationError
from int8rt.kernels import conv, fully_connected
from int8rt.kernels.base import Array, OperatorContext, Params, TensorInfo, element_count
from int8rt.kernels.exact_product import ExactProduct
from int8rt.kernels.hybrid.conv import HybridConv2DParams
from int8rt.kernels.hybrid.fully_connected import HybridFullyConnectedParams
from int8rt.kernels.padding import Window
from int8rt.kernels.taps import blocks, grouped_windows, pad_input, reachable_taps
from int8rt.kernels.xnnpack.delegation import declared_shape, has_elements, has_normal_scales, is_stored, zero_points
from int8rt.model import Shape, TensorType
from int8rt.quantization.xnnpack import ACTIVATIONS, DynamicCodes, multiply_add, quantize_dynamically, real_bounds
from int8rt.schema.enums import FullyConnectedOptionsWeightsFormat
from int8rt.schema.options import Conv2DOptions, FullyConnectedOptions

LARGEST_CODE = 255
# Below lie numbers that XNNPACK may take for 0.
_SMALLEST = 2.0**-100
# What is worked on at once of an unrolled input, in elements.
_BLOCK_ELEMENTS = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scaled(Params):
    """scale: float32[O] of the weights. activation_min, activation_max: real numbers. profile: its name."""

    scale: npt.NDArray[np.float32]
    activation_min: np.float32
    activation_max: np.float32
    profile: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DynamicParams(Scaled):
    """windows: those of a convolution of more than single pixels, and its groups."""

    depth: int
    windows: tuple[Window, Window, int] | None


def _takes_weights(context: OperatorContext, filter: TensorInfo) -> bool:
    if context.input(0).type != TensorType.FLOAT32 or context.output().type != TensorType.FLOAT32:
        return False
    if not is_stored(context, filter):
        return False
    if filter.sparsity is not None:
        raise context.unsupported(f"sparse weights in profile {context.profile.name} is not done")
    quantization = filter.quantization
    if quantization is None:
        return False
    if quantization.blockwise is not None:
        return quantization.blockwise.block_size % 32 == 0
    return quantization.scale.size == 1 or (quantization.scale.size > 1 and quantization.quantized_dimension == 0)


def takes_fully_connected(context: OperatorContext) -> bool:
    """Whether the delegate takes this FULLY_CONNECTED, quantizing its input."""
    options, filter = context.options(FullyConnectedOptions), context.input(1)
    types = TensorType.INT8, TensorType.INT4, TensorType.INT2
    if options.weights_format != FullyConnectedOptionsWeightsFormat.DEFAULT or context.operator.version == 8:
        return False
    if options.fused_activation_function not in ACTIVATIONS or filter.type not in types:
        return False
    if not has_elements(context, filter, 2) or not _takes_weights(context, filter):
        return False
    outputs, depth = declared_shape(context, filter)
    bias = context.optional_input(2)
    if bias is not None and element_count(declared_shape(context, bias)) != outputs:
        return False
    assert filter.quantization is not None
    if filter.type == TensorType.INT2 and filter.quantization.scale.size != outputs:
        return False
    return depth % {TensorType.INT8: 1, TensorType.INT4: 2, TensorType.INT2: 4}[filter.type] == 0


def takes_conv(context: OperatorContext) -> bool:
    """Whether the delegate takes this CONV_2D, quantizing its input."""
    options, filter = context.options(Conv2DOptions), context.input(1)
    if len(context.inputs) != 3 or filter.type != TensorType.INT8 or not _takes_weights(context, filter):
        return False
    if options.fused_activation_function not in ACTIVATIONS or context.optional_input(2) is None:
        return False
    if not has_normal_scales(filter) or (zero_points(context, filter).size > 1 and zero_points(context, filter)[0]):
        return False
    images = context.input(0), filter, context.output()
    return all(has_elements(context, tensor, 4) for tensor in images) and has_elements(context, context.input(2), 1)


def _common(context: OperatorContext, shape: Shape, depth: int, windows: tuple[Window, Window, int] | None) -> Params:
    options: Any = context.operator.options
    filter, bias, profile = context.input(1), context.optional_input(2), context.profile.name
    if filter.type == TensorType.INT2 or filter.quantization is None or filter.quantization.blockwise is not None:
        raise context.unsupported(f"2-bit weights, or blocks of others than 4 bits, in profile {profile} is not done")
    if bias is not None and (bias.type != TensorType.FLOAT32 or not is_stored(context, bias)):
        raise context.unsupported(f"a bias that the file does not hold in profile {profile} is not done")
    if not has_normal_scales(filter) or np.any(zero_points(context, filter) != 0):
        raise context.invalid(f"XNNPACK does not take the quantization parameters of {filter.name!r}")
    if depth >= 1 << 15:
        raise context.unsupported(f"sums of more than 2^15 products in profile {profile} is not done")
    low, high = real_bounds(options.fused_activation_function) if options is not None else (-np.inf, np.inf)
    scale = np.broadcast_to(context.per_axis(filter)[0], (filter.shape[0],))
    return DynamicParams(
        output_shapes=(shape,),
        depth=depth,
        scale=scale,
        windows=windows,
        activation_min=np.float32(low),
        activation_max=np.float32(high),
        profile=profile,
    )


def prepare_fully_connected(context: OperatorContext) -> Params:
    """The parameters of a FULLY_CONNECTED."""
    plain = fully_connected.prepare(context)
    assert isinstance(plain, HybridFullyConnectedParams)
    input, (shape,) = context.input(0), plain.output_shapes
    if element_count(input.shape) % plain.depth:
        raise context.invalid(f"XNNPACK wants an input {list(input.shape)} of whole rows of {plain.depth}")
    assert shape is not None
    return _common(context, shape, plain.depth, None)


def prepare_conv(context: OperatorContext) -> Params:
    """The parameters of a CONV_2D."""
    plain = conv.prepare(context)
    assert isinstance(plain, HybridConv2DParams)
    (shape,) = plain.output_shapes
    assert shape is not None
    height, width, depth = plain.height, plain.width, plain.filter_channels
    single = height.kernel * width.kernel == height.stride == width.stride == plain.groups == 1
    if single and depth + shape[3] > 2:
        return _common(context, shape, depth, None)
    return _common(context, shape, depth * height.kernel * width.kernel, (height, width, plain.groups))


def evaluate(params: DynamicParams, input: Array, filter: Array, bias: Array | None = None) -> Array:
    """FULLY_CONNECTED or CONV_2D of rows or images that are quantized first."""
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.empty(shape, np.float32)
    if not output.size:
        return output
    rows = input.reshape(-1, params.depth) if params.windows is None else input.reshape(len(input), -1)
    quantized = quantize_rows(rows, params.scale, params.profile)
    offset = np.zeros(shape[-1], np.float32) if bias is None else bias.reshape(-1)
    if params.windows is None:
        product = ExactProduct(filter.reshape(shape[-1], -1), LARGEST_CODE)
        sums = product(quantized.codes, len(rows)).astype(np.int64) - np.outer(quantized.zero_point, product.sums)
        scale_sums(params, sums, quantized.inverse_scale[:, np.newaxis], offset, output.reshape(-1, shape[-1]))
        return output
    height, width, groups = params.windows
    height, width, filter = reachable_taps(height, width, filter)
    product = ExactProduct(filter.reshape(shape[3], -1), LARGEST_CODE, groups)
    for image, target in enumerate(output):
        zero_point = int(quantized.zero_point[image])
        codes = pad_input(quantized.codes[image].reshape(1, *input.shape[1:]), height, width, zero_point)[0]
        view = grouped_windows(codes, height, width, groups)
        for block in blocks(height.output, width.output, _BLOCK_ELEMENTS // max(1, params.depth * groups)):
            result = target[block].reshape(-1, shape[3])
            sums = product(view[:, *block], len(result)).astype(np.int64) - zero_point * product.sums
            scale_sums(params, sums, quantized.inverse_scale[image], offset, result)
    return output


def quantize_rows(rows: npt.NDArray[np.float32], scale: npt.NDArray[np.float32], profile: str) -> DynamicCodes:
    """float32[n,k], each row on its own. scale: of the weights. `EvaluationError` where numbers may count as 0."""
    quantized = quantize_dynamically(rows) if np.all(np.isfinite(rows)) else None
    if quantized is None or quantized.inverse_scale.min(initial=1) * float(scale.min()) < _SMALLEST:
        raise EvaluationError(f"a range that is not finite, or too small, in profile {profile} is not done")
    return quantized


def scale_sums(params: Scaled, sums: Array, inverse: Any, offset: Array, target: Array) -> None:
    """target [n,O] = the real numbers of exact sums. inverse: scales of the activations; offset: the bias [O]."""
    with np.errstate(over="ignore", under="ignore"):
        values = multiply_add(sums.astype(np.float32) * inverse, params.scale, offset)
    np.copyto(values, params.activation_min, where=values < params.activation_min)
    np.copyto(values, params.activation_max, where=values > params.activation_max)
    target[...] = values
