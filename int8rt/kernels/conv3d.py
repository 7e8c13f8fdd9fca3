"""CONV_3D and CONV_3D_TRANSPOSE: convolutions over depth, height and width, in float32.

CONV_3D: input: float32[N,D,H,W,I], filter: float32[KD,KH,KW,I,O], bias: float32[O] or none -> float32[N,OD,OH,OW,O].
CONV_3D_TRANSPOSE: output_shape: int32[5], filter: float32[KD,KH,KW,O,I], input: float32[N,D,H,W,I], bias: float32[O]
or none -> float32[output_shape].
Each product and each partial sum is rounded to float32, then the bias is added. A sum of CONV_3D goes over the depths,
rows, columns and channels of its window in this order and leaves out taps beyond the border; one of CONV_3D_TRANSPOSE
goes over the input's pixels and channels.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.kernels.arithmetic import clamp
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, TensorInfo, element_count
from int8rt.kernels.convolution import check_padding
from int8rt.kernels.layout import integers
from int8rt.kernels.padding import Window, sliding_window
from int8rt.kernels.signature import signatures
from int8rt.kernels.taps import reached_pixels
from int8rt.model import Shape
from int8rt.quantization.activation_range import calculate_float_activation_range
from int8rt.schema.options import Conv3DOptions

Slices = tuple[slice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conv3DParams(Params):
    """windows: of depth, height and width; those of CONV_3D_TRANSPOSE belong to the convolution it is the transpose of.

    activation_min, activation_max: real numbers.
    """

    windows: tuple[Window, Window, Window]
    input_channels: int
    output_channels: int
    activation_min: float
    activation_max: float


def prepare(context: OperatorContext) -> Conv3DParams:
    """Check the tensors of a CONV_3D and derive its windows."""
    input, filter = context.input(0), context.input(1)
    _check_ranks(context, input, filter)
    if min(*input.shape[1:], *filter.shape) < 1 or input.shape[4] != filter.shape[3]:
        raise context.invalid(f"the input {list(input.shape)} does not fit the filter {list(filter.shape)}")
    _check_bias(context, 2, filter.shape[4])
    windows = _windows(context, input.shape[1:4], filter.shape[:3])
    if min(window.output for window in windows) < 0:
        raise context.invalid(f"a {list(filter.shape[:3])} window does not fit the input {list(input.shape)}")
    shape = (input.shape[0], *(window.output for window in windows), filter.shape[4])
    return _params(context, shape, windows, filter.shape[3])


def prepare_transpose(context: OperatorContext) -> Conv3DParams:
    """Check the tensors of a CONV_3D_TRANSPOSE and derive its windows."""
    filter, input = context.input(1), context.input(2)
    _check_ranks(context, input, filter)
    if 0 in (*input.shape[1:], *filter.shape) or input.shape[4] != filter.shape[4]:
        raise context.invalid(f"the input {list(input.shape)} does not fit the filter {list(filter.shape)}")
    _check_bias(context, 3, filter.shape[3])
    if context.input(0).shape != (5,):
        raise context.invalid(f"output shape {context.input(0).name!r} must hold 5 numbers")
    shape = integers(context, 0)
    if min(*shape, *filter.shape[:3]) < 1 or (shape[0], shape[4]) != (input.shape[0], filter.shape[3]):
        raise context.invalid(f"output shape {list(shape)} does not fit {list(input.shape)} and {list(filter.shape)}")
    windows = _windows(context, shape[1:4], filter.shape[:3])
    if tuple(window.output for window in windows) != input.shape[1:4]:
        expected = [window.output for window in windows]
        raise context.invalid(f"the output {list(shape)} belongs to an input of {expected}, found {list(input.shape)}")
    return _params(context, shape, windows, filter.shape[4])


def _check_ranks(context: OperatorContext, input: TensorInfo, filter: TensorInfo) -> None:
    if input.rank != 5 or filter.rank != 5:
        raise context.invalid(f"input and filter must have rank 5, found {list(input.shape)} and {list(filter.shape)}")


def _check_bias(context: OperatorContext, index: int, channels: int) -> None:
    bias = context.optional_input(index)
    if bias is not None and element_count(bias.shape) != channels:
        raise context.invalid(f"bias {bias.name!r} has shape {list(bias.shape)}, expected [{channels}]")


def _windows(context: OperatorContext, sizes: Shape, kernel: Shape) -> tuple[Window, Window, Window]:
    options = context.options(Conv3DOptions)
    strides = (options.stride_d, options.stride_h, options.stride_w)
    dilations = (options.dilation_d_factor, options.dilation_h_factor, options.dilation_w_factor)
    if min(*strides, *dilations) < 1:
        raise context.invalid(f"strides {strides} and dilations {dilations} must be at least 1")
    depth, height, width = (
        sliding_window(size, taps, stride, dilation, options.padding)
        for size, taps, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True)
    )
    check_padding(context, depth, height, width)
    return depth, height, width


def _params(
    context: OperatorContext, shape: Shape, windows: tuple[Window, Window, Window], input_channels: int
) -> Conv3DParams:
    low, high = calculate_float_activation_range(context.options(Conv3DOptions).fused_activation_function)
    return Conv3DParams(
        output_shapes=(shape,),
        windows=windows,
        input_channels=input_channels,
        output_channels=shape[4],
        activation_min=low,
        activation_max=high,
    )


def evaluate(params: Conv3DParams, input: Array, filter: Array, bias: Array | None = None) -> Array:
    """CONV_3D, one tap and one input channel after the other."""
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.zeros(shape, np.float32)
    for image, result in zip(input, output, strict=True):
        for tap, outputs, inputs in _taps(params.windows):
            _add_products(image[inputs], filter[tap], result[outputs])
    return _finish(params, output, bias)


def evaluate_transpose(
    params: Conv3DParams, output_shape: Array, filter: Array, input: Array, bias: Array | None = None
) -> Array:
    """CONV_3D_TRANSPOSE: an output pixel meets the input's pixels in their order when the taps come in reverse."""
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.zeros(shape, np.float32)
    for image, result in zip(input, output, strict=True):
        for tap, inputs, outputs in reversed(list(_taps(params.windows))):
            _add_products(image[inputs], filter[tap].T, result[outputs])
    return _finish(params, output, bias)


