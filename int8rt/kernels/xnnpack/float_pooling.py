"""AVERAGE_POOL_2D and MAX_POOL_2D of float32 in XNNPACK, with its kernels for AVX-512F.

The elements of a window are taken column after column. A mean is the sum times the reciprocal of the number of elements
inside the input. A window of one element is a clamp.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from int8rt.kernels import pooling
from int8rt.kernels.base import Array, OperatorContext
from int8rt.kernels.padding import Window
from int8rt.kernels.pooling import Pool2DParams, window_counts
from int8rt.kernels.xnnpack.delegation import Delegated
from int8rt.kernels.xnnpack.float_functions import FloatParams, clamped
from int8rt.kernels.xnnpack.float_functions import evaluate as evaluate_function
from int8rt.model import ActivationFunctionType, TensorType
from int8rt.quantization.xnnpack import ACTIVATIONS, flush, real_bounds
from int8rt.quantization.xnnpack_sums import maximum_of_window, mean_of_window
from int8rt.schema.options import Pool2DOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatPoolParams(Pool2DParams):
    """mean: of each window, else its largest element. The bounds are real numbers."""

    mean: bool


def takes(context: OperatorContext) -> bool:
    """Whether the delegate takes this pool of float32 tensors: its strides are not larger than its window."""
    options = context.options(Pool2DOptions)
    if len(context.inputs) != 1 or not context.input(0).type == context.output().type == TensorType.FLOAT32:
        return False
    strides, window = (options.stride_h, options.stride_w), (options.filter_height, options.filter_width)
    if min(*strides, *window) < 1 or strides[0] > window[0] or strides[1] > window[1]:
        return False
    return options.fused_activation_function in ACTIVATIONS


def prepare(context: OperatorContext) -> FloatPoolParams | FloatParams:
    """The windows, and the bounds of the activation."""
    options = context.options(Pool2DOptions)
    plain = replace(options, fused_activation_function=ActivationFunctionType.NONE)
    params = pooling.prepare(replace(context, operator=replace(context.operator, options=plain)))
    low, high = real_bounds(options.fused_activation_function)
    shapes = *context.input(0).shape, params.height.output, params.width.output
    if (options.filter_height, options.filter_width) == (1, 1):
        return clamped(params.output_shapes, options.fused_activation_function)
    # Windows that reach out of a small input altogether, and much too large ones.
    if min(shapes) < 1 or params.height.kernel * params.width.kernel > 1 << 16:
        raise context.unsupported(f"such a window or input in profile {context.profile.name} is not done")
    return FloatPoolParams(
        output_shapes=params.output_shapes,
        height=params.height,
        width=params.width,
        activation_min=float(low),
        activation_max=float(high),
        mean=context.operator.name == "AVERAGE_POOL_2D",
    )


def evaluate(params: FloatPoolParams | FloatParams, input: Array) -> Array:
    """The pool of an array."""
    if isinstance(params, FloatParams):
        return evaluate_function(params, input)
    bounds = params.activation_min, params.activation_max
    input = flush(input)
    with np.errstate(all="ignore"):
        line = np.arange(params.height.output)
        rows, row_inside = _taps(params.height, _summed_lines(params.height) if params.mean else line)
        columns, column_inside = _taps(params.width, np.arange(params.width.output))
        taps = []
        for column, inside_column in zip(columns, column_inside, strict=True):
            for row, inside_row in zip(rows, row_inside, strict=True):
                tap = input[:, row][:, :, column]
                inside = inside_row[:, np.newaxis] & inside_column
                # What is outside counts as 0 for a mean; a maximum takes the element at the border.
                taps.append(np.where(inside[:, :, np.newaxis], tap, np.float32(0)) if params.mean else tap)
        if not params.mean:
            return maximum_of_window(taps, *bounds)
        scale = np.float32(1) / window_counts(params).astype(np.float32)
        return mean_of_window(taps, scale, *bounds)


def _taps(window: Window, outputs: npt.NDArray[np.int64]) -> tuple[Array, Array]:
    """[kernel, output]: the position of each tap, held inside the input; and whether it was inside."""
    first = outputs * window.stride - window.pad_before
    position = first + np.arange(window.kernel)[:, np.newaxis]
    held = np.clip(position, 0, window.input - 1)
    return held, held == position


def _summed_lines(window: Window) -> npt.NDArray[np.int64]:
    """Whose window each line of the output sums up: its own, unless windows reach out at both ends.

    XNNPACK keeps the windows of the lines at both ends, and one of those between. Where there are none between, it
    finds others. The number of elements that it divides by is right.
    Source: XNNPACK src/operators/average-pooling-nhwc.c, xnn_compute_average_pooling in src/operator-run.c.
    """
    lines = np.arange(window.output, dtype=np.int64)
    above, below = -(-window.pad_before // window.stride), -(-window.pad_after // window.stride)
    if below > window.output:
        return np.minimum(lines, above)
    kept = np.concatenate([lines[: above + 1], lines[window.output - below :]])
    start = window.output - below
    found = np.minimum(lines, above) + np.maximum(lines + 1 - start, 0)
    return np.where(lines < start, lines, kept[np.minimum(found, len(kept) - 1)])


FLOAT_POOLS = tuple(
    Delegated(name, takes, prepare, f"src/f32-{kernel}", evaluate, (FloatPoolParams, FloatParams))
    for name, kernel in (("AVERAGE_POOL_2D", "avgpool"), ("MAX_POOL_2D", "maxpool"))
)
