"""Arrays to the bytes of a constant tensor: the inverse of `schema.constant`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import ModelError
from int8rt.model import Shape, TensorType
from int8rt.schema.packing import pack_bits, pack_strings

_BY_DTYPE: Mapping[np.dtype[Any], TensorType] = {
    item.dtype: item
    for item in TensorType
    if item.bits == 8 * item.dtype.itemsize
    and item not in (TensorType.BFLOAT16, TensorType.FLOAT8_E4M3FN, TensorType.FLOAT8_E5M2)
}


def as_constant(data: npt.ArrayLike, type: TensorType | None = None) -> tuple[npt.NDArray[Any], TensorType]:
    """`data` as an array in the dtype of `type`, and that type; without a type, the one of the data's dtype.

    Strings are arrays of bytes objects. Raises ModelError where there is no such type, or a value does not fit it.
    """
    array = np.asarray(data)
    if type is TensorType.STRING or (type is None and array.dtype.kind in "OS"):
        return np.asarray(data, np.object_), TensorType.STRING
    if type is None:
        if array.dtype not in _BY_DTYPE:
            raise ModelError(f"no tensor type holds {array.dtype}")
        return array, _BY_DTYPE[array.dtype]
    if array.dtype == type.dtype:
        return array, type
    with np.errstate(all="ignore"):
        cast = array.astype(type.dtype)
    if type.dtype.kind in "biu" and not np.array_equal(cast, array):
        raise ModelError(f"a value is outside of {type.label}")
    return cast, type


def encode(data: npt.ArrayLike, type: TensorType, shape: Shape) -> bytes:
    """Bytes of a constant tensor: little-endian, C order, int4, int2 and uint4 packed with the first element lowest.

    Raises ModelError where the data does not fit `type` or `shape`.
    """
    array, _ = as_constant(data, type)
    if array.shape != tuple(shape):
        raise ModelError(f"the data has shape {array.shape}, the tensor {tuple(shape)}")
    if type is TensorType.STRING:
        return pack_strings(array)
    if type.bits in (2, 4):
        signed = type.dtype.kind == "i"
        low, high = (-(1 << (type.bits - 1)), (1 << (type.bits - 1)) - 1) if signed else (0, (1 << type.bits) - 1)
        if array.size and (array.min() < low or array.max() > high):
            raise ModelError(f"a value is outside of {type.label}, {low} to {high}")
        return pack_bits(array, type.bits)
    if type.bits == 0:
        raise ModelError(f"{type.label} tensors have no constant data")
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
