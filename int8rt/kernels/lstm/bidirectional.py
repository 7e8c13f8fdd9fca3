"""BIDIRECTIONAL_SEQUENCE_LSTM: one LSTM over a sequence from its start, another from its end.

input: float32 [batch, time, n_input] ([time, batch, n_input] with time_major), weights: float32, or integers for
vectors that are quantized each step. An auxiliary input is a second one of both cells where there are weights for it;
without them it is the input of the backward cell. outputs: one for each cell, or both side by side (merge_outputs).
"""

from __future__ import annotations

from dataclasses import dataclass

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, Updated
from int8rt.kernels.bidirectional import auxiliary_input, checked_input, new_outputs, output_shapes
from int8rt.kernels.lstm.float_cell import FloatCell
from int8rt.kernels.lstm.floating import prepare_cell, run_cell
from int8rt.kernels.lstm.tensors import FORGET_GATE, INPUT, LstmLayout, check_cell, optional, required
from int8rt.kernels.signature import signatures
from int8rt.schema.options import BidirectionalSequenceLSTMOptions

INPUTS = 48
AUX_INPUT = 39


def _layout(first: int, output_state: int, aux: int) -> LstmLayout:
    return LstmLayout(
        input_weights=tuple(range(first, first + 4)),
        recurrent_weights=tuple(range(first + 4, first + 8)),
        peephole_weights=(first + 8, first + 9, None, first + 10),
        bias=tuple(range(first + 11, first + 15)),
        projection_weights=first + 15,
        projection_bias=first + 16,
        output_state=output_state,
        cell_state=output_state + 1,
        aux_weights=tuple(range(aux, aux + 4)),
    )


FORWARD, BACKWARD = _layout(1, 35, 40), _layout(18, 37, 44)


@dataclass(frozen=True, slots=True, kw_only=True)
class BidirectionalLstmParams(Params):
    """The two cells. use_aux: there are weights for an auxiliary input."""

    forward: FloatCell
    backward: FloatCell
    use_aux: bool


def prepare(context: OperatorContext) -> BidirectionalLstmParams:
    """Check the tensors of both cells."""
    options, input = context.options(BidirectionalSequenceLSTMOptions), checked_input(context, INPUTS)
    use_aux = context.optional_input(FORWARD.aux_weights[FORGET_GATE] or 0) is not None
    aux = auxiliary_input(context, AUX_INPUT, use_aux)
    cells = []
    for layout in (FORWARD, BACKWARD):
        sizes = check_cell(context, layout, input.shape, options.time_major, aux.shape[2] if aux and use_aux else 0)
        clips = options.cell_clip, options.proj_clip
        activation, asymmetric = options.fused_activation_function, options.asymmetric_quantize_inputs
        cells.append(prepare_cell(context, layout, sizes, activation, clips, asymmetric))
    forward, backward = cells
    if (forward.sizes.cell, forward.sizes.output) != (backward.sizes.cell, backward.sizes.output):
        raise context.invalid("the cells of both directions have different sizes")
    if options.merge_outputs and not options.time_major and forward.sizes.batch > 1:
        # TensorFlow Lite takes the outputs kept for each row to be as far apart as those of both cells together.
        raise context.unsupported("merged outputs of several sequences that are not time-major")
    return BidirectionalLstmParams(
        output_shapes=output_shapes(context, forward.sizes.output, backward.sizes.output, options.merge_outputs),
        forward=forward,
        backward=backward,
        use_aux=use_aux,
    )


def evaluate(params: BidirectionalLstmParams, *inputs: Array | None) -> Updated:
    """Both cells over the whole sequence."""
    sequence = params.forward.sizes.sequence
    input, second = sequence(required(inputs, INPUT)), optional(inputs, AUX_INPUT)
    aux = None if second is None else sequence(second)
    results, forward, backward = new_outputs(params.output_shapes, params.forward.sizes.output)
    backward_input = aux if aux is not None and not params.use_aux else input
    states = run_cell(params.forward, inputs, input, aux if params.use_aux else None, sequence(forward))
    states |= run_cell(
        params.backward, inputs, backward_input, aux if params.use_aux else None, sequence(backward), backward=True
    )
    return Updated(results, states)


_CELL = "T?,T,T,T, T?,T,T,T, T?,T?,T?, float32?,float32,float32,float32, T?,float32?"
_STATES = "float32,float32, float32,float32"
_AUX = "float32?, T?,T?,T?,T?, T?,T?,T?,T?"

BIDIRECTIONAL_SEQUENCE_LSTM = Kernel(
    name="BIDIRECTIONAL_SEQUENCE_LSTM",
    signatures=signatures(
        f"float32, {_CELL}, {_CELL}, {_STATES}, {_AUX} -> float32,float32?", T=("float32", "int8", "uint8")
    ),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/bidirectional_sequence_lstm.cc, lstm_eval.cc",
    max_version=3,
    pure=False,
)
