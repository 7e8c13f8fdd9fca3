"""PRELU: x for x >= 0, else alpha · x, with an alpha for each element, channel or whatever broadcasts to the input.

int8, uint8, int16 (with an int8 alpha): the code without its zero point is rescaled by input_scale / output_scale, or,
where it is negative, its product with alpha's code by input_scale · alpha_scale / output_scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.arithmetic import (
    broadcast_operation,
    broadcast_pair,
    single_requantization,
    subtract_zero_point,
    type_range,
)
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.real_multipliers import product_ratio, ratio
from int8rt.kernels.signature import signatures
from int8rt.model import TensorType
from int8rt.quantization.requantize import Requantization, requantize


@dataclass(frozen=True, slots=True, kw_only=True)
class PreluParams(Params):
    """`positive` rescales x (TensorFlow Lite's output_multiplier_1), `negative` alpha · x (output_multiplier_2)."""

    input_zero_point: int
    alpha_zero_point: int
    positive: Requantization
    negative: Requantization


def prepare(context: OperatorContext) -> PreluParams | Params:
    """Check that alpha broadcasts to the input, and derive the integers of a PRELU."""
    input, alpha, output = context.input(0), context.input(1), context.output()
    shape = broadcast_pair(context)
    if shape != input.shape:
        raise context.invalid(f"alpha {list(alpha.shape)} does not broadcast to the input {list(input.shape)}")
    if input.type == TensorType.FLOAT32:
        return Params(output_shapes=(shape,))
    (input_scale, input_zero_point), (scale, _) = context.per_tensor(input), context.per_tensor(output)
    alpha_scale, alpha_zero_point = context.per_tensor(alpha)
    reals = ratio(context, input_scale, scale), product_ratio(context, input_scale, alpha_scale, scale)
    positive, negative = (single_requantization(context, real, type_range(output.type)) for real in reals)
    return PreluParams(
        output_shapes=(shape,),
        input_zero_point=input_zero_point,
        alpha_zero_point=alpha_zero_point,
        positive=positive,
        negative=negative,
    )


def evaluate(params: PreluParams | Params, input: Array, alpha: Array) -> Array:
    """PRELU of an array."""
    if not isinstance(params, PreluParams):
        with np.errstate(all="ignore"):
            return np.asarray(np.where(input >= 0, input, input * alpha))
    value = subtract_zero_point(input, params.input_zero_point)
    product = broadcast_operation(np.multiply, value, subtract_zero_point(alpha, params.alpha_zero_point), np.int32)
    positive, negative = requantize(value, params.positive), requantize(product, params.negative)
    return np.asarray(np.where(value >= 0, positive, negative))


PRELU = Kernel(
    name="PRELU",
    signatures=signatures(
        "int8,int8 -> int8", "uint8,uint8 -> uint8", "int16,int8 -> int16", "float32,float32 -> float32"
    ),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/activations.cc, reference/prelu.h",
    max_version=1,
    others="LiteRT's kernels do not look at alpha's type, and take its bytes for another",
)
