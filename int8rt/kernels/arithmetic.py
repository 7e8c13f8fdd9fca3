"""What the element-wise operators share: broadcasting, plain arithmetic with a fused activation, one rescaling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, OperatorContext, Params, TensorInfo, broadcast_shape
from int8rt.kernels.unary import within_spec
from int8rt.model import ActivationFunctionType, Shape, TensorType
from int8rt.quantization.activation_range import (
    calculate_activation_range,
    calculate_float_activation_range,
    calculate_integer_activation_range,
)
from int8rt.quantization.multiplier import quantize_multiplier
from int8rt.quantization.requantize import Requantization

# TensorFlow Lite's broadcasting loop aborts the process above this rank (reference/broadcast_loop.h).
_MAX_BROADCAST_RANK = 8


def broadcast_pair(context: OperatorContext) -> Shape:
    """The output shape of an operator of two inputs; an error where they do not broadcast."""
    input1, input2 = context.input(0), context.input(1)
    shape = broadcast_shape(context, input1, input2)
    if input1.shape != input2.shape and len(shape) > _MAX_BROADCAST_RANK:
        raise context.unsupported(f"broadcasts to rank {len(shape)}; supported up to {_MAX_BROADCAST_RANK}")
    return shape


def is_quantized(tensor: TensorInfo) -> bool:
    """Whether the file gives the tensor a scale."""
    return tensor.quantization is not None and tensor.quantization.scale.size > 0


def is_8bit(type: TensorType) -> bool:
    """Whether the type has 256 codes, few enough for a table of every function of one code."""
    return type in (TensorType.INT8, TensorType.UINT8)


def all_codes(type: TensorType) -> Array:
    """The 256 codes of an 8-bit type, in the order of a look-up table: that of their bits read as unsigned numbers."""
    return np.arange(256, dtype=np.uint8).view(type.dtype)


def subtract_zero_point(codes: Array, zero_point: int) -> npt.NDArray[np.int32]:
    """codes - zero_point, in int32 with wrap-around."""
    output = np.empty(codes.shape, np.int32)
    np.subtract(codes, zero_point, out=output, dtype=np.int32)
    return output


def activation_range(context: OperatorContext, activation: ActivationFunctionType) -> tuple[int, int]:
    """The clamp of a fused activation in steps of output 0; `ModelError` where its scale is too small for it."""
    output = context.output()
    scale, zero_point = context.per_tensor(output)
    return within_spec(context, calculate_activation_range, activation, scale, zero_point, output.type)


def type_range(type: TensorType) -> tuple[int, int]:
    """(smallest, largest) code of an integer type."""
    info = np.iinfo(type.dtype)
    return int(info.min), int(info.max)


def single_requantization(
    context: OperatorContext, real_multiplier: float, activation: tuple[int, int]
) -> Requantization:
    """The rescaling of an accumulator to output 0 by one real multiplier. activation: the clamp, in steps."""
    multiplier, shift = within_spec(context, quantize_multiplier, real_multiplier)
    return Requantization(
        rounding=context.profile.rounding(context.operator.name),
        multiplier=np.array([multiplier], np.int32),
        shift=np.array([shift], np.int32),
        real_multiplier=np.array([real_multiplier]),
        zero_point=context.per_tensor(context.output())[1],
        activation_min=activation[0],
        activation_max=activation[1],
        dtype=context.output().type.dtype,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainParams(Params):
    """Arithmetic on numbers that are not quantized. activation_min, activation_max: numbers of that type."""

    activation_min: float
    activation_max: float


def prepare_plain(context: OperatorContext, activation: ActivationFunctionType) -> PlainParams:
    """The parameters of an operator of two inputs on plain numbers."""
    shape, dtype = broadcast_pair(context), context.output().type.dtype
    low, high = (
        calculate_float_activation_range(activation)
        if dtype.kind == "f"
        else calculate_integer_activation_range(activation, dtype)
    )
    if dtype == np.float16:
        largest = float(np.finfo(dtype).max)
        low, high = max(low, -largest), min(high, largest)
    return PlainParams(output_shapes=(shape,), activation_min=low, activation_max=high)


def evaluate_plain(operation: Callable[..., Any], params: PlainParams, input1: Array, input2: Array) -> Array:
    """One NumPy operation, then the clamp.

    Integers wrap around. The clamp is there without an activation too: infinite sums become the largest float32.
    """
    output = broadcast_operation(operation, input1, input2, input1.dtype)
    clamp(output, params.activation_min, params.activation_max)
    return output


def broadcast_operation(
    operation: Callable[..., Any], input1: Array, input2: Array, dtype: npt.DTypeLike
) -> npt.NDArray[Any]:
    """operation(input1, input2) as an array of its own, of rank 0 too; no floating-point warnings."""
    output = np.empty(np.broadcast_shapes(input1.shape, input2.shape), dtype)
    with np.errstate(all="ignore"):
        operation(input1, input2, out=output)
    return output


def clamp(values: Array, low: float | None, high: float | None) -> None:
    """min(max(values, low), high) in place, as C++ does it: NaN and a zero of either sign stay what they are."""
    if low is not None:
        np.copyto(values, low, where=values < low)
    if high is not None:
        np.copyto(values, high, where=values > high)
