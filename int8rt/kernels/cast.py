"""CAST: each number to another type, whatever scales the tensors have.

Between integers the low bits are kept; a real number is truncated toward zero and saturates, NaN becomes the largest
integer; anything but 0 is true; a complex number gives its real part. float16 and bfloat16 are always
rounded from float32; types that share bytes are made of float32 alone, and into it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.signature import signatures
from int8rt.model import TensorType
from int8rt.quantization.bfloat16 import bfloat16_to_float32, float32_to_bfloat16
from int8rt.quantization.safe_cast import safe_cast


@dataclass(frozen=True, slots=True, kw_only=True)
class CastParams(Params):
    """source, target: of the tensors, which count; the types in the options do not. dtype: the target's."""

    source: TensorType
    target: TensorType
    dtype: np.dtype[Any]


def prepare(context: OperatorContext) -> CastParams:
    """Nothing to check: the types are in the signature."""
    source, target = context.input(0), context.output()
    return CastParams(output_shapes=(source.shape,), source=source.type, target=target.type, dtype=target.type.dtype)


def evaluate(params: CastParams, input: Array) -> Array:
    """The numbers in `params.dtype`."""
    if params.source == params.target:
        return input
    if params.source == TensorType.BFLOAT16:
        input = bfloat16_to_float32(input)
    if params.target in _PACKED:
        low, high = _PACKED[params.target]
        return np.where(np.isnan(input), high, np.clip(input, low, high)).astype(params.dtype)
    if input.dtype.kind == "c" and params.dtype.kind != "c":
        input = input.real
    if input.dtype.kind == "f" and params.dtype.kind in "iu" and params.target != TensorType.BFLOAT16:
        return safe_cast(input, params.dtype)
    with np.errstate(all="ignore"):
        if params.target == TensorType.BFLOAT16:
            return float32_to_bfloat16(input.astype(np.float32))
        if params.dtype == np.float16:
            input = input.astype(np.float32)
        return input.astype(params.dtype)


# The ends of the types that share bytes.
_PACKED = {TensorType.INT2: (-2, 1), TensorType.INT4: (-8, 7), TensorType.UINT4: (0, 15)}

_TYPES = "|".join(
    (
        "int8",
        "uint8",
        "int16",
        "uint16",
        "int32",
        "uint32",
        "int64",
        "float16",
        "float32",
        "float64",
        "bfloat16",
        "bool",
        "complex64",
    )
)

CAST = Kernel(
    name="CAST",
    signatures=signatures(
        f"{_TYPES}|bfloat16 -> {_TYPES}|bfloat16", "int2|int4|uint4 -> float32", "float32 -> int2|int4|uint4"
    ),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/cast.cc",
    max_version=9,
)
