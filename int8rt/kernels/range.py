"""RANGE: numbers from start, delta apart, up to limit, which is not among them.

start, limit, delta: T scalars, output: T[n]; n follows from the values
"""

from __future__ import annotations

import math

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.signature import signatures
from int8rt.model import TensorType


def prepare(context: OperatorContext) -> Params:
    """Count the numbers."""
    for index in range(3):
        if context.input(index).rank != 0:
            raise context.invalid(f"{context.input(index).name!r} must be a scalar")
    start, limit, delta = (context.value(index).reshape(-1)[0] for index in range(3))
    if not ((start >= limit and delta < 0) or (start <= limit and delta > 0)):
        raise context.invalid(f"{delta} does not lead from {start} to {limit}")
    if context.input(0).type == TensorType.FLOAT32:
        with np.errstate(over="ignore", invalid="ignore"):
            steps = np.abs((limit - start) / delta)
        if not np.isfinite(steps):
            raise context.invalid(f"there is no end to the numbers from {start} to {limit} by {delta}")
        count = math.ceil(steps)
    else:
        count = -(-abs(int(limit) - int(start)) // abs(int(delta)))
    return Params(output_shapes=((count,),))


def evaluate(params: Params, start: Array, limit: Array, delta: Array) -> Array:
    """The numbers, each the one before plus delta: in float32 errors add up."""
    (shape,) = params.output_shapes
    assert shape is not None
    numbers = np.full(shape, delta, delta.dtype)
    numbers[:1] = start
    with np.errstate(over="ignore"):
        return np.add.accumulate(numbers, dtype=delta.dtype)


RANGE = Kernel(
    name="RANGE",
    signatures=signatures("T,T,T -> T", T=("int32", "int64", "float32")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/range.cc",
    max_version=2,  # BUILTIN_REF knows version 1 only; version 2 is the same kernel of the optimized resolver
)
