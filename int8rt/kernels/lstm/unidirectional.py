"""UNIDIRECTIONAL_SEQUENCE_LSTM: an LSTM over a sequence, its output and cell kept in variables from run to run.

input: [batch, time, n_input] ([time, batch, n_input] with time_major), output: [.., n_output]; see `tensors` for the
other inputs. int8 with int8 weights (`integer`), float32 with float32 weights or integer ones (`floating`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, Updated
from int8rt.kernels.lstm import integer
from int8rt.kernels.lstm.floating import FloatCell, prepare_cell, run_cell
from int8rt.kernels.lstm.integer import IntegerLstmParams
from int8rt.kernels.lstm.tensors import INPUT, SINGLE, check_tensors, required
from int8rt.kernels.signature import signatures
from int8rt.schema.options import UnidirectionalSequenceLSTMOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatLstmParams(Params):
    """The parameters of the only cell."""

    cell: FloatCell


def prepare(context: OperatorContext) -> IntegerLstmParams | FloatLstmParams:
    """Check the tensors and derive the multipliers."""
    options = context.options(UnidirectionalSequenceLSTMOptions)
    input = context.input(INPUT)
    if input.rank != 3:
        raise context.invalid(f"input {input.name!r} must have rank 3, found {list(input.shape)}")
    sizes = check_tensors(context, options.time_major)
    clips = options.cell_clip, options.proj_clip
    if integer.is_integer(context):
        return integer.prepare(context, sizes, *clips)
    asymmetric = options.asymmetric_quantize_inputs
    return FloatLstmParams(
        output_shapes=((*input.shape[:-1], sizes.output),),
        cell=prepare_cell(context, SINGLE, sizes, options.fused_activation_function, clips, asymmetric),
    )


def evaluate(params: IntegerLstmParams | FloatLstmParams, *inputs: Array | None) -> Updated:
    """The whole sequence."""
    if isinstance(params, IntegerLstmParams):
        return integer.evaluate(params, inputs)
    (shape,) = params.output_shapes
    assert shape is not None
    result, sequence = np.empty(shape, np.float32), params.cell.sizes.sequence
    states = run_cell(params.cell, inputs, sequence(required(inputs, INPUT)), None, sequence(result))
    return Updated((result,), states)


UNIDIRECTIONAL_SEQUENCE_LSTM = Kernel(
    name="UNIDIRECTIONAL_SEQUENCE_LSTM",
    signatures=signatures(
        "int8, int8?,int8,int8,int8, int8?,int8,int8,int8, int16?,int16?,int16?, int32?,int32,int32,int32, "
        "int8?,int32?, int8,int16, int16?,int16?,int16?,int16? -> int8",
        "float32, T?,T,T,T, T|float32?,T|float32,T|float32,T|float32, T?,T?,T?, float32?,float32,float32,float32, "
        "T?,float32?, float32,float32, float32?,float32?,float32?,float32? -> float32",
        T=("float32", "int8", "uint8"),
    ),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/unidirectional_sequence_lstm.cc, lstm_eval.cc, internal/reference/portable_tensor_utils.cc",
    max_version=3,
    pure=False,
)
