"""LSTM and UNIDIRECTIONAL_SEQUENCE_LSTM in integers: all gates' sums at once, then one cell after the other.

What one step needs of the step before makes this the work of a single thread.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.jit.abi import (
    SLACK,
    carray,
    fields,
    helper,
    hold,
    kernel,
    load_i16,
    load_i32,
    load_u8,
    store_i16,
    store_u8,
)
from int8rt.kernels.jit.isa.levels import Level
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered, Scratch
from int8rt.kernels.jit.sums import pack_panels, padded_channels, padded_depth, panel_vectors, product_sums
from int8rt.kernels.lstm.integer_params import IntegerLstmParams, Multiplier
from int8rt.kernels.lstm.tensors import INPUT, SINGLE
from int8rt.quantization import lstm
from int8rt.quantization.jitted import multiply_by_quantized_multiplier, rounding_divide_by_pot

_MATRIX = "{0}_weights {0}_depth4 {0}_panels {0}_sums_bytes {0}_constants"
_MULTIPLIERS = " ".join(f"{part}_{what}{gate}" for part in "xh" for gate in range(4) for what in ("m", "s"))
INTEGER_LSTM = fields(
    " ".join(_MATRIX.format(name) for name in ("x", "h", "p"))
    + f" {_MULTIPLIERS} input output output_state cell_state steps rows gates cells outputs logistic tanh cell_tanh "
    "input_bytes cell_shift cell_clip hidden_multiplier hidden_shift hidden_zero_point projection "
    "projection_multiplier projection_shift projection_clip output_zero_point per_sequence scratch"
)
_CODES = 1 << 16
_LAYOUTS = SINGLE.input_weights, SINGLE.recurrent_weights, SINGLE.bias


def lower(params: Any, context: LowerContext) -> Lowered | None:
    """The step of an integer LSTM; None for peepholes, layer normalization and what is not constant."""
    if not isinstance(params, IntegerLstmParams) or params.sizes.use_peephole or params.sizes.use_layer_norm:
        return None
    sizes, level = params.sizes, context.level
    integer_bits = 15 + params.cell_scale
    gates = [gate for gate in (params.gates[i] for i in sizes.gates) if gate is not None]
    multipliers = [m for gate in gates for m in (gate.input, gate.recurrent)] + [params.hidden]
    multipliers += [params.projection] if params.projection is not None else []
    if not all(-31 <= m.shift <= 31 for m in multipliers) or not 0 <= integer_bits <= lstm.LARGEST_TANH_INTEGER_BITS:
        return None
    weights = [[_value(context, layout[gate]) for gate in sizes.gates] for layout in _LAYOUTS]
    projection, projection_bias = _value(context, SINGLE.projection_weights), _value(context, SINGLE.projection_bias)
    present = [SINGLE.projection_weights] * sizes.use_projection + _present(context, SINGLE.projection_bias)
    known = [*weights[0], *weights[1], *weights[2], *(_value(context, index) for index in present)]
    if any(value is None for value in known) or not all((sizes.batch, sizes.time, sizes.input, sizes.output)):
        return None
    x, recurrent, bias = (np.concatenate([array for array in group if array is not None]) for group in weights)
    rows = sizes.batch if sizes.time_major else 1
    values = _matrix(level, "x", x, bias, 128 + params.input_zero_point)
    values |= _matrix(level, "h", recurrent, None, 128 + params.output_state_zero_point)
    if projection is not None:
        # The hidden values have been shifted by minus their zero point, so here it counts the other way.
        values |= _matrix(level, "p", projection, projection_bias, 128 - params.hidden_zero_point)
    else:
        values |= dict.fromkeys(_MATRIX.format("p").split(), 0)
    for gate in range(4):
        numbers = params.gates[gate]
        for part, multiplier in (("x", numbers and numbers.input), ("h", numbers and numbers.recurrent)):
            multiplier = multiplier or Multiplier(0, 0)
            values |= {f"{part}_m{gate}": multiplier.multiplier, f"{part}_s{gate}": multiplier.shift}
    codes = np.arange(_CODES).astype(np.uint16).view(np.int16)
    shifted = params.projection or Multiplier(0, 0)
    hidden_bytes = padded_depth(sizes.cell) + SLACK
    values |= {
        "input": At(context.input(INPUT).index),
        "output": At(context.outputs[0].index),
        "output_state": At(context.input(SINGLE.output_state).index),
        "cell_state": At(context.input(SINGLE.cell_state).index),
        "steps": sizes.time if sizes.time_major else sizes.time * sizes.batch,
        "rows": rows,
        "gates": len(gates),
        "cells": sizes.cell,
        "outputs": sizes.output,
        "input_bytes": sizes.input,
        "logistic": Data(lstm.apply_sigmoid(codes)),
        "tanh": Data(lstm.apply_tanh(codes, lstm.GATE_INTEGER_BITS)),
        "cell_tanh": Data(lstm.apply_tanh(codes, integer_bits)),
        "cell_shift": 30 + params.cell_scale,
        # Clips beyond the type where there are none.
        "cell_clip": params.quantized_cell_clip if params.quantized_cell_clip > 0 else 1 << 15,
        "hidden_multiplier": params.hidden.multiplier,
        "hidden_shift": params.hidden.shift,
        "hidden_zero_point": -params.hidden_zero_point if projection is not None else params.hidden_zero_point,
        "projection": int(projection is not None),
        "projection_multiplier": shifted.multiplier,
        "projection_shift": shifted.shift,
        "projection_clip": params.quantized_proj_clip if params.quantized_proj_clip > 0 else 1 << 7,
        "output_zero_point": params.output_state_zero_point,
        # Steps after which it is the next row's turn; 0 where all rows take each step together.
        "per_sequence": 0 if sizes.time_major else sizes.time,
    }
    scratch = rows * (values["x_sums_bytes"] + values["h_sums_bytes"]) + hidden_bytes + values["p_sums_bytes"]
    values["scratch"] = Scratch(scratch)
    across = [panel_vectors(level, len(matrix)) for matrix in (x, x if projection is None else projection)]
    return Lowered(integer_lstm_kernel(level.products, *across), INTEGER_LSTM, values)


def _value(context: LowerContext, index: int) -> npt.NDArray[Any] | None:
    slot = context.inputs[index] if index < len(context.inputs) else None
    return None if slot is None else slot.value


def _present(context: LowerContext, index: int) -> list[int]:
    return [index] if index < len(context.inputs) and context.inputs[index] is not None else []


def _matrix(
    level: Level, name: str, weights: npt.NDArray[Any], bias: npt.NDArray[Any] | None, zero_point: int
) -> dict[str, Any]:
    """The fields of a matrix; its constants are the bias less what the unsigned zero point amounts to."""
    constants = -zero_point * weights.sum(axis=1, dtype=np.int64) + (0 if bias is None else bias)
    packed = pack_panels(level, weights)
    return {
        f"{name}_weights": Data(packed),
        f"{name}_depth4": padded_depth(weights.shape[1]) // 4,
        f"{name}_panels": len(packed),
        f"{name}_sums_bytes": 4 * padded_channels(level, len(weights)),
        f"{name}_constants": Data(constants.astype(np.int32)),
    }


@helper
def gate_value(p, line, index, x_multiplier, x_shift, h_multiplier, h_shift):  # type: ignore[no-untyped-def]
    """A gate before its activation: both sums rescaled and added, saturated each time."""
    of_input = np.int64(np.int32(load_i32(line, index) + load_i32(p.x_constants, index)))
    value = hold(multiply_by_quantized_multiplier(of_input, x_multiplier, x_shift), -32768, 32767)
    # The sums of the output of all rows lie behind those of the input.
    behind = line + p.rows * p.x_sums_bytes
    of_output = np.int64(np.int32(load_i32(behind, index) + load_i32(p.h_constants, index)))
    return hold(value + multiply_by_quantized_multiplier(of_output, h_multiplier, h_shift), -32768, 32767)


@cache
def integer_lstm_kernel(level: str, vectors: int, projection_vectors: int) -> Any:
    """The compiled LSTM in integers."""

    @kernel
    def integer_lstm(block, thread, threads):  # type: ignore[no-untyped-def]
        p = carray(block, 1, INTEGER_LSTM)[0]
        if thread != 0:
            return
        rows, cells, outputs = p.rows, p.cells, p.outputs
        sums = p.scratch
        hidden = sums + rows * (p.x_sums_bytes + p.h_sums_bytes)
        projected = hidden + 4 * p.p_depth4 + SLACK
        for step in range(p.steps):
            row0 = step // p.per_sequence if p.per_sequence else 0
            product_sums(
                level, vectors, p.input + step * rows * p.input_bytes, p.input_bytes, rows, p.x_weights, p.x_depth4,
                p.x_panels, sums, p.x_sums_bytes,
            )  # fmt: skip
            product_sums(
                level, vectors, p.output_state + row0 * outputs, outputs, rows, p.h_weights, p.h_depth4,
                p.h_panels, sums + rows * p.x_sums_bytes, p.h_sums_bytes,
            )  # fmt: skip
            for r in range(rows):
                line = sums + r * p.x_sums_bytes
                state, target = p.output_state + (row0 + r) * outputs, p.output + (step * rows + r) * outputs
                cell_line = p.cell_state + 2 * (row0 + r) * cells
                for c in range(cells):
                    at = c
                    if p.gates == 4:
                        value = gate_value(p, line, at, p.x_m0, p.x_s0, p.h_m0, p.h_s0)
                        input_gate = np.int64(load_i16(p.logistic, value & 0xFFFF))
                        at += cells
                    value = gate_value(p, line, at, p.x_m1, p.x_s1, p.h_m1, p.h_s1)
                    forget = np.int64(load_i16(p.logistic, value & 0xFFFF))
                    if p.gates == 3:
                        input_gate = np.int64(np.int16(32767 - forget))
                    at += cells
                    value = gate_value(p, line, at, p.x_m2, p.x_s2, p.h_m2, p.h_s2)
                    update = np.int64(load_i16(p.tanh, value & 0xFFFF))
                    at += cells
                    value = gate_value(p, line, at, p.x_m3, p.x_s3, p.h_m3, p.h_s3)
                    output_gate = np.int64(load_i16(p.logistic, value & 0xFFFF))
                    kept = np.int64(np.int16(rounding_divide_by_pot(forget * np.int64(load_i16(cell_line, c)), 15)))
                    new = np.int64(np.int16(rounding_divide_by_pot(input_gate * update, p.cell_shift)))
                    cell = hold(kept + new, -32768, 32767)
                    cell = hold(cell, -p.cell_clip, p.cell_clip)
                    store_i16(cell_line, c, np.int16(cell))
                    activated = np.int64(load_i16(p.cell_tanh, cell & 0xFFFF))
                    value = multiply_by_quantized_multiplier(
                        output_gate * activated, p.hidden_multiplier, p.hidden_shift
                    )
                    code = hold(np.int64(np.int32(value + p.hidden_zero_point)), -128, 127)
                    if p.projection:
                        store_u8(hidden, c, np.uint8(code + 128))
                    else:
                        store_u8(state, c, np.uint8(code + 128))
                if p.projection:
                    product_sums(
                        level, projection_vectors, hidden, 4 * p.p_depth4, 1, p.p_weights, p.p_depth4, p.p_panels,
                        projected, p.p_sums_bytes,
                    )  # fmt: skip
                    for c in range(outputs):
                        total = np.int64(np.int32(load_i32(projected, c) + load_i32(p.p_constants, c)))
                        value = multiply_by_quantized_multiplier(total, p.projection_multiplier, p.projection_shift)
                        code = hold(np.int64(np.int32(value + p.output_zero_point)), -128, 127)
                        code = hold(code, -p.projection_clip, p.projection_clip)
                        store_u8(state, c, np.uint8(code + 128))
                for c in range(outputs):
                    store_u8(target, c, load_u8(state, c))

    return integer_lstm
