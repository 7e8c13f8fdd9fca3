"""LSTM in integers whose products are rounded to int8 ("8x8 -> 8"): the kernel with twelve intermediate tensors.

Both products of a gate, weights · input and recurrent weights · output, are int8 with scales and zero points of their
own; they are added in int16, and then come real numbers: layer normalization and activation in float32. There is
neither an input gate (1 - forget gate takes its place, whatever weights there are) nor a peephole, and always
a projection. cell = forget · cell + (1 - forget) · cell gate, in F_0; output = projection of output gate · tanh(cell).
Source: TensorFlow Lite kernels/lstm.cc, PopulateQuantizedLstmParams8x8_8, and kernels/lstm_eval.cc,
LstmStepInteger8x8_8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, OperatorContext, Params, Updated
from int8rt.kernels.lstm.integer import run_steps
from int8rt.kernels.lstm.integer_params import Multiplier, intermediate, multiplier_of, quantized_clip
from int8rt.kernels.lstm.tensors import (
    CELL_GATE,
    FORGET_GATE,
    INPUT,
    INPUT_GATE,
    OUTPUT_GATE,
    SINGLE,
    LstmSizes,
    required,
    scale_of,
)
from int8rt.quantization import lstm, lstm_float
from int8rt.quantization.requantize import multiply_by_quantized_multiplier, multiply_by_quantized_multiplier_int64
from int8rt.quantization.rounding import saturate, wrap_int32

INTERMEDIATES = 12
_CELL_SCALE = 2.0**-15


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One of the two products of a gate: its sums are made int8, and these are made a summand of the gate.

    zero_point: of the product. factor_zero_point: of the input or the output state.
    """

    factor_zero_point: int
    to_int8: Multiplier
    zero_point: int
    to_summand: Multiplier


@dataclass(frozen=True, slots=True, kw_only=True)
class EightBitGate:
    """The multipliers of one gate."""

    input: Product
    recurrent: Product
    layer_norm: Multiplier


@dataclass(frozen=True, slots=True, kw_only=True)
class EightBitLstmParams(Params):
    """gates: by `tensors.GATES`; there is no input gate. Clips are in quantized steps, 0 for none."""

    sizes: LstmSizes
    gates: tuple[EightBitGate | None, ...]
    projection: Multiplier
    output_state_zero_point: int
    quantized_cell_clip: int
    quantized_proj_clip: int


def prepare(context: OperatorContext, sizes: LstmSizes, cell_clip: float, proj_clip: float) -> EightBitLstmParams:
    """The parameters of an LSTM whose shapes have been checked. Clips: real numbers, 0 for none."""
    if cell_clip < 0 or proj_clip < 0:
        raise context.invalid(f"clips {cell_clip:g} and {proj_clip:g} must not be negative")
    if not sizes.use_layer_norm or context.optional_input(SINGLE.projection_bias) is None:
        # TensorFlow Lite reads both without looking whether they are there.
        raise context.invalid(
            f"with {INTERMEDIATES} intermediate tensors needs layer normalization and a projection with bias"
        )
    output_scale, output_zero_point = context.per_tensor(context.input(SINGLE.output_state))
    with np.errstate(all="ignore"):
        weights_scale = scale_of(context, context.input(SINGLE.projection_weights))
        projection = np.float32(weights_scale * _CELL_SCALE / np.float64(output_scale))
    _check_input_gate(context, used=not sizes.use_cifg)
    forget, cell, output = (_gate(context, gate) for gate in (FORGET_GATE, CELL_GATE, OUTPUT_GATE))
    # The kernel takes the zero point of another gate's product here, and a multiplier from beyond the end of an array,
    # where a shift of the forget gate lies.
    to_summand = Multiplier(forget.recurrent.to_summand.shift, output.recurrent.to_summand.shift)
    recurrent = replace(output.recurrent, zero_point=cell.input.zero_point, to_summand=to_summand)
    # With another scale of the cell it leaves off before the clips, which stay 0.
    clips = scale_of(context, context.input(SINGLE.cell_state)) == _CELL_SCALE
    proj_scale = scale_of(context, context.output()) if clips and proj_clip > 0 else 1
    return EightBitLstmParams(
        output_shapes=((*context.input(INPUT).shape[:-1], sizes.output),),
        sizes=sizes,
        gates=(None, forget, cell, replace(output, recurrent=recurrent)),
        projection=multiplier_of(context, projection),
        output_state_zero_point=output_zero_point,
        quantized_cell_clip=quantized_clip(cell_clip, _CELL_SCALE, 32767) if clips and cell_clip < 1 else 0,
        quantized_proj_clip=quantized_clip(proj_clip, proj_scale, 127) if clips else 0,
    )


def _gate(context: OperatorContext, gate: int) -> EightBitGate:
    index = SINGLE.layer_norm[gate]
    assert index is not None
    return EightBitGate(
        input=_product(context, gate, 1, INPUT, SINGLE.input_weights[gate]),
        recurrent=_product(context, gate, 2, SINGLE.output_state, SINGLE.recurrent_weights[gate]),
        layer_norm=multiplier_of(context, np.float32(scale_of(context, context.input(index)))),
    )


