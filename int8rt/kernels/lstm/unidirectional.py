"""UNIDIRECTIONAL_SEQUENCE_LSTM: an LSTM over a sequence, its output and cell kept in variables from run to run.

input: [batch, time, n_input] ([time, batch, n_input] with time_major), output: [.., n_output]; see `tensors` for the
other inputs. int8 with int8 weights (`integer`), float32 with float32 weights or integer ones (`floating`).
"""

from __future__ import annotations

from int8rt.kernels.base import Array, Kernel, OperatorContext, Updated
from int8rt.kernels.lstm import floating, integer, integer_params
from int8rt.kernels.lstm.floating import FloatLstmParams
from int8rt.kernels.lstm.integer_params import IntegerLstmParams
from int8rt.kernels.lstm.tensors import INPUT, check_tensors
from int8rt.kernels.signature import signatures
from int8rt.schema.options import UnidirectionalSequenceLSTMOptions


def prepare(context: OperatorContext) -> IntegerLstmParams | FloatLstmParams:
    """Check the tensors and derive the multipliers."""
    options = context.options(UnidirectionalSequenceLSTMOptions)
    input = context.input(INPUT)
    if input.rank != 3:
        raise context.invalid(f"input {input.name!r} must have rank 3, found {list(input.shape)}")
    integers = integer_params.is_integer(context)
    sizes = check_tensors(context, options.time_major, diagonal=not integers)
    clips = options.cell_clip, options.proj_clip
    if integers:
        return integer_params.prepare(context, sizes, *clips)
    return floating.prepare(
        context, sizes, options.fused_activation_function, clips, options.asymmetric_quantize_inputs
    )


def evaluate(params: IntegerLstmParams | FloatLstmParams, *inputs: Array | None) -> Updated:
    """The whole sequence."""
    if isinstance(params, IntegerLstmParams):
        return integer.evaluate(params, inputs)
    return floating.evaluate(params, inputs)


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
