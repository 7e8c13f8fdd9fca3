"""CONV_2D and FULLY_CONNECTED in float32: windows unrolled a block of pixels at a time, times packed weights."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.float32.conv import FloatConv2DParams
from int8rt.kernels.float32.fully_connected import FloatFullyConnectedParams
from int8rt.kernels.jit.abi import SLACK, address_of, carray, fields, kernel, share
from int8rt.kernels.jit.conv import unroll
from int8rt.kernels.jit.float_product import PRODUCT, float_rows, pack_product
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered, Scratch, window_values
from int8rt.kernels.jit.sums import panel_vectors

FLOAT_CONV = fields(
    " ".join(PRODUCT)
    + " output input scratch scratch_bytes direct rows block_rows segment_bytes out_height out_width height width "
    "channels kernel_height kernel_width stride_height stride_width dilation_height dilation_width pad_height "
    "pad_width zero_point"
)
# Bytes of the windows that are unrolled at once, and their least and largest number.
_BLOCK_BYTES, _LEAST_ROWS, _MOST_ROWS = 96 << 10, 12, 48
_BYTES = 4


def lower_conv_2d(params: Any, context: LowerContext) -> Lowered | None:
    """The step of a float CONV_2D; None for groups, and for filters and biases that are not constant or not finite."""
    if not isinstance(params, FloatConv2DParams) or params.groups != 1:
        return None
    input, filter, bias = context.input(0), context.input(1).value, context.input(2).value
    # The border is multiplied too.
    if filter is None or bias is None or not np.isfinite(filter).all():
        return None
    height, width = params.height, params.width
    plain = all((w.kernel, w.stride, w.pad_before, w.input) == (1, 1, 0, w.output) for w in (height, width))
    values = {
        "channels": _BYTES * input.shape[3],
        **window_values(FLOAT_CONV, height, width),
    }
    rows = input.shape[0] * height.output * width.output
    return _lower(context, params, filter.reshape(len(filter), -1), bias, rows, plain, values)


def lower_fully_connected(params: Any, context: LowerContext) -> Lowered | None:
    """The step of a float FULLY_CONNECTED; None for filters and biases that are not constant."""
    if not isinstance(params, FloatFullyConnectedParams) or not params.depth:
        return None
    filter, bias = context.input(1).value, context.inputs[2] if len(context.inputs) > 2 else None
    if filter is None or (bias is not None and bias.value is None):
        return None
    return _lower(context, params, filter, None if bias is None else bias.value, params.rows, True, {})


def _lower(
    context: LowerContext,
    params: FloatConv2DParams | FloatFullyConnectedParams,
    weights: Any,
    bias: Any,
    rows: int,
    direct: bool,
    windows: dict[str, int],
) -> Lowered:
    packed = pack_product(context.level, weights, bias, params.activation_min, params.activation_max)
    row_bytes = _BYTES * weights.shape[1]
    block_rows = min(max(_BLOCK_BYTES // row_bytes, _LEAST_ROWS), _MOST_ROWS)
    scratch = SLACK if direct else block_rows * row_bytes + SLACK
    values: dict[str, Any] = dict.fromkeys(FLOAT_CONV.names or (), 0) | windows
    values |= {name: Data(value) if isinstance(value, np.ndarray) else value for name, value in packed.items()}
    values |= {
        "output": At(context.outputs[0].index),
        "input": At(context.input(0).index),
        "scratch": Scratch(scratch),
        "scratch_bytes": scratch,
        "direct": int(direct),
        "rows": rows,
        "block_rows": block_rows,
        "segment_bytes": row_bytes,
    }
    vectors = panel_vectors(context.level, len(weights))
    return Lowered(float_conv_kernel(context.level.products, vectors), FLOAT_CONV, values)


@cache
def float_conv_kernel(level: str, vectors: int) -> Any:
    """The compiled product for an instruction set and a number of vectors across a panel."""

    @kernel
    def float_conv_2d(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, FLOAT_CONV)[0]
        first_row, last_row, first_panel, last_panel = 0, p.rows, 0, p.panels
        if p.rows >= 24 * threads or p.panels < threads:
            first_row, last_row = share(p.rows, thread, threads)
        else:
            first_panel, last_panel = share(p.panels, thread, threads)
        scratch = p.scratch + thread * p.scratch_bytes
        for row in range(first_row, last_row, p.block_rows):
            count = min(p.block_rows, last_row - row)
            a = p.input + row * p.segment_bytes
            if not p.direct:
                unroll(p, row, count, scratch)
                a = scratch
            float_rows(
                level, vectors, address_of(block), a, p.segment_bytes, count, p.output + 4 * row * p.outputs,
                first_panel, last_panel,
            )  # fmt: skip

    return float_conv_2d
