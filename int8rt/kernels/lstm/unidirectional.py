"""UNIDIRECTIONAL_SEQUENCE_LSTM: an LSTM over a sequence, its output and cell kept in variables from run to run.

input: [batch, time, n_input] ([time, batch, n_input] with time_major), output: [.., n_output]; see `tensors` for the
other inputs. int8 with int8 weights (`integer`), float32 with float32 weights or int8 ones (`floating`).
"""

from __future__ import annotations

from int8rt.kernels.base import Array, Kernel, OperatorContext, Updated
from int8rt.kernels.lstm import integer
from int8rt.kernels.lstm.integer import IntegerLstmParams
from int8rt.kernels.lstm.tensors import check_tensors
from int8rt.kernels.signature import signatures
from int8rt.schema.options import UnidirectionalSequenceLSTMOptions


def prepare(context: OperatorContext) -> IntegerLstmParams:
    """Check the tensors and derive the multipliers."""
    options = context.options(UnidirectionalSequenceLSTMOptions)
    if options.cell_clip < 0 or options.proj_clip < 0:
        raise context.invalid(f"clips {options.cell_clip:g} and {options.proj_clip:g} must not be negative")
    sizes = check_tensors(context, options.time_major)
    return integer.prepare(context, sizes, options.cell_clip, options.proj_clip)


def evaluate(params: IntegerLstmParams, *inputs: Array | None) -> Updated:
    """The whole sequence."""
    return integer.evaluate(params, inputs)


UNIDIRECTIONAL_SEQUENCE_LSTM = Kernel(
    name="UNIDIRECTIONAL_SEQUENCE_LSTM",
    signatures=signatures(
        "int8, int8?,int8,int8,int8, int8?,int8,int8,int8, int16?,int16?,int16?, int32?,int32,int32,int32, "
        "int8?,int32?, int8,int16, int16?,int16?,int16?,int16? -> int8",
    ),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/unidirectional_sequence_lstm.cc, lstm_eval.cc, internal/reference/portable_tensor_utils.cc",
    max_version=3,
    pure=False,
)
