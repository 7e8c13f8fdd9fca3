"""GELU: x · Φ(x), Φ the normal distribution function, element by element, by a look-up table.

input: T[...], output: T[...]; T is int8, uint8 or int16. The option `approximate` takes a formula with tanh instead.
An int16 table leaves out the output's zero point, as TensorFlow Lite's does.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Kernel, OperatorContext
from int8rt.kernels.signature import signatures
from int8rt.kernels.unary import LookupTableParams, evaluate_lookup_table, prepare_lookup_table
from int8rt.quantization import libm
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


def prepare(context: OperatorContext) -> LookupTableParams:
    """Make the table."""
    approximate = context.options(GeluOptions).approximate
    return prepare_lookup_table(context, gelu_approximate if approximate else gelu)


GELU = Kernel(
    name="GELU",
    signatures=signatures("T -> T", T=("int8", "uint8", "int16")),
    prepare=prepare,
    evaluate=evaluate_lookup_table,
    source="kernels/activations.cc, reference/gelu.h, internal/common.h",
    max_version=2,
)
