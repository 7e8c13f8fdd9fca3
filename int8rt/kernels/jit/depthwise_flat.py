"""DEPTHWISE_CONV_2D with few channels: a row of pixels is one run of bytes, of which a tile takes as many as it holds.

Neighbouring bytes of the output see neighbouring bytes of the input, a pixel's bytes further for the next column of the
window; the weights come again with every pixel. The input rows are copied first, with the border around them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.jit.abi import SLACK, carray, copy_bytes, fields, fill_bytes, helper, kernel, share, store_u8
from int8rt.kernels.jit.finish import requantize_rows, store_rows
from int8rt.kernels.jit.isa.emitter import I8, I32, I64, Emitter, vector
from int8rt.kernels.jit.isa.levels import BY_NAME, Level
from int8rt.kernels.jit.lowering import Data, Scratch
from int8rt.kernels.jit.numba_later import intrinsic, types
from int8rt.kernels.jit.panels import pack_words

FLAT = fields(
    "input output weights words low high scratch scratch_bytes row_bytes batches out_height out_width height width "
    "channels stride_height dilation_height pad_height pad_width zero_point"
)
# With more channels, tiles of whole pixels take fewer instructions.
MOST_CHANNELS = 16
# Rows of a window.
ROWS = 4


def fits(level: Level, channels: int, stride: int, rows: int) -> bool:
    """Whether tiles begin with whole pixels, neighbouring outputs see neighbouring inputs, and few rows are missing."""
    return stride == 1 and channels <= MOST_CHANNELS and 4 * level.lanes % channels == 0 and rows >= ROWS - 1


def flat_values(
    level: Level, weights: npt.NDArray[np.int8], words: npt.NDArray[np.int32], channels: int, columns: int
) -> dict[str, Any]:
    """The fields of weights int8[kernel width · ROWS, channels], words int32[rows, channels] and the working memory.

    columns: that a row of output pixels sees.
    """
    again = 4 * level.lanes // channels
    tiled = np.tile(weights, again).reshape(-1, 4, 4 * level.lanes)[:, :, level.channels(4)]
    row_bytes = columns * channels + 2 * SLACK
    return {
        "weights": Data(np.ascontiguousarray(tiled.transpose(0, 2, 3, 1))),
        "words": Data(pack_words(level, 4, np.tile(words, again))),
        "row_bytes": row_bytes,
        "scratch": Scratch(ROWS * row_bytes),
        "scratch_bytes": ROWS * row_bytes,
    }


@intrinsic(prefer_literal=True)
def flat_row(
    typing_context: Any, level: Any, variant: Any, columns: Any, rows: Any, source: Any, row_bytes: Any, step: Any,
    weights: Any, words: Any, low: Any, high: Any, out: Any, count: Any,
) -> Any:  # fmt: skip
    """`count` bytes of the output; a tile's reads go less than a tile beyond what they need.

    columns, rows: of the window, literals. source: address of the first of the rows, which are row_bytes apart; step:
    bytes from one column to the next.
    """
    literals = (level, variant, columns, rows)
    if not all(isinstance(x, types.Literal) for x in literals):
        return None
    name, rounding, kernel_width, kernel_height = (x.literal_value for x in literals)
    here = BY_NAME[name]
    width = 4 * here.lanes

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        e = Emitter(builder)
        source, row_bytes, step, weights, words, low, high, out, count = arguments[4:]
        with e.count(I64(0), count, width) as i:
            lines = [builder.add(source, i)]
            for _ in range(1, kernel_height):
                lines.append(builder.add(lines[-1], row_bytes))
            sums = [e.load(words, vector(I32, here.lanes), width * v) for v in range(4)]
            for kx in range(kernel_width):
                taps = [e.load(line, vector(I8, width)) for line in lines]
                # Weights below the window are zero.
                four = here.interleave(e, [*taps, *taps[:1] * (ROWS - kernel_height)])
                for v in range(4):
                    taken = e.load(weights, vector(I8, width), (4 * kx + v) * width)
                    sums[v] = here.dot(e, sums[v], four[v], taken)
                lines = [builder.add(line, step) for line in lines]
            codes = requantize_rows(e, here, rounding, [sums], words, low, high)
            store_rows(e, codes, [builder.add(out, i)], builder.sub(count, i))
        return context.get_dummy_value()

    return types.void(*literals, *[types.int64] * 9), codegen


@helper
def copy_row(p, image, y, target, columns):  # type: ignore[no-untyped-def]
    """Input row y with its border, or a row of border: so many columns."""
    before = min(p.pad_width, columns)
    inside = min(p.width, columns - before)
    if y < 0 or y >= p.height:
        fill_bytes(target, p.zero_point, columns * p.channels)
        return
    if inside > 0:
        copy_bytes(target + before * p.channels, image + y * p.width * p.channels, inside * p.channels)
    if before + inside < columns:
        after = columns - before - inside
        fill_bytes(target + (before + inside) * p.channels, p.zero_point, after * p.channels)
    for i in range(before * p.channels):
        store_u8(target, i, np.uint8(p.zero_point))


@cache
def flat_kernel(level: str, variant: str, columns: int, rows: int) -> Any:
    """The compiled DEPTHWISE_CONV_2D of windows so many columns and rows large."""

    @kernel
    def depthwise_conv_2d_flat(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, FLAT)[0]
        scratch = p.scratch + thread * p.scratch_bytes
        seen, count = p.out_width + columns - 1, p.out_width * p.channels
        first, last = share(p.batches * p.out_height, thread, threads)
        for row in range(first, last):
            image = p.input + row // p.out_height * p.height * p.width * p.channels
            top = row % p.out_height * p.stride_height - p.pad_height
            for ky in range(rows):
                copy_row(p, image, top + ky * p.dilation_height, scratch + ky * p.row_bytes, seen)
            flat_row(
                level, variant, columns, rows, scratch, p.row_bytes, p.channels, p.weights, p.words, p.low, p.high,
                p.output + row * count, count,
            )  # fmt: skip

    return depthwise_conv_2d_flat
