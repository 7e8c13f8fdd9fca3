"""CONV_2D in groups, and DEPTHWISE_CONV_2D with several filters for each of several channels.

Neighbouring groups are taken together as one convolution, with zeros between what does not belong together, until its
output channels fill a tile.
"""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import element_count
from int8rt.kernels.conv import Conv2DParams
from int8rt.kernels.depthwise_conv import DepthwiseConv2DParams
from int8rt.kernels.jit import conv, depthwise_conv
from int8rt.kernels.jit.abi import SLACK, address_of, carray, copy_bytes, fields, fill_bytes, helper, kernel, share
from int8rt.kernels.jit.lowering import At, LowerContext, Lowered, Scratch, unsigned, window_values
from int8rt.kernels.jit.panels import lower_matrix, sum_rows
from int8rt.kernels.jit.signs import with_positive_multipliers
from int8rt.kernels.jit.tile import MATRIX, STRIDED, begin_matrices, end_matrices, matrix_rows
from int8rt.model import TensorType
from int8rt.quantization.requantization import Requantization

# Bytes of unrolled windows that are multiplied at once.
_BLOCK_BYTES = 96 << 10
# The most bytes that the packed weights may have more than the filter, which the zeros make up.
_MOST_ZEROS = 16 << 20
GROUPED_CONV = fields(
    " ".join(MATRIX)
    + " output output_offset input input_offset scratch scratch_bytes rows block_rows depth row_factor part out_height "
    "out_width height width channels kernel_height kernel_width stride_height stride_width dilation_height "
    "dilation_width pad_height pad_width zero_point"
)


def lower_conv_2d(params: Any, context: LowerContext) -> Lowered | list[Lowered] | None:
    """The steps of a CONV_2D; None for what stays with NumPy, such as weights that are not constant."""
    positive = with_positive_multipliers(params, context, 0) if isinstance(params, Conv2DParams) else None
    if positive is None:
        return None
    params, context = positive
    filter = context.input(1).value
    if params.groups == 1 or filter is None:
        return conv.lower(params, context)
    return lower_groups(params, filter, params.groups, context)


def lower_depthwise_conv_2d(params: Any, context: LowerContext) -> Lowered | list[Lowered] | None:
    """The steps of a DEPTHWISE_CONV_2D; None for what stays with NumPy, such as weights that are not constant."""
    positive = with_positive_multipliers(params, context, 3) if isinstance(params, DepthwiseConv2DParams) else None
    if positive is None:
        return None
    params, context = positive
    channels, filter = context.input(0).shape[3], context.input(1).value
    if params.depth_multiplier == 1 or channels == 1 or filter is None:
        return depthwise_conv.lower(params, context)
    return lower_groups(params, filter.transpose(3, 1, 2, 0), channels, context)


