"""The operators of profile tflite-opt that need more than another `Rounding`, and what is not done of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from int8rt.kernels.base import Kernel, OperatorContext, TensorInfo
from int8rt.kernels.opt.add import ADD
from int8rt.kernels.opt.depthwise import DEPTHWISE_CONV_2D
from int8rt.kernels.opt.functions import HARD_SWISH
from int8rt.kernels.opt.leaky_relu import LEAKY_RELU
from int8rt.kernels.opt.mean import MEAN, REDUCE_MAX, REDUCE_MIN, SUM
from int8rt.kernels.opt.mul import MUL
from int8rt.kernels.opt.pad import PADV2
from int8rt.kernels.opt.products import CONV_2D, FULLY_CONNECTED, TRANSPOSE_CONV
from int8rt.kernels.opt.quantize import DEQUANTIZE, QUANTIZE
from int8rt.kernels.opt.reduce_prod import REDUCE_PROD
from int8rt.kernels.opt.resize import RESIZE_BILINEAR, RESIZE_NEAREST_NEIGHBOR
from int8rt.kernels.opt.sigmoid import LOGISTIC, TANH
from int8rt.kernels.opt.softmax import LOG_SOFTMAX, SOFTMAX
from int8rt.model import TensorType

OPTIMIZED_KERNELS: Mapping[str, Kernel] = {
    kernel.name: kernel
    for kernel in (
        ADD,
        CONV_2D,
        DEPTHWISE_CONV_2D,
        DEQUANTIZE,
        FULLY_CONNECTED,
        HARD_SWISH,
        LEAKY_RELU,
        LOGISTIC,
        LOG_SOFTMAX,
        MEAN,
        MUL,
        PADV2,
        QUANTIZE,
        REDUCE_MAX,
        REDUCE_MIN,
        REDUCE_PROD,
        RESIZE_BILINEAR,
        RESIZE_NEAREST_NEIGHBOR,
        SOFTMAX,
        SUM,
        TANH,
        TRANSPOSE_CONV,
    )
}

# Optimized kernels that differ from the reference ones in floating point, and are not done in int8rt.
_FLOATING = frozenset(
    {
        "CONV_3D",
        "CONV_3D_TRANSPOSE",
        "L2_POOL_2D",
        "LOCAL_RESPONSE_NORMALIZATION",
    }
)
# Operators on codes that have another function there; the rest is one function in both resolvers, or copies codes.
OPTIMIZED = frozenset(
    {
        "ADD",
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "DEQUANTIZE",
        "FULLY_CONNECTED",
        "LOG_SOFTMAX",
        "LOGISTIC",
        "MEAN",
        "MUL",
        "QUANTIZE",
        "RESIZE_BILINEAR",
        "SOFTMAX",
        "SUM",
        "TANH",
        "TRANSPOSE_CONV",
    }
)


def not_done_in_optimized(context: OperatorContext) -> str | None:
    """Why int8rt cannot compute this operator in profile tflite-opt, or as the rest of xnnpack; None where it can."""
    profile, name = context.profile.name, context.operator.name
    floating = (TensorType.FLOAT32, TensorType.FLOAT16)
    types = {tensor.type for tensor in (*context.inputs, *context.outputs) if tensor is not None}
    if name in _FLOATING and not types.isdisjoint(floating):
        return f"its arithmetic on real numbers in profile {profile} is not done"
    if name == "DEPTHWISE_CONV_2D" and TensorType.INT16 not in types and context.optional_input(2) is None:
        return f"a missing bias in profile {profile} is not done: LiteRT's kernel reads it all the same"
    if name == "TRANSPOSE_CONV" and TensorType.UINT8 in types:
        return f"uint8 in profile {profile} is not done"
    if name in ("SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD") and TensorType.BOOL in types:
        return f"bool in profile {profile} is not done: LiteRT's kernel refuses it"
    if name in ("ADD", "MUL", "SUM") and any(tensor is not None and 0 in tensor.shape for tensor in context.inputs):
        return f"an empty tensor in profile {profile} is not done: LiteRT's kernel may end the process"
    if name in OPTIMIZED and any(_out_of_range(tensor) for tensor in (*context.inputs, *context.outputs)):
        return f"a zero point outside of its type in profile {profile} is not done"
    return None


def _out_of_range(tensor: TensorInfo | None) -> bool:
    if tensor is None or tensor.quantization is None or tensor.type not in (TensorType.INT8, TensorType.UINT8):
        return False
    info, zero_point = np.iinfo(tensor.type.dtype), tensor.quantization.zero_point
    return bool(np.any((zero_point < info.min) | (zero_point > info.max)))
