"""Convolution2DTransposeBias: TRANSPOSE_CONV in float32 that starts from the bias.

input: float32[N,H,W,I], filter: float32[O,KH,KW,I], bias: float32[O], output: float32[N,OH,OW,O],
OH = stride · (H - 1) + KH - padding. The products are added in the order of the input's pixels and channels.
The options are the C struct of TRANSPOSE_CONV: padding, stride_width, stride_height. Source: MediaPipe's
transpose_conv_bias.cc. It is not in LiteRT's interpreter, so it is not compared with it.
"""

from __future__ import annotations

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, element_count
from int8rt.kernels.custom.argmax_pooling import PADDINGS
from int8rt.kernels.custom.options import struct_fields
from int8rt.kernels.float32.transpose_conv import FloatTransposeConvParams, scatter
from int8rt.kernels.padding import Window
from int8rt.kernels.signature import signatures
from int8rt.model import Padding


def prepare(context: OperatorContext) -> FloatTransposeConvParams:
    """Check the shapes and read the options."""
    input, filter, bias = (context.input(index) for index in range(3))
    padding, stride_width, stride_height = struct_fields(context, 3)
    if input.rank != 4 or filter.rank != 4 or 0 in input.shape[1:] or 0 in filter.shape:
        raise context.invalid(
            f"input {list(input.shape)} and filter {list(filter.shape)} must have rank 4 and elements"
        )
    if input.shape[3] != filter.shape[3] or bias.shape != (filter.shape[0],):
        raise context.invalid(
            f"input {list(input.shape)}, filter {list(filter.shape)} and bias {list(bias.shape)} do not fit"
        )
    if min(stride_width, stride_height) < 1 or padding not in PADDINGS:
        known, strides = sorted(PADDINGS), (stride_height, stride_width)
        raise context.invalid(f"padding {padding} must be one of {known}, strides {strides} at least 1")
    same = PADDINGS[padding] == Padding.SAME
    height = _window(input.shape[1], filter.shape[1], stride_height, same)
    width = _window(input.shape[2], filter.shape[2], stride_width, same)
    return FloatTransposeConvParams(
        output_shapes=((input.shape[0], height.input, width.input, filter.shape[0]),),
        height=height,
        width=width,
        input_channels=input.shape[3],
        activation_min=-np.inf,
        activation_max=np.inf,
    )


def _window(size: int, kernel: int, stride: int, same: bool) -> Window:
    """The window of the convolution that this is the transpose of: its `input` is the output here."""
    pad = max(0, kernel - (size - 1) % stride - 1) if same else 0
    return Window(stride * (size - 1) + kernel - pad, size, kernel, stride, 1, pad // 2, pad - pad // 2)


def evaluate(params: FloatTransposeConvParams, input: Array, filter: Array, bias: Array) -> Array:
    """The bias, and what every input pixel adds to it."""
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.empty(shape, np.float32)
    output[...] = bias
    for image, result in zip(input, output, strict=True):
        scatter(params, image, filter, result)
    return output


def macs(params: FloatTransposeConvParams) -> int:
    """Multiply-accumulate operations of one run, what falls beyond the border counted in."""
    (shape,) = params.output_shapes
    batches, _, _, channels = shape or (0, 0, 0, 0)
    taps = params.height.kernel * params.width.kernel
    return element_count((batches, params.height.output, params.width.output, taps, channels, params.input_channels))


CONVOLUTION_2D_TRANSPOSE_BIAS = Kernel(
    name="CUSTOM:Convolution2DTransposeBias",
    signatures=signatures("float32,float32,float32 -> float32"),
    prepare=prepare,
    evaluate=evaluate,
    source="MediaPipe's transpose_conv_bias.cc (not in the interpreter)",
    max_version=1,
    macs=macs,
    bound="compared with its definition alone: no interpreter that can be installed runs it",
)
