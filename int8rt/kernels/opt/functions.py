"""Functions of float32 tensors in the optimized kernels: Eigen's approximations, and vectors that multiply otherwise.

HARD_SWISH multiplies by one sixth before the other product in whole groups of four elements, TANH, LOGISTIC, SOFTMAX
and LOG_SOFTMAX are Eigen's: its exponentials of whole groups of four elements are polynomials, those of the elements
after them the C library's, and its sums are grouped. Tensors start at addresses divisible by 16. TANH and SOFTMAX of
float16 are the reference kernels'; LOGISTIC rounds to float16 after every step.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from int8rt.kernels import hard_swish
from int8rt.kernels.base import Kernel, OperatorContext
from int8rt.kernels.float32.functions import Float16, FloatParams, float_params, with_float32
from int8rt.quantization import eigen, libm
from int8rt.quantization.eigen_exp import exp, sums_of_rows

Float32 = npt.NDArray[np.float32]
Function = Callable[[FloatParams, Float32], Float32]

_SOURCE = "kernels/activations.cc, optimized/optimized_ops.h"
_SIXTH = np.float32(1) / np.float32(6)


def of_float32(
    kernel: Kernel,
    function: Function,
    prepare: Callable[[OperatorContext], FloatParams] = float_params,
    function16: Callable[[FloatParams, Float16], Float16] | None = None,
) -> Kernel:
    """`kernel` with another function for float32 tensors, and perhaps for float16."""
    wrapped = with_float32(kernel, function, prepare, function16)
    return dataclasses.replace(wrapped, signatures=kernel.signatures, source=_SOURCE)


def float_hard_swish(params: FloatParams, x: Float32) -> Float32:
    """x · min(max(x + 3, 0), 6) / 6."""
    shifted = x + np.float32(3)
    held = np.where(shifted < 0, np.float32(0), shifted)
    held = np.where(held > 6, np.float32(6), held)
    whole = np.arange(x.size).reshape(x.shape) < x.size // 4 * 4
    return np.where(whole, (x * _SIXTH) * held, (x * held) * _SIXTH)


def float_tanh(params: FloatParams, x: Float32) -> Float32:
    """The hyperbolic tangent; of NaN it is NaN, unlike in the recurrent cells."""
    return np.where(np.isnan(x), x, eigen.tanh(x))


def float_logistic(params: FloatParams, x: Float32) -> Float32:
    """1 / (1 + e^-x); of NaN it is NaN, unlike in the recurrent cells."""
    return np.where(np.isnan(x), x, eigen.logistic(np.ravel(x)).reshape(x.shape))


def float16_logistic(params: FloatParams, x: Float16) -> Float16:
    """e^x / (1 + e^x), each step rounded to float16; 1 where e^x is infinite."""
    power = libm.exp(x.astype(np.float32)).astype(np.float16)
    return np.where(np.isposinf(power), np.float16(1), power / (np.float16(1) + power))


def float_softmax(params: FloatParams, x: Float32) -> Float32:
    """e^(beta · (x - max)) times the reciprocal of the sum along the last axis."""
    differences = (x - x.max(axis=-1, keepdims=True, initial=-np.inf)) * np.float32(params.beta)
    rows = exp(differences.reshape(-1)).reshape(-1, x.shape[-1])
    return np.asarray(rows * (np.float32(1) / sums_of_rows(rows))[:, np.newaxis]).reshape(x.shape)


def float_log_softmax(params: FloatParams, x: Float32) -> Float32:
    """x - max - log Σ e^(x - max) along the last axis."""
    rows = x.reshape(-1, x.shape[-1])
    differences = rows - rows.max(axis=1, keepdims=True)
    sums = sums_of_rows(np.stack([exp(row) for row in differences]), aligned=True)
    return np.asarray(differences - libm.log(sums)[:, np.newaxis]).reshape(x.shape)


HARD_SWISH = of_float32(hard_swish.HARD_SWISH, float_hard_swish)
