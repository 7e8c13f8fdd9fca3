"""An LSTM in integers: int8 input, output and weights, int16 gates and cell ("8x8 -> 16").

gate = Σ weights · (input - input_zero_point) + bias, rescaled to F_3 and saturated to int16, plus the same of the
recurrent weights and the output state, plus peephole weights · cell; then layer normalization, then the activation.
cell = forget · cell + input gate · cell gate; hidden = output gate · tanh(cell); output = hidden, or its projection.
Source: TensorFlow Lite kernels/lstm_eval.cc, LstmStepInteger8x8_16, and kernels/unidirectional_sequence_lstm.cc.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, Updated
from int8rt.kernels.lstm.integer_params import IntegerLstmParams, Multiplier
from int8rt.kernels.lstm.tensors import (
    CELL_GATE,
    FORGET_GATE,
    INPUT,
    INPUT_GATE,
    OUTPUT_GATE,
    SINGLE,
    LstmSizes,
    optional,
    required,
)
from int8rt.model import Shape
from int8rt.quantization import lstm
from int8rt.quantization.requantize import multiply_by_quantized_multiplier
from int8rt.quantization.rounding import saturate, wrap_int32


class _Matrix:
    """Σ weights · x + bias - zero_point · Σ weights in int32, rescaled. weights: int8[n,K]."""

    def __init__(self, weights: Array, bias: Array | None, zero_point: int, multiplier: Multiplier) -> None:
        self._weights = weights.astype(np.float64).T
        constant = -zero_point * weights.sum(axis=1, dtype=np.int64)
        self._constant = wrap_int32(constant if bias is None else constant + bias)
        self._multiplier = multiplier

    def __call__(self, x: Array) -> npt.NDArray[np.int64]:
        sums = wrap_int32((x.astype(np.float64) @ self._weights).astype(np.int64) + self._constant)
        return multiply_by_quantized_multiplier(sums, self._multiplier.multiplier, self._multiplier.shift)


class _Cell:
    """The weights of one evaluation, and a step of it."""

    def __init__(self, params: IntegerLstmParams, inputs: Sequence[Array | None]) -> None:
        self._params = params
        self._inputs = inputs
        self._matrices: dict[int, tuple[_Matrix, _Matrix]] = {}
        for gate in params.sizes.gates:
            numbers = params.gates[gate]
            assert numbers is not None
            # With layer normalization the bias comes after it.
            bias = None if params.sizes.use_layer_norm else required(inputs, SINGLE.bias[gate])
            weights, recurrent = (
                required(inputs, SINGLE.input_weights[gate]),
                required(inputs, SINGLE.recurrent_weights[gate]),
            )
            self._matrices[gate] = (
                _Matrix(weights, bias, params.input_zero_point, numbers.input),
                _Matrix(recurrent, None, params.output_state_zero_point, numbers.recurrent),
            )
        self._projection = None
        if params.projection is not None:
            weights, bias = required(inputs, SINGLE.projection_weights), optional(inputs, SINGLE.projection_bias)
            # The hidden values have been shifted by minus their zero point, so here it counts the other way.
            self._projection = _Matrix(weights, bias, -params.hidden_zero_point, params.projection)

    def step(self, x: Array, output: Array, cell: Array) -> tuple[Array, Array]:
        """(new output, new cell), int8 and int16 [rows, n], of inputs and states of as many rows."""
        params = self._params
        forget = self._gate(FORGET_GATE, x, output, cell)
        if params.sizes.use_cifg:
            input_gate = (np.int16(32767) - forget).astype(np.int16)
        else:
            input_gate = self._gate(INPUT_GATE, x, output, cell)
        update = self._gate(CELL_GATE, x, output, cell)
        kept = lstm.cwise_mul(forget, cell, 15)
        cell = lstm.cwise_add(kept, lstm.cwise_mul(input_gate, update, 30 + params.cell_scale))
        clip = params.quantized_cell_clip
        if clip > 0:
            cell = np.clip(cell, np.int16(-clip), np.int16(clip))
        output_gate = self._gate(OUTPUT_GATE, x, output, cell)
        integer_bits = 15 + params.cell_scale
        # With other cells TensorFlow Lite leaves the memory as it is, in which the input gate lies.
        defined = 0 <= integer_bits <= lstm.LARGEST_TANH_INTEGER_BITS
        activated = lstm.apply_tanh(cell, integer_bits) if defined else input_gate
        return self._output(output_gate, activated), cell

    def _gate(self, gate: int, x: Array, output: Array, cell: Array) -> lstm.Int16Array:
        numbers, inputs = self._params.gates[gate], self._inputs
        assert numbers is not None
        of_input, of_output = self._matrices[gate]
        value = saturate(saturate(of_input(x), np.int16).astype(np.int64) + of_output(output), np.int16)
        if numbers.peephole is not None:
            weights = required(inputs, SINGLE.peephole_weights[gate])
            multiplier, shift = numbers.peephole.multiplier, numbers.peephole.shift
            value = lstm.accumulate_peephole(value, weights, cell, multiplier, shift, self._params.sizes.output)
        if numbers.layer_norm is not None:
            weights, bias = required(inputs, SINGLE.layer_norm[gate]), required(inputs, SINGLE.bias[gate])
            multiplier, shift = numbers.layer_norm.multiplier, numbers.layer_norm.shift
            value = lstm.apply_layer_norm(value, weights, bias, multiplier, shift, numbers.variance_guard)
        return lstm.apply_tanh(value, 3) if gate == CELL_GATE else lstm.apply_sigmoid(value)

    def _output(self, gate: Array, activated: Array) -> Array:
        params, hidden = self._params, self._params.hidden
        if self._projection is None:
            return lstm.cwise_mul_int8(gate, activated, hidden.multiplier, hidden.shift, params.hidden_zero_point)
        value = lstm.cwise_mul_int8(gate, activated, hidden.multiplier, hidden.shift, -params.hidden_zero_point)
        output = saturate(wrap_int32(self._projection(value) + params.output_state_zero_point), np.int8)
        clip = params.quantized_proj_clip
        return np.clip(output, np.int8(-clip), np.int8(clip)) if clip > 0 else output


def evaluate(params: IntegerLstmParams, inputs: Sequence[Array | None]) -> Updated:
    """All steps of a sequence."""
    (shape,) = params.output_shapes
    assert shape is not None
    return run_steps(params.sizes, shape, _Cell(params, inputs).step, inputs)


def run_steps(
    sizes: LstmSizes,
    shape: Shape,
    step: Callable[[Array, Array, Array], tuple[Array, Array]],
    inputs: Sequence[Array | None],
) -> Updated:
    """All steps of a sequence, int8 [*shape]; batch-major ones one row of the batch after the other.

    step(input, output, cell), each [rows, n]: the next output and cell.
    """
    result = np.empty(shape, np.int8)
    source, target = sizes.sequence(required(inputs, INPUT)), sizes.sequence(result)
    outputs = required(inputs, SINGLE.output_state).reshape(sizes.batch, sizes.output).copy()
    cells = required(inputs, SINGLE.cell_state).reshape(sizes.batch, sizes.cell).copy()
    for time, rows in sizes.steps():
        outputs[rows], cells[rows] = step(source[time, rows], outputs[rows], cells[rows])
        target[time, rows] = outputs[rows]
    states = {SINGLE.output_state: outputs, SINGLE.cell_state: cells}
    return Updated((result,), {index: state.reshape(required(inputs, index).shape) for index, state in states.items()})
