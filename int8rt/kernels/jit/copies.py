"""Kernels that copy elements: runs of bytes, equal blocks into rows, walks over strided views."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.jit.abi import (
    carray,
    copy_exactly,
    fields,
    helper,
    kernel,
    load_i64,
    load_u8,
    load_u16,
    load_u32,
    share,
    store_i64,
    store_u8,
    store_u16,
    store_u32,
)

RUNS = fields("input output runs count pattern")
STRIDED = fields("input output size offset n0 n1 n2 n3 n4 n5 s0 s1 s2 s3 s4 s5")
BLOCKS = fields("input output table rows bytes output_stride output_offset")
RANK = 6


@helper
def copy_run(target, source, size):  # type: ignore[no-untyped-def]
    """Copy `size` bytes and touch no others; quicker than `copy_exactly` for a few."""
    if size > 64:
        copy_exactly(target, source, size)
    elif size >= 8:
        for i in range(0, size - 8, 8):
            store_i64(target + i, 0, load_i64(source + i, 0))
        store_i64(target + size - 8, 0, load_i64(source + size - 8, 0))
    elif size >= 4:
        last = load_u32(source + size - 4, 0)
        store_u32(target, 0, load_u32(source, 0))
        store_u32(target + size - 4, 0, last)
    else:
        for i in range(size):
            store_u8(target, i, load_u8(source, i))


@helper
def fill_run(target, pattern, size):  # type: ignore[no-untyped-def]
    """Write the eight bytes of `pattern` again and again into `size` bytes, and touch no others."""
    for i in range(0, size - 7, 8):
        store_i64(target + i, 0, pattern)
    for i in range(size & -8, size):
        store_u8(target, i, np.uint8(pattern >> 8 * (i & 7)))


@cache
def runs_kernel() -> Any:
    """The compiled copy of runs (from, bytes, to); those from -1 are filled with a pattern."""

    @kernel
    def copy_runs(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, RUNS)[0]
        first, last = share(p.count, thread, threads)
        for i in range(first, last):
            start, count, target = load_i64(p.runs, 3 * i), load_i64(p.runs, 3 * i + 1), load_i64(p.runs, 3 * i + 2)
            if start < 0:
                fill_run(p.output + target, p.pattern, count)
            else:
                copy_run(p.output + target, p.input + start, count)

    return copy_runs


@cache
def blocks_kernel() -> Any:
    """The compiled copy of equal blocks into rows."""

    @kernel
    def copy_blocks(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, BLOCKS)[0]
        first, last = share(p.rows, thread, threads)
        target = p.output + p.output_offset
        for row in range(first, last):
            copy_run(target + row * p.output_stride, p.input + row * p.bytes, p.bytes)

    return copy_blocks


@cache
def rescaled_blocks_kernel() -> Any:
    """The compiled look-up of equal blocks of codes into rows."""

    @kernel
    def look_up_blocks(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, BLOCKS)[0]
        table, size = p.table, p.bytes
        first, last = share(p.rows, thread, threads)
        for row in range(first, last):
            source, target = p.input + row * size, p.output + p.output_offset + row * p.output_stride
            for i in range(size):
                store_u8(target, i, load_u8(table, load_u8(source, i)))

    return look_up_blocks


@helper
def copy_line(target, source, count, step, size):  # type: ignore[no-untyped-def]
    """`count` units of `size` bytes, `step` bytes apart in the source, side by side in the target."""
    if size == 1:
        for i in range(count):
            store_u8(target, i, load_u8(source + i * step, 0))
    elif size == 2:
        for i in range(count):
            store_u16(target, i, load_u16(source + i * step, 0))
    elif size == 4:
        for i in range(count):
            store_u32(target, i, load_u32(source + i * step, 0))
    elif size == 8:
        for i in range(count):
            store_i64(target, i, load_i64(source + i * step, 0))
    else:
        for i in range(count):
            copy_run(target + i * size, source + i * step, size)


@cache
def strided_kernel() -> Any:
    """The compiled walk over a view of up to six dimensions, in units of `size` bytes."""

    @kernel
    def copy_strided(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, STRIDED)[0]
        first, last = share(p.n0 * p.n1 * p.n2 * p.n3 * p.n4, thread, threads)
        i4, rest = first % p.n4, first // p.n4
        i3, rest = rest % p.n3, rest // p.n3
        i2, rest = rest % p.n2, rest // p.n2
        i1, i0 = rest % p.n1, rest // p.n1
        source = p.input + p.offset + i0 * p.s0 + i1 * p.s1 + i2 * p.s2 + i3 * p.s3 + i4 * p.s4
        line = p.n5 * p.size
        for row in range(first, last):
            copy_line(p.output + row * line, source, p.n5, p.s5, p.size)
            # On to the next line, as an odometer turns.
            i4 += 1
            source += p.s4
            if i4 == p.n4:
                i4 = 0
                i3 += 1
                source += p.s3 - p.n4 * p.s4
                if i3 == p.n3:
                    i3 = 0
                    i2 += 1
                    source += p.s2 - p.n3 * p.s3
                    if i2 == p.n2:
                        i2 = 0
                        i1 += 1
                        source += p.s1 - p.n2 * p.s2
                        if i1 == p.n1:
                            i1 = 0
                            source += p.s0 - p.n1 * p.s1

    return copy_strided