def _product(context: OperatorContext, gate: int, place: int, factor: int, weights: int) -> Product:
    """place: of the product among the three intermediate tensors of the gate, of which the first is the sum."""
    sum_scale, _ = _first(context, 3 * gate)
    scale, zero_point = _first(context, 3 * gate + place)
    factor_scale, factor_zero_point = context.per_tensor(context.input(factor))
    with np.errstate(all="ignore"):
        real = np.float32(scale_of(context, context.input(weights))) * np.float32(factor_scale) / scale
        return Product(
            factor_zero_point=factor_zero_point,
            to_int8=multiplier_of(context, real),
            zero_point=zero_point,
            to_summand=multiplier_of(context, scale / sum_scale),
        )


def _check_input_gate(context: OperatorContext, used: bool) -> None:
    """What is not used must be finite nevertheless, or TensorFlow Lite aborts."""
    if used:
        _gate(context, INPUT_GATE)
    else:
        for index in (1, 2):
            multiplier_of(context, _first(context, index)[0] / _first(context, 0)[0])


def _first(context: OperatorContext, index: int) -> tuple[np.float32, int]:
    """(scale, zero point) of an intermediate tensor; zero points are cut off to int8."""
    scales, zero_points = context.per_axis(intermediate(context, index))
    return scales[0], int(zero_points[:1].astype(np.int8)[0])


class _Cell:
    """The weights of one evaluation, and a step of it."""

    def __init__(self, params: EightBitLstmParams, inputs: Sequence[Array | None]) -> None:
        self._params = params
        self._inputs = inputs

    def step(self, x: Array, output: Array, cell: Array) -> tuple[Array, Array]:
        """(new output, new cell), int8 and int16 [rows, n], of inputs and states of as many rows."""
        clip = self._params.quantized_cell_clip
        forget = self._gate(FORGET_GATE, x, output)
        update = self._gate(CELL_GATE, x, output)
        kept, input_gate = lstm.cwise_mul(forget, cell, 15), (np.int16(32767) - forget).astype(np.int16)
        cell = lstm.cwise_add(kept, lstm.cwise_mul(input_gate, update, 15))
        if clip > 0:
            cell = np.clip(cell, np.int16(-clip), np.int16(clip))
        hidden = lstm.cwise_mul(self._gate(OUTPUT_GATE, x, output), lstm_float.apply_tanh_float(cell, -15), 15)
        return self._output(hidden), cell

    def _gate(self, gate: int, x: Array, output: Array) -> lstm.Int16Array:
        numbers = self._params.gates[gate]
        assert numbers is not None
        of_input = _summand(x, required(self._inputs, SINGLE.input_weights[gate]), numbers.input)
        of_output = _summand(output, required(self._inputs, SINGLE.recurrent_weights[gate]), numbers.recurrent)
        value = saturate(wrap_int32(of_input + of_output), np.int16)
        weights, bias = required(self._inputs, SINGLE.layer_norm[gate]), required(self._inputs, SINGLE.bias[gate])
        multiplier, shift = numbers.layer_norm.multiplier, numbers.layer_norm.shift
        value = lstm_float.apply_layer_norm_float(value, weights, bias, multiplier, shift)
        if gate == CELL_GATE:
            return lstm_float.apply_tanh_float(value, -12)
        return lstm_float.apply_sigmoid_float(value)

    def _output(self, hidden: Array) -> Array:
        params, inputs = self._params, self._inputs
        weights, bias = required(inputs, SINGLE.projection_weights), required(inputs, SINGLE.projection_bias)
        # |hidden · weights| <= 2^22: their sums are exact in float64. TensorFlow Lite's have 64 bits.
        sums = (hidden.astype(np.float64) @ weights.astype(np.float64).T).astype(np.int64) + bias
        scaled = multiply_by_quantized_multiplier_int64(sums, params.projection.multiplier, params.projection.shift)
        output = saturate(scaled + params.output_state_zero_point, np.int8)
        clip = params.quantized_proj_clip
        return np.clip(output, np.int8(-clip), np.int8(clip)) if clip > 0 else output


def _summand(x: Array, weights: Array, numbers: Product) -> npt.NDArray[np.int64]:
    """What a product adds to its gate: int32 in int64 [rows, n] of int8 [rows, K] and weights int8 [n, K]."""
    shifted = (x.astype(np.int64) - numbers.factor_zero_point).astype(np.float64)
    sums = wrap_int32((shifted @ weights.astype(np.float64).T).astype(np.int64))
    rescaled = multiply_by_quantized_multiplier(sums, numbers.to_int8.multiplier, numbers.to_int8.shift)
    product = saturate(wrap_int32(rescaled + numbers.zero_point), np.int8).astype(np.int64)
    centred = product - numbers.zero_point
    return multiply_by_quantized_multiplier(centred, numbers.to_summand.multiplier, numbers.to_summand.shift)


def evaluate(params: EightBitLstmParams, inputs: Sequence[Array | None]) -> Updated:
    """A step."""
    (shape,) = params.output_shapes
    assert shape is not None
    return run_steps(params.sizes, shape, _Cell(params, inputs).step, inputs)
