"""TRANSPOSE_CONV as ordinary convolutions: one for each residue of an output position modulo the stride.

Output row r + stride · j is reached by the filter rows ky = r + pad (modulo stride), each from input row
(r + pad - ky) / stride + j: a convolution of stride 1 with those filter rows in reverse order, whose output rows lie
`stride` apart. The same holds for columns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.jit.abi import SLACK, address_of, carray, fields, kernel, share
from int8rt.kernels.jit.conv import unroll
from int8rt.kernels.jit.lowering import At, LowerContext, Lowered, Scratch, unsigned, window_values
from int8rt.kernels.jit.panels import lower_matrix, sum_rows
from int8rt.kernels.jit.tile import MATRIX, STRIDED, begin_matrices, end_matrices, matrix_rows
from int8rt.kernels.padding import Window
from int8rt.kernels.transpose_conv import TransposeConvParams
from int8rt.model import TensorType

# More convolutions than these are not worth a step each.
_MOST_STEPS = 256
# Bytes of unrolled windows that are multiplied at once.
_BLOCK_BYTES = 96 << 10
TRANSPOSE_CONV = fields(
    " ".join(MATRIX)
    + " output output_offset input scratch scratch_bytes block_columns depth row_factor batches out_height out_width "
    "height width channels kernel_height kernel_width stride_height stride_width dilation_height dilation_width "
    "pad_height pad_width zero_point row_bytes image_bytes"
)


def lower(params: TransposeConvParams, context: LowerContext) -> list[Lowered] | None:
    """The steps of a TRANSPOSE_CONV of 8-bit codes; None for weights that are not constant, and for wide strides."""
    filter, input, bias = context.input(1), context.input(2), context.inputs[3] if len(context.inputs) > 3 else None
    if filter.value is None or input.type not in (TensorType.INT8, TensorType.UINT8):
        return None
    if bias is not None and bias.value is None:
        return None
    if not 0 <= unsigned(input.type, params.input_zero_point) <= 255:  # what the border is filled with
        return None
    rows, columns = residues(params.height), residues(params.width)
    if len(rows) * len(columns) > _MOST_STEPS:
        return None
    steps = [_lower_residue(params, context, row, column) for row in rows for column in columns]
    return None if None in steps else [step for step in steps if step is not None]


@dataclass(frozen=True, slots=True)
class Residue:
    """The outputs first, first + stride, ...: `window` slides over the input for them, with `taps` of the filter."""

    first: int
    taps: list[int]
    window: Window


def residues(window: Window) -> list[Residue]:
    """Every residue of an output position modulo the stride; taps in the order of the input."""
    found = []
    for residue in range(min(window.stride, window.input)):
        base, first = divmod(residue + window.pad_before, window.stride)
        taps = list(range(first, window.kernel, window.stride))[::-1]
        outputs, before = -(-(window.input - residue) // window.stride), len(taps) - 1 - base
        after = outputs - 1 + len(taps) - before - window.output
        found.append(Residue(residue, taps, Window(window.output, outputs, len(taps), 1, 1, before, max(after, 0))))
    return found


def _lower_residue(
    params: TransposeConvParams,
    context: LowerContext,
    row: Residue,
    column: Residue,
) -> Lowered | None:
    filter, input, bias = context.input(1), context.input(2), context.inputs[3] if len(context.inputs) > 3 else None
    output, zero_point = context.outputs[0], unsigned(input.type, params.input_zero_point)
    assert filter.value is not None
    height, width = row.window, column.window
    taps = filter.value[:, row.taps][:, :, column.taps]
    if not taps.size:  # nothing reaches these outputs but the bias: a tap of weight 0
        taps = np.full((filter.shape[0], 1, 1, filter.shape[3]), params.filter_zero_point, filter.value.dtype)
        height, width = (replace(window, kernel=1, pad_before=0) for window in (height, width))
    channels, *_, depth = taps.shape
    level = context.level.for_rows(width.output)
    matrix = lower_matrix(
        level,
        taps.reshape(channels, -1),
        1,
        params.filter_zero_point,
        None if bias is None or bias.value is None else bias.value.reshape(-1),
        params.requantization,
        zero_point,
        output.type,
    )
    if matrix is None:
        return None
    variant, asymmetric, values = matrix
    row_bytes = values["segment_bytes"]
    block_columns = min(width.output, max(12, _BLOCK_BYTES // row_bytes))
    scratch = block_columns * (row_bytes + 4) + SLACK
    line = output.shape[2] * channels
    values |= {
        "output": At(output.index),
        "output_offset": (row.first * output.shape[2] + column.first) * channels,
        "output_stride": params.width.stride * channels,
        "row_bytes": params.height.stride * line,
        "image_bytes": output.shape[1] * line,
        "input": At(input.index),
        "scratch": Scratch(scratch),
        "scratch_bytes": scratch,
        "block_columns": block_columns,
        "depth": taps[0].size,
        "batches": output.shape[0],
        "channels": depth,
        **window_values(TRANSPOSE_CONV, height, width),
        "zero_point": zero_point,
    }
    return Lowered(transpose_conv_kernel(level.name, variant, asymmetric), TRANSPOSE_CONV, values)


@cache
def transpose_conv_kernel(level: str, variant: str, asymmetric: int) -> Any:
    """The compiled convolution of one residue for an instruction set and a variant of the requantization."""

    @kernel
    def transpose_conv(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, TRANSPOSE_CONV)[0]
        scratch, stride = p.scratch + thread * p.scratch_bytes, p.segment_bytes
        terms = scratch + p.scratch_bytes - 4 * p.block_columns
        first, last = share(p.batches * p.out_height, thread, threads)
        begin_matrices(level)
        for row in range(first, last):
            out = p.output + p.output_offset + row // p.out_height * p.image_bytes + row % p.out_height * p.row_bytes
            for x in range(0, p.out_width, p.block_columns):
                count = min(p.block_columns, p.out_width - x)
                unroll(p, row * p.out_width + x, count, scratch)
                if asymmetric:
                    sum_rows(p, scratch, stride, count, terms)
                matrix_rows(
                    level, variant, asymmetric, STRIDED, address_of(block), scratch, stride, count, terms,
                    out + x * p.output_stride, 0, p.parts,
                )  # fmt: skip
        end_matrices(level)

    return transpose_conv
