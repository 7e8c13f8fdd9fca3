"""CAST: each number to another type, whatever scales the tensors have.

Between integers the low bits are kept; a real number is truncated toward zero and saturates, NaN becomes the largest
integer; anything but 0 is true; a complex number gives its real part. float16 is always rounded from float32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.signature import signatures
from int8rt.quantization.safe_cast import safe_cast


@dataclass(frozen=True, slots=True, kw_only=True)
class CastParams(Params):
    """dtype: of the output tensor, which counts; the types in the options do not."""

    dtype: np.dtype[Any]


def prepare(context: OperatorContext) -> CastParams:
    """Nothing to check: the types are in the signature."""
    return CastParams(output_shapes=(context.input(0).shape,), dtype=context.output().type.dtype)


def evaluate(params: CastParams, input: Array) -> Array:
    """The numbers in `params.dtype`."""
    if input.dtype.kind == "c" and params.dtype.kind != "c":
        input = input.real
    if input.dtype.kind == "f" and params.dtype.kind in "iu":
        return safe_cast(input, params.dtype)
    with np.errstate(all="ignore"):
        if params.dtype == np.float16:
            input = input.astype(np.float32)
        return input.astype(params.dtype)


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
        "bool",
        "complex64",
    )
)

CAST = Kernel(
    name="CAST",
    signatures=signatures(f"{_TYPES} -> {_TYPES}", "int2|int4|uint4 -> float32"),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/cast.cc",
    max_version=9,
)
