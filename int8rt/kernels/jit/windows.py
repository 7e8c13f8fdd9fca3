"""CONV_2D that reads its windows where they lie: a list says where the window of each output pixel begins.

Some rows of the input are copied first where there is a border, with the border around them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.jit.abi import SLACK, address_of, carray, copy_bytes, fields, fill_bytes, helper, kernel, share
from int8rt.kernels.jit.lowering import Data, Scratch
from int8rt.kernels.jit.tile import LISTED, MATRIX, begin_matrices, end_matrices, matrix_rows
from int8rt.kernels.padding import Window

WINDOWS = fields(
    " ".join(MATRIX)
    + " output input offsets scratch scratch_bytes copied row_bytes rows block_rows out_height out_width height width "
    "channels kernel_height stride_height dilation_height pad_height pad_width zero_point row_factor"
)
# Bytes of input rows and number of pixels that are worked on at once, but so many rows at least.
_BLOCK_BYTES = 24 << 10
_BLOCK_PIXELS = 2048
_BLOCK_ROWS = 8
# Bytes of input rows that are copied at the most; steps that skip many rows would copy those too.
_MOST_COPIED = 4 << 20
_MOST_DISTANT = np.iinfo(np.int32).max
# Pixels for each thread, below which threads share out the output channels instead.
_FEW_PIXELS = 24


def lower_windows(height: Window, width: Window, channels: int) -> tuple[int, dict[str, Any]] | None:
    """(how many runs of bytes a window is, the fields that tell where windows lie); None where they can't be read so.

    Windows without gaps between their columns only.
    """
    if width.dilation != 1:
        return None
    copied = any((height.pad_before, height.pad_after, width.pad_before, width.pad_after))
    pixels = (width.output - 1) * width.stride + width.kernel if copied else width.input
    row_bytes = pixels * channels
    rows = min(_BLOCK_BYTES // (row_bytes * height.stride), _BLOCK_PIXELS // width.output)
    rows = min(max(rows, _BLOCK_ROWS), height.output)
    seen = (rows - 1) * height.stride + (height.kernel - 1) * height.dilation + 1
    if seen * row_bytes > (_MOST_COPIED if copied else _MOST_DISTANT):
        return None
    scratch = seen * row_bytes + width.pad_before * channels + SLACK if copied else 0
    y, x = np.ogrid[:rows, : width.output]
    offsets = y * (height.stride * row_bytes) + x * (width.stride * channels)
    # Rows as wide as the window follow one another without a gap.
    segments = 1 if pixels == width.kernel and height.dilation == 1 else height.kernel
    return segments, {
        "offsets": Data(offsets.astype(np.int32)),
        "scratch": Scratch(scratch),
        "scratch_bytes": scratch,
        "copied": int(copied),
        "row_bytes": row_bytes,
        "segment_stride": row_bytes * height.dilation,
        "block_rows": rows,
    }


@helper
def copy_bordered(p, image, first, count, scratch):  # type: ignore[no-untyped-def]
    """The input rows that output rows [first, first + count) of an image see, with the border's columns and rows."""
    top = first * p.stride_height - p.pad_height
    rows = (count - 1) * p.stride_height + (p.kernel_height - 1) * p.dilation_height + 1
    before = min(p.pad_width * p.channels, p.row_bytes)
    middle = min(p.width * p.channels, p.row_bytes - before)
    # What lies between the input's columns of one row and those of the next.
    between = p.row_bytes - middle
    if before > 0:
        fill_bytes(scratch, p.zero_point, before)
    for i in range(rows):
        target, y = scratch + i * p.row_bytes + before, top + i
        if middle > 0:
            if 0 <= y < p.height:
                copy_bytes(target, p.input + (image * p.height + y) * p.width * p.channels, middle)
            else:
                fill_bytes(target, p.zero_point, middle)
        if between > 0:
            fill_bytes(target + middle, p.zero_point, between)


@cache
def windows_kernel(level: str, variant: str) -> Any:
    """The compiled CONV_2D for an instruction set and a variant of the requantization."""

    @kernel
    def conv_2d_windows(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, WINDOWS)[0]
        first_row, last_row, first_part, last_part = 0, p.rows, 0, p.parts
        by_rows = p.rows >= 4 * threads
        by_parts = not by_rows and p.rows * p.out_width < _FEW_PIXELS * threads and p.parts >= threads
        if by_rows:
            first_row, last_row = share(p.rows, thread, threads)
        elif by_parts:
            first_part, last_part = share(p.parts, thread, threads)
        scratch = p.scratch + thread * p.scratch_bytes
        row = first_row
        begin_matrices(level)
        while row < last_row:
            image, y = row // p.out_height, row % p.out_height
            count = min(p.block_rows, last_row - row, p.out_height - y)
            first, last = 0, count * p.out_width
            if not by_rows and not by_parts:
                first, last = share(last, thread, threads)
            if p.copied:
                copy_bordered(p, image, y, count, scratch)
                a = scratch
            else:
                a = p.input + (image * p.height + y * p.stride_height) * p.row_bytes
            matrix_rows(
                level, variant, 0, LISTED, address_of(block), a, p.offsets + 4 * first, last - first, 0,
                p.output + (row * p.out_width + first) * p.output_stride, first_part, last_part,
            )  # fmt: skip
            row += count
        end_matrices(level)

    return conv_2d_windows
