"""SIGN: -1, 0 or 1 of each element; NaN is left, and -0.0 gives 0.0.

input: T[...], output: T[...]; T is float32, float64 or int32
"""

from __future__ import annotations

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.signature import signatures


def prepare(context: OperatorContext) -> Params:
    """The shape is that of the input."""
    return Params(output_shapes=(context.input(0).shape,))


def evaluate(params: Params, input: Array) -> Array:
    """The signs."""
    return np.asarray(np.sign(input) + input.dtype.type(0))


SIGN = Kernel(
    name="SIGN",
    signatures=signatures("T -> T", T=("int32", "float32", "float64")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/sign.cc",
    max_version=2,
)
