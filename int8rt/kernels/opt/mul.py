"""MUL in the optimized kernels: that of the reference kernels, as long as no rescaled product leaves int16.

Whole blocks of 8-bit products are cut to int16 before the zero point comes; where that would be seen, it is refused.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from int8rt.kernels import mul
from int8rt.kernels.arithmetic import PlainParams
from int8rt.kernels.base import OperatorContext
from int8rt.kernels.mul import MulParams

_LARGEST_PRODUCT = 255 * 255


def prepare(context: OperatorContext) -> MulParams | PlainParams:
    """As the reference kernel's; `UnsupportedError` for scales whose products do not fit int16."""
    params = mul.prepare(context)
    if isinstance(params, MulParams) and params.requantization.dtype.itemsize == 1:
        largest = float(params.requantization.real_multiplier[0]) * _LARGEST_PRODUCT
        if not np.abs(largest) < (1 << 15) - (1 << 8):
            name = context.profile.name
            raise context.unsupported(f"products of more than 16 bits in profile {name} is not done")
    return params


MUL = replace(mul.MUL, prepare=prepare, source="kernels/mul.cc, optimized/integer_ops/mul.h, optimized_ops.h")
