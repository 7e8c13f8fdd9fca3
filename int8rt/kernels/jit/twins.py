"""The table of jitted twins: operator name to the function that lowers it.

A twin returns None for what it leaves to NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from int8rt.kernels.jit import (
    arg_min_max,
    fully_connected,
    grouped_conv,
    l2_normalization,
    mean,
    movers,
    mul,
    pad,
    pooling,
    quantize,
    reduce,
    resize_bilinear,
    resize_nearest_neighbor,
    softmax,
    tables,
    transpose_conv,
)
from int8rt.kernels.jit.lowering import LowerContext, Lowered, View
from int8rt.model import TensorType


def lower_view(params: Any, context: LowerContext) -> View | None:
    """Operators that only change the shape; strings have no place in the arena."""
    return None if context.input(0).type == TensorType.STRING else View()


_UNARY = (
    "LOGISTIC",
    "TANH",
    "HARD_SWISH",
    "RELU",
    "RELU6",
    "RELU_N1_TO_1",
    "RELU_0_TO_1",
    "LEAKY_RELU",
    "DEQUANTIZE",
    "ELU",
    "GELU",
    "EXP",
    "LOG",
    "ABS",
    "NEG",
    "SQRT",
    "RSQRT",
)
_BINARY = (
    "ADD",
    "SUB",
    "MAXIMUM",
    "MINIMUM",
    "PRELU",
    "SQUARED_DIFFERENCE",
    "EQUAL",
    "NOT_EQUAL",
    "GREATER",
    "GREATER_EQUAL",
    "LESS",
    "LESS_EQUAL",
)
_MOVERS = (
    "MIRROR_PAD",
    "TRANSPOSE",
    "SLICE",
    "STRIDED_SLICE",
    "SPLIT",
    "SPLIT_V",
    "UNPACK",
    "GATHER",
    "GATHER_ND",
    "TILE",
    "SPACE_TO_DEPTH",
    "DEPTH_TO_SPACE",
    "SPACE_TO_BATCH_ND",
    "BATCH_TO_SPACE_ND",
    "REVERSE_V2",
    "BROADCAST_TO",
)

TWINS: Mapping[str, Callable[[Any, LowerContext], Lowered | list[Lowered] | View | None]] = {
    "CONV_2D": grouped_conv.lower_conv_2d,
    "DEPTHWISE_CONV_2D": grouped_conv.lower_depthwise_conv_2d,
    "FULLY_CONNECTED": fully_connected.lower,
    "AVERAGE_POOL_2D": pooling.lower,
    "MAX_POOL_2D": pooling.lower,
    "MEAN": mean.lower,
    "SUM": mean.lower,
    "ARG_MAX": arg_min_max.lower,
    "ARG_MIN": arg_min_max.lower,
    "REDUCE_MAX": reduce.lower,
    "REDUCE_MIN": reduce.lower,
    "L2_NORMALIZATION": l2_normalization.lower,
    "MUL": mul.lower,
    "PAD": pad.lower,
    "PADV2": pad.lower,
    "TRANSPOSE_CONV": transpose_conv.lower,
    "QUANTIZE": quantize.lower,
    "RESIZE_BILINEAR": resize_bilinear.lower,
    "RESIZE_NEAREST_NEIGHBOR": resize_nearest_neighbor.lower,
    "SOFTMAX": softmax.lower,
    **dict.fromkeys(("RESHAPE", "SQUEEZE", "EXPAND_DIMS"), lower_view),
    **dict.fromkeys(_UNARY, tables.lower_unary),
    **dict.fromkeys(_MOVERS, movers.lower),
    **dict.fromkeys(("CONCATENATION", "PACK"), movers.lower_concatenation),
    **dict.fromkeys(_BINARY, tables.lower_binary),
}
