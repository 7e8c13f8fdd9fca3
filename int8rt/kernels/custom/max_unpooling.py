"""MaxUnpooling2D: the numbers of a pool put back to where they were; everything else is 0.

input: float32[N,H,W,C], places: [N,H,W,C], output: float32[N,OH,OW,C]; where several have one place, the last is kept.
There are two operators of this name, told apart by the places: int32 are those in the image, (y · OW + x) · C + c
(TensorFlow Lite's kernels/perception); float32 are those in the window, y · filter_width + x, of a pool with the same
options (MediaPipe). Both have the C struct of MAX_POOL_2D. Neither is in LiteRT's interpreter, so they are not compared
with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.custom.argmax_pooling import PADDINGS
from int8rt.kernels.custom.options import struct_fields
from int8rt.kernels.signature import signatures
from int8rt.model import Padding, TensorType


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxUnpoolingParams(Params):
    """(height, width) each. padding: before the first window, in pixels of the output."""

    filter: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]


def prepare(context: OperatorContext) -> MaxUnpoolingParams:
    """Read the options: TfLitePoolParams."""
    input, places = context.input(0), context.input(1)
    padding, stride_width, stride_height, filter_width, filter_height = struct_fields(context, 5)
    filter, stride = (filter_height, filter_width), (stride_height, stride_width)
    if input.rank != 4 or places.shape != input.shape:
        raise context.invalid(f"input {list(input.shape)} and places {list(places.shape)} do not fit")
    if min(*filter, *stride) < 1 or padding not in PADDINGS:
        known = sorted(PADDINGS)
        raise context.invalid(
            f"padding {padding} must be one of {known}, windows {filter} and strides {stride} at least 1"
        )
    size = input.shape[1:3]
    if places.type == TensorType.FLOAT32:
        out = [size[i] * filter[i] for i in (0, 1)]
    elif PADDINGS[padding] == Padding.SAME:
        out = [size[i] * stride[i] for i in (0, 1)]
    else:
        out = [max(0, (size[i] - 1) * stride[i] + filter[i]) for i in (0, 1)]
    before = [max(0, (size[i] - 1) * stride[i] + filter[i] - out[i]) // 2 for i in (0, 1)]
    return MaxUnpoolingParams(
        output_shapes=((input.shape[0], out[0], out[1], input.shape[3]),),
        filter=filter,
        stride=stride,
        padding=(before[0], before[1]),
    )


def evaluate(params: MaxUnpoolingParams, input: Array, places: Array) -> Array:
    """The image; `EvaluationError` for an int32 place outside of it. Outside float32 places are left out."""
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.zeros(shape, np.float32)
    images = np.broadcast_to(np.arange(shape[0])[:, np.newaxis, np.newaxis, np.newaxis], input.shape)
    if places.dtype == np.int32:
        size = shape[1] * shape[2] * shape[3]
        outside = (places < 0) | (places >= size)
        if np.any(outside):
            raise EvaluationError(f"place {places[outside][0]} is not in an image of {size} numbers")
        output.reshape(shape[0], size)[images, places] = input
        return output
    # As the conversion to int: truncated, and numbers that have none are far outside.
    with np.errstate(invalid="ignore"):
        whole = np.where(np.abs(places) < 2.0**31, np.trunc(places), -(2.0**31)).astype(np.int64)
    in_window = np.abs(whole) // params.filter[1] * np.sign(whole)
    pixels = np.arange(input.shape[1])[:, np.newaxis, np.newaxis], np.arange(input.shape[2])[:, np.newaxis]
    y = pixels[0] * params.stride[0] - params.padding[0] + in_window
    x = pixels[1] * params.stride[1] - params.padding[1] + whole - in_window * params.filter[1]
    inside = (y >= 0) & (y < shape[1]) & (x >= 0) & (x < shape[2])
    channels = np.broadcast_to(np.arange(shape[3]), input.shape)
    output[images[inside], y[inside], x[inside], channels[inside]] = input[inside]
    return output


MAX_UNPOOLING_2D = Kernel(
    name="CUSTOM:MaxUnpooling2D",
    signatures=signatures("float32,int32|float32 -> float32"),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/perception/max_unpooling_2d.cc, MediaPipe's max_unpooling.cc (not in the interpreter)",
    max_version=1,
    bound="compared with its definition alone: no interpreter that can be installed runs it",
)
