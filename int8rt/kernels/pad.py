"""PAD and PADV2: a border around a tensor.

input: T of rank 0 to 5, paddings: integers [rank,2] (how many before, how many after), constant_values: T, one element
output: T[before + size + after, ..]
The border is real 0, that is the zero point of the output, or the constant. Codes are copied; TensorFlow Lite does not
ask whether the output has the scale of the input.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, TensorInfo, element_count
from int8rt.kernels.layout import QUANTIZED_TYPES, check_same_quantization, integers, scale_and_zero_point
from int8rt.kernels.signature import signatures
from int8rt.model import TensorType

_MAX_RANK = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PadParams(Params):
    """left_padding: elements before each dimension of the input. pad_value: the border, unless an input holds it."""

    left_padding: tuple[int, ...]
    pad_value: int


def prepare(context: OperatorContext) -> PadParams:
    """Check the paddings and find the value of the border."""
    input, constant = context.input(0), context.optional_input(2)
    if input.rank > _MAX_RANK:
        raise context.invalid(f"input {input.name!r} has rank {input.rank}, the most is {_MAX_RANK}")
    left, right = padding_pairs(context)
    pad_value = 0
    if _has_codes(input):
        pad_value = scale_and_zero_point(context.output())[1]
        limits = np.iinfo(input.type.dtype)
        if constant is not None:
            check_same_quantization(context, constant, context.output())
        elif not limits.min <= pad_value <= limits.max:
            raise context.invalid(f"output {context.output().name!r} has zero point {pad_value}, outside its type")
    if constant is not None and element_count(constant.shape) != 1:
        raise context.invalid(f"{constant.name!r} has shape {list(constant.shape)}, expected one element")
    shape = tuple(before + size + after for before, size, after in zip(left, input.shape, right, strict=True))
    return PadParams(output_shapes=(shape,), left_padding=left, pad_value=pad_value)


def _has_codes(input: TensorInfo) -> bool:
    """Whether TensorFlow Lite takes the elements for codes: uint8 always, int8 and int16 if they are quantized."""
    quantized = input.quantization is not None and input.quantization.scale.size > 0
    return input.type == TensorType.UINT8 or (quantized and input.type in QUANTIZED_TYPES)


def padding_pairs(context: OperatorContext) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(before, after) of input 1, a matrix [rank,2] of numbers that are not negative."""
    input, paddings = context.input(0), context.input(1)
    if paddings.shape != (input.rank, 2):
        raise context.invalid(
            f"paddings {paddings.name!r} have shape {list(paddings.shape)}, expected {[input.rank, 2]}"
        )
    values = integers(context, 1)
    if any(not 0 <= value < 1 << 31 for value in values):
        raise context.invalid(f"paddings {list(values)} must not be negative, nor 2^31 or more")
    return values[0::2], values[1::2]


def evaluate(params: PadParams, input: Array, paddings: Array, constant: Array | None = None) -> Array:
    """The input inside its border."""
    (shape,) = params.output_shapes
    assert shape is not None
    value: Any = params.pad_value if constant is None else constant.reshape(())
    output = np.full(shape, value, input.dtype)
    inner = tuple(slice(before, before + size) for before, size in zip(params.left_padding, input.shape, strict=True))
    output[inner] = input
    return output


_TYPES = ("int8", "uint8", "int16", "int32", "int64", "float32", "bool", "float16", "bfloat16")
_SIGNATURES = signatures("T,int32|int64|int16|int8|bool -> T", "T,int32|int64|int16|int8|bool,T? -> T", T=_TYPES)

PAD = Kernel(
    name="PAD",
    signatures=_SIGNATURES,
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/pad.cc, reference/pad.h",
    max_version=6,
)

PADV2 = Kernel(
    name="PADV2",
    signatures=_SIGNATURES,
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/pad.cc, reference/pad.h",
    max_version=6,
)
