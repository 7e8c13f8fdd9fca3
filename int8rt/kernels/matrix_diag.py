"""MATRIX_DIAG and MATRIX_SET_DIAG: matrices with a given diagonal.

MATRIX_DIAG: T[.., n] -> T[.., n, n], elsewhere 0. A quantized tensor gets the code 0 there.
MATRIX_SET_DIAG: input T[.., rows, columns], diagonal T[...] with an element for each place -> T of the input's shape.
"""

from __future__ import annotations

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count
from int8rt.kernels.signature import signatures


def prepare_matrix_diag(context: OperatorContext) -> Params:
    """Check that there is a dimension."""
    shape = context.input(0).shape
    if len(shape) < 1:
        raise context.invalid(f"input {context.input(0).name!r} must have at least rank 1")
    return Params(output_shapes=((*shape, shape[-1]),))


def evaluate_matrix_diag(params: Params, input: Array) -> Array:
    """The matrices."""
    (shape,) = params.output_shapes
    assert shape is not None
    output = np.zeros(shape, input.dtype)
    position = np.arange(shape[-1])
    output[..., position, position] = input
    return output


def prepare_matrix_set_diag(context: OperatorContext) -> Params:
    """Check that there are elements for the diagonals. TensorFlow Lite reads on where the diagonal is too small."""
    input, diagonal = context.input(0), context.input(1)
    if input.rank < 2:
        raise context.invalid(f"input {input.name!r} must have at least rank 2, found {list(input.shape)}")
    needed = element_count(input.shape[:-2]) * min(input.shape[-2:])
    if element_count(diagonal.shape) != needed:
        raise context.invalid(
            f"diagonal {diagonal.name!r} {list(diagonal.shape)} must have {needed} elements for {list(input.shape)}"
        )
    return Params(output_shapes=(input.shape,))


def evaluate_matrix_set_diag(params: Params, input: Array, diagonal: Array) -> Array:
    """The matrices with their new diagonals."""
    output = input.copy()
    position = np.arange(min(input.shape[-2:]))
    output[..., position, position] = diagonal.reshape(*input.shape[:-2], len(position))
    return output


_TYPES = ("int8", "uint8", "int16", "int32", "int64", "float32")

MATRIX_DIAG = Kernel(
    name="MATRIX_DIAG",
    signatures=signatures("T -> T", T=_TYPES),
    prepare=prepare_matrix_diag,
    evaluate=evaluate_matrix_diag,
    source="kernels/matrix_diag.cc",
    max_version=1,
)

MATRIX_SET_DIAG = Kernel(
    name="MATRIX_SET_DIAG",
    signatures=signatures("T,T -> T", T=_TYPES),
    prepare=prepare_matrix_set_diag,
    evaluate=evaluate_matrix_set_diag,
    source="kernels/matrix_set_diag.cc",
    max_version=1,
)
