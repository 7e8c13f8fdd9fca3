"""UNIDIRECTIONAL_SEQUENCE_LSTM of TensorFlow Lite Micro: the plain cell, of the operators that it has anyway.

gate = FULLY_CONNECTED(input) + FULLY_CONNECTED(output state), saturated, then LOGISTIC, or TANH for the cell gate;
cell = MUL(forget, cell) + MUL(input gate, cell gate), saturated; output = MUL(output gate, TANH(cell)).
Codes are int8 or int16 with int8 weights, gates and cell int16: before their activation in steps of 2^-12, after it of
2^-15, by the table of `sigmoid_table`. Unlike TensorFlow Lite, each product is rescaled as MUL does, the output is in
the output state's scale, and the cell's scale need not be a power of two, though TANH takes it for the nearest.
Peephole weights, projections, layer normalization and coupled gates are refused there.
Source: TensorFlow Lite Micro kernels/lstm_eval.h, lstm_eval.cc, lstm_eval_common.cc, unidirectional_sequence_lstm.cc.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, Updated
from int8rt.kernels.exact_product import ExactProduct, largest_magnitude
from int8rt.kernels.float32.functions import logistic
from int8rt.kernels.float32.sequential_product import sequential_product
from int8rt.kernels.lstm.tensors import (
    CELL_GATE,
    FORGET_GATE,
    GATES,
    INPUT,
    INPUT_GATE,
    INPUTS,
    OUTPUT_GATE,
    SINGLE,
    LstmSizes,
    check_tensors,
    required,
    scale_of,
)
from int8rt.kernels.signature import signatures
from int8rt.model import ActivationFunctionType, TensorType
from int8rt.quantization import libm
from int8rt.quantization.multiplier import quantize_multiplier
from int8rt.quantization.requantize import multiply_by_quantized_multiplier, multiply_by_quantized_multiplier_int64
from int8rt.quantization.rounding import saturate, wrap_int32
from int8rt.quantization.sigmoid_table import checked_log2, logistic_by_table, scale_to_table, tanh_by_table
from int8rt.schema.options import UnidirectionalSequenceLSTMOptions

_GATE_SCALE, _ACTIVATED_SCALE = 2.0**-12, 2.0**-15
_TABLE_LOG2 = -12
_LARGEST = np.finfo(np.float32).max

Multiplier = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class MicroLstmParams(Params):
    """cell_clip: in the cell's unit, 0 for none. activated: whether the cell gate has its TANH."""

    sizes: LstmSizes
    cell_clip: float
    activated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegerMicroLstmParams(MicroLstmParams):
    """Multipliers as (multiplier, shift): of each gate's two matrices, and of the products of gates.

    clips: whether the cell is clipped, maybe to 0 steps. table_multiplier, table_shift: what brings the cell's codes to
    the table of TANH.
    """

    gates: tuple[tuple[Multiplier, Multiplier], ...]
    kept: Multiplier
    added: Multiplier
    hidden: Multiplier
    input_zero_point: int
    state_zero_point: int
    clips: bool
    table_multiplier: int
    table_shift: int


def prepare(context: OperatorContext) -> MicroLstmParams:
    """Check the tensors and derive the multipliers."""
    options = context.options(UnidirectionalSequenceLSTMOptions)
    input, output_state = context.input(INPUT), context.input(SINGLE.output_state)
    if input.rank != 3 or len(context.inputs) != INPUTS:
        raise context.invalid(f"has {len(context.inputs)} inputs, expected {INPUTS}, the first of rank 3")
    sizes = check_tensors(context, options.time_major)
    if sizes.use_cifg or sizes.use_peephole or sizes.use_projection or sizes.use_layer_norm:
        raise context.unsupported(f"other cells than the plain one are not there in profile {context.profile.name}")
    if output_state.shape != (sizes.batch, sizes.output):
        expected = [sizes.batch, sizes.output]
        raise context.invalid(f"state {output_state.name!r} has shape {list(output_state.shape)}, expected {expected}")
    known: dict[str, Any] = {
        "output_shapes": ((*input.shape[:-1], sizes.output),),
        "sizes": sizes,
        "activated": options.fused_activation_function == ActivationFunctionType.TANH,
    }
    if input.type == TensorType.FLOAT32:
        return MicroLstmParams(**known, cell_clip=max(options.cell_clip, 0.0))
    return _prepare_integers(context, options.cell_clip, known)


