"""TOPK_V2: the k largest elements of each row, in descending order, and where they stand. Codes are compared.

input: T[.., n], k: int32 or int16, one element, outputs: T[.., k], int32 or int16 [.., k]
Of equal elements the first comes first; NaN comes last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count
from int8rt.kernels.layout import scalar
from int8rt.kernels.signature import signatures


@dataclass(frozen=True, slots=True, kw_only=True)
class TopKParams(Params):
    """`index_dtype`: the type of the positions."""

    index_dtype: np.dtype[np.signedinteger]


def prepare(context: OperatorContext) -> TopKParams:
    """Check that a row has k elements."""
    input, index_dtype = context.input(0), context.output(1).type.dtype
    if input.rank < 1:
        raise context.invalid(f"input {input.name!r} must have at least rank 1")
    k = max(0, scalar(context, 1))
    if k > input.shape[-1]:
        raise context.invalid(f"k = {k} is more than the {input.shape[-1]} elements of a row")
    if k > 0 and element_count(input.shape) > 0 and input.shape[-1] > np.iinfo(index_dtype).max:
        raise context.invalid(f"rows of {input.shape[-1]} elements are too long for {index_dtype} positions")
    shape = (*input.shape[:-1], k)
    return TopKParams(output_shapes=(shape, shape), index_dtype=index_dtype)


def evaluate(params: TopKParams, input: Array, k: Array) -> tuple[Array, Array]:
    """Sort, so that equal elements keep their order."""
    (shape, _) = params.output_shapes
    assert shape is not None
    if not input.size:
        return np.empty(shape, input.dtype), np.empty(shape, params.index_dtype)
    # ~x reverses the order of integers of any kind, -x that of real numbers; NumPy sorts NaN to the end.
    descending = -input if input.dtype.kind == "f" else ~input
    order = np.argsort(descending, axis=-1, kind="stable")[..., : shape[-1]]
    return np.take_along_axis(input, order, -1), order.astype(params.index_dtype)


TOPK_V2 = Kernel(
    name="TOPK_V2",
    signatures=signatures("T,int32|int16 -> T,int32|int16", T=("int8", "uint8", "int16", "int32", "int64", "float32")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/topk_v2.cc",
    max_version=3,
)
