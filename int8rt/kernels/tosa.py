"""What TensorFlow Lite models compute after they are converted to TOSA, where that is another arithmetic.

AVERAGE_POOL_2D: codes are added up, those of uint8 less 128, and divided by a fixed-point reciprocal of how many there
are: ties go away from the zero of int8. Everything else that is done has the roundings of tflite-ref@2.19: a TOSA
RESCALE with two roundings is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from int8rt.kernels import pooling
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.layout import QUANTIZED_TYPES
from int8rt.kernels.pooling import Pool2DParams, window_counts, window_sums
from int8rt.model import TensorType
from int8rt.quantization.tosa import divide_by_count


@dataclass(frozen=True, slots=True, kw_only=True)
class ReciprocalPoolParams(Pool2DParams):
    """offset: what is subtracted from codes before the division and added after it."""

    offset: int


def prepare(context: OperatorContext) -> Params:
    """As the reference kernel's; uint8 becomes int8 in the conversion."""
    params, input = pooling.prepare(context), context.input(0)
    if input.type not in QUANTIZED_TYPES:
        return params
    return ReciprocalPoolParams(
        output_shapes=params.output_shapes,
        height=params.height,
        width=params.width,
        activation_min=params.activation_min,
        activation_max=params.activation_max,
        offset=128 if input.type == TensorType.UINT8 else 0,
    )


def evaluate(params: Any, input: Array) -> Array:
    """The mean of each window."""
    if not isinstance(params, ReciprocalPoolParams):
        return pooling.evaluate_average(params, input)
    count = window_counts(params)
    total = window_sums(params, input).astype(np.int64) - params.offset * count
    mean = divide_by_count(total, count) + params.offset
    return np.clip(mean, params.activation_min, params.activation_max).astype(input.dtype)


AVERAGE_POOL_2D = replace(
    pooling.AVERAGE_POOL_2D,
    prepare=prepare,
    evaluate=evaluate,
    source="the TOSA specification, AVG_POOL2D; tosa-converter-for-tflite",
)
TOSA_KERNELS: Mapping[str, Kernel] = {"AVERAGE_POOL_2D": AVERAGE_POOL_2D}

# Operators whose conversion gave the same bits as here, by the type of their codes; others are not computed.
_INT8 = """
ADD ARG_MAX AVERAGE_POOL_2D BATCH_MATMUL BROADCAST_TO CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE
FULLY_CONNECTED GELU LOGISTIC MAX_POOL_2D MEAN MINIMUM MUL PACK PAD QUANTIZE REDUCE_MAX RELU RELU6 RESHAPE
RESIZE_NEAREST_NEIGHBOR RSQRT SHAPE SLICE SOFTMAX SPACE_TO_DEPTH SQUARED_DIFFERENCE SUB TRANSPOSE_CONV UNPACK
"""
_UINT8 = "ADD AVERAGE_POOL_2D CONV_2D DEPTHWISE_CONV_2D QUANTIZE RESHAPE SHAPE SOFTMAX"
_INT16 = """
ADD AVERAGE_POOL_2D BROADCAST_TO CONCATENATION CONV_2D DEPTHWISE_CONV_2D FULLY_CONNECTED MAX_POOL_2D MEAN MINIMUM MUL
PACK PAD QUANTIZE REDUCE_MAX RELU RELU6 RESHAPE RESIZE_NEAREST_NEIGHBOR SHAPE SLICE UNPACK
"""
_MEASURED = {
    TensorType.INT16: frozenset(_INT16.split()),
    TensorType.UINT8: frozenset(_UINT8.split()),
    TensorType.INT8: frozenset(_INT8.split()),
    TensorType.INT32: frozenset(("PACK", "STRIDED_SLICE")),
}


def not_done_in_tosa(context: OperatorContext) -> str | None:
    """Why int8rt cannot compute an operator in profile tosa; None where it can."""
    types = {tensor.type for tensor in context.inputs if tensor is not None}
    for type, names in _MEASURED.items():
        if type in types and TensorType.FLOAT32 not in types and context.operator.name in names:
            return None
        if type in types:
            break
    labels = ", ".join(sorted(type.label for type in types))
    return f"types {labels} in profile {context.profile.name} is not done: no measurement shows it to be equal"
