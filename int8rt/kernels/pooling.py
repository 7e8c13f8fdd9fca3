"""AVERAGE_POOL_2D, MAX_POOL_2D and L2_POOL_2D: the mean, the largest code or the root mean square of each window.

input: T[N,H,W,C], output: T[N,OH,OW,C]
Codes are pooled as they are: nothing is rescaled, whatever the scales of input and output say. Taps beyond the border
are left out, so a mean is over the taps that exist. A mean is rounded to the nearest code, ties away from code 0; one
of real numbers is a float32 sum of the taps, row by row, divided by their number; L2_POOL_2D has real numbers only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.layout import scale_and_zero_point
from int8rt.kernels.padding import Window, sliding_window
from int8rt.kernels.signature import signatures
from int8rt.model import ActivationFunctionType, TensorType
from int8rt.quantization.activation_range import calculate_activation_range, calculate_float_activation_range
from int8rt.quantization.division import divide_round_half_away
from int8rt.schema.options import Pool2DOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool2DParams(Params):
    """activation_min, activation_max: in codes of the output (real numbers for float32)."""

    height: Window
    width: Window
    activation_min: float
    activation_max: float


def prepare(context: OperatorContext) -> Pool2DParams:
    """Check the tensors of a pool and derive its windows."""
    options = context.options(Pool2DOptions)
    input = context.input(0)
    if input.rank != 4:
        raise context.invalid(f"input {input.name!r} must have rank 4, found {list(input.shape)}")
    strides, kernel = (options.stride_h, options.stride_w), (options.filter_height, options.filter_width)
    if min(strides) < 1 or min(kernel) < 1:
        raise context.invalid(f"strides {strides} and window {kernel} must be at least 1")
    height, width = (
        sliding_window(input.shape[1 + axis], kernel[axis], strides[axis], 1, options.padding) for axis in (0, 1)
    )
    if min(height.output, width.output) < 0:
        raise context.invalid(f"a {kernel} window does not fit the input {list(input.shape)}")
    activation_min, activation_max = _activation_range(context, options.fused_activation_function)
    return Pool2DParams(
        output_shapes=((input.shape[0], height.output, width.output, input.shape[3]),),
        height=height,
        width=width,
        activation_min=activation_min,
        activation_max=activation_max,
    )


def _activation_range(context: OperatorContext, activation: ActivationFunctionType) -> tuple[float, float]:
    output = context.output()
    if output.type == TensorType.FLOAT32:
        return calculate_float_activation_range(activation)
    scale, zero_point = scale_and_zero_point(output)
    low, high = calculate_activation_range(activation, scale, zero_point, output.type)
    if low > high:
        raise context.invalid(f"activation {activation.name} leaves no code of {output.name!r}: [{low}, {high}]")
    return low, high


def evaluate_average(params: Pool2DParams, input: Array) -> Array:
    """The mean of each window."""
    count = window_counts(params)
    if input.dtype.kind == "f":
        with np.errstate(over="ignore", invalid="ignore"):
            average: Array = _sum_in_order(params, input) / count.astype(np.float32)
        return _clamp(params, average)
    total = window_sums(params, input)
    uniform = count.size > 0 and bool(np.all(count == count.flat[0]))
    mean = divide_round_half_away(total, count.flat[0] if uniform else count)
    return _clamp(params, mean).astype(input.dtype)


def window_counts(params: Pool2DParams) -> Array:
    """[OH,OW,1]: how many elements of the input are in each window."""
    return np.outer(_tap_counts(params.height), _tap_counts(params.width))[:, :, np.newaxis]


def window_sums(params: Pool2DParams, input: Array) -> Array:
    """int32 [N,OH,OW,C]: the sum of the codes in each window."""
    total = _slide(input, 2, params.width, _add, np.dtype(np.int32), 0)
    return _slide(total, 1, params.height, _add, np.dtype(np.int32), 0)


def evaluate_max(params: Pool2DParams, input: Array) -> Array:
    """The largest code of each window; NaN never wins, and of equal zeros the first one of a window does."""
    floating = input.dtype.kind == "f"
    lowest = float(np.finfo(np.float32).min) if floating else np.iinfo(input.dtype).min
    combine = _keep_larger if floating else _maximum
    largest = _slide(input, 2, params.width, combine, input.dtype, lowest)
    return _clamp(params, _slide(largest, 1, params.height, combine, input.dtype, lowest))


def evaluate_l2(params: Pool2DParams, input: Array) -> Array:
    """The root of the mean of the squares of each window."""
    count = window_counts(params)
    with np.errstate(all="ignore"):
        mean = _sum_in_order(params, input * input) / count.astype(np.float32)
        return _clamp(params, np.sqrt(mean))


def _clamp(params: Pool2DParams, pooled: Array) -> Array:
    """`pooled`, changed in place. Real numbers: NaN stays, and so does -0.0 where the bound is 0."""
    low, high = pooled.dtype.type(params.activation_min), pooled.dtype.type(params.activation_max)
    if pooled.dtype.kind == "f":
        pooled[pooled < low] = low
        pooled[pooled > high] = high
    else:
        np.maximum(pooled, low, out=pooled)
        np.minimum(pooled, high, out=pooled)
    return pooled


def _sum_in_order(params: Pool2DParams, input: Array) -> Array:
    """The sum of each window in float32, tap after tap."""
    (shape,) = params.output_shapes
    assert shape is not None
    total = np.zeros(shape, np.float32)
    for rows, input_rows in _taps(params.height):
        for columns, input_columns in _taps(params.width):
            total[:, rows, columns] += input[:, input_rows, input_columns]
    return total


def _slide(
    input: Array,
    axis: int,
    window: Window,
    combine: Callable[[Array, Array], None],
    dtype: np.dtype[Any],
    initial: float,
) -> Array:
    """Combine the taps of each window along one axis, in order, starting from `initial`."""
    shape = list(input.shape)
    shape[axis] = window.output
    result = np.full(shape, initial, dtype)
    for outputs, inputs in _taps(window):
        combine(_along(result, axis, outputs), _along(input, axis, inputs))
    return result


def _taps(window: Window) -> Iterator[tuple[slice, slice]]:
    """For each tap: the outputs whose window has it inside the input, and the inputs that they see there."""
    # Only taps that lie inside the input for some window: a file may ask for a window of 2^31 elements.
    first_tap = max(0, window.pad_before - (window.output - 1) * window.stride)
    for tap in range(first_tap, min(window.kernel, window.input + window.pad_before)):
        start = tap - window.pad_before  # output i sees input i * stride + start
        first = max(0, -(start // window.stride))
        last = min(window.output, (window.input - 1 - start) // window.stride + 1)
        if first < last:
            begin = first * window.stride + start
            end = begin + (last - first - 1) * window.stride + 1
            yield slice(first, last), slice(begin, end, window.stride)


def _along(array: Array, axis: int, part: slice) -> Array:
    return array[(slice(None),) * axis + (part,)]


def _add(total: Array, taps: Array) -> None:
    np.add(total, taps, out=total)


def _maximum(largest: Array, taps: Array) -> None:
    np.maximum(largest, taps, out=largest)


def _keep_larger(largest: Array, taps: Array) -> None:
    np.copyto(largest, taps, where=taps > largest)


def _tap_counts(window: Window) -> npt.NDArray[np.int64]:
    """How many taps of each window lie inside the input."""
    first = np.arange(window.output, dtype=np.int64) * window.stride - window.pad_before
    return np.minimum(first + window.kernel, window.input) - np.maximum(first, 0)


AVERAGE_POOL_2D = Kernel(
    name="AVERAGE_POOL_2D",
    signatures=signatures("T -> T", T=("int8", "uint8", "int16", "float32")),
    prepare=prepare,
    evaluate=evaluate_average,
    source="kernels/pooling.cc, reference/integer_ops/pooling.h, reference/pooling.h",
    max_version=3,
)

MAX_POOL_2D = Kernel(
    name="MAX_POOL_2D",
    signatures=signatures("T -> T", T=("int8", "uint8", "int16", "float32")),
    prepare=prepare,
    evaluate=evaluate_max,
    source="kernels/pooling.cc, reference/integer_ops/pooling.h, reference/pooling.h",
    max_version=3,
)

L2_POOL_2D = Kernel(
    name="L2_POOL_2D",
    signatures=signatures("float32 -> float32"),
    prepare=prepare,
    evaluate=evaluate_l2,
    source="kernels/pooling.cc, reference/pooling.h",
    max_version=1,
)
