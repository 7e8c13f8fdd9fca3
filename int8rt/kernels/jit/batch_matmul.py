"""BATCH_MATMUL of int8: the right matrices are packed into panels, beforehand where they are constant."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import element_count
from int8rt.kernels.batch_matmul import QuantizedMatrixParams
from int8rt.kernels.jit.abi import (
    SLACK,
    carray,
    fields,
    helper,
    hold,
    kernel,
    load_i32,
    load_i64,
    load_u8,
    share,
    store_i32,
    store_u8,
)
from int8rt.kernels.jit.isa.levels import Level
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered, Scratch
from int8rt.kernels.jit.sums import pack_panels, padded_channels, padded_depth, panel_vectors, product_sums
from int8rt.model import Shape, TensorType
from int8rt.quantization.jitted import multiply_by_quantized_multiplier
from int8rt.quantization.requantization import Rounding

BATCH_MATMUL = fields(
    "left right output left_matrices right_matrices batches rows columns depth depth4 adj_x adj_y constant weights "
    "totals panels panel_channels matrix_bytes sums_bytes left_offset right_zero_point rescales multiplier shift "
    "zero_point low high scratch scratch_bytes"
)
# Rows that are multiplied at once.
_BLOCK_ROWS = 24


def lower(params: Any, context: LowerContext) -> Lowered | None:
    """The step of a BATCH_MATMUL of int8, to int8 or int32."""
    left, right, output = context.input(0), context.input(1), context.outputs[0]
    if not isinstance(params, QuantizedMatrixParams) or left.type != TensorType.INT8:
        return None
    numbers = params.requantization
    if numbers is not None and (numbers.rounding != Rounding.DOUBLE or not -31 <= int(numbers.shift[0]) <= 31):
        return None
    level, (*leading, rows, columns) = context.level, output.shape
    depth4, width = padded_depth(params.depth) // 4, padded_channels(level, columns)
    matrix_bytes = 4 * depth4 * width
    values: dict[str, Any] = {"weights": 0, "totals": 0}
    if right.value is not None:
        values = _constant_panels(level, right.value, params.adj_y)
    scratch = matrix_bytes + 4 * width + _BLOCK_ROWS * (4 * depth4 + 4 * width) + SLACK
    values |= {
        "left": At(left.index),
        "right": At(right.index) if right.value is None else 0,
        "output": At(output.index),
        "left_matrices": Data(_matrices(left.shape, tuple(leading))),
        "right_matrices": Data(_matrices(right.shape, tuple(leading))),
        "batches": element_count(leading),
        "rows": rows,
        "columns": columns,
        "depth": params.depth,
        "depth4": depth4,
        "adj_x": int(params.adj_x),
        "adj_y": int(params.adj_y),
        "constant": int(right.value is not None),
        "panels": width // (panel_vectors(level, columns) * level.lanes),
        "panel_channels": panel_vectors(level, columns) * level.lanes,
        "matrix_bytes": matrix_bytes,
        "sums_bytes": 4 * width,
        "left_offset": 128 + params.lhs_zero_point,
        "right_zero_point": params.rhs_zero_point,
        "rescales": int(numbers is not None),
        "multiplier": 0 if numbers is None else int(numbers.multiplier[0]),
        "shift": 0 if numbers is None else int(numbers.shift[0]),
        "zero_point": 0 if numbers is None else numbers.zero_point,
        "low": 0 if numbers is None else numbers.activation_min,
        "high": 0 if numbers is None else numbers.activation_max,
        "scratch": Scratch(scratch),
        "scratch_bytes": scratch,
    }
    return Lowered(batch_matmul_kernel(level.products, panel_vectors(level, columns)), BATCH_MATMUL, values)


def _matrices(shape: Shape, leading: Shape) -> npt.NDArray[np.int64]:
    """Which matrix of a tensor each matrix of the output takes."""
    own = shape[:-2]
    return np.ascontiguousarray(np.broadcast_to(np.arange(element_count(own)).reshape(own), leading), np.int64).ravel()


def _constant_panels(level: Level, right: npt.NDArray[np.int8], adj_y: bool) -> dict[str, Any]:
    """Panels and sums of the columns of every right matrix."""
    matrices = right if adj_y else right.swapaxes(-1, -2)
    matrices = matrices.reshape(-1, *matrices.shape[-2:])
    width = padded_channels(level, matrices.shape[1])
    totals = np.zeros((len(matrices), width), np.int32)
    totals[:, : matrices.shape[1]] = matrices.sum(axis=2, dtype=np.int64)
    return {"weights": Data(np.stack([pack_panels(level, m) for m in matrices])), "totals": Data(totals)}


@helper
def pack_right(p, source, panels, totals):  # type: ignore[no-untyped-def]
    """Panels of a right matrix of unsigned bytes, and the sum of each of its columns."""
    group = 4 * p.panel_channels
    row_step, column_step = (1, p.depth) if p.adj_y else (p.columns, 1)
    for c in range(p.panels * p.panel_channels):
        target = panels + c // p.panel_channels * p.depth4 * group + c % p.panel_channels * 4
        total = np.int32(0)
        for k in range(4 * p.depth4):
            code = np.int32(0)
            if c < p.columns and k < p.depth:
                code = np.int32(load_u8(source, k * row_step + c * column_step)) - np.int32(128)
            total = np.int32(total + code)
            store_u8(target + (k >> 2) * group, k & 3, np.uint8(code & 255))
        store_i32(totals, c, total)


@cache
def batch_matmul_kernel(level: str, vectors: int) -> Any:
    """The compiled BATCH_MATMUL."""

    @kernel
    def batch_matmul(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, BATCH_MATMUL)[0]
        own_panels = p.scratch + thread * p.scratch_bytes
        own_totals = own_panels + p.matrix_bytes
        lines = own_totals + p.sums_bytes
        sums = lines + _BLOCK_ROWS * 4 * p.depth4
        first_batch, last_batch, first, last = 0, p.batches, 0, p.rows
        if p.batches >= threads:
            first_batch, last_batch = share(p.batches, thread, threads)
        else:
            first, last = share(p.rows, thread, threads)
        packed = np.int64(-1)
        for batch in range(first_batch, last_batch):
            matrix = load_i64(p.right_matrices, batch)
            panels, totals = p.weights + matrix * p.matrix_bytes, p.totals + matrix * p.sums_bytes
            if not p.constant:
                panels, totals = own_panels, own_totals
                if matrix != packed:
                    pack_right(p, p.right + matrix * p.depth * p.columns, panels, totals)
                    packed = matrix
            left = p.left + load_i64(p.left_matrices, batch) * p.rows * p.depth
            for row in range(first, last, _BLOCK_ROWS):
                count = min(_BLOCK_ROWS, last - row)
                a, stride = left + row * p.depth, p.depth
                if p.adj_x:
                    a, stride = lines, 4 * p.depth4
                    for r in range(count):
                        for k in range(p.depth):
                            store_u8(lines + r * stride, k, load_u8(left, k * p.rows + row + r))
                product_sums(
                    level, vectors, a, stride, count, panels, p.depth4, p.panels, sums, p.sums_bytes
                )  # fmt: skip
                for r in range(count):
                    line, target = sums + r * p.sums_bytes, (batch * p.rows + row + r) * p.columns
                    shared = np.int64(0)
                    if p.right_zero_point != 0:
                        for k in range(p.depth):
                            shared += np.int64(load_u8(a + r * stride, k)) - p.left_offset
                        shared *= p.right_zero_point
                    for c in range(p.columns):
                        total = load_i32(line, c) - p.left_offset * load_i32(totals, c) - shared
                        value = np.int64(np.int32(total))
                        if p.rescales:
                            value = multiply_by_quantized_multiplier(value, p.multiplier, p.shift)
                            code = hold(np.int64(np.int32(value + p.zero_point)), p.low, p.high)
                            store_u8(p.output, target + c, np.uint8(code + 128))
                        else:
                            store_i32(p.output, target + c, np.int32(value))

    return batch_matmul