def _prepare_integers(context: OperatorContext, cell_clip: float, known: dict[str, Any]) -> IntegerMicroLstmParams:
    input, state = context.input(INPUT), context.input(SINGLE.output_state)
    (input_scale, input_zero_point), (state_scale, state_zero_point) = map(context.per_tensor, (input, state))
    cell_scale = scale_of(context, context.input(SINGLE.cell_state))
    if not 0 < cell_scale < np.inf or not -30 <= checked_log2(cell_scale)[1] <= 1:
        # Shifts beyond are undefined.
        raise context.invalid(f"the cell state has scale {cell_scale:g}, expected 2^-30 to 2")
    left = checked_log2(cell_scale)[1] - _TABLE_LOG2

    def matrix(index: int, scale: float) -> Multiplier:
        weights = context.input(index)
        weights_scale, zero_point = context.per_tensor(weights)
        if zero_point:
            raise context.invalid(f"weights {weights.name!r} have zero point {zero_point}, expected 0")
        return product(scale, weights_scale, _GATE_SCALE)

    def product(first: float, second: float, result: float) -> Multiplier:
        with np.errstate(all="ignore"):
            return _multiplier(context, float(np.float64(first) * np.float64(second) / np.float64(result)))

    return IntegerMicroLstmParams(
        **known,
        gates=tuple(
            (matrix(SINGLE.input_weights[gate], input_scale), matrix(SINGLE.recurrent_weights[gate], state_scale))
            for gate in GATES
        ),
        kept=product(_ACTIVATED_SCALE, cell_scale, cell_scale),
        added=product(_ACTIVATED_SCALE, _ACTIVATED_SCALE, cell_scale),
        hidden=product(_ACTIVATED_SCALE, _ACTIVATED_SCALE, state_scale),
        input_zero_point=input_zero_point,
        state_zero_point=state_zero_point,
        clips=cell_clip > 0,
        cell_clip=int(np.clip(cell_clip / cell_scale, -32768, 32767)) if cell_clip > 0 else 0,
        table_multiplier=3 << max(left, 0),
        table_shift=max(-left, 0),
    )


def _multiplier(context: OperatorContext, real: float) -> Multiplier:
    if not 0 <= real < np.inf:
        raise context.invalid(f"its scales make a multiplier of {real:g}, it must be finite and not negative")
    return quantize_multiplier(real)


class _Arithmetic(Protocol):
    """What a step is made of, in integers or in real numbers."""

    def gate(self, gate: int, x: Array, output: Array) -> Array:
        """A gate of all rows, activated."""

    def cell(self, forget: Array, cell: Array, input_gate: Array, update: Array) -> Array:
        """The new cell."""

    def output(self, gate: Array, cell: Array) -> Array:
        """The new output."""


class _Integers:
    """int8 or int16 codes with int16 gates."""

    def __init__(self, params: IntegerMicroLstmParams, inputs: Sequence[Array | None]) -> None:
        self._params = params
        dtype = required(inputs, INPUT).dtype
        self._dtype, self._wide = dtype, dtype == np.int16
        self._matrices = []
        for gate in GATES:
            weights = required(inputs, SINGLE.input_weights[gate]), required(inputs, SINGLE.recurrent_weights[gate])
            products = [ExactProduct(matrix, largest_magnitude(dtype)) for matrix in weights]
            constants = [
                required(inputs, SINGLE.bias[gate]) - params.input_zero_point * products[0].sums,
                -params.state_zero_point * products[1].sums,
            ]
            self._matrices.append(list(zip(products, constants, params.gates[gate], strict=True)))

    def gate(self, gate: int, x: Array, output: Array) -> Array:
        of_input, of_output = (
            self._rescaled(product(codes, len(codes)).astype(np.int64) + constant, multiplier)
            for codes, (product, constant, multiplier) in zip((x, output), self._matrices[gate], strict=True)
        )
        value = saturate(of_input + of_output, np.int16)
        if gate != CELL_GATE:
            return logistic_by_table(scale_to_table(value, 3, 0))
        return tanh_by_table(scale_to_table(value, 3, 0)) if self._params.activated else value

    def _rescaled(self, sums: npt.NDArray[np.int64], multiplier: Multiplier) -> npt.NDArray[np.int64]:
        if self._wide:
            value = multiply_by_quantized_multiplier_int64(sums, *multiplier)
        else:
            value = multiply_by_quantized_multiplier(wrap_int32(sums), *multiplier)
        return np.clip(value, -32768, 32767)

    def cell(self, forget: Array, cell: Array, input_gate: Array, update: Array) -> Array:
        params = self._params
        kept, added = _product(forget, cell, params.kept), _product(input_gate, update, params.added)
        total = saturate(saturate(kept, np.int16).astype(np.int64) + saturate(added, np.int16), np.int16)
        clip = int(params.cell_clip)
        return np.clip(total, np.int16(-clip), np.int16(clip)) if params.clips else total

    def output(self, gate: Array, cell: Array) -> Array:
        params = self._params
        activated = tanh_by_table(scale_to_table(cell, params.table_multiplier, params.table_shift))
        return saturate(wrap_int32(_product(activated, gate, params.hidden) + params.state_zero_point), self._dtype)


