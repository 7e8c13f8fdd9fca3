"""ATAN2: the angle of the point (x, y) in radians, element by element, with the C library's atan2.

y: T[...], x: T[...], output: T[...]; T is float32, float64, float16 or bfloat16; the last two in float32
"""

from __future__ import annotations

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.bfloat16 import with_bfloat16
from int8rt.kernels.signature import signatures
from int8rt.quantization import libm


def prepare(context: OperatorContext) -> Params:
    """Check that there is an x for each y. TensorFlow Lite demands equal ranks and reads on where x is smaller."""
    y, x = context.input(0), context.input(1)
    if y.shape != x.shape:
        raise context.invalid(f"{y.name!r} {list(y.shape)} and {x.name!r} {list(x.shape)} must have one shape")
    return Params(output_shapes=(y.shape,))


def evaluate(params: Params, y: Array, x: Array) -> Array:
    """The angles."""
    if y.dtype == np.float16:
        return libm.atan2(y.astype(np.float32), x.astype(np.float32)).astype(np.float16)
    return libm.atan2(y, x)


ATAN2 = with_bfloat16(
    Kernel(
        name="ATAN2",
        signatures=signatures("T,T -> T", T=("float16", "float32", "float64")),
        prepare=prepare,
        evaluate=evaluate,
        source="kernels/atan2.cc",
        max_version=1,
    )
)
