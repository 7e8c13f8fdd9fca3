"""LSTM: one step, its output and cell kept in variables from run to run.

The full kernel has the inputs of UNIDIRECTIONAL_SEQUENCE_LSTM, but [batch, n_input]; for the basic one see `basic`.
"""

from __future__ import annotations

from int8rt.kernels.base import Array, Kernel, OperatorContext, Updated
from int8rt.kernels.lstm import basic, eight_bit, floating, integer, integer_params
from int8rt.kernels.lstm.basic import BasicLstmParams
from int8rt.kernels.lstm.eight_bit import EightBitLstmParams
from int8rt.kernels.lstm.floating import FloatLstmParams
from int8rt.kernels.lstm.integer_params import IntegerLstmParams
from int8rt.kernels.lstm.tensors import INPUT, check_tensors
from int8rt.kernels.signature import signatures
from int8rt.schema.enums import LSTMKernelType
from int8rt.schema.options import LSTMOptions

_LARGEST_CELL_SCALE = -9


LstmParams = IntegerLstmParams | EightBitLstmParams | FloatLstmParams | BasicLstmParams


def prepare(context: OperatorContext) -> LstmParams:
    """Check the tensors and derive the multipliers."""
    options, input = context.options(LSTMOptions), context.input(INPUT)
    if (options.kernel_type == LSTMKernelType.BASIC) != (len(context.outputs) > 1):
        expected = "several" if options.kernel_type == LSTMKernelType.BASIC else "one"
        raise context.invalid(
            f"{options.kernel_type.name} kernel has {len(context.outputs)} outputs, expected {expected}"
        )
    if options.kernel_type == LSTMKernelType.BASIC:
        return basic.prepare(context)
    if input.rank != 2:
        raise context.invalid(f"input {input.name!r} must have rank 2, found {list(input.shape)}")
    sizes, clips = check_tensors(context, time_major=True), (options.cell_clip, options.proj_clip)
    if integer_params.is_integer(context) and len(context.intermediates) == eight_bit.INTERMEDIATES:
        return eight_bit.prepare(context, sizes, *clips)
    if integer_params.is_integer(context):
        params = integer_params.prepare(context, sizes, *clips)
        if params.cell_scale > _LARGEST_CELL_SCALE:
            # TensorFlow Lite leaves off halfway through its parameters and runs with the rest being 0.
            raise context.unsupported(f"a cell of scale 2^{params.cell_scale}")
        return params
    return floating.prepare(
        context, sizes, options.fused_activation_function, clips, options.asymmetric_quantize_inputs
    )


def evaluate(params: LstmParams, *inputs: Array | None) -> Updated:
    """One step."""
    if isinstance(params, IntegerLstmParams):
        return integer.evaluate(params, inputs)
    if isinstance(params, EightBitLstmParams):
        return eight_bit.evaluate(params, inputs)
    if isinstance(params, FloatLstmParams):
        return floating.evaluate(params, inputs)
    return basic.evaluate(params, *(array for array in inputs if array is not None))


LSTM = Kernel(
    name="LSTM",
    signatures=signatures(
        "int8, int8?,int8,int8,int8, int8?,int8,int8,int8, int16?,int16?,int16?, int32?,int32,int32,int32, "
        "int8?,int32?, int8,int16, int16?,int16?,int16?,int16? -> int8",
        "float32, T?,T,T,T, T?,T,T,T, T?,T?,T?, float32?,float32,float32,float32, "
        "T?,float32?, float32,float32, float32?,float32?,float32?,float32? -> float32",
        "float32,float32,float32,float32,float32 -> float32,float32,float32,float32",
        "uint8,uint8,uint8,int32,int16 -> uint8,int16,uint8,int16",
        T=("float32", "int8", "uint8"),
    ),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/lstm.cc, lstm_eval.cc, internal/optimized/optimized_ops.h, LstmCell",
    max_version=4,
    pure=False,
)
