"""BITCAST: the bytes of a tensor as elements of another type.

input: any type with elements of whole bytes, output: another. Smaller elements add a last dimension; larger ones take
up the last dimension, whose size must be what one of them needs. Codes that share bytes (int4, uint4, int2) can only
become others of as many bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.layout import COPIED_TYPES
from int8rt.kernels.signature import signatures


@dataclass(frozen=True, slots=True, kw_only=True)
class BitcastParams(Params):
    """dtype: of the output. unused: bits of an element in memory that an element of the file has not."""

    dtype: np.dtype[Any]
    unused: int


def prepare(context: OperatorContext) -> BitcastParams:
    """Derive the shape."""
    input, output = context.input(0), context.output()
    size, output_size = input.type.dtype.itemsize, output.type.dtype.itemsize
    shape = input.shape
    if size > output_size:
        shape = (*shape, size // output_size)
    elif size < output_size:
        if not shape or shape[-1] != output_size // size:
            raise context.invalid(
                f"the last of the dimensions {list(shape)} must be {output_size // size}, so many {input.type.label} "
                f"elements make one of {output.type.label}"
            )
        shape = shape[:-1]
    return BitcastParams(output_shapes=(shape,), dtype=output.type.dtype, unused=max(8 - output.type.bits, 0))


def evaluate(params: BitcastParams, input: Array) -> Array:
    """A copy of the bytes."""
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.frombuffer(input.tobytes(), params.dtype).reshape(shape)
    # The shift to the right extends the sign where the type has one.
    return output << params.unused >> params.unused if params.unused else output


# No bytes but 0 and 1 are elements of bool.
_NUMBERS = [name for name in (*COPIED_TYPES, "complex128") if name != "bool"]

BITCAST = Kernel(
    name="BITCAST",
    signatures=signatures(
        "bool -> bool", "int4|uint4 -> int4|uint4", "int2 -> int2", f"T -> {'|'.join(_NUMBERS)}", T=[*_NUMBERS, "bool"]
    ),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/bitcast.cc",
    max_version=1,
    others="LiteRT counts a byte for each element where several share one, and copies too few or too many",
)
