"""Functions of one float32 tensor as the reference kernels compute them, with the functions of the C library."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.signature import signatures
from int8rt.model import TensorType
from int8rt.quantization import libm

Float32 = npt.NDArray[np.float32]
Float16 = npt.NDArray[np.float16]

LOGISTIC_ABOVE = np.float32(16.619047164916992188)
LOGISTIC_BELOW = np.float32(-9)
_L2_EPSILON = np.float32(1e-6)


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatParams(Params):
    """beta: factor of SOFTMAX's exponents; 1 elsewhere."""

    beta: float = 1.0


def float_params(context: OperatorContext) -> FloatParams:
    """Of an operator whose output has the shape of its input."""
    return FloatParams(output_shapes=(context.input(0).shape,))


def row_params(context: OperatorContext, beta: float = 1.0) -> FloatParams:
    """Of an operator along the last axis, which must be there."""
    input = context.input(0)
    if input.rank < 1:
        raise context.invalid(f"input {input.name!r} must have at least one dimension")
    return FloatParams(output_shapes=(input.shape,), beta=beta)


def with_float32(
    kernel: Kernel,
    function: Callable[[FloatParams, Float32], Float32],
    prepare_float: Callable[[OperatorContext], FloatParams] = float_params,
    function16: Callable[[FloatParams, Float16], Float16] | None = None,
) -> Kernel:
    """`kernel` with a `function` of float32 tensors, and perhaps one of float16, besides its integer types."""

    def prepare(context: OperatorContext) -> Params:
        is_float = context.input(0).type in (TensorType.FLOAT32, TensorType.FLOAT16)
        return prepare_float(context) if is_float else kernel.prepare(context)

    def evaluate(params: Any, input: Array) -> Any:
        if not isinstance(params, FloatParams):
            return kernel.evaluate(params, input)
        with np.errstate(all="ignore"):
            if function16 is not None and input.dtype == np.float16:
                return function16(params, input)
            return function(params, input)

    types = (*kernel.signatures, *signatures("float32 -> float32"))
    if function16 is not None:
        types += signatures("float16 -> float16")
    return dataclasses.replace(kernel, signatures=types, prepare=prepare, evaluate=evaluate)


def elementwise(function: Callable[[Float32], Float32]) -> Callable[[FloatParams, Float32], Float32]:
    """A function of each element for `with_float32`."""
    return lambda params, x: function(x)


def in_float32(function: Callable[[FloatParams, Float32], Float32]) -> Callable[[FloatParams, Float16], Float16]:
    """`function` for `with_float32`'s float16 tensors: computed in float32, the result rounded."""
    return lambda params, x: function(params, x.astype(np.float32)).astype(np.float16)


def logistic(x: Float32) -> Float32:
    """1 / (1 + e^-x); 1 for large x, and e^x for x below -9. Source: reference/logistic.h."""
    low = x < LOGISTIC_BELOW
    e = libm.exp(np.where(low, x, -x))
    value = np.where(low, e, np.float32(1) / (np.float32(1) + e))
    return np.where(x > LOGISTIC_ABOVE, np.float32(1), value)


def rsqrt(x: Float32) -> Float32:
    """1 / sqrt(x)."""
    return np.asarray(np.float32(1) / np.sqrt(x))


def hard_swish(x: Float32) -> Float32:
    """x · min(max(x + 3, 0), 6) / 6. Source: reference/hard_swish.h."""
    shifted = x + np.float32(3)
    held = np.where(shifted > 0, shifted, np.float32(0))
    return x * np.where(held < 6, held, np.float32(6)) / np.float32(6)


def softmax(params: FloatParams, x: Float32) -> Float32:
    """e^(beta · (x - max)) over the sum along the last axis. Source: reference/softmax.h."""
    exponentials = libm.exp((x - _row_maximum(x)) * np.float32(params.beta))
    return np.asarray(exponentials / _row_sum(exponentials))


def softmax_float16(params: FloatParams, x: Float16) -> Float16:
    """SOFTMAX of float16 in float32, but for the exponentials, which are rounded once they are summed up."""
    wide = x.astype(np.float32)
    exponentials = libm.exp((wide - _row_maximum(wide)) * np.float32(params.beta))
    rounded = exponentials.astype(np.float16).astype(np.float32)
    return np.asarray(rounded / _row_sum(exponentials)).astype(np.float16)


def log_softmax(params: FloatParams, x: Float32) -> Float32:
    """x - max - log Σ e^(x - max) along the last axis. Source: reference/log_softmax.h."""
    differences = x - _row_maximum(x)
    return np.asarray(differences - libm.log(_row_sum(libm.exp(differences))))


def l2_normalization(params: FloatParams, x: Float32) -> Float32:
    """x over the root of Σ x² along the last axis, which is at least 1e-6. Source: reference/l2normalization.h."""
    norm = np.sqrt(_row_sum(x * x))
    return np.asarray(x / np.where(norm < _L2_EPSILON, _L2_EPSILON, norm))


def _row_maximum(x: Float32) -> Float32:
    """The largest element along the last axis, which is kept; NaN counts as no element."""
    lowest = np.finfo(np.float32).min
    return np.fmax.reduce(x, axis=-1, keepdims=True, initial=lowest)


def _row_sum(x: Float32) -> Float32:
    """The sum along the last axis, which is kept, from the first element to the last."""
    total = np.zeros((*x.shape[:-1], 1), np.float32)
    for column in range(x.shape[-1]):
        total += x[..., column : column + 1]
    return total


def _float_kernel(
    name: str, function: Callable[[Float32], Float32], max_version: int, types: tuple[str, ...] = ("float32",)
) -> Kernel:
    """An operator that has no integer types; float16 is computed in float32."""

    def evaluate(params: FloatParams, input: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(function(input.astype(np.float32, copy=False)), input.dtype)

    return Kernel(
        name=name,
        signatures=signatures("T -> T", T=types),
        prepare=float_params,
        evaluate=evaluate,
        source="kernels/elementwise.cc",
        max_version=max_version,
    )


# BUILTIN_REF knows version 1 only; version 2, of float16, is the same in the optimized resolver.
SIN = _float_kernel("SIN", libm.sin, 2, ("float16", "float32"))
COS = _float_kernel("COS", libm.cos, 2, ("float16", "float32"))
SQUARE = _float_kernel("SQUARE", np.square, 1)
