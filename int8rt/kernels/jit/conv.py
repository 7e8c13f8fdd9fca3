"""CONV_2D as matrix products: windows unrolled a block of output pixels at a time, times panels of packed weights."""

from __future__ import annotations

from functools import cache
from typing import Any

from int8rt.kernels.conv import Conv2DParams
from int8rt.kernels.depthwise_conv import DepthwiseConv2DParams
from int8rt.kernels.jit.abi import SLACK, address_of, copy_bytes, fields, fill_bytes, helper, kernel, share
from int8rt.kernels.jit.lowering import At, LowerContext, Lowered, Scratch, unsigned, window_values
from int8rt.kernels.jit.numba_later import carray
from int8rt.kernels.jit.panels import lower_matrix, row_factor, sum_rows
from int8rt.kernels.jit.tile import MATRIX, STRIDED, begin_matrices, end_matrices, matrix_rows
from int8rt.kernels.jit.windows import WINDOWS, lower_windows, windows_kernel
from int8rt.model import TensorType

# Bytes of unrolled windows that are multiplied at once: they stay in a core's L2 cache.
_BLOCK_BYTES = 96 << 10
_BLOCK_ROWS = 48
CONV = fields(
    " ".join(MATRIX)
    + " output input scratch scratch_bytes direct rows block_rows depth row_factor out_height out_width height width "
    "channels kernel_height kernel_width stride_height stride_width dilation_height dilation_width pad_height "
    "pad_width zero_point"
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
    batches, *_, outputs = output.shape
    channels = input.shape[3]
    weights = filter.value.reshape(outputs, -1)
    zero_point = unsigned(input.type, params.input_zero_point)
    height, width = params.height, params.width
    if width.input == width.kernel == width.output == 1:
        # A column of pixels lies in memory like a row of them.
        height, width = width, height
    padded = height.pad_before or height.pad_after or width.pad_before or width.pad_after
    if padded and not 0 <= zero_point <= 255:  # what the border is filled with
        return None
    depth = weights.shape[1]
    direct = depth == channels and height.stride == width.stride == 1 and not padded
    level = context.level.for_rows(batches * height.output * width.output)
    in_place = None
    if not direct and not row_factor(weights, params.filter_zero_point):
        in_place = lower_windows(height, width, channels)
    matrix = lower_matrix(
        level,
        weights,
        in_place[0] if in_place is not None else 1,
        params.filter_zero_point,
        None if bias is None else bias.value,
        params.requantization,
        zero_point,
        output.type,
    )
    if matrix is None:
        return None
    variant, asymmetric, values = matrix
    values |= {
        "output": At(output.index),
        "output_stride": outputs,
        "input": At(input.index),
        "rows": batches * height.output,
        "channels": channels,
        **window_values(CONV if in_place is None else WINDOWS, height, width),
        "zero_point": zero_point,
    }
    if in_place is not None:
        return Lowered(windows_kernel(level.name, variant), WINDOWS, values | in_place[1])
    row_bytes = values["segment_bytes"]
    block_rows = _BLOCK_ROWS if direct else max(12, _BLOCK_BYTES // row_bytes // 12 * 12)
    scratch = 4 * block_rows + (0 if direct else block_rows * row_bytes + SLACK)
    values |= {
        "rows": batches * height.output * width.output,
        "scratch": Scratch(scratch),
        "scratch_bytes": scratch,
        "direct": int(direct),
        "block_rows": block_rows,
        "depth": depth,
    }
    return Lowered(conv_kernel(level.name, variant, asymmetric), CONV, values)


@helper
def unroll(p, first, count, scratch):  # type: ignore[no-untyped-def]
    """The windows of output pixels [first, first + count) as rows of `scratch`: ky, kx, channel."""
    run = p.kernel_width * p.channels
    stride = p.segment_bytes
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


@cache
def conv_kernel(level: str, variant: str, asymmetric: int) -> Any:
    """The compiled CONV_2D for an instruction set and a variant of the requantization."""

    @kernel
    def conv_2d(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, CONV)[0]
        first_row, last_row = 0, p.rows
        first_part, last_part = 0, p.parts
        if p.rows >= 24 * threads or p.parts < threads:
            first_row, last_row = share(p.rows, thread, threads)
        else:
            first_part, last_part = share(p.parts, thread, threads)
        begin_matrices(level)
        scratch = p.scratch + thread * p.scratch_bytes
        for row in range(first_row, last_row, p.block_rows):
            count = min(p.block_rows, last_row - row)
            if p.direct:
                a, stride = p.input + row * p.channels, p.channels
            else:
                unroll(p, row, count, scratch)
                a, stride = scratch, p.segment_bytes
            terms = scratch + p.scratch_bytes - 4 * p.block_rows
            if asymmetric:
                sum_rows(p, a, stride, count, terms)
            out = p.output + row * p.output_stride
            matrix_rows(
                level, variant, asymmetric, STRIDED, address_of(block), a, stride, count, terms, out, first_part,
                last_part,
            )  # fmt: skip
        end_matrices(level)

    return conv_2d
