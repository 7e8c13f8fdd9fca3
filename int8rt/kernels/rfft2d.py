"""RFFT2D: Fourier transforms of real matrices.

input: float32[...,H,W], fft_length: int32[2], output: complex64[...,L0,1 + L1 / 2]. The last two dimensions are cut, or
filled up with zeros, to fft_length; float64 inside. NumPy's transform adds up in another order than TensorFlow Lite's,
so this is not exact: what nearly cancels out differs, by less than 1e-15 of the sum of magnitudes; all else is rounded
to the same float32, or rarely to its neighbour.
Source: TensorFlow Lite kernels/rfft2d.cc.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.signature import signatures


@dataclass(frozen=True, slots=True, kw_only=True)
class RFFT2DParams(Params):
    """fft_length: rows and columns that are transformed."""

    fft_length: tuple[int, int]


def prepare(context: OperatorContext) -> RFFT2DParams:
    """Check the shapes; both lengths are powers of two."""
    input, lengths = context.input(0), context.input(1)
    if input.rank < 2:
        raise context.invalid(f"input {input.name!r} must have rank 2 or more, found {list(input.shape)}")
    if lengths.shape != (2,):
        raise context.invalid(f"fft_length {lengths.name!r} must have shape [2], found {list(lengths.shape)}")
    rows, columns = (int(length) for length in context.value(1))
    for length in (rows, columns):
        if length < 1 or length & (length - 1):
            raise context.invalid(f"fft_length {[rows, columns]} must be powers of two")
    if columns < 2:
        # TensorFlow Lite writes behind its rows then.
        raise context.unsupported(f"fft_length {[rows, columns]}: fewer than 2 columns")
    return RFFT2DParams(
        output_shapes=((*input.shape[:-2], rows, 1 + columns // 2),),
        fft_length=(rows, columns),
    )


def evaluate(params: RFFT2DParams, input: Array, fft_length: Array) -> Array:
    """The transforms of all matrices."""
    (shape,) = params.output_shapes
    assert shape is not None
    if not input.size:
        return np.zeros(shape, np.complex64)
    with np.errstate(all="ignore"):
        output = np.fft.rfft2(input.astype(np.float64), params.fft_length).astype(np.complex64)
    # Those that are real whatever the input: TensorFlow Lite writes 0 beside them, before it changes all signs.
    output.imag[..., :: max(shape[-2] // 2, 1), :: shape[-1] - 1] = -0.0
    return output


RFFT2D = Kernel(
    name="RFFT2D",
    signatures=signatures("float32,int32 -> complex64"),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/rfft2d.cc",
    max_version=1,
    bound="1 step of float32, and 1e-15 of the sum of the magnitudes that a transform adds up",
)
