"""LSTM, the basic kernel: one matrix for the input and the previous output side by side, no options.

inputs: input [batch, n_input], previous output [batch, n], weights [4 · n, n_input + n], bias [4 · n], cell
[batch, n]; the previous output and the cell are variables. Gates in the order input, cell, forget, output.
outputs: output, cell, both factors' vectors side by side, and the gates before their activation.
Source: TensorFlow Lite kernels/lstm.cc (namespace basic), kernels/internal/optimized/optimized_ops.h, LstmCell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, OperatorContext, Params, Updated
from int8rt.kernels.float32.eigen_product import eigen_product
from int8rt.kernels.lstm.tensors import scale_of
from int8rt.kernels.unary import within_spec
from int8rt.model import TensorType
from int8rt.quantization import eigen
from int8rt.quantization.fixed_point import INT16, logistic, tanh
from int8rt.quantization.multiplier import quantize_multiplier
from int8rt.quantization.rescale import multiply_by_quantized_multiplier_ties_up
from int8rt.quantization.rounding import rounding_divide_by_pot, saturate, wrap_int32
from int8rt.quantization.sigmoid_table import checked_log2

Float32 = npt.NDArray[np.float32]

INPUT, OUTPUT_STATE, WEIGHTS, BIAS, CELL_STATE = range(5)
_LARGEST = np.finfo(np.float32).max
_STATE_INTEGER_BITS, _GATE_INTEGER_BITS = 4, 3
_ZERO_POINT = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicLstmParams(Params):
    """integer: uint8 tensors with an int16 cell, and then the multiplier of the gates' sums."""

    integer: bool
    weights_zero_point: int = 0
    multiplier: int = 0
    shift: int = 0


def prepare(context: OperatorContext) -> BasicLstmParams:
    """Check the shapes and derive the multiplier."""
    input, weights, bias = context.input(INPUT), context.input(WEIGHTS), context.input(BIAS)
    output_state, cell_state = context.variable(OUTPUT_STATE), context.variable(CELL_STATE)
    if input.rank != 2 or output_state.rank != 2 or output_state.shape[0] != input.shape[0]:
        raise context.invalid(
            f"input {input.name!r} {list(input.shape)} and state {output_state.name!r} {list(output_state.shape)} "
            "must be matrices of as many rows"
        )
    (batch, depth), size = input.shape, output_state.shape[1]
    for tensor, shape in ((weights, (4 * size, depth + size)), (bias, (4 * size,)), (cell_state, (batch, size))):
        if tensor.shape != shape:
            raise context.invalid(f"tensor {tensor.name!r} has shape {list(tensor.shape)}, expected {list(shape)}")
    shapes = (batch, size), (batch, size), (batch, depth + size), (batch, 4 * size)
    if input.type == TensorType.FLOAT32:
        return BasicLstmParams(output_shapes=shapes, integer=False)
    is_power, log2 = checked_log2(scale_of(context, context.output(1)))
    if not is_power or 15 + log2 != _STATE_INTEGER_BITS:
        raise context.invalid(f"cell {context.output(1).name!r} must have the scale 2^{_STATE_INTEGER_BITS - 15}")
    multiplier, shift = within_spec(context, quantize_multiplier, 4096 * scale_of(context, bias))
    return BasicLstmParams(
        output_shapes=shapes,
        integer=True,
        weights_zero_point=context.per_tensor(weights)[1],
        multiplier=multiplier,
        shift=shift,
    )


def evaluate(params: BasicLstmParams, input: Array, output: Array, weights: Array, bias: Array, cell: Array) -> Updated:
    """One step."""
    both = np.concatenate([input, output], axis=1)
    step = _integer_step if params.integer else _float_step
    output, cell, gates = step(params, both, weights, bias, cell)
    return Updated((output, cell, both, gates), {OUTPUT_STATE: output, CELL_STATE: cell})


def _float_step(
    params: BasicLstmParams, both: Float32, weights: Float32, bias: Float32, cell: Float32
) -> tuple[Float32, Float32, Float32]:
    with np.errstate(all="ignore"):
        gates = np.clip(eigen_product(both, weights) + bias, -_LARGEST, _LARGEST)
        input_gate, update, forget, output_gate = np.split(gates, 4, axis=1)
        cell = _logistic(input_gate) * eigen.tanh(update) + _logistic(forget) * cell
        return _logistic(output_gate) * eigen.tanh(cell), cell, gates


def _logistic(gate: Float32) -> Float32:
    # Every row is one run; where it starts in memory decides which of its elements make groups.
    size = gate.shape[1]
    rows = [eigen.logistic(row, index * size) for index, row in enumerate(gate)]
    return np.reshape(rows, gate.shape)


def _integer_step(
    params: BasicLstmParams, both: Array, weights: Array, bias: Array, cell: Array
) -> tuple[Array, Array, Array]:
    codes = both.astype(np.float64) - _ZERO_POINT
    sums = codes @ (weights.astype(np.float64) - params.weights_zero_point).T
    accumulators = wrap_int32(sums.astype(np.int64) + bias)
    gates = saturate(multiply_by_quantized_multiplier_ties_up(accumulators, params.multiplier, params.shift), np.int16)
    input_gate, update, forget, output_gate = np.split(gates, 4, axis=1)
    new = INT16.multiply(logistic(input_gate, _GATE_INTEGER_BITS, INT16), tanh(update, _GATE_INTEGER_BITS, INT16))
    kept = INT16.multiply(logistic(forget, _GATE_INTEGER_BITS, INT16), cell)
    cell = saturate(INT16.rescale(new, 0, _STATE_INTEGER_BITS) + kept, np.int16)
    activated = tanh(INT16.rescale(cell, _STATE_INTEGER_BITS, _GATE_INTEGER_BITS), _GATE_INTEGER_BITS, INT16)
    hidden = INT16.multiply(logistic(output_gate, _GATE_INTEGER_BITS, INT16), activated)
    output = (saturate(rounding_divide_by_pot(hidden, 8), np.int8).astype(np.int16) + _ZERO_POINT).astype(np.uint8)
    return output, cell, gates
