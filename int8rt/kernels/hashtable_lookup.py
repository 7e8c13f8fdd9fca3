"""HASHTABLE_LOOKUP: rows of a table that has sorted keys.

lookup: int32[n], key: int32[rows] in ascending order, value: T[rows,..] -> output: T[n,..] and hits: uint8[n], 1 where
the key is there; other rows are 0 (empty strings). Keys out of order are found or not as C's bsearch does.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count
from int8rt.kernels.layout import COPIED_TYPES, PACKED_TYPES
from int8rt.kernels.signature import signatures
from int8rt.model import TensorType


def prepare(context: OperatorContext) -> Params:
    """Check that there is a key for each row."""
    lookup, key, value = (context.input(index) for index in range(3))
    if lookup.rank != 1 or key.rank != 1 or value.rank < 1 or key.shape[0] != value.shape[0]:
        shapes = ", ".join(str(list(tensor.shape)) for tensor in (lookup, key, value))
        raise context.invalid(f"lookup, key and value have the shapes {shapes}, expected [n], [rows], [rows,..]")
    if value.type == TensorType.STRING and value.rank != 1:
        raise context.invalid(f"strings {value.name!r} must have rank 1, found {list(value.shape)}")
    if element_count(value.shape[1:]) * value.type.bits % 8:
        raise context.unsupported(
            f"rows of {value.type.label} codes that share a byte with the next row: {list(value.shape)}"
        )
    return Params(output_shapes=((*lookup.shape, *value.shape[1:]), lookup.shape))


def evaluate(params: Params, lookup: Array, key: Array, value: Array) -> tuple[Array, Array]:
    """The rows; `EvaluationError` for a table without any."""
    (shape, _) = params.output_shapes
    assert shape is not None
    if not key.size:
        raise EvaluationError("the table has no rows")
    row = binary_search(lookup, key)
    hits = row >= 0
    output = np.full(shape, b"" if value.dtype == object else 0, value.dtype)
    output[hits] = value[row[hits]]
    return output, hits.astype(np.uint8)


def binary_search(wanted: npt.NDArray[np.int32], keys: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """The place of each wanted number among the keys, -1 where it is not found; as C's bsearch does."""
    low, high = np.zeros(wanted.shape, np.int64), np.full(wanted.shape, keys.size, np.int64)
    found = np.full(wanted.shape, -1, np.int64)
    while (open_ := (low < high) & (found < 0)).any():
        middle = (low + high) // 2
        key = keys[np.minimum(middle, keys.size - 1)]
        found = np.where(open_ & (wanted == key), middle, found)
        low = np.where(open_ & (wanted > key), middle + 1, low)
        high = np.where(open_ & (wanted < key), middle, high)
    return found


HASHTABLE_LOOKUP = Kernel(
    name="HASHTABLE_LOOKUP",
    signatures=signatures("int32,int32,T -> T,uint8", T=(*COPIED_TYPES, "complex128", *PACKED_TYPES, "string")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/hashtable_lookup.cc",
    max_version=1,
)
