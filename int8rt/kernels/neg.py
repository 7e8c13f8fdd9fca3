"""NEG: the stored codes negated, element by element, with wrap-around.

input: T[...], output: T[...]; T is an integer type, float32, float16 or bfloat16. Scales and zero points are ignored,
as TensorFlow Lite ignores them, so that quantized results mean what they should only with zero points 0 and equal
scales.
"""

from __future__ import annotations

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.bfloat16 import with_bfloat16
from int8rt.kernels.signature import signatures


def prepare(context: OperatorContext) -> Params:
    """The output has the shape of the input."""
    return Params(output_shapes=(context.input(0).shape,))


def evaluate(params: Params, input: Array) -> Array:
    """NEG of each element."""
    negated: Array = np.negative(input)
    return negated


NEG = with_bfloat16(
    Kernel(
        name="NEG",
        signatures=signatures("T -> T", T=("int8", "int16", "int32", "int64", "float16", "float32")),
        prepare=prepare,
        evaluate=evaluate,
        source="kernels/neg.cc, reference/neg.h",
        max_version=1,
    ),
    lambda bits: bits ^ np.uint16(0x8000),
)
