"""The kernels of DEPTHWISE_CONV_2D: a row of output pixels at a time, whose taps a table of addresses tells."""

from __future__ import annotations

from functools import cache
from typing import Any

from int8rt.kernels.jit.abi import fields, helper, kernel, load_i64, share, store_i64
from int8rt.kernels.jit.depthwise_tile import depthwise_columns, depthwise_pixels
from int8rt.kernels.jit.numba_later import carray

DEPTHWISE = fields(
    "input output border repeated repeated_count weights words blocks tail_weights tail_words tail_count tail_sharing "
    "block_channels block_weight_bytes block_word_bytes groups low high scratch scratch_bytes "
    "batches out_height out_width height width channels kernel_height kernel_width stride_height stride_width "
    "dilation_height dilation_width pad_height pad_width"
)


@helper
def fill_table(p, image, y, table):  # type: ignore[no-untyped-def]
    """Addresses of the taps of every pixel of output row y; taps beyond the border point to a row of zero points."""
    stride = p.groups * 4
    tap = 0
    for ky in range(p.kernel_height):
        row = y * p.stride_height - p.pad_height + ky * p.dilation_height
        inside = 0 <= row < p.height
        start = image + row * p.width * p.channels
        for kx in range(p.kernel_width):
            column = kx * p.dilation_width - p.pad_width
            # Pixels [left, right) see the input there.
            left = min(max((p.stride_width - 1 - column) // p.stride_width, 0), p.out_width)
            right = max(min((p.width - column + p.stride_width - 1) // p.stride_width, p.out_width), left)
            if not inside:
                left = right = p.out_width
            for x in range(left):
                store_i64(table, x * stride + tap, p.border)
            for x in range(left, right):
                store_i64(table, x * stride + tap, start + (column + x * p.stride_width) * p.channels)
            for x in range(right, p.out_width):
                store_i64(table, x * stride + tap, p.border)
            tap += 1
    for extra in range(tap, stride):
        for x in range(p.out_width):
            address = p.border
            if extra - tap < p.repeated_count:
                address = load_i64(table, x * stride + load_i64(p.repeated, extra - tap))
            store_i64(table, x * stride + extra, address)


@cache
def depthwise_kernel(level: str, variant: str) -> Any:
    """The compiled DEPTHWISE_CONV_2D for an instruction set and a variant of the requantization."""

    @kernel
    def depthwise_conv_2d(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, DEPTHWISE)[0]
        table = p.scratch + thread * p.scratch_bytes
        first, last = share(p.batches * p.out_height, thread, threads)
        for row in range(first, last):
            image = p.input + row // p.out_height * p.height * p.width * p.channels
            fill_table(p, image, row % p.out_height, table)
            out = p.output + row * p.out_width * p.channels
            for i in range(p.blocks):
                channel = i * p.block_channels
                if p.out_width > 1:
                    depthwise_pixels(
                        level, variant, 2, 1, table, p.out_width, p.groups, channel,
                        p.weights + i * p.block_weight_bytes, p.words + i * p.block_word_bytes, p.low, p.high,
                        out + channel, p.channels, p.block_channels,
                    )  # fmt: skip
                else:
                    depthwise_pixels(
                        level, variant, 1, 1, table, p.out_width, p.groups, channel,
                        p.weights + i * p.block_weight_bytes, p.words + i * p.block_word_bytes, p.low, p.high,
                        out + channel, p.channels, p.block_channels,
                    )  # fmt: skip
            if p.tail_count == 0:
                continue
            channel = p.blocks * p.block_channels
            if p.tail_sharing == 4:
                depthwise_pixels(
                    level, variant, 1, 4, table, p.out_width, p.groups, channel, p.tail_weights, p.tail_words, p.low,
                    p.high, out + channel, p.channels, p.tail_count,
                )  # fmt: skip
            elif p.tail_sharing == 2 and p.out_width >= 4:
                depthwise_pixels(
                    level, variant, 2, 2, table, p.out_width, p.groups, channel, p.tail_weights, p.tail_words, p.low,
                    p.high, out + channel, p.channels, p.tail_count,
                )  # fmt: skip
            elif p.tail_sharing == 2:
                depthwise_pixels(
                    level, variant, 1, 2, table, p.out_width, p.groups, channel, p.tail_weights, p.tail_words, p.low,
                    p.high, out + channel, p.channels, p.tail_count,
                )  # fmt: skip
            else:
                depthwise_pixels(
                    level, variant, 1, 1, table, p.out_width, p.groups, channel, p.tail_weights, p.tail_words, p.low,
                    p.high, out + channel, p.channels, p.tail_count,
                )  # fmt: skip

    return depthwise_conv_2d


@helper
def row_of_taps(p, image, y, ky):  # type: ignore[no-untyped-def]
    """(address of column 0, bytes to the next column) of the row that tap ky of output row y sees; or the border."""
    row = y * p.stride_height - p.pad_height + ky * p.dilation_height
    if ky < p.kernel_height and 0 <= row < p.height:
        return image + row * p.width * p.channels, p.channels
    return p.border, 0


@helper
def fill_columns(p, image, y, table):  # type: ignore[no-untyped-def]
    """Addresses of the four taps of every input column that output row y sees, from the first pixel's first on."""
    columns = (p.out_width - 1) * p.stride_width + p.kernel_width
    left = min(p.pad_width, columns)
    right = max(min(p.pad_width + p.width, columns), left)
    for i in range(4 * left):
        store_i64(table, i, p.border)
    for i in range(4 * right, 4 * columns):
        store_i64(table, i, p.border)
    a, step_a = row_of_taps(p, image, y, 0)
    b, step_b = row_of_taps(p, image, y, 1)
    c, step_c = row_of_taps(p, image, y, 2)
    d, step_d = row_of_taps(p, image, y, 3)
    for i in range(left, right):
        store_i64(table, 4 * i, a)
        store_i64(table, 4 * i + 1, b)
        store_i64(table, 4 * i + 2, c)
        store_i64(table, 4 * i + 3, d)
        a, b, c, d = a + step_a, b + step_b, c + step_c, d + step_d


@cache
def depthwise_columns_kernel(level: str, variant: str, stride: int) -> Any:
    """The compiled DEPTHWISE_CONV_2D for windows three columns wide."""

    @kernel
    def depthwise_conv_2d_columns(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, DEPTHWISE)[0]
        table = p.scratch + thread * p.scratch_bytes
        first, last = share(p.batches * p.out_height, thread, threads)
        for row in range(first, last):
            image = p.input + row // p.out_height * p.height * p.width * p.channels
            fill_columns(p, image, row % p.out_height, table)
            out = p.output + row * p.out_width * p.channels
            for i in range(p.blocks):
                channel = i * p.block_channels
                depthwise_columns(
                    level, variant, 4, 1, 3, stride, table, p.out_width, channel, p.weights + i * p.block_weight_bytes,
                    p.words + i * p.block_word_bytes, p.low, p.high, out + channel, p.channels, p.block_channels,
                )  # fmt: skip
            if p.tail_count == 0:
                continue
            channel = p.blocks * p.block_channels
            if p.tail_sharing == 4:
                depthwise_columns(
                    level, variant, 2, 4, 3, stride, table, p.out_width, channel, p.tail_weights, p.tail_words, p.low,
                    p.high, out + channel, p.channels, p.tail_count,
                )  # fmt: skip
            elif p.tail_sharing == 2:
                depthwise_columns(
                    level, variant, 4, 2, 3, stride, table, p.out_width, channel, p.tail_weights, p.tail_words, p.low,
                    p.high, out + channel, p.channels, p.tail_count,
                )  # fmt: skip
            else:
                depthwise_columns(
                    level, variant, 4, 1, 3, stride, table, p.out_width, channel, p.tail_weights, p.tail_words, p.low,
                    p.high, out + channel, p.channels, p.tail_count,
                )  # fmt: skip

    return depthwise_conv_2d_columns