def _product(a: Array, b: Array, multiplier: Multiplier) -> npt.NDArray[np.int64]:
    """a · b rescaled, before any saturation."""
    return multiply_by_quantized_multiplier(a.astype(np.int64) * b, *multiplier)


class _Reals:
    """float32 throughout; products are kept finite."""

    def __init__(self, params: MicroLstmParams, inputs: Sequence[Array | None]) -> None:
        self._params = params
        self._inputs = inputs

    def gate(self, gate: int, x: Array, output: Array) -> Array:
        weights = required(self._inputs, SINGLE.input_weights[gate])
        recurrent = required(self._inputs, SINGLE.recurrent_weights[gate])
        of_input = _finite(sequential_product(x, weights) + required(self._inputs, SINGLE.bias[gate]))
        value = of_input + _finite(sequential_product(output, recurrent))
        if gate != CELL_GATE:
            return np.asarray(logistic(value))
        return libm.tanh(value) if self._params.activated else value

    def cell(self, forget: Array, cell: Array, input_gate: Array, update: Array) -> Array:
        total = _finite(forget * cell) + _finite(input_gate * update)
        clip = np.float32(self._params.cell_clip)
        return np.clip(total, -clip, clip) if clip > 0 else total

    def output(self, gate: Array, cell: Array) -> Array:
        return _finite(libm.tanh(cell) * gate)


def _finite(values: Array) -> Array:
    return np.asarray(np.clip(values, -_LARGEST, _LARGEST))


def evaluate(params: MicroLstmParams, *inputs: Array | None) -> Updated:
    """All steps of a sequence, the rows of the batch together: none looks at another."""
    arithmetic: _Arithmetic = (
        _Integers(params, inputs) if isinstance(params, IntegerMicroLstmParams) else _Reals(params, inputs)
    )
    sizes, x = params.sizes, required(inputs, INPUT)
    (shape,) = params.output_shapes
    assert shape is not None
    result = np.empty(shape, x.dtype)
    source, target = sizes.sequence(x), sizes.sequence(result)
    output = required(inputs, SINGLE.output_state)
    cell = required(inputs, SINGLE.cell_state).reshape(sizes.batch, sizes.cell)
    with np.errstate(all="ignore"):
        for time in range(sizes.time):
            forget, input_gate, update = (
                arithmetic.gate(gate, source[time], output) for gate in (FORGET_GATE, INPUT_GATE, CELL_GATE)
            )
            cell = arithmetic.cell(forget, cell, input_gate, update)
            output = arithmetic.output(arithmetic.gate(OUTPUT_GATE, source[time], output), cell)
            target[time] = output
    states = {SINGLE.output_state: output, SINGLE.cell_state: cell}
    return Updated((result,), {index: state.reshape(required(inputs, index).shape) for index, state in states.items()})


MICRO_LSTM = Kernel(
    name="UNIDIRECTIONAL_SEQUENCE_LSTM",
    signatures=signatures(
        *(
            f"{x}, {w},{w},{w},{w}, {w},{w},{w},{w}, {c}?,{c}?,{c}?, {b},{b},{b},{b}, {w}?,{b}?, {x},{c}, "
            f"{c}?,{c}?,{c}?,{c}? -> {x}"
            for x, w, b, c in (
                ("int8", "int8", "int32", "int16"),
                ("int16", "int8", "int64", "int16"),
                ("float32", "float32", "float32", "float32"),
            )
        )
    ),
    prepare=prepare,
    evaluate=evaluate,
    source="TensorFlow Lite Micro, tensorflow/lite/micro/kernels",
    max_version=3,
    pure=False,
)
