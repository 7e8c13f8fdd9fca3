"""COMPLEX_ABS, REAL and IMAG: parts of complex numbers; the absolute value is the C library's hypot.

input: complex64[...] or complex128[...], output: float32[...] or float64[...]
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.signature import signatures
from int8rt.quantization import libm


def prepare(context: OperatorContext) -> Params:
    """The shape is that of the input."""
    return Params(output_shapes=(context.input(0).shape,))


def evaluate_complex_abs(params: Params, input: Array) -> Array:
    """The distances from 0."""
    return libm.hypot(input.real, input.imag)


def evaluate_real(params: Params, input: Array) -> Array:
    """The real parts."""
    return np.array(input.real)


def evaluate_imag(params: Params, input: Array) -> Array:
    """The imaginary parts."""
    return np.array(input.imag)


def _kernel(name: str, evaluate: Callable[[Params, Array], Array]) -> Kernel:
    return Kernel(
        name=name,
        signatures=signatures("complex64 -> float32", "complex128 -> float64"),
        prepare=prepare,
        evaluate=evaluate,
        source="kernels/complex_support.cc",
        max_version=1,
    )


COMPLEX_ABS = _kernel("COMPLEX_ABS", evaluate_complex_abs)
REAL = _kernel("REAL", evaluate_real)
IMAG = _kernel("IMAG", evaluate_imag)
