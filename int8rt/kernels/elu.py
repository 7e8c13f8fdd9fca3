"""ELU: x, below 0 e^x - 1, element by element, by a look-up table.

input: int8[...], output: int8[...]
BUILTIN_REF has no kernel for this operator; `tflite-ref` takes the arithmetic of the optimized one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Kernel, OperatorContext
from int8rt.kernels.float32.functions import elementwise, with_float32
from int8rt.kernels.signature import signatures
from int8rt.kernels.unary import LookupTableParams, evaluate_lookup_table, prepare_lookup_table
from int8rt.quantization import libm


def elu(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The real function, in the type of `x`."""
    return np.where(x < 0, libm.expm1(x), x)


def prepare(context: OperatorContext) -> LookupTableParams:
    """Make the table."""
    return prepare_lookup_table(context, elu)


ELU = with_float32(
    Kernel(
        name="ELU",
        signatures=signatures("int8 -> int8"),
        prepare=prepare,
        evaluate=evaluate_lookup_table,
        source="kernels/activations.cc, internal/common.h",
        max_version=1,
    ),
    elementwise(elu),
)
