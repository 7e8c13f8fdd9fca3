"""LSTM and UNIDIRECTIONAL_SEQUENCE_LSTM in float32 and hybrid: all gates' sums at once, then one cell after the other.

What one step needs of the step before makes this the work of a single thread.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.hybrid.product import row_sums
from int8rt.kernels.jit.abi import (
    SLACK,
    carray,
    fields,
    helper,
    kernel,
    load_f32,
    load_i32,
    store_f32,
    store_i32,
)
from int8rt.kernels.jit.hybrid import any_nonzero, hybrid_weights, is_flawed
from int8rt.kernels.jit.isa.levels import Level
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered, Scratch
from int8rt.kernels.jit.sums import product_sums
from int8rt.kernels.lstm.float_cell import FloatCell
from int8rt.kernels.lstm.floating import FloatLstmParams
from int8rt.kernels.lstm.tensors import INPUT, SINGLE
from int8rt.model import ActivationFunctionType
from int8rt.quantization.jitted_eigen import logistic, tanh
from int8rt.quantization.jitted_hybrid import asymmetric_quantize_row, symmetric_quantize_row

_STEPS = "input output output_state cell_state steps rows gates cells input_size bias cell_clip per_sequence scratch"
_MATRIX = "{0}_weights {0}_depth4 {0}_offsets {0}_row_sums {0}_scales"
HYBRID_LSTM = fields(
    f"{_STEPS} {_MATRIX.format('x')} {_MATRIX.format('h')} panels sums_bytes gate_bytes codes_bytes asymmetric"
)
FLOAT_LSTM = fields(f"{_STEPS} x_weights h_weights gate_bytes")
# Cells whose gates fill groups of vector code, from which on the logistic function never needs the C library's exp.
_GROUP = 4
_LAYOUTS = SINGLE.input_weights, SINGLE.recurrent_weights, SINGLE.bias


def lower(params: Any, context: LowerContext) -> Lowered | None:
    """The step of an LSTM; None for peepholes, layer normalization, projections and other activations than TANH."""
    if not isinstance(params, FloatLstmParams):
        return None
    cell, sizes = params.cell, params.cell.sizes
    if sizes.use_peephole or sizes.use_layer_norm or sizes.use_projection or sizes.cell % _GROUP:
        return None
    slots = [[context.input(layout[gate]) for gate in sizes.gates] for layout in _LAYOUTS]
    groups = [[slot.value for slot in group if slot.value is not None] for group in slots]
    rows = sizes.batch if sizes.time_major else 1
    if cell.activation != ActivationFunctionType.TANH or any(len(group) < len(sizes.gates) for group in groups):
        return None
    if not all((sizes.batch, sizes.time, sizes.input)) or any(array.ndim == 1 for array in groups[1]):
        return None
    x, recurrent, bias = (np.concatenate(group) for group in groups)
    gate_bytes = 4 * len(bias)
    values: dict[str, Any] = {
        "input": At(context.input(INPUT).index),
        "output": At(context.outputs[0].index),
        "output_state": At(context.input(SINGLE.output_state).index),
        "cell_state": At(context.input(SINGLE.cell_state).index),
        "steps": sizes.time if sizes.time_major else sizes.time * sizes.batch,
        "rows": rows,
        "gates": len(sizes.gates),
        "cells": sizes.cell,
        "input_size": sizes.input,
        "bias": Data(bias),
        "cell_clip": Data(np.array([cell.cell_clip if cell.cell_clip > 0 else np.inf], np.float32)),
        # Steps after which it is the next row's turn; 0 where all rows take each step together.
        "per_sequence": 0 if sizes.time_major else sizes.time,
        "gate_bytes": gate_bytes,
    }
    if cell.scales is None:
        # Several rows at once are multiplied in another order.
        if rows > 1:
            return None
        values |= {"x_weights": Data(np.ascontiguousarray(x.T)), "h_weights": Data(np.ascontiguousarray(recurrent.T))}
        return Lowered(float_lstm_kernel(), FLOAT_LSTM, values | {"scratch": Scratch(5 * gate_bytes + SLACK)})
    return _lower_hybrid(cell, context.level, x.view(np.int8), recurrent.view(np.int8), values)


def _lower_hybrid(
    cell: FloatCell, level: Level, x: npt.NDArray[np.int8], recurrent: npt.NDArray[np.int8], values: dict[str, Any]
) -> Lowered | None:
    if is_flawed(x) or is_flawed(recurrent):
        return None
    assert cell.scales is not None
    codes_bytes = 0
    for name, weights, layout in (("x", x, SINGLE.input_weights), ("h", recurrent, SINGLE.recurrent_weights)):
        packed = hybrid_weights(level, weights)
        scales = np.repeat([cell.scales[layout[gate]] for gate in cell.sizes.gates], cell.sizes.cell)
        codes_bytes = max(codes_bytes, packed.codes_bytes)
        values |= {
            f"{name}_weights": Data(packed.packed),
            f"{name}_depth4": packed.codes_bytes // 4,
            f"{name}_offsets": Data(packed.offsets),
            f"{name}_row_sums": Data(row_sums(weights).astype(np.int32)),
            f"{name}_scales": Data(scales.astype(np.float32)),
            "panels": len(packed.packed),
            "sums_bytes": packed.sums_bytes,
        }
    values |= {"codes_bytes": codes_bytes, "asymmetric": int(cell.asymmetric_quantize_inputs)}
    row = codes_bytes + values["sums_bytes"] + values["gate_bytes"] + 8
    values["scratch"] = Scratch(values["rows"] * row + SLACK)
    return Lowered(hybrid_lstm_kernel(level.products, packed.vectors), HYBRID_LSTM, values)


@helper
def quantize_rows(p, source, size, codes, quantization):  # type: ignore[no-untyped-def]
    """The codes of all rows, and the scale and zero point of each."""
    for r in range(p.rows):
        scale, zero_point = np.float32(0), np.int32(0)
        if p.asymmetric:
            scale, zero_point = asymmetric_quantize_row(source + 4 * r * size, size, codes + r * p.codes_bytes)
        else:
            scale = symmetric_quantize_row(source + 4 * r * size, size, codes + r * p.codes_bytes)
        store_f32(quantization, 2 * r, scale)
        store_i32(quantization, 2 * r + 1, zero_point)


@helper
def add_sums(p, gates, sums, quantization, offsets, totals, scales):  # type: ignore[no-untyped-def]
    """Add the rescaled sums of all rows to the gates."""
    for r in range(p.rows):
        scale, zero_point = load_f32(quantization, 2 * r), load_i32(quantization, 2 * r + 1)
        line, target = sums + r * p.sums_bytes, gates + r * p.gate_bytes
        for c in range(p.gates * p.cells):
            total = load_i32(line, c) + load_i32(offsets, c) - zero_point * load_i32(totals, c)
            factor = scale * load_f32(scales, c)
            store_f32(target, c, load_f32(target, c) + np.float32(np.int32(total)) * factor)


@helper
def start_gates(p, gates):  # type: ignore[no-untyped-def]
    """The bias in each row of gates."""
    for r in range(p.rows):
        for c in range(p.gates * p.cells):
            store_f32(gates + r * p.gate_bytes, c, load_f32(p.bias, c))


@helper
def finish_cells(p, gates, state, cell_line, target):  # type: ignore[no-untyped-def]
    """Cell and output of one row from its gates."""
    cells, clip = p.cells, load_f32(p.cell_clip, 0)
    update_line = gates + 4 * (p.gates - 2) * cells
    forget_line, output_line = update_line - 4 * cells, update_line + 4 * cells
    for c in range(cells):
        forget = logistic(load_f32(forget_line, c))
        input_gate = logistic(load_f32(gates, c)) if p.gates == 4 else np.float32(1) - forget
        cell = forget * load_f32(cell_line, c) + tanh(load_f32(update_line, c)) * input_gate
        cell = -clip if cell < -clip else cell
        cell = clip if cell > clip else cell
        store_f32(cell_line, c, cell)
        output = logistic(load_f32(output_line, c)) * tanh(cell)
        store_f32(state, c, output)
        store_f32(target, c, output)


@cache
def hybrid_lstm_kernel(level: str, vectors: int) -> Any:
    """The compiled LSTM whose vectors are quantized each step."""

    @kernel
    def hybrid_lstm(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, HYBRID_LSTM)[0]
        if thread != 0:
            return
        rows, cells = p.rows, p.cells
        sums = p.scratch
        gates = sums + rows * p.sums_bytes
        quantization = gates + rows * p.gate_bytes
        codes = quantization + 8 * rows
        for step in range(p.steps):
            row0 = step // p.per_sequence if p.per_sequence else 0
            state, x = p.output_state + 4 * row0 * cells, p.input + 4 * step * rows * p.input_size
            start_gates(p, gates)
            if any_nonzero(x, rows * p.input_size):
                quantize_rows(p, x, p.input_size, codes, quantization)
                product_sums(
                    level, vectors, codes, p.codes_bytes, rows, p.x_weights, p.x_depth4, p.panels, sums, p.sums_bytes
                )  # fmt: skip
                add_sums(p, gates, sums, quantization, p.x_offsets, p.x_row_sums, p.x_scales)
            if any_nonzero(state, rows * cells):
                quantize_rows(p, state, cells, codes, quantization)
                product_sums(
                    level, vectors, codes, p.codes_bytes, rows, p.h_weights, p.h_depth4, p.panels, sums, p.sums_bytes
                )  # fmt: skip
                add_sums(p, gates, sums, quantization, p.h_offsets, p.h_row_sums, p.h_scales)
            for r in range(rows):
                cell_line, target = p.cell_state + 4 * (row0 + r) * cells, p.output + 4 * (step * rows + r) * cells
                finish_cells(p, gates + r * p.gate_bytes, state + 4 * r * cells, cell_line, target)

    return hybrid_lstm


@helper
def add_product(p, gates, x, size, weights):  # type: ignore[no-untyped-def]
    """gates += x · weights [size, n] as Eigen multiplies a vector by a matrix: four partial sums, then what remains."""
    count = p.gates * p.cells
    first = gates + p.gate_bytes
    second = first + p.gate_bytes
    third = second + p.gate_bytes
    fourth = third + p.gate_bytes
    for c in range(4 * count):
        store_f32(first, c, np.float32(0))
    end = size - size % 4
    for k in range(0, end, 4):
        x0, x1, x2, x3 = load_f32(x, k), load_f32(x, k + 1), load_f32(x, k + 2), load_f32(x, k + 3)
        w0 = weights + k * p.gate_bytes
        w1 = w0 + p.gate_bytes
        w2 = w1 + p.gate_bytes
        w3 = w2 + p.gate_bytes
        for c in range(count):
            store_f32(first, c, load_f32(first, c) + x0 * load_f32(w0, c))
            store_f32(second, c, load_f32(second, c) + x1 * load_f32(w1, c))
            store_f32(third, c, load_f32(third, c) + x2 * load_f32(w2, c))
            store_f32(fourth, c, load_f32(fourth, c) + x3 * load_f32(w3, c))
    for c in range(count):
        total = (load_f32(first, c) + load_f32(third, c)) + (load_f32(second, c) + load_f32(fourth, c))
        store_f32(first, c, total)
    for k in range(end, size):
        for c in range(count):
            product = load_f32(x, k) * load_f32(weights + k * p.gate_bytes, c)
            store_f32(first, c, load_f32(first, c) + product)
    largest = np.float32(3.4028234663852886e38)
    for c in range(count):
        value = load_f32(first, c) + load_f32(gates, c)
        value = -largest if value < -largest else value
        store_f32(gates, c, largest if value > largest else value)


@cache
def float_lstm_kernel() -> Any:
    """The compiled LSTM in float32."""

    @kernel
    def float_lstm(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, FLOAT_LSTM)[0]
        if thread != 0:
            return
        cells, gates = p.cells, p.scratch
        for step in range(p.steps):
            row = step // p.per_sequence if p.per_sequence else 0
            state, x = p.output_state + 4 * row * cells, p.input + 4 * step * p.input_size
            start_gates(p, gates)
            if any_nonzero(x, p.input_size):
                add_product(p, gates, x, p.input_size, p.x_weights)
            add_product(p, gates, state, cells, p.h_weights)
            finish_cells(p, gates, state, p.cell_state + 4 * row * cells, p.output + 4 * step * cells)

    return float_lstm
