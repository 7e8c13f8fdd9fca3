"""An LSTM in integers: int8 input, output and weights, int16 gates and cell ("8x8 -> 16").

gate = Σ weights · (input - input_zero_point) + bias, rescaled to F_3 and saturated to int16, plus the same of the
recurrent weights and the output state, plus peephole weights · cell; then layer normalization, then the activation.
cell = forget · cell + input gate · cell gate; hidden = output gate · tanh(cell); output = hidden, or its projection.
Source: TensorFlow Lite kernels/lstm_eval.cc, LstmStepInteger8x8_16, and kernels/unidirectional_sequence_lstm.cc.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, OperatorContext, Params, TensorInfo, Updated
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
    scale_of,
)
from int8rt.kernels.unary import within_spec
from int8rt.model import Shape, TensorType
from int8rt.quantization import lstm
from int8rt.quantization.multiplier import quantize_multiplier
from int8rt.quantization.requantize import multiply_by_quantized_multiplier
from int8rt.quantization.rounding import saturate, wrap_int32
from int8rt.quantization.sigmoid_table import checked_log2

_INTERMEDIATES = 5
_HIDDEN = 4
_GATE_SCALE = 2.0**-12
_VARIANCE_GUARD = 10000


@dataclass(frozen=True, slots=True)
class Multiplier:
    """A real multiplier as multiplier · 2^(shift - 31)."""

    multiplier: int
    shift: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegerGate:
    """The multipliers of one gate. `layer_norm`, `peephole`: None where there is none."""

    input: Multiplier
    recurrent: Multiplier
    peephole: Multiplier | None
    layer_norm: Multiplier | None
    variance_guard: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegerLstmParams(Params):
    """gates: by `tensors.GATES`, None for an input gate that is not there.

    cell_scale: the cell's scale is 2^cell_scale. Clips are in quantized steps, 0 for none. hidden: the multiplier of
    output gate · tanh(cell); projection: that of the projection's sums, None where there is no projection.
    """

    sizes: LstmSizes
    gates: tuple[IntegerGate | None, ...]
    input_zero_point: int
    output_state_zero_point: int
    hidden_zero_point: int
    cell_scale: int
    hidden: Multiplier
    projection: Multiplier | None
    quantized_cell_clip: int
    quantized_proj_clip: int


def prepare(context: OperatorContext, sizes: LstmSizes, cell_clip: float, proj_clip: float) -> IntegerLstmParams:
    """The parameters of an LSTM whose shapes have been checked. Clips: real numbers, 0 for none."""
    if cell_clip < 0 or proj_clip < 0:
        raise context.invalid(f"clips {cell_clip:g} and {proj_clip:g} must not be negative")
    if len(context.intermediates) != _INTERMEDIATES:
        raise context.invalid(f"has {len(context.intermediates)} intermediate tensors, expected {_INTERMEDIATES}")
    input, cell_state = context.input(INPUT), context.input(SINGLE.cell_state)
    output_state = context.input(SINGLE.output_state)
    is_power, cell_scale = checked_log2(scale_of(context, cell_state))
    # Beyond these, TensorFlow Lite shifts by undefined amounts; without a power of two it leaves all multipliers 0.
    if not is_power or not -30 <= cell_scale <= 1:
        raise context.invalid(f"cell state {cell_state.name!r} has scale {scale_of(context, cell_state):g}")
    if not 0 <= 15 + cell_scale <= lstm.LARGEST_TANH_INTEGER_BITS and sizes.use_cifg:
        raise context.unsupported(f"a cell of scale 2^{cell_scale} without an input gate")
    if sizes.use_peephole and sizes.output > sizes.cell:
        raise context.invalid(f"peephole weights with {sizes.cell} cells and {sizes.output} outputs")
    hidden_scale, hidden_zero_point = context.per_tensor(intermediate(context, _HIDDEN))
    output_scale, output_zero_point = context.per_tensor(output_state)
    with np.errstate(all="ignore"):
        hidden = np.float32(2.0**-15 / np.float64(np.float32(hidden_scale)) * 2.0**-15)
        projection = None
        if sizes.use_projection:
            weights_scale = scale_of(context, context.input(SINGLE.projection_weights))
            real = np.float32(weights_scale) * np.float32(hidden_scale) / np.float32(output_scale)
            projection = multiplier_of(context, real)
    return IntegerLstmParams(
        output_shapes=((*input.shape[:-1], sizes.output),),
        sizes=sizes,
        gates=tuple(_gate(context, sizes, gate, cell_scale) if gate in sizes.gates else None for gate in range(4)),
        input_zero_point=context.per_tensor(input)[1],
        output_state_zero_point=output_zero_point,
        hidden_zero_point=hidden_zero_point,
        cell_scale=cell_scale,
        hidden=multiplier_of(context, hidden),
        projection=projection,
        quantized_cell_clip=quantized_clip(cell_clip, scale_of(context, cell_state), 32767),
        quantized_proj_clip=quantized_clip(proj_clip, scale_of(context, context.output()), 127),
    )


def intermediate(context: OperatorContext, index: int) -> TensorInfo:
    """Intermediate tensor `index`; `ModelError` where there is none."""
    tensor = context.intermediates[index]
    if tensor is None:
        raise context.invalid(f"intermediate tensor {index} is missing")
    return tensor


def multiplier_of(context: OperatorContext, real: np.floating) -> Multiplier:
    """A real multiplier in integers; `ModelError` where it is not finite."""
    return Multiplier(*within_spec(context, quantize_multiplier, float(real)))


def quantized_clip(clip: float, scale: float, largest: int) -> int:
    """A real clip in quantized steps, truncated; 0 where there is none."""
    if not clip > 0:
        return 0
    with np.errstate(all="ignore"):
        steps = np.float32(clip) / np.float32(scale)
    return int(min(max(steps, np.float32(-largest - 1)), np.float32(largest)))


def _gate(context: OperatorContext, sizes: LstmSizes, gate: int, cell_scale: int) -> IntegerGate:
    """The multipliers of a gate: scales of both factors over the gate's own, in float32."""
    gate_scale = np.float32(_GATE_SCALE)
    if sizes.use_layer_norm:
        gate_scale = np.float32(context.per_axis(intermediate(context, gate))[0][0])

    def scale(index: int | None) -> np.float32:
        assert index is not None
        return np.float32(scale_of(context, context.input(index)))

    with np.errstate(all="ignore"):
        input_scale, state_scale = scale(INPUT), scale(SINGLE.output_state)
        peephole, layer_norm, guard = None, None, _VARIANCE_GUARD
        peephole_index = SINGLE.peephole_weights[gate]
        if sizes.use_peephole and peephole_index is not None:
            # The power of two makes this one product of float64.
            real = np.float32(2.0**cell_scale * float(scale(peephole_index)) / float(gate_scale))
            peephole = multiplier_of(context, real)
        if sizes.use_layer_norm:
            layer_norm = multiplier_of(context, scale(SINGLE.layer_norm[gate]))
            guard = max(1, int(np.float32(_VARIANCE_GUARD) * scale(SINGLE.layer_norm[gate])))
        return IntegerGate(
            input=multiplier_of(context, scale(SINGLE.input_weights[gate]) * input_scale / gate_scale),
            recurrent=multiplier_of(context, scale(SINGLE.recurrent_weights[gate]) * state_scale / gate_scale),
            peephole=peephole,
            layer_norm=layer_norm,
            variance_guard=guard,
        )


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


def is_integer(context: OperatorContext) -> bool:
    """Whether the operator's input is int8."""
    return context.input(INPUT).type == TensorType.INT8
