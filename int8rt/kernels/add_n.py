"""ADD_N: the sum of two or more tensors of one shape, from the first to the last.

inputs: T[...] each, output: T[...]; T is float32, where sums stay finite, or int32, where they wrap around.
Several threads of TensorFlow Lite add in another order; this is that of one thread.
"""

from __future__ import annotations

import numpy as np

from int8rt.kernels.arithmetic import clamp
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.signature import signatures


def prepare(context: OperatorContext) -> Params:
    """Check that all inputs have one shape."""
    shape = context.input(0).shape
    if len(context.inputs) < 2:
        raise context.invalid(f"has {len(context.inputs)} inputs, expected 2 or more")
    for index in range(1, len(context.inputs)):
        other = context.input(index)
        if other.shape != shape:
            raise context.invalid(f"{other.name!r} has shape {list(other.shape)}, expected {list(shape)}")
    return Params(output_shapes=(shape,))


def evaluate(params: Params, *inputs: Array) -> Array:
    """The sum, clamped after each addition."""
    total = np.array(inputs[0])
    with np.errstate(all="ignore"):
        for input in inputs[1:]:
            total += input
            if total.dtype.kind == "f":
                info = np.finfo(total.dtype)
                clamp(total, float(info.min), float(info.max))
    return total


ADD_N = Kernel(
    name="ADD_N",
    signatures=signatures("int32* -> int32", "float32* -> float32"),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/add_n.cc, optimized/optimized_ops.h",
    max_version=1,
)
