"""FULLY_CONNECTED as a matrix product whose rows are read where they lie."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from int8rt.kernels.fully_connected import FullyConnectedParams
from int8rt.kernels.jit.abi import address_of, fields, kernel, share
from int8rt.kernels.jit.lowering import At, LowerContext, Lowered, Scratch, unsigned
from int8rt.kernels.jit.numba_later import carray
from int8rt.kernels.jit.panels import lower_matrix, sum_rows
from int8rt.kernels.jit.tile import MATRIX, STRIDED, begin_matrices, end_matrices, matrix_rows
from int8rt.model import TensorType

# Rows that are multiplied at once with each panel of weights; fewer than these are shared out by panels.
_BLOCK_ROWS = 48
FULLY_CONNECTED = fields(" ".join(MATRIX) + " input output rows depth row_factor terms terms_bytes")


def lower(params: FullyConnectedParams, context: LowerContext) -> Lowered | None:
    """The step of a FULLY_CONNECTED of 8-bit codes.

    None for what stays with NumPy: weights that are not constant, and sparse ones that meet LiteRT's flaw.
    """
    input, filter, output = context.input(0), context.input(1), context.outputs[0]
    bias = context.inputs[2] if len(context.inputs) > 2 else None
    if filter.value is None or input.type not in (TensorType.INT8, TensorType.UINT8) or output.type != input.type:
        return None
    if params.flawed or (bias is not None and bias.value is None):
        return None
    channels, level = filter.shape[0], context.level.for_rows(params.rows)
    matrix = lower_matrix(
        level,
        filter.value,
        1,
        params.filter_zero_point,
        # The definition takes an int64 bias for an int32 one.
        None if bias is None or bias.value is None else np.ravel(bias.value).view(np.int32)[:channels],
        params.requantization,
        unsigned(input.type, params.input_zero_point),
        output.type,
    )
    if matrix is None:
        return None
    variant, asymmetric, values = matrix
    values |= {
        "output_stride": channels,
        "input": At(input.index),
        "output": At(output.index),
        "rows": params.rows,
        "depth": params.depth,
        "terms": Scratch(4 * _BLOCK_ROWS),
        "terms_bytes": 4 * _BLOCK_ROWS,
    }
    return Lowered(fully_connected_kernel(level.name, variant, asymmetric), FULLY_CONNECTED, values)


@cache
def fully_connected_kernel(level: str, variant: str, asymmetric: int) -> Any:
    """The compiled FULLY_CONNECTED for an instruction set and a variant of the requantization."""

    @kernel
    def fully_connected(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, FULLY_CONNECTED)[0]
        terms = p.terms + thread * p.terms_bytes
        first_row, last_row = 0, p.rows
        first_part, last_part = 0, p.parts
        if p.rows >= _BLOCK_ROWS * threads or last_part < threads:
            first_row, last_row = share(p.rows, thread, threads)
        else:
            first_part, last_part = share(last_part, thread, threads)
        begin_matrices(level)
        for row in range(first_row, last_row, _BLOCK_ROWS):
            count = min(_BLOCK_ROWS, last_row - row)
            a = p.input + row * p.depth
            if asymmetric:
                sum_rows(p, a, p.depth, count, terms)
            matrix_rows(
                level, variant, asymmetric, STRIDED, address_of(block), a, p.depth, count, terms,
                p.output + row * p.output_stride, first_part, last_part,
            )  # fmt: skip
        end_matrices(level)

    return fully_connected
