"""AVERAGE_POOL_2D as vector code: a few channels of one output pixel at a time, sums and their means in registers."""

from __future__ import annotations

from functools import cache
from typing import Any

from int8rt.kernels.jit.abi import carray, kernel, share
from int8rt.kernels.jit.finish import store_rows
from int8rt.kernels.jit.isa.emitter import F32, I8, I32, I64, Emitter, constant, vector
from int8rt.kernels.jit.isa.levels import BY_NAME
from int8rt.kernels.jit.numba_later import cgutils, intrinsic, types
from int8rt.kernels.jit.pool_fields import POOL

# Windows with fewer taps than this: a sum of so many bytes and a half, times a reciprocal in float32, is less than half
# a tap's share of 1 off, and so truncates to the quotient.
MOST_TAPS = 1 << 12


@intrinsic(prefer_literal=True)
def mean_bytes(
    typing_context: Any, level: Any, source: Any, row_stride: Any, rows: Any, columns: Any, channels: Any, offset: Any,
    low: Any, high: Any, target: Any,
) -> Any:  # fmt: skip
    """target[c] = offset + the mean of the pixels' bytes c less offset, ties away from zero, clamped, for all channels.

    source: address of the first pixel; pixels of a row are `channels` bytes apart. Pixels are read in steps of lanes.
    """
    if not isinstance(level, types.Literal):
        return None
    here = BY_NAME[level.literal_value]
    lanes = here.lanes

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        e = Emitter(builder)
        source, row_stride, rows, columns, channels, offset, low, high, target = arguments[1:]
        wide, real = vector(I32, lanes), vector(F32, lanes)

        def splat(value: Any) -> Any:
            return e.splat(builder.trunc(value, I32), lanes)

        taps = builder.mul(rows, columns)
        start, back, bottom, top = (
            splat(value) for value in (builder.neg(builder.mul(offset, taps)), offset, low, high)
        )
        half = splat(builder.ashr(taps, I64(1)))
        share_of_one = e.splat(builder.fdiv(F32(1), builder.sitofp(taps, F32)), lanes)
        total = cgutils.alloca_once(builder, wide)
        with e.count(I64(0), channels, lanes) as channel:
            builder.store(start, total)
            block = builder.add(source, channel)
            with e.count(I64(0), rows) as row:
                line = builder.add(block, builder.mul(row, row_stride))
                with e.count(I64(0), columns) as column:
                    tap = e.load(builder.add(line, builder.mul(column, channels)), vector(I8, lanes))
                    builder.store(builder.add(builder.load(total), builder.zext(tap, wide)), total)
            value = builder.load(total)
            sign = builder.ashr(value, constant(I32, [31] * lanes))
            size = builder.add(builder.sub(builder.xor(value, sign), sign), half)
            # Half of 1 more: what truncates is never near an integer.
            shifted = builder.fadd(builder.sitofp(size, real), e.splat(F32(0.5), lanes))
            mean = builder.fptosi(builder.fmul(shifted, share_of_one), wide)
            code = builder.add(builder.sub(builder.xor(mean, sign), sign), back)
            held = e.minimum(e.maximum(code, bottom), top)
            row_of_bytes = here.narrow(e, [held])
            store_rows(e, [row_of_bytes], [builder.add(target, channel)], builder.sub(channels, channel))
        return context.get_dummy_value()

    return types.void(level, *[types.int64] * 9), codegen


@cache
def vector_average_kernel(level: str) -> Any:
    """The compiled AVERAGE_POOL_2D of windows with fewer than `MOST_TAPS` taps."""

    @kernel
    def average_pool_2d_vectors(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, POOL)[0]
        channels, line = p.channels, p.width * p.channels
        first, last = share(p.batches * p.out_height * p.out_width, thread, threads)
        for pixel in range(first, last):
            x, row = pixel % p.out_width, pixel // p.out_width
            y, image = row % p.out_height, p.input + row // p.out_height * p.height * line
            top, left = y * p.stride_height - p.pad_height, x * p.stride_width - p.pad_width
            bottom, right = min(top + p.kernel_height, p.height), min(left + p.kernel_width, p.width)
            top, left = max(top, 0), max(left, 0)
            mean_bytes(
                level, image + top * line + left * channels, line, bottom - top, right - left, channels, p.offset,
                p.low, p.high, p.output + pixel * channels,
            )  # fmt: skip

    return average_pool_2d_vectors
