"""WHERE: the positions of all elements that are not 0, row by row. A quantized tensor's codes count as they are.

condition: T[...] of rank 1 or more, output: int64[n, rank]; n follows from the data
"""

from __future__ import annotations

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.signature import signatures


def prepare(context: OperatorContext) -> Params:
    """Count the elements."""
    condition = context.input(0)
    if condition.rank < 1:
        raise context.invalid(f"condition {condition.name!r} must have at least rank 1")
    return Params(output_shapes=((int(np.count_nonzero(context.value(0))), condition.rank),))


def evaluate(params: Params, condition: Array) -> Array:
    """One row of indices for each element."""
    return np.argwhere(condition).astype(np.int64)


WHERE = Kernel(
    name="WHERE",
    signatures=signatures("T -> int64", T=("bool", "float32", "int8", "uint8", "int32", "uint32", "int64")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/where.cc, reference/reference_ops.h",
    max_version=2,
)
