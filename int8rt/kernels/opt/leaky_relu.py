"""LEAKY_RELU in the optimized kernels, which have a function for int16.

It rescales negative codes by the multiplier with the sign of alpha, where the reference kernel rounds by its absolute
value and puts the sign back: ties of a negative alpha end elsewhere. The rest is the reference kernel.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from int8rt.kernels import leaky_relu
from int8rt.kernels.base import Array
from int8rt.kernels.leaky_relu import FloatLeakyReluParams, LeakyReluParams
from int8rt.quantization.requantize import multiply_by_quantized_multiplier
from int8rt.quantization.rounding import saturate, wrap_int32


def evaluate(params: LeakyReluParams | FloatLeakyReluParams, input: Array) -> Array:
    """LEAKY_RELU of an array."""
    if isinstance(params, FloatLeakyReluParams) or params.table is not None:
        return leaky_relu.evaluate(params, input)
    value = input.astype(np.int64) - params.input_zero_point
    positive = value >= 0
    multiplier = np.where(positive, params.output_multiplier_identity, params.output_multiplier_alpha)
    shift = np.where(positive, params.output_shift_identity, params.output_shift_alpha)
    scaled = multiply_by_quantized_multiplier(value, multiplier, shift)
    return saturate(wrap_int32(scaled + params.output_zero_point), input.dtype)


LEAKY_RELU = replace(
    leaky_relu.LEAKY_RELU, evaluate=evaluate, source="kernels/activations.cc, optimized/integer_ops/leaky_relu.h"
)
