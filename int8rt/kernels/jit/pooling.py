"""AVERAGE_POOL_2D and MAX_POOL_2D: a row of channels at a time, over the taps that lie inside the input."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.jit.abi import kernel, load_i32, load_u8, share, store_i32, store_u8
from int8rt.kernels.jit.finish import store_rows
from int8rt.kernels.jit.isa.emitter import I8, I64, Emitter, vector
from int8rt.kernels.jit.isa.levels import BY_NAME
from int8rt.kernels.jit.lowering import LowerContext, Lowered, clamp
from int8rt.kernels.jit.numba_later import carray, cgutils, intrinsic, types
from int8rt.kernels.jit.pool_fields import POOL, pool_values
from int8rt.kernels.jit.pooling_means import MOST_TAPS, vector_average_kernel
from int8rt.kernels.pooling import Pool2DParams
from int8rt.model import TensorType


def lower(params: Pool2DParams, context: LowerContext) -> Lowered | None:
    """The step of a pool of 8-bit codes."""
    input, output = context.input(0), context.outputs[0]
    if input.type not in (TensorType.INT8, TensorType.UINT8) or input.type != output.type:
        return None
    values = {
        **pool_values(params, context, 4 * output.shape[3] + 256),
        **clamp(output.type, int(params.activation_min), int(params.activation_max)),
        "offset": 128 if input.type == TensorType.INT8 else 0,
    }
    if context.name == "MAX_POOL_2D":
        compiled = max_kernel(context.level.products)
    elif params.height.kernel * params.width.kernel < MOST_TAPS:
        compiled = vector_average_kernel(context.level.products)
    else:
        compiled = average_kernel()
    return Lowered(compiled, POOL, values)


@cache
def average_kernel() -> Any:
    """The compiled AVERAGE_POOL_2D."""

    @kernel
    def average_pool_2d(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, POOL)[0]
        channels, sums, low, high = p.channels, p.scratch + thread * p.scratch_bytes, p.low, p.high
        first, last = share(p.batches * p.out_height * p.out_width, thread, threads)
        for pixel in range(first, last):
            x, row = pixel % p.out_width, pixel // p.out_width
            y, image = row % p.out_height, p.input + row // p.out_height * p.height * p.width * channels
            top, left = y * p.stride_height - p.pad_height, x * p.stride_width - p.pad_width
            bottom, right = min(top + p.kernel_height, p.height), min(left + p.kernel_width, p.width)
            top, left = max(top, 0), max(left, 0)
            count = (bottom - top) * (right - left)
            for c in range(channels):
                store_i32(sums, c, np.int32(-p.offset * count))
            for ky in range(top, bottom):
                for kx in range(left, right):
                    source = image + (ky * p.width + kx) * channels
                    for c in range(channels):
                        store_i32(sums, c, np.int32(load_i32(sums, c) + np.int32(load_u8(source, c))))
            target, half = p.output + pixel * channels, count // 2
            for c in range(channels):
                total = load_i32(sums, c)
                # The nearest integer, ties away from 0; the float64 quotient of integers truncates as theirs does.
                mean = np.int32(np.float64(total + (half if total > 0 else -half)) / count)
                store_u8(target, c, np.uint8(min(max(mean + p.offset, low), high)))

    return average_pool_2d


@intrinsic(prefer_literal=True)
def largest_bytes(
    typing_context: Any, level: Any, source: Any, row_stride: Any, rows: Any, columns: Any, count: Any, low: Any,
    high: Any, target: Any,
) -> Any:  # fmt: skip
    """target[c] = the largest of the pixels' bytes c, clamped, for c < count channels.

    source: address of the first pixel; pixels of a row are `count` bytes apart. Pixels are read in steps of 4 · lanes.
    """
    if not isinstance(level, types.Literal):
        return None
    lanes = 4 * BY_NAME[level.literal_value].lanes

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        e = Emitter(builder)
        source, row_stride, rows, columns, count, low, high, target = arguments[1:]
        kind = vector(I8, lanes)
        bottom, top = (e.splat(builder.trunc(bound, I8), lanes) for bound in (low, high))
        largest = cgutils.alloca_once(builder, kind)
        with e.count(I64(0), count, lanes) as channel:
            builder.store(bottom, largest)
            block = builder.add(source, channel)
            with e.count(I64(0), rows) as row:
                line = builder.add(block, builder.mul(row, row_stride))
                with e.count(I64(0), columns) as column:
                    tap = e.load(builder.add(line, builder.mul(column, count)), kind)
                    builder.store(e.maximum(builder.load(largest), tap, signed=False), largest)
            result = e.minimum(builder.load(largest), top, signed=False)
            store_rows(e, [result], [builder.add(target, channel)], builder.sub(count, channel))
        return context.get_dummy_value()

    return types.void(level, *[types.int64] * 8), codegen


@cache
def max_kernel(level: str) -> Any:
    """The compiled MAX_POOL_2D."""

    @kernel
    def max_pool_2d(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, POOL)[0]
        channels, line = p.channels, p.width * p.channels
        first, last = share(p.batches * p.out_height, thread, threads)
        for row in range(first, last):
            y, image = row % p.out_height, p.input + row // p.out_height * p.height * line
            top = y * p.stride_height - p.pad_height
            bottom, top = min(top + p.kernel_height, p.height), max(top, 0)
            target = p.output + row * p.out_width * channels
            for x in range(p.out_width):
                left = x * p.stride_width - p.pad_width
                right, left = min(left + p.kernel_width, p.width), max(left, 0)
                source = image + top * line + left * channels
                largest_bytes(
                    level, source, line, bottom - top, right - left, channels, p.low, p.high, target + x * channels
                )

    return max_pool_2d
