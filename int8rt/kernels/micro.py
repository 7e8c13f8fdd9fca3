"""TensorFlow Lite Micro's kernels where they need more than another `Rounding`: the profile tflm.

Multipliers are computed in float64, as the profile says. ADD and SUB of int16 have no case for powers of two, and ADD
of int32 has no activation. RELU6 does not rescale: it clamps codes with the input's quantization. SUM is right for
signed types. LOGISTIC and TANH of int8 are in fixed point. DEQUANTIZE takes the first scale for all of a tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from int8rt.kernels import (
    add,
    conv,
    dequantize,
    elementwise,
    logistic,
    mean,
    relu,
    softmax,
    squared_difference,
    tanh,
)
from int8rt.kernels.arithmetic import single_requantization, type_range
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.dequantize import DequantizeParams
from int8rt.kernels.layout import QUANTIZED_TYPES, check_int16_zero_point
from int8rt.kernels.lstm.micro import MICRO_LSTM
from int8rt.kernels.micro_limits import other_data
from int8rt.kernels.reduce import ReduceParams, prepare, shaped
from int8rt.kernels.registry import KERNELS
from int8rt.kernels.signature import signatures
from int8rt.kernels.softmax import SoftmaxInt16Params
from int8rt.kernels.unary import LookupTableParams, within_spec
from int8rt.kernels.while_loop import WHILE
from int8rt.model import ActivationFunctionType, TensorType
from int8rt.quantization.micro import logistic_codes, six, tanh_codes
from int8rt.quantization.multiplier import quantize_multiplier
from int8rt.quantization.requantize import Requantization, requantize
from int8rt.schema.options import AddOptions, SoftmaxOptions, SubOptions, WhileOptions

_SOURCE = "TensorFlow Lite Micro, tensorflow/lite/micro/kernels"
_FLOATING = (TensorType.FLOAT32, TensorType.FLOAT16)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClampParams(Params):
    """low, high: codes of 0.0 and 6.0."""

    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SumParams(ReduceParams):
    """input_zero_point: subtracted from every code."""

    input_zero_point: int
    requantization: Requantization


def _without_powers_of_two(kernel: Kernel, options: type[AddOptions] | type[SubOptions]) -> Kernel:
    def prepare_sum_of_two(context: OperatorContext) -> Params:
        general = replace(context.options(options), pot_scale_int16=False)
        if context.operator.name == "ADD" and context.output().type == TensorType.INT32:
            general = replace(general, fused_activation_function=ActivationFunctionType.NONE)
        return kernel.prepare(replace(context, operator=replace(context.operator, options=general)))

    return replace(kernel, prepare=prepare_sum_of_two, source=_SOURCE)


def prepare_relu6(context: OperatorContext) -> Params:
    """The codes of the bounds, with the input's quantization."""
    input = context.input(0)
    if input.type not in QUANTIZED_TYPES:
        return relu.RELU6.prepare(context)
    scale, zero_point = context.per_tensor(input)
    return ClampParams(output_shapes=(input.shape,), low=zero_point, high=six(scale, zero_point, input.type.dtype))


def evaluate_relu6(params: Any, input: Array) -> Array:
    """The codes between the bounds; the lower one comes last."""
    if not isinstance(params, ClampParams):
        return np.asarray(relu.RELU6.evaluate(params, input))
    clamped: Array = np.maximum(np.minimum(input, input.dtype.type(params.high)), input.dtype.type(params.low))
    return clamped


def prepare_sum(context: OperatorContext) -> ReduceParams:
    """Resolve the axes; for quantized types also the rescaling."""
    input, params = context.input(0), prepare(context)
    if input.type not in QUANTIZED_TYPES:
        return params
    (scale, zero_point), (output_scale, _) = context.per_tensor(input), context.per_tensor(context.output())
    if output_scale == 0:
        raise context.invalid(f"output {context.output().name!r} has scale 0")
    return SumParams(
        output_shapes=params.output_shapes,
        axis=params.axis,
        count=params.count,
        input_zero_point=zero_point,
        requantization=single_requantization(context, scale / output_scale, type_range(context.output().type)),
    )


