"""What operators that move data share: the types they take, and checks of quantization and of small integer inputs."""

from __future__ import annotations

import numpy as np

from int8rt.kernels.base import OperatorContext, TensorInfo
from int8rt.model import TensorType

# Types with elements of 1, 2, 4 or 8 bytes: what TensorFlow Lite takes where it copies by the size of an element.
COPIED_TYPES = (
    "int8",
    "uint8",
    "int16",
    "int32",
    "int64",
    "float32",
    "bool",
    "float16",
    "bfloat16",
    "float64",
    "complex64",
    "uint16",
    "uint32",
    "uint64",
    "float8_e4m3fn",
    "float8_e5m2",
)

# Types with several elements in a byte.
PACKED_TYPES = ("int4", "uint4", "int2")

# What TensorFlow Lite takes where all that changes is the shape.
RESHAPED_TYPES = (*COPIED_TYPES, "complex128", *PACKED_TYPES, "string")

# Types whose codes stand for real numbers through a scale and a zero point.
QUANTIZED_TYPES = frozenset({TensorType.INT8, TensorType.UINT8, TensorType.INT16})


def scale_and_zero_point(tensor: TensorInfo) -> tuple[float, int]:
    """(scale, zero_point) as TensorFlow Lite keeps them for a whole tensor: (0.0, 0) unless there is exactly one.

    Source: core/subgraph.cc, GetLegacyQuantization.
    """
    quantization = tensor.quantization
    if quantization is None or quantization.scale.size != 1 or quantization.zero_point.size == 0:
        return 0.0, 0
    return float(quantization.scale[0]), int(quantization.zero_point[0])


def check_same_quantization(context: OperatorContext, first: TensorInfo, second: TensorInfo) -> None:
    """`ModelError` unless both tensors have the same scale and zero point (or none)."""
    one, other = scale_and_zero_point(first), scale_and_zero_point(second)
    if one != other:
        raise context.invalid(
            f"{first.name!r} has scale {one[0]} and zero point {one[1]}, {second.name!r} has scale {other[0]} and "
            f"zero point {other[1]}; they must be equal"
        )


def check_int16_zero_point(context: OperatorContext, *tensors: TensorInfo) -> None:
    """`ModelError` for an int16 tensor whose zero point is not 0."""
    for tensor in tensors:
        zero_point = scale_and_zero_point(tensor)[1]
        if tensor.type == TensorType.INT16 and zero_point != 0:
            raise context.invalid(f"int16 tensor {tensor.name!r} has zero point {zero_point}, expected 0")


def check_zero_points(context: OperatorContext, type: TensorType, *tensors: TensorInfo) -> None:
    """`ModelError` for a zero point that is no code of `type`."""
    info = np.iinfo(type.dtype)
    for tensor in tensors:
        zero_point = scale_and_zero_point(tensor)[1]
        if not info.min <= zero_point <= info.max:
            raise context.invalid(f"{tensor.name!r} has zero point {zero_point}, expected {info.min} to {info.max}")


def integers(context: OperatorContext, index: int) -> tuple[int, ...]:
    """The elements of input `index`, row by row, as Python integers, which do not overflow."""
    return tuple(int(value) for value in context.value(index).ravel())


def scalar(context: OperatorContext, index: int) -> int:
    """The one element of input `index`; `ModelError` where it has another number of elements."""
    values = integers(context, index)
    if len(values) != 1:
        raise context.invalid(f"input {context.input(index).name!r} has {len(values)} elements, expected 1")
    return values[0]
