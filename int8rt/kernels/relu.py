"""RELU, RELU6, RELU_N1_TO_1 and RELU_0_TO_1: a clamp of real numbers, from one scale to another.

int8, uint8, int16: the code without its zero point is rescaled by input_scale / output_scale, and the bounds are codes
of the output. float32: the clamp alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.arithmetic import (
    all_codes,
    clamp,
    is_8bit,
    single_requantization,
    subtract_zero_point,
)
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.layout import check_int16_zero_point
from int8rt.kernels.real_multipliers import ratio
from int8rt.kernels.signature import signatures
from int8rt.model import TensorType
from int8rt.quantization.activation_range import calculate_relu_range
from int8rt.quantization.lookup_table import lookup
from int8rt.quantization.requantize import Requantization, requantize

# The real bounds of each operator; None: no bound.
_BOUNDS: dict[str, tuple[float, float | None]] = {
    "RELU": (0.0, None),
    "RELU6": (0.0, 6.0),
    "RELU_N1_TO_1": (-1.0, 1.0),
    "RELU_0_TO_1": (0.0, 1.0),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReluParams(Params):
    """A quantized clamp. table: the output code of each 8-bit input code, None for int16."""

    input_zero_point: int
    requantization: Requantization
    table: Array | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatReluParams(Params):
    """A float32 clamp; None: no bound."""

    activation_min: float
    activation_max: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OldRelu6Params(Params):
    """RELU6 of float32 that gives 0.0 for NaN and -0.0."""


def prepare(context: OperatorContext) -> ReluParams | FloatReluParams | OldRelu6Params:
    """Derive the integers of one of the four operators."""
    input, output = context.input(0), context.output()
    low, high = _BOUNDS[context.operator.name]
    if input.type == TensorType.FLOAT32:
        if context.operator.name == "RELU6" and context.profile.before_2_20:
            return OldRelu6Params(output_shapes=(input.shape,))
        return FloatReluParams(output_shapes=(input.shape,), activation_min=low, activation_max=high)
    check_int16_zero_point(context, input, output)
    (input_scale, input_zero_point), (scale, zero_point) = context.per_tensor(input), context.per_tensor(output)
    bounds = calculate_relu_range(low, high, scale, zero_point, output.type)
    requantization = single_requantization(context, ratio(context, input_scale, scale), bounds)
    table = _rescale(all_codes(input.type), input_zero_point, requantization) if is_8bit(input.type) else None
    return ReluParams(
        output_shapes=(input.shape,), input_zero_point=input_zero_point, requantization=requantization, table=table
    )


def _rescale(codes: Array, zero_point: int, requantization: Requantization) -> Array:
    return requantize(subtract_zero_point(codes, zero_point), requantization)


def evaluate(params: ReluParams | FloatReluParams | OldRelu6Params, input: Array) -> Array:
    """The clamped numbers or codes."""
    if isinstance(params, OldRelu6Params):
        return np.where(input > 0, np.minimum(input, np.float32(6)), np.float32(0))
    if isinstance(params, FloatReluParams):
        output = input.copy()
        clamp(output, params.activation_min, params.activation_max)
        return output
    if params.table is not None:
        return lookup(input, params.table)
    return _rescale(input, params.input_zero_point, params.requantization)


def _kernel(name: str, types: tuple[str, ...], max_version: int) -> Kernel:
    return Kernel(
        name=name,
        signatures=signatures("T -> T", T=types),
        prepare=prepare,
        evaluate=evaluate,
        source="kernels/activations.cc, reference/reference_ops.h (ReluX)",
        max_version=max_version,
    )


RELU = _kernel("RELU", ("int8", "uint8", "int16", "float32"), 3)
RELU6 = _kernel("RELU6", ("int8", "uint8", "int16", "float32"), 3)
RELU_N1_TO_1 = _kernel("RELU_N1_TO_1", ("int8", "uint8", "float32"), 1)
RELU_0_TO_1 = _kernel("RELU_0_TO_1", ("int8", "uint8", "float32"), 1)