def _taps(windows: tuple[Window, Window, Window]) -> Iterator[tuple[tuple[int, ...], Slices, Slices]]:
    """The taps that reach the input: the outputs that have them there, and the pixels that these see."""
    reached = [[(tap, *reached_pixels(window, tap)) for tap in range(window.kernel)] for window in windows]
    within = [[item for item in axis if item[1].stop > item[1].start] for axis in reached]
    for places in itertools.product(*within):
        taps, outputs, inputs = zip(*places, strict=True)
        yield taps, outputs, inputs


def _add_products(pixels: Array, weights: npt.NDArray[np.float32], total: Array) -> None:
    """Add the products of pixels [..,I] and weights [I,O] to total [..,O], channel after channel."""
    with np.errstate(all="ignore"):
        for channel, weight in enumerate(weights):
            total += pixels[..., channel, np.newaxis] * weight


def _finish(params: Conv3DParams, output: Array, bias: Array | None) -> Array:
    if bias is not None:
        with np.errstate(all="ignore"):
            output += bias.reshape(-1)
    clamp(output, params.activation_min, params.activation_max)
    return output


def _macs(params: Conv3DParams) -> int:
    (shape,) = params.output_shapes
    assert shape is not None
    taps = element_count([window.kernel for window in params.windows])
    return element_count(shape) * taps * params.input_channels


def _macs_transpose(params: Conv3DParams) -> int:
    (shape,) = params.output_shapes
    assert shape is not None
    pixels = element_count([window.output * window.kernel for window in params.windows])
    return shape[0] * pixels * params.input_channels * params.output_channels


CONV_3D = Kernel(
    name="CONV_3D",
    signatures=signatures("float32,float32,float32? -> float32"),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/conv3d.cc, reference/conv3d.h",
    max_version=1,
    macs=_macs,
)

CONV_3D_TRANSPOSE = Kernel(
    name="CONV_3D_TRANSPOSE",
    signatures=signatures("int32,float32,float32,float32? -> float32"),
    prepare=prepare_transpose,
    evaluate=evaluate_transpose,
    source="kernels/conv3d_transpose.cc, reference/conv3d_transpose.h",
    max_version=1,
    macs=_macs_transpose,
)
