"""BIDIRECTIONAL_SEQUENCE_RNN: one cell over a sequence from its start, another from its end.

input: float32[batch,time,n_input] ([time,batch,n_input] with time_major). An auxiliary input is a second one of both
cells where there are weights for it; without them it is the input of the backward cell, but only if time_major.
outputs: one for each cell, or both side by side (merge_outputs).
"""

from __future__ import annotations

from dataclasses import dataclass

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, Updated
from int8rt.kernels.bidirectional import auxiliary_input, checked_input, new_outputs, output_shapes
from int8rt.kernels.rnn.cell import INPUT, RnnCell, RnnLayout, prepare_cell, step_of
from int8rt.kernels.rnn.single_step import TYPES
from int8rt.kernels.signature import signatures
from int8rt.schema.options import BidirectionalSequenceRNNOptions

INPUTS = 12
AUX_INPUT = 9
FORWARD = RnnLayout(weights=1, recurrent_weights=2, bias=3, hidden_state=4, aux_weights=10)
BACKWARD = RnnLayout(weights=5, recurrent_weights=6, bias=7, hidden_state=8, aux_weights=11)


@dataclass(frozen=True, slots=True, kw_only=True)
class BidirectionalRnnParams(Params):
    """The two cells. aux_stride: elements from one vector of the auxiliary input to the next, as they are read."""

    forward: RnnCell
    backward: RnnCell
    aux_stride: int
    time_major: bool


def prepare(context: OperatorContext) -> BidirectionalRnnParams:
    """Check the tensors of both cells."""
    options, input = context.options(BidirectionalSequenceRNNOptions), checked_input(context, INPUTS)
    aux_weights = [context.optional_input(layout.aux_weights or 0) for layout in (FORWARD, BACKWARD)]
    use_aux = aux_weights[0] is not None
    if use_aux != (aux_weights[1] is not None):
        raise context.invalid("only one of the cells has weights for the auxiliary input")
    aux = auxiliary_input(context, AUX_INPUT, use_aux)
    time, batch = input.shape[:2] if options.time_major else input.shape[1::-1]
    activation, asymmetric = options.fused_activation_function, options.asymmetric_quantize_inputs
    forward, backward = (
        prepare_cell(context, layout, batch, activation, asymmetric, aux if use_aux else None)
        for layout in (FORWARD, BACKWARD)
    )
    # TensorFlow Lite takes the vectors of the auxiliary input to be as far apart as those of the input, except here.
    right = forward.scales is None and not options.time_major
    stride = forward.aux if right or not use_aux else input.shape[2]
    if stride > forward.aux and time * batch > (batch if options.time_major else 1):
        raise context.unsupported(f"auxiliary vectors of {forward.aux} elements beside an input {list(input.shape)}")
    if options.merge_outputs and options.time_major and forward.scales is not None and not asymmetric and batch > 1:
        # TensorFlow Lite follows a null pointer for all but the first sequence.
        raise context.unsupported("merged outputs of several time-major sequences that are quantized symmetrically")
    return BidirectionalRnnParams(
        output_shapes=output_shapes(context, forward.units, backward.units, options.merge_outputs),
        forward=forward,
        backward=backward,
        aux_stride=stride,
        time_major=options.time_major,
    )


def evaluate(params: BidirectionalRnnParams, *inputs: Array | None) -> Updated:
    """Both cells over the whole sequence."""
    input, second = inputs[INPUT], inputs[AUX_INPUT]
    assert input is not None
    results, forward, backward = new_outputs(params.output_shapes, params.forward.units)
    use_aux = params.forward.aux > 0
    aux = second if use_aux else None
    # TensorFlow Lite forgets the backward cell's own input where the sequences are not time-major.
    backward_input = second if second is not None and not use_aux and params.time_major else input
    states = [inputs[layout.hidden_state] for layout in (FORWARD, BACKWARD)]
    hidden = [state.copy() for state in states if state is not None]
    # TensorFlow Lite runs over time-major sequences once for each step, if its weights are integers.
    again = params.time_major and params.forward.scales is not None
    for _ in range(input.shape[0] if again else 1):
        _run(params, params.forward, inputs, (input, aux), hidden[0], forward, backward=False)
        _run(params, params.backward, inputs, (backward_input, aux), hidden[1], backward, backward=True)
    return Updated(results, {FORWARD.hidden_state: hidden[0], BACKWARD.hidden_state: hidden[1]})


def _run(
    params: BidirectionalRnnParams,
    cell: RnnCell,
    inputs: tuple[Array | None, ...],
    sources: tuple[Array, Array | None],
    hidden: Array,
    target: Array,
    backward: bool,
) -> None:
    """All steps of one cell into `target`, with `hidden` updated. sources: its input and its auxiliary input."""
    step, (x, aux) = step_of(cell, inputs), sources
    rows = cell.batch if params.time_major else 1
    positions = x.shape[0] if params.time_major else x.shape[1]
    for first in range(0, cell.batch, rows or 1):
        block = slice(first, first + rows)
        for time in range(positions)[::-1] if backward else range(positions):
            place = (time,) if params.time_major else (block, time)
            vectors = None
            if aux is not None:
                start = (time * rows if params.time_major else first * positions + time) * params.aux_stride
                vectors = aux.reshape(-1)[start : start + rows * cell.aux].reshape(rows, cell.aux)
            target[place] = hidden[block] = step(x[place], vectors, hidden[block])


BIDIRECTIONAL_SEQUENCE_RNN = Kernel(
    name="BIDIRECTIONAL_SEQUENCE_RNN",
    signatures=signatures(
        "float32, T,T,float32,float32, T,T,float32,float32, float32?, T?,T? -> float32,float32?", T=TYPES
    ),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/bidirectional_sequence_rnn.cc, internal/kernel_utils.cc",
    max_version=3,
    pure=False,
)
