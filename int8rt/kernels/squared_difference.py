"""SQUARED_DIFFERENCE: (input1 - input2)², broadcast.

int8: both inputs are brought to twice the larger of the two scales with 7 more bits, as in ADD; the square of the
difference, in int32, is rescaled to the output. int32 and float32: plain arithmetic, integers wrap around.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.add import ScaledInput, scaled_input
from int8rt.kernels.arithmetic import (
    broadcast_operation,
    broadcast_pair,
    single_requantization,
    type_range,
)
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.layout import check_zero_points
from int8rt.kernels.signature import signatures
from int8rt.model import TensorType
from int8rt.quantization.effective_scales import squared_difference_multipliers
from int8rt.quantization.requantize import Requantization, requantize

_LEFT_SHIFT = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class SquaredDifferenceParams(Params):
    """As in ADD. `requantization` has the output's multiplier, shift and offset."""

    input1: ScaledInput
    input2: ScaledInput
    requantization: Requantization


def prepare(context: OperatorContext) -> SquaredDifferenceParams | Params:
    """Check the tensors of a SQUARED_DIFFERENCE and derive its integers."""
    input1, input2, output = context.input(0), context.input(1), context.output()
    shape = broadcast_pair(context)
    if output.type != TensorType.INT8:
        return Params(output_shapes=(shape,))
    check_zero_points(context, output.type, input1, input2, output)
    if not 0 < (real := _multipliers(context, _LEFT_SHIFT)[2]) < 1:
        scales = " and ".join(f"{context.per_tensor(tensor)[0]:g}" for tensor in (input1, input2))
        raise context.invalid(
            f"output scale {context.per_tensor(output)[0]:g} of {output.name!r} does not fit input scales {scales}: "
            f"its multiplier would be {real:g}, which must be between 0 and 1"
        )
    return prepare_codes(context, _LEFT_SHIFT)


def prepare_codes(context: OperatorContext, left_shift: int) -> SquaredDifferenceParams:
    """The integers of quantized types, whatever the output's multiplier is. left_shift: the bits that inputs gain."""
    real1, real2, real_output = _multipliers(context, left_shift)
    return SquaredDifferenceParams(
        output_shapes=(broadcast_pair(context),),
        input1=scaled_input(context, context.input(0), real1, left_shift),
        input2=scaled_input(context, context.input(1), real2, left_shift),
        requantization=single_requantization(context, real_output, type_range(context.output().type)),
    )


def _multipliers(context: OperatorContext, left_shift: int) -> tuple[float, float, float]:
    tensors = context.input(0), context.input(1), context.output()
    scale1, scale2, scale = (context.per_tensor(tensor)[0] for tensor in tensors)
    return squared_difference_multipliers(scale1, scale2, scale, left_shift)


def evaluate(params: SquaredDifferenceParams | Params, input1: Array, input2: Array) -> Array:
    """The squared differences."""
    if not isinstance(params, SquaredDifferenceParams):
        difference = broadcast_operation(np.subtract, input1, input2, input1.dtype)
        return broadcast_operation(np.multiply, difference, difference, input1.dtype)
    difference = broadcast_operation(np.subtract, params.input1.scale(input1), params.input2.scale(input2), np.int32)
    return requantize(broadcast_operation(np.multiply, difference, difference, np.int32), params.requantization)


SQUARED_DIFFERENCE = Kernel(
    name="SQUARED_DIFFERENCE",
    signatures=signatures("T,T -> T", T=("int8", "int32", "float32")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/squared_difference.cc",
    max_version=2,
)
