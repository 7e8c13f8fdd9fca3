"""ADD, SUB and MUL of 8-bit codes in XNNPACK.

ADD and SUB: one sum in fixed point, with multipliers of 21 bits. MUL: the product of the codes without their zero
points, times a float32 scale, ties to even; the square of one tensor is a look-up table. An activation is a clamp.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from int8rt.kernels.arithmetic import all_codes, broadcast_operation, broadcast_pair, subtract_zero_point
from int8rt.kernels.base import Array, OperatorContext, Params
from int8rt.kernels.unary import LookupTableParams, evaluate_lookup_table
from int8rt.kernels.xnnpack.delegation import MAX_RANK, Delegated, check_codes, has_elements, holds_codes
from int8rt.model import ActivationFunctionType
from int8rt.quantization.rescale import multiply_by_float32_multiplier
from int8rt.quantization.xnnpack import (
    ACTIVATIONS,
    SumOfCodes,
    activation_range,
    populate_lookup_table,
    product_scale,
    sum_of_codes,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClampedParams(Params):
    """zero_point, activation_min, activation_max: of the output."""

    zero_point: int
    activation_min: int
    activation_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SumParams(ClampedParams):
    """sum: the integers of an ADD or SUB."""

    sum: SumOfCodes


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductParams(ClampedParams):
    """scale: float32, of the product of the codes without their zero points."""

    input1_zero_point: int
    input2_zero_point: int
    scale: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SquareParams(LookupTableParams):
    """The square of each code, clamped."""


def _activation(context: OperatorContext) -> ActivationFunctionType:
    options: Any = context.operator.options
    return ActivationFunctionType.NONE if options is None else options.fused_activation_function


def _takes_pair(context: OperatorContext) -> bool:
    if len(context.inputs) != 2 or len(context.outputs) != 1:
        return False
    input1, input2, output = context.input(0), context.input(1), context.output()
    return (
        _activation(context) in ACTIVATIONS
        and holds_codes(input1, input2, output)
        and input1.type == input2.type == output.type
        and all(has_elements(context, input, (0, MAX_RANK)) for input in (input1, input2))
    )


def _ratios(context: OperatorContext) -> list[np.float32]:
    scale = np.float32(context.per_tensor(context.output())[0])
    with np.errstate(all="ignore"):
        return [np.float32(context.per_tensor(context.input(index))[0]) / scale for index in (0, 1)]


def takes_sum(context: OperatorContext) -> bool:
    """Whether the delegate takes this ADD or SUB of codes: its input scales are 2^-10 to 2^8 times the output's."""
    return _takes_pair(context) and all(2.0**-10 <= ratio < 2.0**8 for ratio in _ratios(context))


def _clamp(context: OperatorContext) -> tuple[int, int]:
    output = context.output()
    return activation_range(_activation(context), *context.per_tensor(output), output.type.dtype)


def prepare_sum(context: OperatorContext) -> SumParams:
    """The integers of an ADD or SUB."""
    input1, input2 = context.input(0), context.input(1)
    check_codes(context, input1, input2, context.output())
    ratio1, ratio2 = _ratios(context)
    if context.operator.name == "SUB":
        ratio2 = -ratio2
    total = sum_of_codes(ratio1, context.per_tensor(input1)[1], ratio2, context.per_tensor(input2)[1])
    low, high = _clamp(context)
    return SumParams(
        output_shapes=(broadcast_pair(context),),
        zero_point=context.per_tensor(context.output())[1],
        activation_min=low,
        activation_max=high,
        sum=total,
    )


def evaluate_sum(params: SumParams, input1: Array, input2: Array) -> Array:
    """ADD or SUB of two arrays."""
    total = params.sum(input1, input2) + np.int32(params.zero_point)
    codes: Array = np.clip(total, params.activation_min, params.activation_max).astype(input1.dtype)
    return codes


def takes_product(context: OperatorContext) -> bool:
    """Whether the delegate takes this MUL of codes: its scale is 2^-16 to 2^8."""
    return _takes_pair(context) and bool(2.0**-16 <= _product_scale(context) < 2.0**8)


def _product_scale(context: OperatorContext) -> float:
    scales = [context.per_tensor(tensor)[0] for tensor in (context.input(0), context.input(1), context.output())]
    return float(product_scale(*scales))


def prepare_product(context: OperatorContext) -> ProductParams | SquareParams:
    """The scale of a MUL; the table of a square."""
    input1, input2, output = context.input(0), context.input(1), context.output()
    check_codes(context, input1, input2, output)
    low, high = _clamp(context)
    if input1.index == input2.index >= 0:
        scales = context.per_tensor(input1), context.per_tensor(output)
        table = populate_lookup_table(np.square, all_codes(input1.type), *scales)
        table = np.clip(table, low, high)
        return SquareParams(output_shapes=(input1.shape,), table=table)
    return ProductParams(
        output_shapes=(broadcast_pair(context),),
        input1_zero_point=context.per_tensor(input1)[1],
        input2_zero_point=context.per_tensor(input2)[1],
        scale=_product_scale(context),
        zero_point=context.per_tensor(output)[1],
        activation_min=low,
        activation_max=high,
    )


def evaluate_product(params: ProductParams | SquareParams, input1: Array, input2: Array) -> Array:
    """MUL of two arrays."""
    if isinstance(params, SquareParams):
        return evaluate_lookup_table(params, input1)
    value1 = subtract_zero_point(input1, params.input1_zero_point)
    value2 = subtract_zero_point(input2, params.input2_zero_point)
    product = broadcast_operation(np.multiply, value1, value2, np.int32)
    scaled = multiply_by_float32_multiplier(product, params.scale) + params.zero_point
    codes: Array = np.clip(scaled, params.activation_min, params.activation_max).astype(input1.dtype)
    return codes


_SOURCE = "src/microparams-init.c, src/qs8-{}/"
ADD, SUB = (
    Delegated(name, takes_sum, prepare_sum, _SOURCE.format("vadd"), evaluate_sum, (SumParams,))
    for name in ("ADD", "SUB")
)
MUL = Delegated(
    "MUL", takes_product, prepare_product, _SOURCE.format("vmul"), evaluate_product, (ProductParams, SquareParams)
)
