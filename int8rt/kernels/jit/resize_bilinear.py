"""RESIZE_BILINEAR: two input rows mixed into one line, then columns of that line mixed into output pixels."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.jit.abi import (
    carray,
    fields,
    helper,
    kernel,
    load_f32,
    load_i32,
    load_i64,
    load_u8,
    share,
    store_f32,
    store_i32,
    store_u8,
)
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered, Scratch
from int8rt.kernels.resize_bilinear import Interpolation, ResizeBilinearParams
from int8rt.model import TensorType
from int8rt.quantization.jitted import divide_by_pot_round_half_away

BILINEAR = fields(
    "input output upper_rows lower_rows row_weights left_columns right_columns column_weights lines out_height "
    "out_width height width pixels channels columns scratch scratch_bytes"
)
_ONE = 1 << 10


def lower(params: ResizeBilinearParams, context: LowerContext) -> Lowered | None:
    """The step of a RESIZE_BILINEAR of int8 (in integers) or uint8 (in float32)."""
    input, output = context.input(0), context.outputs[0]
    if input.type not in (TensorType.INT8, TensorType.UINT8):
        return None
    batches, height, width, channels = output.shape
    # The definition asks for a column behind the last one where rounding takes it there.
    columns = max(int(params.columns.lower.max()) + 1, input.shape[2])
    scratch = 8 * columns * channels + 64
    values: dict[str, Any] = {
        "input": At(input.index),
        "output": At(output.index),
        "upper_rows": Data(params.rows.lower),
        "lower_rows": Data(params.rows.upper),
        "row_weights": _weights(params.rows),
        "left_columns": Data(params.columns.lower),
        "right_columns": Data(params.columns.upper),
        "column_weights": _weights(params.columns),
        "lines": batches * height,
        "out_height": height,
        "out_width": width,
        "height": input.shape[1],
        "width": input.shape[2],
        "pixels": batches * input.shape[1] * input.shape[2],
        "channels": channels,
        "columns": columns,
        "scratch": Scratch(scratch),
        "scratch_bytes": scratch,
    }
    return Lowered(int8_kernel() if input.type == TensorType.INT8 else uint8_kernel(), BILINEAR, values)


def _weights(interpolation: Interpolation) -> Data:
    """The weights as int32 or float32."""
    weight = interpolation.weight
    return Data(weight if weight.dtype == np.float32 else weight.astype(np.int32))


@helper
def pixel_address(p, row, column):  # type: ignore[no-untyped-def]
    """A pixel by its row in all images together; beyond the last pixel of all it is that one again."""
    return p.input + min(row * p.width + column, p.pixels - 1) * p.channels


@helper
def run_length(p, upper, lower):  # type: ignore[no-untyped-def]
    """How many pixels of a line lie side by side in both rows: all of them, unless there are too few."""
    return p.columns if max(upper, lower) * p.width + p.columns <= p.pixels else 1


@helper
def mix_rows(p, upper, lower, weight, line):  # type: ignore[no-untyped-def]
    """line[i] = (1 - weight) · upper row + weight · lower row of int8 codes, in steps of 2^-10."""
    run = run_length(p, upper, lower)
    for column in range(0, p.columns, run):
        a, b, target = pixel_address(p, upper, column), pixel_address(p, lower, column), line + 4 * column * p.channels
        for i in range(run * p.channels):
            first = np.int32(load_u8(a, i)) - 128
            store_i32(target, i, np.int32(first * _ONE + (np.int32(load_u8(b, i)) - 128 - first) * weight))


@cache
def int8_kernel() -> Any:
    """The compiled RESIZE_BILINEAR of int8."""

    @kernel
    def resize_bilinear_int8(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, BILINEAR)[0]
        channels, line = p.channels, p.scratch + thread * p.scratch_bytes
        first, last = share(p.lines, thread, threads)
        for i in range(first, last):
            base, y = i // p.out_height * p.height, i % p.out_height
            mix_rows(
                p, base + load_i64(p.upper_rows, y), base + load_i64(p.lower_rows, y), load_i32(p.row_weights, y), line
            )
            target = p.output + i * p.out_width * channels
            for x in range(p.out_width):
                weight = load_i32(p.column_weights, x)
                left = line + load_i64(p.left_columns, x) * channels * 4
                right = line + load_i64(p.right_columns, x) * channels * 4
                for c in range(channels):
                    a = load_i32(left, c)
                    total = np.int32(a * _ONE + (load_i32(right, c) - a) * weight)
                    store_u8(target, x * channels + c, np.uint8(divide_by_pot_round_half_away(total, 20) + 128))

    return resize_bilinear_int8


@helper
def weigh_rows(p, upper, lower, weight, line):  # type: ignore[no-untyped-def]
    """line[0, i] = (1 - weight) · upper row, line[1, i] = weight · lower row, of uint8 codes."""
    run = run_length(p, upper, lower)
    for column in range(0, p.columns, run):
        a, b, target = pixel_address(p, upper, column), pixel_address(p, lower, column), line + 4 * column * p.channels
        below = target + 4 * p.columns * p.channels
        for i in range(run * p.channels):
            store_f32(target, i, np.float32(load_u8(a, i)) * (np.float32(1) - weight))
            store_f32(below, i, np.float32(load_u8(b, i)) * weight)


@cache
def uint8_kernel() -> Any:
    """The compiled RESIZE_BILINEAR of uint8."""

    @kernel
    def resize_bilinear_uint8(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, BILINEAR)[0]
        channels, line = p.channels, p.scratch + thread * p.scratch_bytes
        below = line + 4 * p.columns * channels
        first, last = share(p.lines, thread, threads)
        for i in range(first, last):
            base, y = i // p.out_height * p.height, i % p.out_height
            upper, lower = base + load_i64(p.upper_rows, y), base + load_i64(p.lower_rows, y)
            weigh_rows(p, upper, lower, load_f32(p.row_weights, y), line)
            target = p.output + i * p.out_width * channels
            for x in range(p.out_width):
                weight = load_f32(p.column_weights, x)
                rest = np.float32(1) - weight
                left, right = load_i64(p.left_columns, x) * channels, load_i64(p.right_columns, x) * channels
                for c in range(channels):
                    total = load_f32(line, left + c) * rest
                    total += load_f32(below, left + c) * rest
                    total += load_f32(line, right + c) * weight
                    total += load_f32(below, right + c) * weight
                    store_u8(target, x * channels + c, np.uint8(np.int32(total + np.float32(0.5))))

    return resize_bilinear_uint8
