"""Values that a caller gives for a tensor, checked and converted to the array that is stored."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import InputError
from int8rt.model import Shape, Tensor, TensorType

Array = npt.NDArray[Any]

# Types of fewer bits than the dtype in which their values come.
_RANGES = {TensorType.INT4: (-8, 7), TensorType.INT2: (-2, 1), TensorType.UINT4: (0, 15)}


def checked_value(tensor: Tensor, index: int, shape: Shape, value: npt.ArrayLike) -> Array:
    """`value` as an array of the tensor's dtype and of `shape`, not copied where it is one already.

    Nothing is cast or broadcast: another dtype or shape is an `InputError`, and so are int4, int2 and uint4 values that
    do not fit. Strings come as str (stored as UTF-8) or bytes.
    """
    try:
        array = np.asarray(value)
    except ValueError:
        raise InputError(f"cannot set tensor: the value of tensor {index}, {tensor.label}, is no array") from None
    if tensor.type is TensorType.STRING and array.dtype.kind in "OSU":
        array = _strings(array, tensor, index)
    expected = tensor.type.dtype
    if array.dtype != expected:
        raise InputError(
            f"cannot set tensor: got a value of type {array.dtype} but expected type {tensor.type.label} for tensor "
            f"{index}, name: {tensor.label}"
        )
    if array.shape != shape:
        raise InputError(
            f"cannot set tensor: got a value of shape {list(array.shape)} but expected {list(shape)} for tensor "
            f"{index}, name: {tensor.label}"
        )
    if tensor.type in _RANGES and array.size:
        low, high = _RANGES[tensor.type]
        if array.min() < low or array.max() > high:
            raise InputError(f"cannot set tensor: {tensor.type.label} values must be in [{low}, {high}]")
    return array


def _strings(array: Array, tensor: Tensor, index: int) -> Array:
    if array.ndim == 0 and array.dtype.kind == "S":
        items = [array.tobytes()]  # with the zero bytes at its end, which NumPy takes for padding
    else:
        items = [item.encode() if isinstance(item, str) else item for item in array.ravel().tolist()]
    if not all(isinstance(item, bytes) for item in items):
        raise InputError(f"cannot set tensor: tensor {index}, name: {tensor.label}, takes only str and bytes")
    strings = np.empty(len(items), object)
    strings[:] = items
    return strings.reshape(array.shape)


def default_value(tensor: Tensor, shape: Shape) -> Array:
    """What an input holds before it is set: zeros, or empty strings."""
    if tensor.type is TensorType.STRING:
        return np.full(shape, b"", object)
    return np.zeros(shape, tensor.type.dtype)


def variable_value(tensor: Tensor, shape: Shape | None = None) -> Array:
    """What a variable tensor is reset to: its zero point if it is int8, else zero. shape: by default the tensor's."""
    value = default_value(tensor, tensor.shape if shape is None else shape)
    quantization = tensor.quantization
    if tensor.type is TensorType.INT8 and quantization is not None and quantization.zero_point.size == 1:
        value.fill(quantization.zero_point[0])
    return value