def lower_groups(
    params: Conv2DParams | DepthwiseConv2DParams, filter: npt.NDArray[Any], groups: int, context: LowerContext
) -> list[Lowered] | None:
    """The steps of a convolution of 8-bit codes in groups; filter: OHWI, the output channels group by group."""
    input, bias = context.input(0), context.inputs[2] if len(context.inputs) > 2 else None
    if input.type not in (TensorType.INT8, TensorType.UINT8) or (bias is not None and bias.value is None):
        return None
    constants = np.zeros(len(filter), np.int32) if bias is None or bias.value is None else bias.value.reshape(-1)
    outputs, taps = len(filter) // groups, filter.shape[1] * filter.shape[2]
    together = max(1, 4 * context.level.lanes // outputs)
    if filter.size * min(together, groups) > _MOST_ZEROS:
        return None
    steps: list[Lowered] = []
    for group in range(0, groups, together):
        count = min(together, groups - group)
        part = slice(group * outputs, (group + count) * outputs)
        dense = np.full((count, outputs, taps, count, filter.shape[3]), params.filter_zero_point, filter.dtype)
        each = np.arange(count)
        dense[each, :, :, each] = filter[part].reshape(count, outputs, taps, -1)
        first_input = group * filter.shape[3]
        step = _lower_part(params, dense.reshape(count * outputs, -1), constants[part], part, first_input, context)
        if step is None:
            return None
        steps.append(step)
    return steps


def _channels(all: Requantization, part: slice) -> Requantization:
    if all.multiplier.size == 1:
        return all
    multiplier, shift, real = all.multiplier[part], all.shift[part], all.real_multiplier[part]
    return dataclasses.replace(all, multiplier=multiplier, shift=shift, real_multiplier=real)


def _lower_part(
    params: Conv2DParams | DepthwiseConv2DParams,
    weights: npt.NDArray[Any],
    bias: npt.NDArray[np.int32],
    channels: slice,
    first_input: int,
    context: LowerContext,
) -> Lowered | None:
    """The step for output channels `channels`, of which those of the input matter that begin with `first_input`."""
    input, output, height, width = context.input(0), context.outputs[0], params.height, params.width
    zero_point = unsigned(input.type, params.input_zero_point)
    if any(window.pad_before or window.pad_after for window in (height, width)) and not 0 <= zero_point <= 255:
        return None
    rows = element_count(output.shape[:3])
    level = context.level.for_rows(rows)
    matrix = lower_matrix(
        level,
        weights,
        1,
        params.filter_zero_point,
        bias,
        _channels(params.requantization, channels),
        zero_point,
        output.type,
    )
    if matrix is None:
        return None
    variant, asymmetric, values = matrix
    row_bytes = values["segment_bytes"]
    block_rows = max(12, _BLOCK_BYTES // row_bytes // 12 * 12)
    scratch = block_rows * (row_bytes + 4) + SLACK
    depth = weights.shape[1]
    values |= {
        "output": At(output.index),
        "output_offset": channels.start,
        "output_stride": output.shape[3],
        "input": At(input.index),
        "input_offset": first_input,
        "scratch": Scratch(scratch),
        "scratch_bytes": scratch,
        "rows": rows,
        "block_rows": block_rows,
        "depth": depth,
        "part": depth // (height.kernel * width.kernel),
        "channels": input.shape[3],
        **window_values(GROUPED_CONV, height, width),
        "zero_point": zero_point,
    }
    return Lowered(grouped_conv_kernel(level.name, variant, asymmetric), GROUPED_CONV, values)


@helper
def unroll_part(p, first, count, scratch):  # type: ignore[no-untyped-def]
    """The windows of output pixels [first, first + count) as rows of `scratch`: `part` channels of each input pixel."""
    for m in range(count):
        target = scratch + m * p.segment_bytes
        x, rest = (first + m) % p.out_width, (first + m) // p.out_width
        y, batch = rest % p.out_height, rest // p.out_height
        image = p.input + p.input_offset + batch * p.height * p.width * p.channels
        for ky in range(p.kernel_height):
            row = y * p.stride_height - p.pad_height + ky * p.dilation_height
            for kx in range(p.kernel_width):
                column = x * p.stride_width - p.pad_width + kx * p.dilation_width
                if 0 <= row < p.height and 0 <= column < p.width:
                    copy_bytes(target, image + (row * p.width + column) * p.channels, p.part)
                else:
                    fill_bytes(target, p.zero_point, p.part)
                target += p.part


@cache
def grouped_conv_kernel(level: str, variant: str, asymmetric: int) -> Any:
    """The compiled convolution of some groups for an instruction set and a variant of the requantization."""

    @kernel
    def grouped_conv(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, GROUPED_CONV)[0]
        scratch, stride = p.scratch + thread * p.scratch_bytes, p.segment_bytes
        terms = scratch + p.scratch_bytes - 4 * p.block_rows
        first, last = share(p.rows, thread, threads)
        begin_matrices(level)
        for row in range(first, last, p.block_rows):
            count = min(p.block_rows, last - row)
            unroll_part(p, row, count, scratch)
            if asymmetric:
                sum_rows(p, scratch, stride, count, terms)
            matrix_rows(
                level, variant, asymmetric, STRIDED, address_of(block), scratch, stride, count, terms,
                p.output + p.output_offset + row * p.output_stride, 0, p.parts,
            )  # fmt: skip
        end_matrices(level)

    return grouped_conv
