"""The integers of an LSTM of int8 and int16: multipliers, zero points and clips.

Source: TensorFlow Lite kernels/unidirectional_sequence_lstm.cc, PopulateQuantizedLstmParams8x8_16.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import OperatorContext, Params, TensorInfo
from int8rt.kernels.lstm.tensors import INPUT, SINGLE, LstmSizes, scale_of
from int8rt.kernels.unary import within_spec
from int8rt.model import TensorType
from int8rt.quantization import lstm
from int8rt.quantization.multiplier import quantize_multiplier
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
        found = f"cell state {cell_state.name!r} has scale {scale_of(context, cell_state):g}"
        raise context.invalid(f"{found}, expected a power of two from 2^-30 to 2")
    if not 0 <= 15 + cell_scale <= lstm.LARGEST_TANH_INTEGER_BITS and sizes.use_cifg:
        raise context.unsupported(f"a cell of scale 2^{cell_scale} without an input gate")
    if sizes.use_peephole and sizes.output > sizes.cell:
        raise context.invalid(
            f"with peephole weights {sizes.output} outputs must not be more than the {sizes.cell} cells"
        )
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


def is_integer(context: OperatorContext) -> bool:
    """Whether the operator's input is int8."""
    return context.input(INPUT).type == TensorType.INT8


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