def evaluate_sum(params: ReduceParams, input: Array, axis: Array) -> Array:
    """The sum."""
    if not isinstance(params, SumParams):
        return mean.evaluate_sum(params, input, axis)
    total = np.asarray(np.sum(input, axis=params.axis, dtype=np.int64)) - params.input_zero_point * params.count
    return shaped(params, requantize(total.astype(np.int32), params.requantization))


def _in_fixed_point(kernel: Kernel, codes: Callable[[float, int], Array], zero_point: int) -> Kernel:
    def prepare_codes(context: OperatorContext) -> Params:
        if context.input(0).type != TensorType.INT8:
            return kernel.prepare(context)
        if context.per_tensor(context.output())[1] != zero_point:
            raise context.invalid(f"output {context.output().name!r} must have zero point {zero_point}")
        scale, input_zero_point = context.per_tensor(context.input(0))
        if not 2.0**-28 <= scale < 8:  # its shifts are undefined beyond
            raise context.unsupported(f"an input scale of {scale:g} in profile {context.profile.name} is not done")
        table = codes(scale, input_zero_point)
        return LookupTableParams(output_shapes=(context.input(0).shape,), table=table)

    return replace(kernel, prepare=prepare_codes, source=_SOURCE)


def prepare_dequantize(context: OperatorContext) -> Params:
    """As TensorFlow Lite's, but with the first scale and zero point alone."""
    params = dequantize.prepare(context)
    if not isinstance(params, DequantizeParams) or params.scale.size <= 1:
        return params
    return replace(params, scale=params.scale.reshape(-1)[:1], zero_point=params.zero_point.reshape(-1)[:1])


def prepare_conv_2d(context: OperatorContext) -> Params:
    """As TensorFlow Lite's, the zero points of a signed filter being 0."""
    filter = context.input(1)
    if filter.type == TensorType.INT8 and filter.quantization is not None:
        symmetric = replace(filter.quantization, zero_point=np.zeros_like(filter.quantization.zero_point))
        inputs = (context.inputs[0], replace(filter, quantization=symmetric), *context.inputs[2:])
        context = replace(context, inputs=inputs)
    return conv.prepare(context)


def prepare_squared_difference(context: OperatorContext) -> Params:
    """As TensorFlow Lite's, but that codes may be int16, and the output's multiplier above 1."""
    output = context.output()
    if output.type not in QUANTIZED_TYPES:
        return squared_difference.prepare(context)
    check_int16_zero_point(context, context.input(0), context.input(1), output)
    return squared_difference.prepare_codes(context, 0 if output.type == TensorType.INT16 else 7)


def prepare_rsqrt(context: OperatorContext) -> Params:
    """int16 as int8."""
    if context.input(0).type not in QUANTIZED_TYPES:
        return elementwise.RSQRT.prepare(context)
    check_int16_zero_point(context, context.input(0), context.output())
    return elementwise.prepare_rsqrt_in_fixed_point(context)


def prepare_softmax(context: OperatorContext) -> Params:
    """As TensorFlow Lite's, but for int16: the multiplier is computed in float64, the tables are made in float32."""
    params = softmax.SOFTMAX.prepare(context)
    if not isinstance(params, SoftmaxInt16Params):
        return params
    beta = float(np.float32(context.options(SoftmaxOptions).beta))
    real = context.per_tensor(context.input(0))[0] * beta / (10.0 / 65535.0)
    multiplier, shift = within_spec(context, quantize_multiplier, real)
    exp_lut, reciprocal = softmax.int16_tables(np.float32)
    return replace(
        params,
        input_multiplier=multiplier,
        input_left_shift=shift,
        exp_lut=exp_lut,
        one_over_one_plus_x_lut=reciprocal,
    )


def prepare_while(context: OperatorContext) -> Params:
    """As TensorFlow Lite's; a body that passes its inputs on is refused, for they are overwritten while it copies."""
    params = WHILE.prepare(context)
    assert context.runtime is not None
    body = context.runtime.subgraph(context.options(WhileOptions).body_subgraph_index)
    if not set(body.inputs).isdisjoint(body.outputs):
        raise context.unsupported(f"a body that passes an input on in profile {context.profile.name} is not done")
    return params


