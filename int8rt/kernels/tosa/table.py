"""Which operators are computed after a conversion to TOSA, and with which kernels.

What has no kernel of its own has the roundings of tflite-ref@2.19: a TOSA RESCALE with two roundings is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from int8rt.kernels import (
    batch_matmul,
    conv,
    depthwise_conv,
    exp,
    fully_connected,
    mean,
    pooling,
    quantize,
    relu,
    softmax,
    transpose_conv,
)
from int8rt.kernels.base import Kernel, OperatorContext
from int8rt.kernels.logistic import LOGISTIC
from int8rt.kernels.resize_bilinear import RESIZE_BILINEAR
from int8rt.kernels.resize_nearest_neighbor import RESIZE_NEAREST_NEIGHBOR
from int8rt.kernels.tanh import TANH
from int8rt.kernels.tosa import numbers, products, resize, tables
from int8rt.kernels.tosa.pooling import evaluate_average, prepare_average, prepare_max
from int8rt.model import TensorType
from int8rt.quantization import libm
from int8rt.quantization.lookup_table import RealFunction

_SOURCE = "the TOSA specification 1.0; tosa-converter-for-tflite 2026.2.0, by what it writes"


def _by_table(kernel: Kernel, function: RealFunction) -> Kernel:
    return tables.from_table(kernel, partial(tables.prepare_table, function=function), _SOURCE)


TOSA_KERNELS: Mapping[str, Kernel] = {
    kernel.name: kernel
    for kernel in (
        *(
            replace(kernel, prepare=partial(products.prepare, kernel=kernel), source=f"{kernel.source}; {_SOURCE}")
            for kernel in (
                batch_matmul.BATCH_MATMUL,
                conv.CONV_2D,
                depthwise_conv.DEPTHWISE_CONV_2D,
                fully_connected.FULLY_CONNECTED,
                transpose_conv.TRANSPOSE_CONV,
            )
        ),
        replace(pooling.AVERAGE_POOL_2D, prepare=prepare_average, evaluate=evaluate_average, source=_SOURCE),
        replace(pooling.MAX_POOL_2D, prepare=prepare_max, source=_SOURCE),
        _by_table(exp.EXP, libm.exp),
        _by_table(LOGISTIC, tables.logistic),
        _by_table(TANH, libm.tanh),
        replace(
            softmax.SOFTMAX,
            prepare=partial(tables.prepare_softmax, kernel=softmax.SOFTMAX),
            evaluate=partial(tables.evaluate_softmax, kernel=softmax.SOFTMAX),
            source=_SOURCE,
        ),
        replace(
            quantize.QUANTIZE,
            prepare=numbers.prepare_quantize,
            evaluate=numbers.evaluate_quantize,
            source=_SOURCE,
        ),
        *(
            replace(kernel, prepare=numbers.prepare_relu, source=_SOURCE)
            for kernel in (relu.RELU, relu.RELU6, relu.RELU_N1_TO_1)
        ),
        replace(mean.SUM, prepare=numbers.prepare_sum, evaluate=numbers.evaluate_sum, source=_SOURCE),
        replace(
            RESIZE_BILINEAR, prepare=partial(resize.prepare, nearest=False), evaluate=resize.evaluate, source=_SOURCE
        ),
        replace(
            RESIZE_NEAREST_NEIGHBOR,
            prepare=partial(resize.prepare, nearest=True),
            evaluate=resize.evaluate,
            source=_SOURCE,
        ),
    )
}

# Operators whose conversion gave the same bits as here, by the type of their codes; others are not computed.
_ANY = """
ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEQUANTIZE FULLY_CONNECTED LEAKY_RELU LOGISTIC MAXIMUM
MAX_POOL_2D MEAN MINIMUM MIRROR_PAD MUL PAD QUANTIZE REDUCE_MAX REDUCE_MIN RELU RELU6 RESHAPE RESIZE_BILINEAR
RESIZE_NEAREST_NEIGHBOR SHAPE SOFTMAX STRIDED_SLICE SUB SUM TANH TRANSPOSE
"""
_INT8 = """
ARG_MAX BATCH_MATMUL BROADCAST_TO DEPTH_TO_SPACE EXP GELU HARD_SWISH PACK RELU_N1_TO_1 SLICE SPACE_TO_DEPTH SPLIT
SPLIT_V SQUARED_DIFFERENCE TRANSPOSE_CONV UNPACK
"""
_UINT8 = "HARD_SWISH RELU_N1_TO_1"
_INT16 = "BATCH_MATMUL BROADCAST_TO PACK SLICE SPLIT SPLIT_V TRANSPOSE_CONV UNPACK"
_MEASURED = {
    TensorType.FLOAT32: frozenset(("QUANTIZE",)),
    TensorType.INT16: frozenset((*_ANY.split(), *_INT16.split())),
    TensorType.UINT8: frozenset((*_ANY.split(), *_UINT8.split())),
    TensorType.INT8: frozenset((*_ANY.split(), *_INT8.split())),
    TensorType.INT32: frozenset(("PACK", "STRIDED_SLICE")),
}


# Beyond, tables of int16 were measured to differ in places.
_LARGEST_TABLE_SCALE = 2.0**-8


def not_done_in_tosa(context: OperatorContext) -> str | None:
    """Why int8rt cannot compute an operator in profile tosa; None where it can."""
    types = {tensor.type for tensor in context.inputs if tensor is not None}
    name, first = context.operator.name, context.inputs[0] if context.inputs else None
    if TensorType.INT16 in types and TensorType.INT32 in types and name in ("CONV_2D", "FULLY_CONNECTED"):
        return f"a bias of int32 for int16 in profile {context.profile.name} is not done"
    by_table = name in ("LOGISTIC", "TANH") and first is not None and first.type == TensorType.INT16
    if by_table and context.per_tensor(context.input(0))[0] > _LARGEST_TABLE_SCALE:
        return f"an input scale above {_LARGEST_TABLE_SCALE:g} in profile {context.profile.name} is not done"
    for type, names in _MEASURED.items():
        if type in types and context.operator.name in names:
            return None
        if type in types:
            break
    labels = ", ".join(sorted(type.label for type in types))
    return f"types {labels} in profile {context.profile.name} is not done: no measurement shows it to be equal"
