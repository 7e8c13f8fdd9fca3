"""The data of a constant tensor as an array."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import ModelError, UnsupportedError
from int8rt.model import Model, Tensor, TensorType
from int8rt.schema.packing import unpack_bits, unpack_strings
from int8rt.schema.sizes import element_count, file_bytes
from int8rt.schema.sparse import check_sparsity, densify


def constant_value(model: Model, tensor: Tensor) -> npt.NDArray[Any] | None:
    """The data of `tensor`, read-only, in its shape and in the dtype of its type; None if it is not a constant.

    A view of the file where that is possible. int4, int2 and uint4 are unpacked to a byte an element, a sparse tensor
    is made dense (which takes no more than twice the dense tensor, and a few MB), strings are bytes objects.
    Raises ModelError where the data does not fit the shape, UnsupportedError where it is in another file.
    """
    if tensor.external_buffer:
        raise UnsupportedError(f"the data of tensor '{tensor.label}' is in another file, which int8rt does not read")
    data = model.buffers[tensor.buffer] if tensor.buffer else None
    if data is None or tensor.type in (TensorType.RESOURCE, TensorType.VARIANT):
        return None
    if tensor.type is TensorType.STRING:
        array: npt.NDArray[Any] = unpack_strings(data)
        if array.size != element_count(tensor):
            raise ModelError(f"tensor '{tensor.label}' holds {array.size} strings, its shape is {tensor.shape}")
    elif tensor.sparsity is None:
        array = _elements(data, tensor, element_count(tensor))
    else:
        stored = check_sparsity(tensor.sparsity, tensor.shape)
        array = densify(_elements(data, tensor, stored), tensor.sparsity, tensor.shape)
    array = array.reshape(tensor.shape)
    array.flags.writeable = False
    return array


def _elements(data: bytes | memoryview, tensor: Tensor, count: int) -> npt.NDArray[Any]:
    """The first `count` elements of the buffer, as they stand there."""
    bits, dtype = tensor.type.bits, tensor.type.dtype
    if count * bits > 8 * len(data):
        raise ModelError(
            f"tensor '{tensor.label}' takes {file_bytes(tensor)} bytes, but buffer {tensor.buffer} has {len(data)}"
        )
    if bits < 8:
        return unpack_bits(data, bits, count, signed=dtype.kind == "i")
    if dtype == np.bool_:
        return np.frombuffer(data, np.uint8, count).astype(np.bool_)  # other bytes than 0 and 1 are true
    array: npt.NDArray[Any] = np.frombuffer(data, dtype.newbyteorder("<"), count)
    return array if array.flags.aligned and array.dtype.isnative else array.astype(dtype)