MICRO_KERNELS: Mapping[str, Kernel] = {
    kernel.name: kernel
    for kernel in (
        _without_powers_of_two(add.ADD, AddOptions),
        _without_powers_of_two(add.SUB, SubOptions),
        replace(conv.CONV_2D, prepare=prepare_conv_2d, source=_SOURCE),
        replace(dequantize.DEQUANTIZE, prepare=prepare_dequantize, source=_SOURCE),
        _in_fixed_point(logistic.LOGISTIC, logistic_codes, -128),
        replace(relu.RELU6, prepare=prepare_relu6, evaluate=evaluate_relu6, source=_SOURCE),
        replace(elementwise.RSQRT, prepare=prepare_rsqrt, source=_SOURCE),
        replace(
            squared_difference.SQUARED_DIFFERENCE,
            signatures=signatures("T,T -> T", T=("int8", "int16", "int32", "float32")),
            prepare=prepare_squared_difference,
            source=_SOURCE,
        ),
        replace(softmax.SOFTMAX, prepare=prepare_softmax, source=_SOURCE),
        replace(mean.SUM, prepare=prepare_sum, evaluate=evaluate_sum, source=_SOURCE),
        _in_fixed_point(tanh.TANH, tanh_codes, 0),
        replace(WHILE, prepare=prepare_while, source=_SOURCE),
        MICRO_LSTM,
    )
}
# The operators of the registry that the Python package has a kernel for.
_PRESENT = """
ABS ADD ADD_N ARG_MAX ARG_MIN ASSIGN_VARIABLE AVERAGE_POOL_2D BATCH_MATMUL BATCH_TO_SPACE_ND BROADCAST_ARGS
BROADCAST_TO CALL_ONCE CAST CEIL CONCATENATION CONV_2D COS CUMSUM DEPTH_TO_SPACE DEPTHWISE_CONV_2D DEQUANTIZE DIV
DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP EQUAL EXP EXPAND_DIMS FILL FLOOR FLOOR_DIV FLOOR_MOD FULLY_CONNECTED
GATHER GATHER_ND GREATER GREATER_EQUAL HARD_SWISH IF L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL LOG
LOG_SOFTMAX LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC MAX_POOL_2D MAXIMUM MEAN MINIMUM MIRROR_PAD MUL NEG
NOT_EQUAL PACK PAD PADV2 PRELU QUANTIZE READ_VARIABLE REDUCE_ALL REDUCE_MAX REDUCE_MIN RELU RELU6 RESHAPE
RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_V2 ROUND RSQRT SELECT_V2 SHAPE SIN SLICE SOFTMAX SPACE_TO_BATCH_ND
SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM SVDF TANH TRANSPOSE
TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK VAR_HANDLE WHILE ZEROS_LIKE
"""
_MISSING = frozenset(KERNELS) - frozenset(_PRESENT.split())


def not_done_in_micro(context: OperatorContext) -> str | None:
    """Why int8rt cannot compute an operator in profile tflm; None where it can."""
    name, profile = context.operator.name, context.profile.name
    inputs = [tensor.type for tensor in context.inputs if tensor is not None]
    if name in _MISSING:
        return f"profile {profile} has no such operator"
    weighed = name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "SVDF", "BATCH_MATMUL")
    if weighed and any(type in _FLOATING for type in inputs) and any(type in QUANTIZED_TYPES for type in inputs):
        return f"integer weights of real numbers are not there in profile {profile}"
    if name == "TRANSPOSE_CONV" and TensorType.INT16 in inputs and TensorType.INT32 in inputs[3:]:
        return f"a bias of int32 for int16 in profile {profile} is not done: TensorFlow Lite Micro reads it as int64"
    if name == "SVDF" and TensorType.FLOAT32 in inputs:
        return f"its arithmetic on real numbers in profile {profile} is not done"
    if (reason := other_data(context)) is not None:
        return f"{reason} in profile {profile} is not done"
    if TensorType.UINT8 in inputs and (weighed or name in MICRO_KERNELS) and name != "DEQUANTIZE":
        return f"uint8 is not there in profile {profile}"
    return None
