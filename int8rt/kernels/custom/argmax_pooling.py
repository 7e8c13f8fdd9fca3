"""MaxPoolWithArgmax and MaxPoolingWithArgmax2D: MAX_POOL_2D that also says where the largest number was.

input: float32[N,H,W,C], outputs: float32[N,OH,OW,C] and the place of each, in the same shape. Of equal numbers the
first in the window is the largest; NaN never is.
MaxPoolWithArgmax (TensorFlow Lite's kernels/perception) has FlexBuffer options and int32 places (y · W + x) · C + c in
the image. MaxPoolingWithArgmax2D (MediaPipe) has the C struct of MAX_POOL_2D and float32 places y · filter_width + x +
0.1 in the window. Neither is in LiteRT's interpreter, so they are not compared with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.arithmetic import clamp
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.custom.options import CustomOptions, struct_fields
from int8rt.kernels.padding import Window, sliding_window
from int8rt.kernels.signature import signatures
from int8rt.kernels.taps import reached_pixels
from int8rt.model import ActivationFunctionType, Padding
from int8rt.quantization.activation_range import calculate_float_activation_range

# TfLitePadding; 0 is unknown.
PADDINGS = {1: Padding.SAME, 2: Padding.VALID}


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgmaxPoolParams(Params):
    """in_image: whether places are those in the image (int32), or those in the window (float32)."""

    height: Window
    width: Window
    activation_min: float
    activation_max: float
    in_image: bool


def prepare_perception(context: OperatorContext) -> ArgmaxPoolParams:
    """Read the options of a MaxPoolWithArgmax."""
    options = CustomOptions(context)
    size, strides = options.integers("ksize"), options.integers("strides")
    padding = {"SAME": Padding.SAME, "VALID": Padding.VALID}.get(options.text("padding"))
    if any(len(values) != 4 or values[0] != 1 or values[3] != 1 for values in (size, strides)) or padding is None:
        found = f"ksize {size}, strides {strides}, padding {options.text('padding')!r}"
        raise context.invalid(f"{found}; expected [1, height, width, 1] for both, and SAME or VALID")
    if options.boolean("include_batch_in_index"):
        raise context.unsupported("include_batch_in_index")
    return _prepare(context, (size[1], size[2]), (strides[1], strides[2]), padding, ActivationFunctionType.NONE, True)


def prepare_mediapipe(context: OperatorContext) -> ArgmaxPoolParams:
    """Read the options of a MaxPoolingWithArgmax2D: TfLitePoolParams."""
    padding, stride_width, stride_height, filter_width, filter_height, activation = struct_fields(context, 6)
    if padding not in PADDINGS:
        raise context.invalid(f"padding {padding}, expected one of {sorted(PADDINGS)}")
    known = activation in set(ActivationFunctionType)
    return _prepare(
        context,
        (filter_height, filter_width),
        (stride_height, stride_width),
        PADDINGS[padding],
        ActivationFunctionType(activation) if known else ActivationFunctionType.NONE,
        False,
    )


def _prepare(
    context: OperatorContext,
    size: tuple[int, int],
    strides: tuple[int, int],
    padding: Padding,
    activation: ActivationFunctionType,
    in_image: bool,
) -> ArgmaxPoolParams:
    input = context.input(0)
    if input.rank != 4 or min(*size, *strides) < 1:
        raise context.invalid(
            f"input {list(input.shape)} must have rank 4, windows {size} and strides {strides} be at least 1"
        )
    height, width = (sliding_window(input.shape[1 + i], size[i], strides[i], 1, padding) for i in (0, 1))
    if min(height.output, width.output) < 0:
        raise context.invalid(f"a {size} window does not fit the input {list(input.shape)}")
    low, high = calculate_float_activation_range(activation)
    shape = (input.shape[0], height.output, width.output, input.shape[3])
    return ArgmaxPoolParams(
        output_shapes=(shape, shape),
        height=height,
        width=width,
        activation_min=low,
        activation_max=high,
        in_image=in_image,
    )


def evaluate(params: ArgmaxPoolParams, input: Array) -> tuple[Array, Array]:
    """The largest numbers and their places."""
    shape = params.output_shapes[0]
    assert shape is not None
    height, width = params.height, params.width
    largest = np.full(shape, np.finfo(np.float32).min, np.float32)
    # Row and column of the largest, in the image or in the window.
    row, column = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    for tap_row in _reaching(height):
        rows, pixel_rows = reached_pixels(height, tap_row)
        for tap_column in _reaching(width):
            columns, pixel_columns = reached_pixels(width, tap_column)
            if rows.stop == rows.start or columns.stop == columns.start:
                continue
            part = (slice(None), rows, columns)
            pixels = input[:, pixel_rows, pixel_columns]
            larger = pixels > largest[part]
            y: Array | int = tap_row
            x: Array | int = tap_column
            if params.in_image:
                y = np.arange(pixel_rows.start, pixel_rows.stop, height.stride)[:, np.newaxis, np.newaxis]
                x = np.arange(pixel_columns.start, pixel_columns.stop, width.stride)[:, np.newaxis]
            np.copyto(largest[part], pixels, where=larger)
            np.copyto(row[part], y, where=larger, casting="same_kind")
            np.copyto(column[part], x, where=larger, casting="same_kind")
    clamp(largest, params.activation_min, params.activation_max)
    if params.in_image:
        return largest, (row * np.int32(width.input) + column) * np.int32(shape[3]) + np.arange(
            shape[3], dtype=np.int32
        )
    return largest, (row * np.int32(width.kernel) + column).astype(np.float32) + np.float32(0.1)


def _reaching(window: Window) -> range:
    """Taps that lie inside the input for some window: a file may ask for a window of 2^31 elements."""
    first = max(0, window.pad_before - (window.output - 1) * window.stride)
    return range(first, min(window.kernel, window.input + window.pad_before))


MAX_POOL_WITH_ARGMAX = Kernel(
    name="CUSTOM:MaxPoolWithArgmax",
    signatures=signatures("float32 -> float32,int32"),
    prepare=prepare_perception,
    evaluate=evaluate,
    source="kernels/perception/max_pool_with_argmax.cc (not in the interpreter)",
    max_version=1,
    bound="compared with its definition alone: no interpreter that can be installed runs it",
)

MAX_POOLING_WITH_ARGMAX_2D = Kernel(
    name="CUSTOM:MaxPoolingWithArgmax2D",
    signatures=signatures("float32 -> float32,float32"),
    prepare=prepare_mediapipe,
    evaluate=evaluate,
    source="MediaPipe's max_pool_argmax.cc (not in the interpreter)",
    max_version=1,
    bound="compared with its definition alone: no interpreter that can be installed runs it",
)
