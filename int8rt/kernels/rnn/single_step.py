"""RNN: one step; its output is kept in a variable from run to run.

input: float32[batch,n_input], weights: [units,n_input], recurrent weights: [units,units], bias: float32[units], hidden
state and output: float32[batch,units].
"""

from __future__ import annotations

from dataclasses import dataclass

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, Updated
from int8rt.kernels.rnn.cell import INPUT, SINGLE, RnnCell, prepare_cell, step_of
from int8rt.kernels.signature import signatures
from int8rt.schema.options import RNNOptions

TYPES = ("float32", "int8", "uint8")


@dataclass(frozen=True, slots=True, kw_only=True)
class RnnParams(Params):
    """The only cell of an operator."""

    cell: RnnCell


def prepare(context: OperatorContext) -> RnnParams:
    """Check the tensors."""
    options, input = context.options(RNNOptions), context.input(INPUT)
    if input.rank != 2:
        raise context.invalid(f"input {input.name!r} must have rank 2, found {list(input.shape)}")
    batch = input.shape[0]
    cell = prepare_cell(context, SINGLE, batch, options.fused_activation_function, options.asymmetric_quantize_inputs)
    return RnnParams(output_shapes=((batch, cell.units),), cell=cell)


def evaluate(params: RnnParams, *inputs: Array | None) -> Updated:
    """One step."""
    x, hidden = inputs[INPUT], inputs[SINGLE.hidden_state]
    assert x is not None
    assert hidden is not None
    output = step_of(params.cell, inputs)(x, None, hidden)
    return Updated((output,), {SINGLE.hidden_state: output})


RNN = Kernel(
    name="RNN",
    signatures=signatures("float32, T,T, float32, float32 -> float32", T=TYPES),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/basic_rnn.cc, internal/kernel_utils.cc",
    max_version=3,
    pure=False,
)
