"""How many elements and bytes a tensor has, counted in Python integers, which cannot overflow."""

from __future__ import annotations

import math

from int8rt.model import Tensor, TensorType
from int8rt.schema.limits import STRING_BYTES

_HANDLE_BYTES = 8


def element_count(tensor: Tensor) -> int:
    """Product of the shape; 1 for a scalar."""
    return math.prod(tensor.shape)


def file_bytes(tensor: Tensor) -> int:
    """Bytes that a dense constant of this type and shape takes in the file; 0 where the type has no fixed size."""
    return -(-element_count(tensor) * tensor.type.bits // 8)


def memory_bytes(tensor: Tensor) -> int:
    """Bytes that the tensor is counted as in memory (see `Limits`)."""
    if tensor.type.bits:
        return element_count(tensor) * tensor.type.dtype.itemsize
    return element_count(tensor) * (STRING_BYTES if tensor.type is TensorType.STRING else _HANDLE_BYTES)
