"""The reference kernels as they are compiled with TFLITE_SINGLE_ROUNDING: the profile tflite-single-rounding.

By TensorFlow Lite's source; no release is built so for x86 processors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from int8rt.kernels.base import Kernel, OperatorContext, Params, Result
from int8rt.kernels.registry import KERNELS
from int8rt.model import TensorType
from int8rt.quantization.requantization import Requantization, Rounding
from int8rt.quantization.single_rounding import single_rounding

# Operators that call a function which the switch changes, when they prepare or when they run.
_NAMES = (
    "ABS",
    "ADD",
    "BATCH_MATMUL",
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "EQUAL",
    "FULLY_CONNECTED",
    "GREATER",
    "GREATER_EQUAL",
    "L2_NORMALIZATION",
    "LEAKY_RELU",
    "LESS",
    "LESS_EQUAL",
    "LOG_SOFTMAX",
    "MEAN",
    "MUL",
    "NOT_EQUAL",
    "PRELU",
    "QUANTIZE",
    "RELU",
    "RELU6",
    "RELU_0_TO_1",
    "RELU_N1_TO_1",
    "RESIZE_BILINEAR",
    "RSQRT",
    "SOFTMAX",
    "SQUARED_DIFFERENCE",
    "SUB",
    "SUM",
    "SVDF",
    "TRANSPOSE_CONV",
)
_CODES = (TensorType.INT8, TensorType.UINT8, TensorType.INT16)
_RECURRENT = ("LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM")


def _switched_on(kernel: Kernel) -> Kernel:
    def prepare(context: OperatorContext) -> Params:
        with single_rounding():
            params: Params = _rounded(context, kernel.prepare(context))
            return params

    def evaluate(params: Any, *inputs: Any) -> Result:
        with single_rounding():
            return kernel.evaluate(params, *inputs)

    # The rounding of a depthwise convolution is in its parameters, where that of uint8 is another.
    own = kernel.evaluate if kernel.name == "DEPTHWISE_CONV_2D" else evaluate
    return replace(kernel, prepare=prepare, evaluate=own)


def _rounded(context: OperatorContext, params: Any) -> Any:
    """uint8 DEPTHWISE_CONV_2D keeps two roundings; sparse FULLY_CONNECTED, which asks for two, has one.

    Source: reference/depthwiseconv_uint8.h, DepthwiseConvRound; kernels/fully_connected.cc.
    """
    found: Requantization | None = getattr(params, "requantization", None)
    if found is None:
        return params
    if context.operator.name == "DEPTHWISE_CONV_2D" and context.input(0).type == TensorType.UINT8:
        return replace(params, requantization=replace(found, rounding=Rounding.DOUBLE))
    if found.rounding == Rounding.DOUBLE:
        return replace(params, requantization=replace(found, rounding=Rounding.SINGLE))
    return params


SINGLE_ROUNDING_KERNELS: Mapping[str, Kernel] = {name: _switched_on(KERNELS[name]) for name in _NAMES}


def not_done_in_single_rounding(context: OperatorContext) -> str | None:
    """Why int8rt cannot compute an operator in profile tflite-single-rounding; None where it can."""
    name = context.operator.name
    types = {tensor.type for tensor in (*context.inputs, *context.outputs) if tensor is not None}
    if name == "DIV" and not types.isdisjoint(_CODES):
        return f"codes in profile {context.profile.name} is not done: the kernel shifts by undefined numbers of bits"
    if name in _RECURRENT and context.output().type in _CODES:
        return f"integers in profile {context.profile.name} is not done: parts of it are vector code"
    return None
