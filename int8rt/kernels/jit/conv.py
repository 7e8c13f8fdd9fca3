"""CONV_2D as matrix products: windows unrolled a block of output pixels at a time, times panels of packed weights."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.conv import Conv2DParams
from int8rt.kernels.depthwise_conv import DepthwiseConv2DParams
from int8rt.kernels.jit.abi import (
    SLACK,
    address_of,
    copy_bytes,
    fields,
    fill_bytes,
    helper,
    kernel,
    load_u8,
    share,
    store_i32,
)
from int8rt.kernels.jit.isa.levels import Level
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered, Scratch, clamp, unsigned
from int8rt.kernels.jit.numba_later import carray
from int8rt.kernels.jit.tile import MATRIX, matrix_rows, pack_weights, pack_words, words_stride
from int8rt.model import TensorType
from int8rt.quantization import vectorized
from int8rt.quantization.requantize import Requantization

# Bytes of unrolled windows that are multiplied at once: they stay in a core's L2 cache.
_BLOCK_BYTES = 96 << 10
_BORDERED_BYTES = 24 << 10
# Weights that are held in 32 bits at a time while they are packed.
_WIDE_ELEMENTS = 1 << 16
_BORDERED_ROWS = 8
# Bytes of input rows that are copied at the most; steps that skip many rows would copy those too.
_MOST_COPIED = 4 << 20

# What unrolling costs, in parts of the product's time, times the number of output channels (measured).
_UNROLL_COST = 5
CONV = fields(
    " ".join(MATRIX)
    + " output input scratch scratch_bytes direct rows block_rows depth row_factor out_height out_width height width "
    "channels kernel_height kernel_width stride_height stride_width dilation_height dilation_width pad_height "
    "pad_width zero_point bordered_bytes copied"
)


def lower(params: Conv2DParams, context: LowerContext) -> Lowered | None:
    """The step of a CONV_2D; None for what stays with NumPy: grouped convolutions, weights that are not constant."""
    return lower_convolution(params, params.groups, context)


def lower_convolution(
    params: Conv2DParams | DepthwiseConv2DParams, groups: int, context: LowerContext
) -> Lowered | None:
    """The same for anything that has the windows and integers of a convolution and a filter in OHWI."""
    input, filter, bias = context.input(0), context.input(1), context.inputs[2] if len(context.inputs) > 2 else None
    if groups != 1 or filter.value is None or input.type not in (TensorType.INT8, TensorType.UINT8):
        return None
    if bias is not None and bias.value is None:
        return None
    output = context.outputs[0]
    batches, out_height, out_width, channels = output.shape
    weights = filter.value.reshape(channels, -1)
    zero_point = unsigned(input.type, params.input_zero_point)
    height, width = params.height, params.width
    in_height, in_width = input.shape[1:3]
    if in_width == width.kernel == out_width == 1:
        # A column of pixels lies in memory like a row of them, and rows are what tiles are made of.
        height, width, in_height, in_width = width, height, 1, in_height
        out_height, out_width = 1, out_height
    bordered = (
        width.dilation == 1 and height.kernel * width.kernel > 1 and _long_rows(context.level, channels, out_width)
    )
    bordered = bordered and not _row_factor(weights, params.filter_zero_point)
    # Without a border the rows of the input serve as they are.
    padded = height.pad_before or height.pad_after or width.pad_before or width.pad_after
    copied = int(bool(padded))
    row_pixels = (out_width - 1) * width.stride + width.kernel if copied else in_width
    bordered_bytes = row_pixels * input.shape[3]
    bordered_rows = max(_BORDERED_ROWS, _BORDERED_BYTES // max(1, bordered_bytes) // height.stride)
    copied_rows = (bordered_rows - 1) * height.stride + (height.kernel - 1) * height.dilation + 1
    bordered = bordered and (not copied or copied_rows * bordered_bytes <= _MOST_COPIED)
    segments = height.kernel if bordered else 1
    matrix = lower_matrix(
        context.level,
        weights,
        segments,
        params.filter_zero_point,
        None if bias is None else bias.value,
        params.requantization,
        zero_point,
        output.type,
    )
    if matrix is None:
        return None
    variant, asymmetric, values = matrix
    if padded and not 0 <= zero_point <= 255:  # what the border is filled with
        return None
    depth = weights.shape[1]
    direct = (
        depth == input.shape[3] and height.stride == width.stride == 1 and not (height.pad_after or width.pad_after)
    )
    row_bytes = -(-depth // 4) * 4
    block_rows = max(12, _BLOCK_BYTES // row_bytes // 12 * 12) if not direct else 48
    scratch = 4 * block_rows + (0 if direct else block_rows * row_bytes + SLACK)
    if bordered:
        block_rows = bordered_rows  # here in rows of output pixels
        scratch = copied_rows * bordered_bytes + SLACK if copied else 0
    values |= {
        "output": At(output.index),
        "output_stride": channels,
        "input": At(input.index),
        "scratch": Scratch(scratch),
        "scratch_bytes": scratch,
        "direct": int(direct),
        "segment_stride": bordered_bytes * height.dilation,
        "bordered_bytes": bordered_bytes,
        "copied": copied,
        "rows": batches * out_height * out_width,
        "block_rows": block_rows,
        "depth": depth,
        "out_height": out_height,
        "out_width": out_width,
        "height": in_height,
        "width": in_width,
        "channels": input.shape[3],
        "kernel_height": height.kernel,
        "kernel_width": width.kernel,
        "stride_height": height.stride,
        "stride_width": width.stride,
        "dilation_height": height.dilation,
        "dilation_width": width.dilation,
        "pad_height": height.pad_before,
        "pad_width": width.pad_before,
        "zero_point": zero_point,
    }
    if bordered:
        return Lowered(bordered_kernel(context.level.products, variant), CONV, values)
    return Lowered(conv_kernel(context.level.products, variant, asymmetric), CONV, values)


def lower_matrix(
    level: Level,
    filter: npt.NDArray[Any],
    segments: int,
    filter_zero_point: int,
    bias: npt.NDArray[np.int32] | None,
    requantization: Requantization,
    input_zero_point: int,
    output_type: TensorType,
) -> tuple[str, int, dict[str, Any]] | None:
    """(variant, asymmetric, values of the MATRIX fields but the output) of a filter [O, depth]; None: left to NumPy.

    segments: how many runs a row of the input comes in, each filled up to four bytes. input_zero_point: of the unsigned
    input. The constant bias - input_zero_point · Σ weights is folded, in int32.
    Weights that leave int8 once their zero point is subtracted stay codes of int8 with another zero point, and a
    multiple of the sum of each row of the input makes up for it.
    """
    channels, depth = filter.shape
    sums, magnitudes = _row_sums(filter, filter_zero_point)
    row_factor = _row_factor(filter, filter_zero_point)
    # Modulo 256, which loses nothing: the differences fit int8.
    weights = (filter.view(np.uint8) - np.uint8((filter_zero_point + row_factor) % 256)).view(np.int8)
    constant = -input_zero_point * sums + (0 if bias is None else bias.astype(np.int64))
    bound = 255 * magnitudes + np.abs(constant)
    variant = vectorized.choose(requantization, bound)
    if variant is None or depth == 0:
        return None
    words = vectorized.words(variant, requantization, unsigned(output_type, requantization.zero_point), channels)
    words = np.concatenate([constant.astype(np.int32)[None], words])
    run = -(-(depth // segments) // 4) * 4
    padded = np.zeros((channels, segments, run), np.int8)
    padded[:, :, : depth // segments] = weights.reshape(channels, segments, -1)
    weights = padded.reshape(channels, -1)
    panels = channels // (4 * level.lanes)
    main = panels * 4 * level.lanes
    rest = channels - main
    vectors = -(-rest // level.lanes)
    tail, last = (2, 1) if vectors == 3 else (vectors, 0)
    end = main + 2 * level.lanes if last else channels
    values: dict[str, Any] = {
        "weights": Data(pack_weights(level, 4, weights[:main])),
        "words": Data(pack_words(level, 4, words[:, :main])),
        "panels": panels,
        "tail_weights": Data(pack_weights(level, tail or 1, weights[main:end])),
        "tail_words": Data(pack_words(level, tail or 1, words[:, main:end])),
        "tail_vectors": tail,
        "tail_count": end - main,
        "last_weights": Data(pack_weights(level, 1, weights[end:])),
        "last_words": Data(pack_words(level, 1, words[:, end:])),
        "last_count": channels - end,
        "panel_channels": 4 * level.lanes,
        "panel_bytes": segments * run * 4 * level.lanes,
        "words_bytes": words_stride(level, 4, variant),
        "segments": segments,
        "segment_stride": 0,
        "depth4": run // 4,
        "row_factor": row_factor,
        **clamp(output_type, requantization.activation_min, requantization.activation_max),
    }
    return variant, int(row_factor != 0), values


def _long_rows(level: Level, channels: int, out_width: int) -> bool:
    """Whether tiles that end with their output row waste less than it costs to unroll the windows."""
    vectors = min(4, -(-channels // level.lanes))
    rows = level.rows[4 if vectors == 3 else vectors]
    return out_width >= rows and -(-out_width // rows) * rows - out_width < out_width * _UNROLL_COST / channels


def _row_sums(filter: npt.NDArray[Any], zero_point: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Σ (weight - zero_point) and Σ |weight - zero_point| of each row; a few rows at a time, they are wider then."""
    sums, magnitudes = (np.zeros(len(filter), np.int64) for _ in range(2))
    rows = max(1, _WIDE_ELEMENTS // max(1, filter.shape[1]))
    for first in range(0, len(filter), rows):
        wide = filter[first : first + rows].astype(np.int32) - zero_point
        sums[first : first + rows] = wide.sum(axis=1, dtype=np.int64)
        magnitudes[first : first + rows] = np.abs(wide).sum(axis=1, dtype=np.int64)
    return sums, magnitudes


def _row_factor(filter: npt.NDArray[Any], zero_point: int) -> int:
    """0 where filter - zero_point fits int8; else what the codes as int8 lack, a multiple of the sum of the inputs."""
    lowest, highest = int(filter.min(initial=0)) - zero_point, int(filter.max(initial=0)) - zero_point
    middle = 128 if filter.dtype == np.uint8 else 0
    return middle - zero_point if lowest < -128 or highest > 127 else 0


@helper
def unroll(p, first, count, scratch):  # type: ignore[no-untyped-def]
    """The windows of output pixels [first, first + count) as rows of `scratch`: ky, kx, channel."""
    run = p.kernel_width * p.channels
    stride = p.depth4 * 4
    x = first % p.out_width
    rest = first // p.out_width
    y, batch = rest % p.out_height, rest // p.out_height
    for m in range(count):
        target = scratch + m * stride
        image = p.input + batch * p.height * p.width * p.channels
        left = x * p.stride_width - p.pad_width
        inside = left >= 0 and left + p.kernel_width <= p.width and p.dilation_width == 1
        for ky in range(p.kernel_height):
            row = y * p.stride_height - p.pad_height + ky * p.dilation_height
            if row < 0 or row >= p.height:
                fill_bytes(target, p.zero_point, run)
                target += run
            elif inside:
                copy_bytes(target, image + (row * p.width + left) * p.channels, run)
                target += run
            else:
                for kx in range(p.kernel_width):
                    column = left + kx * p.dilation_width
                    if column < 0 or column >= p.width:
                        fill_bytes(target, p.zero_point, p.channels)
                    else:
                        copy_bytes(target, image + (row * p.width + column) * p.channels, p.channels)
                    target += p.channels
        x += 1
        if x == p.out_width:
            x = 0
            y += 1
            if y == p.out_height:
                y = 0
                batch += 1


@helper
def copy_bordered(p, image, first, count, scratch):  # type: ignore[no-untyped-def]
    """The input rows that output rows [first, first + count) of an image see, with the border's columns and rows."""
    top = first * p.stride_height - p.pad_height
    rows = (count - 1) * p.stride_height + (p.kernel_height - 1) * p.dilation_height + 1
    before = min(p.pad_width * p.channels, p.bordered_bytes)
    middle = min(p.width * p.channels, p.bordered_bytes - before)
    for i in range(rows):
        target, y = scratch + i * p.bordered_bytes, top + i
        if y < 0 or y >= p.height:
            fill_bytes(target, p.zero_point, p.bordered_bytes)
            continue
        if before > 0:
            fill_bytes(target, p.zero_point, before)
        if middle > 0:
            copy_bytes(target + before, p.input + (image * p.height + y) * p.width * p.channels, middle)
        after = p.bordered_bytes - before - middle
        if after > 0:
            fill_bytes(target + before + middle, p.zero_point, after)


@helper
def sum_rows(p, a, stride, count, terms):  # type: ignore[no-untyped-def]
    """terms[r] = row_factor · the sum of row r's `depth` bytes."""
    for r in range(count):
        total = np.int32(0)
        for k in range(p.depth):
            total += np.int32(load_u8(a + r * stride, k))
        store_i32(terms, r, np.int32(total * p.row_factor))


@cache
def conv_kernel(level: str, variant: str, asymmetric: int) -> Any:
    """The compiled CONV_2D for an instruction set and a variant of the requantization."""

    @kernel
    def conv_2d(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, CONV)[0]
        first_row, last_row = 0, p.rows
        first_panel, last_panel = 0, p.panels + min(p.tail_vectors, 1)
        if p.rows >= 24 * threads or last_panel < threads:
            first_row, last_row = share(p.rows, thread, threads)
        else:
            first_panel, last_panel = share(last_panel, thread, threads)
        scratch = p.scratch + thread * p.scratch_bytes
        for row in range(first_row, last_row, p.block_rows):
            count = min(p.block_rows, last_row - row)
            if p.direct:
                a, stride = p.input + row * p.channels, p.channels
            else:
                unroll(p, row, count, scratch)
                a, stride = scratch, p.depth4 * 4
            terms = scratch + p.scratch_bytes - 4 * p.block_rows
            if asymmetric:
                sum_rows(p, a, stride, count, terms)
            out = p.output + row * p.output_stride
            matrix_rows(
                level, variant, asymmetric, address_of(block), a, stride, count, terms, out, first_panel, last_panel
            )

    return conv_2d


@cache
def bordered_kernel(level: str, variant: str) -> Any:
    """The compiled CONV_2D that reads windows where they lie, a row of output pixels at a time."""

    @kernel
    def conv_2d_bordered(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, CONV)[0]
        first_row, last_row = share(p.rows // p.out_width, thread, threads)
        scratch = p.scratch + thread * p.scratch_bytes
        begin = first_row
        for row in range(first_row, last_row):
            image, y = row // p.out_height, row % p.out_height
            if p.copied:
                # A copy serves up to block_rows rows of one image, from `begin` on.
                if row == first_row or y == 0 or row - begin == p.block_rows:
                    begin = row
                    copy_bordered(p, image, y, min(p.block_rows, last_row - row, p.out_height - y), scratch)
                a = scratch + (row - begin) * p.stride_height * p.bordered_bytes
            else:
                a = p.input + (image * p.height + y * p.stride_height) * p.bordered_bytes
            matrix_rows(
                level, variant, 0, address_of(block), a, p.stride_width * p.channels, p.out_width, 0,
                p.output + row * p.out_width * p.output_stride, 0, p.panels + min(p.tail_vectors, 1),
            )  # fmt: skip

    return conv_2d_bordered
