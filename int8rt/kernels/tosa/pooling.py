"""AVERAGE_POOL_2D and MAX_POOL_2D after a conversion to TOSA.

A mean is of codes, those of uint8 less 128, divided by a fixed-point reciprocal of how many there are: ties go away
from the zero of int8. A defect of the converter, kept: fused activations are dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from int8rt.kernels import pooling
from int8rt.kernels.base import Array, OperatorContext, Params
from int8rt.kernels.pooling import Pool2DParams, window_counts, window_sums
from int8rt.model import ActivationFunctionType, TensorType
from int8rt.quantization.tosa import divide_by_count
from int8rt.schema.options import Pool2DOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class ReciprocalPoolParams(Pool2DParams):
    """offset: what is subtracted from codes before the division and added after it."""

    offset: int


def prepare_max(context: OperatorContext) -> Pool2DParams:
    """As the reference kernel's, without an activation."""
    options = replace(context.options(Pool2DOptions), fused_activation_function=ActivationFunctionType.NONE)
    return pooling.prepare(replace(context, operator=replace(context.operator, options=options)))


def prepare_average(context: OperatorContext) -> Params:
    """The same; uint8 becomes int8 in the conversion."""
    params = prepare_max(context)
    return ReciprocalPoolParams(
        output_shapes=params.output_shapes,
        height=params.height,
        width=params.width,
        activation_min=params.activation_min,
        activation_max=params.activation_max,
        offset=128 if context.input(0).type == TensorType.UINT8 else 0,
    )


def evaluate_average(params: Any, input: Array) -> Array:
    """The mean of each window."""
    count = window_counts(params)
    total = window_sums(params, input).astype(np.int64) - params.offset * count
    mean = divide_by_count(total, count) + params.offset
    clamped: Array = np.clip(mean, params.activation_min, params.activation_max).astype(input.dtype)
    return clamped
