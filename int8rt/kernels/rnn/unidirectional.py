"""UNIDIRECTIONAL_SEQUENCE_RNN: the steps of sequences; the last output is kept in a variable from run to run.

input: float32[batch,time,n_input] ([time,batch,n_input] with time_major), output: the same with units; the other
tensors are those of RNN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Updated
from int8rt.kernels.rnn.cell import INPUT, SINGLE, prepare_cell, step_of
from int8rt.kernels.rnn.single_step import TYPES, RnnParams
from int8rt.kernels.signature import signatures
from int8rt.schema.options import SequenceRNNOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceRnnParams(RnnParams):
    """time_major: all sequences take a step together; else one comes after the other."""

    time_major: bool


def prepare(context: OperatorContext) -> SequenceRnnParams:
    """Check the tensors."""
    options, input = context.options(SequenceRNNOptions), context.input(INPUT)
    if input.rank != 3:
        raise context.invalid(f"input {input.name!r} must have rank 3, found {list(input.shape)}")
    cell = prepare_cell(
        context,
        SINGLE,
        input.shape[1 if options.time_major else 0],
        options.fused_activation_function,
        options.asymmetric_quantize_inputs,
    )
    shape = (*input.shape[:2], cell.units)
    return SequenceRnnParams(output_shapes=(shape,), cell=cell, time_major=options.time_major)


def evaluate(params: SequenceRnnParams, *inputs: Array | None) -> Updated:
    """All steps."""
    x, hidden = inputs[INPUT], inputs[SINGLE.hidden_state]
    (shape,) = params.output_shapes
    assert x is not None
    assert hidden is not None
    assert shape is not None
    step, hidden, output = step_of(params.cell, inputs), hidden.copy(), np.empty(shape, np.float32)
    if params.time_major:
        for time, vectors in enumerate(x):
            output[time] = hidden = step(vectors, None, hidden)
    else:
        for row, sequence in enumerate(x):
            for time in range(len(sequence)):
                output[row, time] = hidden[row] = step(sequence[time, np.newaxis], None, hidden[row, np.newaxis])[0]
    return Updated((output,), {SINGLE.hidden_state: hidden})


UNIDIRECTIONAL_SEQUENCE_RNN = Kernel(
    name="UNIDIRECTIONAL_SEQUENCE_RNN",
    signatures=signatures("float32, T,T, float32, float32 -> float32", T=TYPES),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/unidirectional_sequence_rnn.cc, internal/kernel_utils.cc",
    max_version=3,
    pure=False,
)
