"""QUANTIZE: real numbers to codes, or codes of one scale and type to codes of another.

float32 to int8, uint8, int16: round(x / scale) + zero_point, per tensor or with parameters for each index of an axis;
to int4 and uint4 per tensor only.
Between integer types: the code without its zero point is rescaled by input_scale / output_scale. (TensorFlow Lite has a
short cut where only int8 and uint8 differ, an exclusive or with 0x80; its numbers are the same.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.arithmetic import (
    all_codes,
    is_8bit,
    single_requantization,
    subtract_zero_point,
    type_range,
)
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, TensorInfo
from int8rt.kernels.layout import check_int16_zero_point
from int8rt.kernels.signature import signatures
from int8rt.model import Shape, TensorType
from int8rt.quantization.affine import quantize
from int8rt.quantization.effective_scales import scale_ratio
from int8rt.quantization.lookup_table import lookup
from int8rt.quantization.requantize import Requantization, requantize

# Elements that are quantized at once: small enough that the intermediates stay in a core's L2 cache.
_BLOCK_ELEMENTS = 1 << 15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QuantizeParams(Params):
    """scale, zero_point: in a shape that broadcasts against the input. low, high: the codes at the ends of the type."""

    scale: npt.NDArray[np.float32]
    zero_point: npt.NDArray[np.int64]
    dtype: np.dtype[Any]
    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RequantizeParams(Params):
    """table: the output code of each 8-bit input code, None for wider inputs."""

    input_zero_point: int
    requantization: Requantization
    table: Array | None


def prepare(context: OperatorContext) -> QuantizeParams | RequantizeParams:
    """Check the quantization parameters of a QUANTIZE and derive its integers."""
    input, output = context.input(0), context.output()
    if input.type == TensorType.FLOAT32:
        scale, zero_point = axis_parameters(context, output, input.shape)
        low, high = type_range(output.type)
        if output.type.bits < 8:
            low, high = (-8, 7) if output.type == TensorType.INT4 else (0, 15)
            if scale.size > 1:
                raise context.unsupported(f"{scale.size} scales of {output.type.label} codes")
        return QuantizeParams(
            output_shapes=(input.shape,),
            scale=scale,
            zero_point=zero_point,
            dtype=output.type.dtype,
            low=low,
            high=high,
        )
    if input.type == output.type:
        check_int16_zero_point(context, input, output)
    (input_scale, input_zero_point), (output_scale, _) = context.per_tensor(input), context.per_tensor(output)
    requantization = single_requantization(context, scale_ratio(input_scale, output_scale), type_range(output.type))
    table = _requantize(all_codes(input.type), input_zero_point, requantization) if is_8bit(input.type) else None
    return RequantizeParams(
        output_shapes=(input.shape,), input_zero_point=input_zero_point, requantization=requantization, table=table
    )


def axis_parameters(
    context: OperatorContext, tensor: TensorInfo, shape: Shape
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """(scale, zero_point) of a tensor in a form that broadcasts against an array of this shape."""
    scale, zero_point = context.per_axis(tensor)
    if scale.size == 1:
        return scale.reshape(()), zero_point.reshape(())
    assert tensor.quantization is not None
    axis = tensor.quantization.quantized_dimension
    if not 0 <= axis < len(shape) or shape[axis] != scale.size:
        raise context.invalid(f"tensor {tensor.name!r} has {scale.size} scales for dimension {axis} of {list(shape)}")
    form = tuple(scale.size if i == axis else 1 for i in range(len(shape)))
    return scale.reshape(form), zero_point.reshape(form)


def _requantize(codes: Array, zero_point: int, requantization: Requantization) -> Array:
    return requantize(subtract_zero_point(codes, zero_point), requantization)


def evaluate(params: QuantizeParams | RequantizeParams, input: Array) -> Array:
    """The codes of real numbers, or the codes that stand for the same real numbers as the input's."""
    if isinstance(params, RequantizeParams):
        if params.table is not None:
            return lookup(input, params.table)
        return _requantize(input, params.input_zero_point, params.requantization)
    if params.scale.size > 1:
        return quantize(input, params.scale, params.zero_point, params.dtype)
    flat = np.ascontiguousarray(input).reshape(-1)
    output = np.empty(flat.shape, params.dtype)
    for start in range(0, flat.size, _BLOCK_ELEMENTS):
        block = slice(start, start + _BLOCK_ELEMENTS)
        output[block] = quantize(flat[block], params.scale, params.zero_point, params.dtype)
    if params.high < np.iinfo(params.dtype).max:
        np.clip(output, params.low, params.high, out=output)
    return output.reshape(input.shape)


QUANTIZE = Kernel(
    name="QUANTIZE",
    signatures=signatures(
        "float32 -> int8|uint8|int16|int4|uint4",
        "int8|uint8 -> int8|uint8|int16",
        "int16 -> int8|int16|int32",
        "int32 -> int8|int16",
    ),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/quantize.cc, reference/quantize.h, reference/requantize.h",
    max_version=6,
)
