"""The table of jitted twins: operator name to the function that lowers it.

A twin returns None for what it leaves to NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from int8rt.kernels.jit import (
    arg_min_max,
    batch_matmul,
    depthwise16,
    elementwise16,
    float_codes,
    float_conv,
    float_elementwise,
    float_functions,
    float_mean,
    float_rows,
    float_windows,
    fully_connected,
    grouped_conv,
    hybrid_conv,
    hybrid_fully_connected,
    l2_normalization,
    lstm_floating,
    lstm_integer,
    matrix16,
    mean,
    mean16,
    movers,
    mul,
    pad,
    plain,
    pooling,
    pooling16,
    quantize,
    reduce,
    resize_bilinear,
    resize_nearest_neighbor,
    softmax,
    softmax16,
    svdf,
    tables,
    tables16,
    transpose_conv,
)
from int8rt.kernels.jit.lowering import LowerContext, Lowered, View
from int8rt.model import TensorType


def lower_view(params: Any, context: LowerContext) -> View | None:
    """Operators that only change the shape; strings have no place in the arena."""
    return None if context.input(0).type == TensorType.STRING else View()


_UNARY = (
    "HARD_SWISH",
    "RELU",
    "RELU6",
    "RELU_N1_TO_1",
    "RELU_0_TO_1",
    "LEAKY_RELU",
    "GELU",
    "ABS",
    "NEG",
    "SQRT",
    "RSQRT",
)
_BINARY = (
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
    "BITWISE_XOR",
    "RIGHT_SHIFT",
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
    "REVERSE_SEQUENCE",
    "BROADCAST_TO",
)

_FUNCTIONS = ("EXP", "LOG", "LOGISTIC", "TANH", "SIN", "COS", "ELU")

Twin = Callable[[Any, LowerContext], Lowered | list[Lowered] | View | None]


def first_of(*twins: Twin) -> Twin:
    """A twin that asks these in turn, such as one for 8 bits and one for 16."""

    def lower(params: Any, context: LowerContext) -> Lowered | list[Lowered] | View | None:
        steps = (twin(params, context) for twin in twins)
        return next((step for step in steps if step is not None), None)

    return lower


TWINS: Mapping[str, Twin] = {
    "CONV_2D": first_of(
        grouped_conv.lower_conv_2d, matrix16.lower_conv_2d, hybrid_conv.lower_conv_2d, float_conv.lower_conv_2d
    ),
    "DEPTHWISE_CONV_2D": first_of(
        grouped_conv.lower_depthwise_conv_2d,
        depthwise16.lower,
        hybrid_conv.lower_depthwise_conv_2d,
        float_windows.lower_depthwise_conv_2d,
    ),
    "FULLY_CONNECTED": first_of(
        fully_connected.lower,
        matrix16.lower_fully_connected,
        hybrid_fully_connected.lower,
        float_conv.lower_fully_connected,
    ),
    "TRANSPOSE_CONV": first_of(transpose_conv.lower, matrix16.lower_transpose_conv),
    "AVERAGE_POOL_2D": first_of(pooling.lower, pooling16.lower, float_windows.lower_pool),
    "MAX_POOL_2D": first_of(pooling.lower, pooling16.lower, float_windows.lower_pool),
    "MEAN": first_of(mean.lower, mean16.lower, float_mean.lower),
    "SUM": first_of(mean.lower, float_mean.lower),
    "REDUCE_MAX": reduce.lower,
    "REDUCE_MIN": reduce.lower,
    "ARG_MAX": arg_min_max.lower,
    "ARG_MIN": arg_min_max.lower,
    "L2_NORMALIZATION": l2_normalization.lower,
    **dict.fromkeys(("LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM"), first_of(lstm_integer.lower, lstm_floating.lower)),
    "BATCH_MATMUL": batch_matmul.lower,
    "SVDF": svdf.lower,
    "SOFTMAX": first_of(softmax.lower, softmax16.lower, float_rows.lower),
    "LOG_SOFTMAX": float_rows.lower,
    "MUL": first_of(mul.lower, elementwise16.lower, float_elementwise.lower, plain.lower),
    **dict.fromkeys(
        ("ADD", "SUB"), first_of(tables.lower_binary, elementwise16.lower, float_elementwise.lower, plain.lower)
    ),
    "DIV": float_elementwise.lower,
    "CAST": first_of(tables.lower_unary, plain.lower_cast),
    "QUANTIZE": first_of(quantize.lower, tables16.lower),
    "PAD": pad.lower,
    "PADV2": pad.lower,
    "RESIZE_BILINEAR": resize_bilinear.lower,
    "RESIZE_NEAREST_NEIGHBOR": resize_nearest_neighbor.lower,
    **dict.fromkeys(("RESHAPE", "SQUEEZE", "EXPAND_DIMS"), lower_view),
    **dict.fromkeys(_UNARY, first_of(tables.lower_unary, tables16.lower, float_elementwise.lower_unary)),
    "DEQUANTIZE": first_of(float_codes.lower_dequantize, tables.lower_unary, tables16.lower),
    **dict.fromkeys(_FUNCTIONS, first_of(tables.lower_unary, tables16.lower, float_functions.lower)),
    **dict.fromkeys(_BINARY, first_of(tables.lower_binary, elementwise16.lower, float_elementwise.lower)),
    **dict.fromkeys(_MOVERS, movers.lower),
    **dict.fromkeys(("CONCATENATION", "PACK"), movers.lower_concatenation),
}
