"""AVERAGE_POOL_2D and MAX_POOL_2D of int16 codes."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.jit.abi import carray, kernel, load_i16, load_i32, share, store_i16, store_i32
from int8rt.kernels.jit.lowering import LowerContext, Lowered
from int8rt.kernels.jit.pool_fields import POOL, pool_values
from int8rt.kernels.pooling import Pool2DParams
from int8rt.model import TensorType


def lower(params: Pool2DParams, context: LowerContext) -> Lowered | None:
    """The step of a pool of int16 codes."""
    input, output = context.input(0), context.outputs[0]
    if {input.type, output.type} != {TensorType.INT16}:
        return None
    values = {
        **pool_values(params, context, 4 * output.shape[3]),
        "low": int(params.activation_min),
        "high": int(params.activation_max),
    }
    return Lowered(pool16_kernel(int(context.name == "AVERAGE_POOL_2D")), POOL, values)


@cache
def pool16_kernel(average: int) -> Any:
    """The compiled pool; average: 1, or 0 for the maximum."""

    @kernel
    def pool16(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, POOL)[0]
        channels, found = p.channels, p.scratch + thread * p.scratch_bytes
        first, last = share(p.batches * p.out_height * p.out_width, thread, threads)
        for pixel in range(first, last):
            x, row = pixel % p.out_width, pixel // p.out_width
            y, image = row % p.out_height, row // p.out_height * p.height
            top, left = y * p.stride_height - p.pad_height, x * p.stride_width - p.pad_width
            bottom, right = min(top + p.kernel_height, p.height), min(left + p.kernel_width, p.width)
            top, left = max(top, 0), max(left, 0)
            count = (bottom - top) * (right - left)
            for c in range(channels):
                store_i32(found, c, np.int32(0 if average else -(1 << 15)))
            for ky in range(top, bottom):
                for kx in range(left, right):
                    source = p.input + 2 * ((image + ky) * p.width + kx) * channels
                    for c in range(channels):
                        code, before = np.int32(load_i16(source, c)), load_i32(found, c)
                        store_i32(found, c, np.int32(before + code) if average else max(before, code))
            for c in range(channels):
                value = np.int64(load_i32(found, c))
                if average:
                    # The nearest integer, ties away from 0.
                    magnitude = (abs(value) + (count >> 1)) // max(count, 1)
                    value = magnitude if value >= 0 else -magnitude
                store_i16(p.output, pixel * channels + c, np.int16(min(max(value, p.low), p.high)))

    return pool16
