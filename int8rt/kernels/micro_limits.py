"""What profile tflm refuses: TensorFlow Lite Micro computes it from other data, or leaves memory as it was."""

from __future__ import annotations

import numpy as np

from int8rt.kernels.base import OperatorContext, TensorInfo
from int8rt.model import TensorType
from int8rt.schema.options import DepthwiseConv2DOptions

_COMPARISONS = ("EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL")
_MOST_DIMENSIONS = 6


def other_data(context: OperatorContext) -> str | None:
    """What of an operator is not done, None where nothing is."""
    name, tensors = context.operator.name, [tensor for tensor in context.inputs if tensor is not None]
    if any(tensor.sparsity is not None for tensor in tensors):
        return "a sparse constant"
    if name in ("ADD", "SUB", "MUL") and any(tensor.rank > _MOST_DIMENSIONS for tensor in tensors):
        return f"broadcasting in more than {_MOST_DIMENSIONS} dimensions"
    if name in _COMPARISONS and tensors[0].type == TensorType.INT16:
        return "int16"
    if name == "ADD_N" and len(tensors) > 2 and tensors[0].type == TensorType.FLOAT32:
        return "the sum of more than two tensors of real numbers"
    if name == "BATCH_MATMUL" and any(_has_scales(tensor) for tensor in tensors):
        return "a matrix with several scales"
    if name == "DEPTHWISE_CONV_2D" and len(tensors) > 1 and tensors[0].rank == tensors[1].rank == 4:
        multiplier = context.options(DepthwiseConv2DOptions).depth_multiplier
        if tensors[0].shape[3] * multiplier != tensors[1].shape[3]:
            return f"a depth_multiplier of {multiplier}, which the shapes contradict,"
    if name == "SPACE_TO_BATCH_ND" and (len(tensors) < 3 or tensors[2].value is None or np.any(tensors[2].value)):
        return "a border"
    return None


def _has_scales(tensor: TensorInfo) -> bool:
    return tensor.quantization is not None and tensor.quantization.scale.size > 1
