"""Real multipliers of operators that work element by element, in the precision that a profile has.

TensorFlow Lite computes them in float32; what is built otherwise has them in float64: see `Profile.float64_ratios`.
"""

from __future__ import annotations

import numpy as np

from int8rt.kernels.base import OperatorContext
from int8rt.quantization.effective_scales import (
    float32_product_ratio,
    float32_quotient_ratio,
    float32_scale_ratio,
    scale_ratio,
)


def ratio(context: OperatorContext, input_scale: float, output_scale: float) -> float:
    """input_scale / output_scale."""
    in_float64 = context.profile.float64_ratios
    return (scale_ratio if in_float64 else float32_scale_ratio)(input_scale, output_scale)


def product_ratio(context: OperatorContext, scale1: float, scale2: float, output_scale: float) -> float:
    """scale1 · scale2 / output_scale."""
    if not context.profile.float64_ratios:
        return float32_product_ratio(scale1, scale2, output_scale)
    first, second, output = (np.float64(np.float32(scale)) for scale in (scale1, scale2, output_scale))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return float(first * second / output)


def quotient_ratio(context: OperatorContext, scale1: float, scale2: float, output_scale: float) -> float:
    """scale1 / (scale2 · output_scale)."""
    if not context.profile.float64_ratios:
        return float32_quotient_ratio(scale1, scale2, output_scale)
    first, second, output = (np.float64(np.float32(scale)) for scale in (scale1, scale2, output_scale))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return float(first / (second * output))
