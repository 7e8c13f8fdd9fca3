"""What a value of the wrong type or shape may be: real numbers for codes, codes of the other sign, another order."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.model import Tensor

Array = npt.NDArray[Any]

# Of larger tensors, and of more dimensions, nothing is tried.
_MOST_ELEMENTS, _MOST_DIMENSIONS = 1 << 20, 5
_OTHER_SIGN = {("uint8", "int8"): 0x80, ("int8", "uint8"): 0x80, ("uint16", "int16"): 1 << 15}


def hint(found: Array, expected: Array, tensor: Tensor) -> str:
    """How many elements would equal `expected`, the tensor's codes, if `found` were taken otherwise; "" without one."""
    if found.size != expected.size or not found.size or found.size > _MOST_ELEMENTS or found.dtype.kind not in "iuf":
        return ""
    converted, words = _converted(found, expected, tensor)
    if converted is None:
        return ""
    if converted.shape != expected.shape:
        converted, order = _ordered(converted, expected)
        words.append(order)
    equal = int(np.count_nonzero(converted == expected))
    if 2 * equal < expected.size:
        return ""
    return f"{' and '.join(words)}, {equal} of {expected.size} elements would be equal"


def _converted(found: Array, expected: Array, tensor: Tensor) -> tuple[Array | None, list[str]]:
    """The value in the expected type."""
    if found.dtype == expected.dtype:
        return found, []
    quantization = tensor.quantization
    if found.dtype.kind == "f" and expected.dtype.kind in "iu":
        if quantization is None or quantization.scale.size != 1:
            return None, []
        with np.errstate(all="ignore"):
            codes = np.rint(found.astype(np.float64) / float(quantization.scale[0])) + int(quantization.zero_point[0])
        return codes, ["quantized with the tensor's scale and zero point"]
    flip = _OTHER_SIGN.get((found.dtype.name, expected.dtype.name))
    if flip is not None:
        unsigned = np.dtype(f"u{found.dtype.itemsize}")
        return (found.view(unsigned) ^ unsigned.type(flip)).view(expected.dtype), [f"moved by {flip}"]
    return None, []


def _ordered(found: Array, expected: Array) -> tuple[Array, str]:
    """The transposition of `found` that is nearest to `expected`, or the same elements in the expected shape."""
    best, words, equal = found.reshape(expected.shape), "in the expected shape", -1
    if found.ndim <= _MOST_DIMENSIONS:
        for axes in itertools.permutations(range(found.ndim)):
            turned = found.transpose(axes)
            if turned.shape == expected.shape and (same := int(np.count_nonzero(turned == expected))) > equal:
                best, words, equal = turned, f"transposed by {list(axes)}", same
    return best, words
