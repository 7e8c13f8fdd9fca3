"""MUL: input1 · input2, broadcast, then the fused activation.

int8, uint8, int16: the product of the codes without their zero points, in int32, is rescaled to the output by
input1_scale · input2_scale / output_scale. Everything else: plain arithmetic, integers wrap around.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.arithmetic import (
    PlainParams,
    activation_range,
    broadcast_operation,
    broadcast_pair,
    evaluate_plain,
    is_quantized,
    prepare_plain,
    single_requantization,
    subtract_zero_point,
)
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.layout import QUANTIZED_TYPES, check_int16_zero_point
from int8rt.kernels.real_multipliers import product_ratio
from int8rt.kernels.signature import signatures
from int8rt.model import TensorType
from int8rt.quantization.requantize import Requantization, requantize
from int8rt.schema.options import MulOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class MulParams(Params):
    """Zero points of the inputs, and what the output's multiplier, shift, offset and activation are."""

    input1_zero_point: int
    input2_zero_point: int
    requantization: Requantization


def prepare(context: OperatorContext) -> MulParams | PlainParams:
    """Check the tensors of a MUL and derive its integers."""
    options = context.options(MulOptions)
    input1, input2, output = context.input(0), context.input(1), context.output()
    plain_int16 = output.type == TensorType.INT16 and not is_quantized(output)
    if output.type not in QUANTIZED_TYPES or plain_int16:
        return prepare_plain(context, options.fused_activation_function)
    check_int16_zero_point(context, input1, input2, output)
    (scale1, zero_point1), (scale2, zero_point2) = context.per_tensor(input1), context.per_tensor(input2)
    real_multiplier = product_ratio(context, scale1, scale2, context.per_tensor(output)[0])
    activation = activation_range(context, options.fused_activation_function)
    return MulParams(
        output_shapes=(broadcast_pair(context),),
        input1_zero_point=zero_point1,
        input2_zero_point=zero_point2,
        requantization=single_requantization(context, real_multiplier, activation),
    )


def evaluate(params: MulParams | PlainParams, input1: Array, input2: Array) -> Array:
    """MUL of two arrays."""
    if isinstance(params, PlainParams):
        return evaluate_plain(np.multiply, params, input1, input2)
    value1 = subtract_zero_point(input1, params.input1_zero_point)
    value2 = subtract_zero_point(input2, params.input2_zero_point)
    return requantize(broadcast_operation(np.multiply, value1, value2, np.int32), params.requantization)


MUL = Kernel(
    name="MUL",
    signatures=signatures("T,T -> T", T=("int8", "uint8", "int16", "int32", "uint32", "int64", "float16", "float32")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/mul.cc, reference/integer_ops/mul.h, reference/mul.h",
    max_version=8,  # BUILTIN_REF knows versions up to 7; the optimized resolver takes float16 by the next
)
