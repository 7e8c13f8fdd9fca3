"""GELU: x · Φ(x), Φ the normal distribution function, element by element.

input: T[...], output: T[...]; T is float32 or float16, or int8, uint8 or int16 with a look-up table. The option
`approximate` takes a formula with tanh instead. Tables are made with the C library's functions, float32 tensors take
Eigen's; every operation on float16 is rounded to it. An int16 table leaves out the output's zero point, as TensorFlow
Lite's does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.signature import signatures
from int8rt.kernels.unary import LookupTableParams, evaluate_lookup_table, prepare_lookup_table
from int8rt.model import TensorType
from int8rt.quantization import eigen, eigen_erfc, libm
from int8rt.schema.options import GeluOptions

_SQRT_HALF = np.float32(math.sqrt(0.5))
_SQRT_2_OVER_PI = np.float32(math.sqrt(2 / math.pi))


def gelu(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """x / 2 · erfc(-x / sqrt(2)) in float32."""
    result: npt.NDArray[Any] = np.float32(0.5) * x * libm.erfc(x * -_SQRT_HALF)
    return result


def gelu_approximate(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """x / 2 · (1 + tanh(sqrt(2 / π) · (x + 0.044715 x³))) in float32."""
    cubic = x + np.float32(0.044715) * x * x * x
    result: npt.NDArray[Any] = np.float32(0.5) * x * (np.float32(1) + libm.tanh(_SQRT_2_OVER_PI * cubic))
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatGeluParams(Params):
    """Of float32 and float16 tensors. approximate: the formula with tanh."""

    approximate: bool


def prepare(context: OperatorContext) -> LookupTableParams | FloatGeluParams:
    """Make the table."""
    approximate = context.options(GeluOptions).approximate
    if context.input(0).type in (TensorType.FLOAT32, TensorType.FLOAT16):
        return FloatGeluParams(output_shapes=(context.input(0).shape,), approximate=approximate)
    return prepare_lookup_table(context, gelu_approximate if approximate else gelu)


def evaluate(params: LookupTableParams | FloatGeluParams, input: Array) -> Array:
    """GELU of an array."""
    if isinstance(params, LookupTableParams):
        return evaluate_lookup_table(params, input)
    x = input.reshape(-1)
    with np.errstate(all="ignore"):
        if x.dtype == np.float16:
            return _gelu_float16(x, params.approximate).reshape(input.shape)
        if params.approximate:
            cubic = x + np.float32(0.044715) * (x * x * x)
            result = np.float32(0.5) * x * (np.float32(1) + eigen.tanh(_SQRT_2_OVER_PI * cubic))
        else:
            result = np.float32(0.5) * x * eigen_erfc.erfc(x * -_SQRT_HALF)
    return np.asarray(result, np.float32).reshape(input.shape)


def _gelu_float16(x: npt.NDArray[np.float16], approximate: bool) -> npt.NDArray[np.float16]:
    half = np.float16
    if approximate:
        inner = half(_SQRT_2_OVER_PI) * (x + half(0.044715) * (x * x * x))
        return (half(0.5) * x) * (half(1) + libm.tanh(inner.astype(np.float32)).astype(half))
    scaled = (x * half(-_SQRT_HALF)).astype(np.float32)
    return (half(0.5) * x) * libm.erfc(scaled).astype(half)


GELU = Kernel(
    name="GELU",
    signatures=signatures("T -> T", T=("int8", "uint8", "int16", "float16", "float32")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/activations.cc, reference/gelu.h, internal/common.h",
    max_version=3,  # BUILTIN_REF knows versions up to 2; the optimized resolver takes float16 by the next
)
