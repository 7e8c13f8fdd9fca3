"""DIV: input1 / input2, broadcast, then the fused activation.

int8, uint8, int16: the quotient of the codes without their zero points, by a reciprocal in fixed point, rescaled to the
output. A divisor that stands for 0 is a run-time error, and so is 0 of int32; int32 quotients are rounded toward 0.
float32 divides as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.errors import EvaluationError
from int8rt.kernels.arithmetic import (
    PlainParams,
    activation_range,
    broadcast_pair,
    clamp,
    evaluate_plain,
    prepare_plain,
)
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.real_multipliers import quotient_ratio
from int8rt.kernels.signature import signatures
from int8rt.kernels.unary import within_spec
from int8rt.model import TensorType
from int8rt.quantization.division import divide_int32_truncate
from int8rt.quantization.multiplier import quantize_multiplier
from int8rt.quantization.reciprocal import fixed_point_quotient
from int8rt.schema.options import DivOptions

_QUANTIZED = (TensorType.INT8, TensorType.UINT8, TensorType.INT16)
# With those beyond, even the differences of codes do not fit 32 bits at some point.
_ZERO_POINTS = range(-(1 << 16), 1 << 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class DivParams(Params):
    """Zero points and the clamp in quantized steps; what takes a quotient of codes to steps of the output."""

    input1_zero_point: int
    input2_zero_point: int
    output_zero_point: int
    output_multiplier: int
    output_shift: int
    activation_min: int
    activation_max: int
    dtype: np.dtype[np.integer]


def prepare(context: OperatorContext) -> DivParams | PlainParams:
    """Check that the inputs broadcast and derive the output's multiplier."""
    activation = context.options(DivOptions).fused_activation_function
    if context.output().type not in _QUANTIZED:
        return prepare_plain(context, activation)
    (scale1, zero_point1), (scale2, zero_point2), (scale, zero_point) = (
        context.per_tensor(tensor) for tensor in (context.input(0), context.input(1), context.output())
    )
    if (farthest := max(zero_point1, zero_point2, zero_point, key=abs)) not in _ZERO_POINTS:
        raise context.unsupported(f"the zero point {farthest} is so large that integers overflow")
    multiplier, shift = within_spec(context, quantize_multiplier, quotient_ratio(context, scale1, scale2, scale))
    low, high = activation_range(context, activation)
    return DivParams(
        output_shapes=(broadcast_pair(context),),
        input1_zero_point=zero_point1,
        input2_zero_point=zero_point2,
        output_zero_point=zero_point,
        output_multiplier=multiplier,
        output_shift=shift,
        activation_min=low,
        activation_max=high,
        dtype=context.output().type.dtype,
    )


def evaluate(params: DivParams | PlainParams, input1: Array, input2: Array) -> Array:
    """The quotient; `EvaluationError` for a divisor of 0 among integers. -2^31 / -1 of int32 gives 2^31 - 1."""
    if not isinstance(params, PlainParams):
        return _divide_codes(params, input1, input2)
    if input1.dtype.kind == "f":
        return evaluate_plain(np.divide, params, input1, input2)
    _check_divisors(input2, 0)
    quotient = divide_int32_truncate(*np.broadcast_arrays(input1, input2))
    clamp(quotient, params.activation_min, params.activation_max)
    return quotient.astype(np.int32)


def _divide_codes(params: DivParams, input1: Array, input2: Array) -> npt.NDArray[np.integer]:
    _check_divisors(input2, params.input2_zero_point)
    numerator, denominator = np.broadcast_arrays(
        input1.astype(np.int64) - params.input1_zero_point, input2.astype(np.int64) - params.input2_zero_point
    )
    result = fixed_point_quotient(numerator, denominator, params.output_multiplier, params.output_shift)
    result += params.output_zero_point
    return np.clip(result, params.activation_min, params.activation_max).astype(params.dtype)


def _check_divisors(divisor: Array, zero_point: int) -> None:
    if np.any(divisor == zero_point):
        raise EvaluationError("division by 0")


DIV = Kernel(
    name="DIV",
    signatures=signatures("T,T -> T", T=("int8", "uint8", "int16", "int32", "float32")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/div.cc, reference/div.h",
    max_version=2,
)
