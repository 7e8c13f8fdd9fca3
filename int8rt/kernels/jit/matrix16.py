"""CONV_2D, FULLY_CONNECTED and TRANSPOSE_CONV of int16 activations: unrolled windows times rows of weights."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import element_count
from int8rt.kernels.conv import Conv2DParams
from int8rt.kernels.fully_connected import FullyConnectedParams
from int8rt.kernels.jit.abi import carray, fields, helper, kernel, load_i16, load_i64, share, store_i64
from int8rt.kernels.jit.copies import copy_run, fill_run
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered, Scratch, window_values
from int8rt.kernels.jit.requantize import REQUANTIZATION, requantization_fields, requantize_line
from int8rt.kernels.jit.transpose_conv import residues
from int8rt.kernels.padding import Window
from int8rt.kernels.transpose_conv import TransposeConvParams
from int8rt.model import TensorType
from int8rt.quantization.requantization import Requantization

MATRIX16 = fields(
    "input output weights constants scratch scratch_bytes depth out_height out_width height width channels outputs "
    "kernel_height kernel_width stride_height stride_width dilation_height dilation_width pad_height pad_width rows "
    f"first_output image_step row_step pixel_step {REQUANTIZATION}"
)
# Products of int16 and int8 whose sum fits int32.
_TERMS = 256
# More convolutions than these are not worth a step each.
_MOST_STEPS = 64


def lower_conv_2d(params: Any, context: LowerContext) -> Lowered | None:
    """The step of a CONV_2D of int16; None for groups, and for weights that are not constant."""
    weights = context.input(1).value
    if not isinstance(params, Conv2DParams) or params.groups != 1 or weights is None:
        return None
    height, width = params.height, params.width
    batches, *_, channels = context.outputs[0].shape
    steps = (0, height.output * width.output * channels, width.output * channels, channels)
    return _lower(context, 0, 2, weights, params.requantization, batches, height, width, steps)


def lower_fully_connected(params: Any, context: LowerContext) -> Lowered | None:
    """The step of a FULLY_CONNECTED of int16; None for weights that are not constant int8, or have a zero point."""
    weights = context.input(1).value
    if not isinstance(params, FullyConnectedParams) or weights is None or params.filter_zero_point:
        return None
    if weights.dtype != np.int8:
        return None
    outputs, depth = weights.shape
    one, rows = (Window(size, size, 1, 1, 1, 0, 0) for size in (1, params.rows))
    weights = weights.reshape(outputs, 1, 1, depth)
    return _lower(context, 0, 2, weights, params.requantization, 1, one, rows, (0, 0, 0, outputs))


def lower_transpose_conv(params: Any, context: LowerContext) -> list[Lowered] | None:
    """The steps of a TRANSPOSE_CONV of int16, one for each residue of an output position modulo the stride."""
    weights, output = context.input(1).value, context.outputs[0]
    if not isinstance(params, TransposeConvParams) or weights is None:
        return None
    rows, columns = residues(params.height), residues(params.width)
    if len(rows) * len(columns) > _MOST_STEPS:
        return None
    channels, line = output.shape[3], output.shape[2] * output.shape[3]
    steps = []
    for row in rows:
        for column in columns:
            first = row.first * line + column.first * channels
            layout = (first, output.shape[1] * line, params.height.stride * line, params.width.stride * channels)
            taps, windows = weights[:, row.taps][:, :, column.taps], (row.window, column.window)
            step = _lower(context, 2, 3, taps, params.requantization, output.shape[0], *windows, layout)
            if step is None:
                return None
            steps.append(step)
    return steps


def _lower(
    context: LowerContext,
    input_index: int,
    bias_index: int,
    weights: npt.NDArray[Any],
    requantization: Requantization,
    batches: int,
    height: Window,
    width: Window,
    layout: tuple[int, int, int, int],
) -> Lowered | None:
    """The step for weights OHWI. layout: where the first output is, and the steps between images, rows and pixels."""
    input, bias = context.input(input_index), context.inputs[bias_index] if len(context.inputs) > bias_index else None
    outputs, *taps = weights.shape
    if input.type != TensorType.INT16 or not outputs:
        return None
    found = requantization_fields(requantization, outputs)
    if found is None or (bias is not None and bias.value is None):
        return None
    kind, values = found
    constants = 0 if bias is None or bias.value is None else bias.value.reshape(-1)
    scratch = 8 * outputs + 2 * element_count(taps)
    values |= {
        "input": At(input.index),
        "output": At(context.outputs[0].index),
        "weights": Data(weights.reshape(outputs, -1).astype(np.int16)),
        "constants": Data(np.broadcast_to(np.asarray(constants, np.int64), outputs)),
        "scratch": Scratch(scratch),
        "scratch_bytes": scratch,
        "depth": element_count(taps),
        "channels": taps[-1],
        "outputs": outputs,
        "rows": batches * height.output * width.output,
        "first_output": layout[0],
        "image_step": layout[1],
        "row_step": layout[2],
        "pixel_step": layout[3],
    }
    values |= window_values(MATRIX16, height, width)
    return Lowered(matrix16_kernel(kind), MATRIX16, values)


@helper
def dot16(a, w, depth):  # type: ignore[no-untyped-def]
    """Σ a[k] · w[k] of int16 numbers, where w[k] has 8 bits."""
    total = np.int64(0)
    for start in range(0, depth, _TERMS):
        partial = np.int32(0)
        for k in range(start, min(start + _TERMS, depth)):
            partial = np.int32(partial + np.int32(load_i16(a, k)) * np.int32(load_i16(w, k)))
        total += partial
    return total


@helper
def unroll_window(p, image, y, x, target):  # type: ignore[no-untyped-def]
    """The window of one output pixel, side by side; what lies beyond the border is 0."""
    size = 2 * p.channels
    for ky in range(p.kernel_height):
        row = y * p.stride_height - p.pad_height + ky * p.dilation_height
        for kx in range(p.kernel_width):
            column = x * p.stride_width - p.pad_width + kx * p.dilation_width
            if 0 <= row < p.height and 0 <= column < p.width:
                copy_run(target, image + (row * p.width + column) * size, size)
            else:
                fill_run(target, 0, size)
            target += size


@cache
def matrix16_kernel(kind: int) -> Any:
    """The compiled convolution for a kind of requantization."""

    @kernel
    def matrix16(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, MATRIX16)[0]
        sums, depth, weights, constants = p.scratch + thread * p.scratch_bytes, p.depth, p.weights, p.constants
        a = sums + 8 * p.outputs
        first, last = share(p.rows, thread, threads)
        begin, end = 0, p.outputs
        if p.rows < threads:
            first, last = 0, p.rows
            begin, end = share(p.outputs, thread, threads)
        for pixel in range(first, last):
            x, rest = pixel % p.out_width, pixel // p.out_width
            y, batch = rest % p.out_height, rest // p.out_height
            unroll_window(p, p.input + 2 * batch * p.height * p.width * p.channels, y, x, a)
            for c in range(begin, end):
                store_i64(sums, c, load_i64(constants, c) + dot16(a, weights + 2 * c * depth, depth))
            target = p.first_output + batch * p.image_step + y * p.row_step + x * p.pixel_step
            requantize_line(p, kind, sums, p.output + 2 * target, begin, end)

    return matrix16
