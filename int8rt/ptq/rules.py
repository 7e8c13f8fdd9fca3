"""Which operators can be quantized, and what each asks of the scales of its tensors.

The table is the quantization specification's, completed by what TensorFlow 2.21's converter writes and LiteRT's three
resolvers run. What is not in it stays float.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from int8rt.lint.specification import FIXED_OUTPUTS, WEIGHTED, Weighted
from int8rt.model import Operator, TensorType

# Operators with modules of their own, and where their states are among the inputs.
LSTM, SVDF = "UNIDIRECTIONAL_SEQUENCE_LSTM", "SVDF"
STATES: Mapping[str, tuple[int, ...]] = {LSTM: (18, 19), SVDF: (4,)}

# One scale and zero point for every float input and output.
# fmt: off
_SAME = (
    "AVERAGE_POOL_2D", "BATCH_TO_SPACE_ND", "BROADCAST_TO", "CONCATENATION", "EXPAND_DIMS", "GATHER", "GATHER_ND",
    "MAXIMUM", "MAX_POOL_2D", "MINIMUM", "MIRROR_PAD", "PACK", "PAD", "PADV2", "REDUCE_MAX", "REDUCE_MIN", "RESHAPE",
    "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "SELECT", "SELECT_V2", "SLICE", "SPACE_TO_BATCH_ND", "SPACE_TO_DEPTH",
    "SPLIT", "SPLIT_V", "SQUEEZE", "STRIDED_SLICE", "TOPK_V2", "TRANSPOSE", "UNPACK",
)
# Inputs and outputs each with their own.
_OWN = (
    "ABS", "ADD", "BATCH_MATMUL", "CONV_2D", "DEPTHWISE_CONV_2D", "EXP", "FULLY_CONNECTED", "GELU", "HARD_SWISH",
    "L2_NORMALIZATION", "LEAKY_RELU", "LOG", "LOGISTIC", "LOG_SOFTMAX", "MEAN", "MUL", "PRELU", "REDUCE_PROD",
    "RELU", "RELU6", "RELU_N1_TO_1", "REVERSE_V2", "RSQRT", "SOFTMAX", "SQRT", "SQUARED_DIFFERENCE", "SUB", "TANH",
    "TRANSPOSE_CONV",
)
# Quantized inputs; the outputs are indices or truth values.
_OTHER_OUTPUT = (
    "ARG_MAX", "ARG_MIN", "EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL", "SHAPE",
)
# Those that run with int16 activations, too.
_INT16 = frozenset((
    "ABS", "ADD", "AVERAGE_POOL_2D", "BATCH_MATMUL", "BROADCAST_TO", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D",
    "EXP", "FULLY_CONNECTED", "GATHER", "GATHER_ND", "GELU", "LEAKY_RELU", "LOG", "LOGISTIC", "MAXIMUM",
    "MAX_POOL_2D", "MEAN", "MINIMUM", "MIRROR_PAD", "MUL", "PACK", "PAD", "REDUCE_MAX", "REDUCE_MIN", "RELU",
    "RELU6", "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "REVERSE_V2", "RSQRT", "SHAPE", "SLICE",
    "SOFTMAX", "SPLIT", "SPLIT_V", "SQUEEZE", "STRIDED_SLICE", "SUB", "TANH", "TRANSPOSE", "TRANSPOSE_CONV", "UNPACK",
))
# fmt: on
# The lowest version of an operator with int8 or int16 activations; 2 where it is not said.
_VERSIONS: Mapping[str, int] = {
    **dict.fromkeys(("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "GATHER_ND", "SELECT", "SELECT_V2", "SHAPE"), 1),
    LSTM: 1,
    SVDF: 3,
    **dict.fromkeys(("HARD_SWISH", "LEAKY_RELU", "PRELU", "RELU_N1_TO_1"), 1),
    **dict.fromkeys(("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "BROADCAST_TO", "REVERSE_V2"), 3),
    "FULLY_CONNECTED": 4,
}
# With int16 activations, where it is another.
_INT16_VERSIONS: Mapping[str, int] = {"LEAKY_RELU": 2, "UNPACK": 1}
# Versions with int4 weights.
_INT4_VERSIONS: Mapping[str, int] = {"CONV_2D": 7, "FULLY_CONNECTED": 10}

# Operators whose weights alone can be int8, beside float activations, and the lowest versions of that.
DYNAMIC: Mapping[str, int] = {
    **dict.fromkeys((LSTM, "BIDIRECTIONAL_SEQUENCE_LSTM", "UNIDIRECTIONAL_SEQUENCE_RNN", "TRANSPOSE_CONV"), 3),
    **dict.fromkeys((SVDF, "BATCH_MATMUL", "EMBEDDING_LOOKUP"), 4),
    "GATHER": 2,
    "CONV_2D": 5,
    "DEPTHWISE_CONV_2D": 6,
    "FULLY_CONNECTED": 12,
}

# Why an operator that has integer kernels is left float.
_LEFT = {
    "DIV": "integer division fails at run time where the divisor is zero",
    "SUM": "the reference kernel of the sum of int8 gives wrong results",
    "TILE": "the reference resolver has no kernel for int8",
    "DEPTH_TO_SPACE": "the reference resolver has no kernel for int8",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """same: one scale for all activations. weighted: where its weights and bias are. weights: positions of inputs that
    are weights without a bias, one scale for the tensor.
    """

    same: bool = False
    weighted: Weighted | None = None
    weights: tuple[int, ...] = ()


RULES: Mapping[str, Rule] = {
    **{name: Rule() for name in (LSTM, SVDF, *_OTHER_OUTPUT)},
    **{name: Rule(same=True) for name in _SAME},
    **{name: Rule(weighted=WEIGHTED.get(name), weights=(1,) if name == "PRELU" else ()) for name in _OWN},
}


def why_not(operator: Operator, type: TensorType) -> str | None:
    """Why an operator cannot have activations of this type (int8 or int16), or None."""
    if operator.name in _LEFT:
        return _LEFT[operator.name]
    if operator.name not in RULES:
        return "it has no integer kernel that every resolver runs"
    if type is TensorType.INT16 and operator.name not in (*_INT16, LSTM):
        return "it has no kernel for int16"
    if operator.name in (LSTM, SVDF):
        return None
    activation = getattr(operator.options, "fused_activation_function", 0)
    if int(activation) > 3:
        return "its fused activation has no integer form"
    return None


def fixed_output(name: str, type: TensorType) -> tuple[float, int] | None:
    """Scale and zero point that an operator's output must have, if they are given."""
    return FIXED_OUTPUTS.get(name, {}).get(type)


def version(operator: Operator, type: TensorType, weight_bits: int = 8) -> int:
    """The version that says that an operator has activations of `type`: never less than it was."""
    lowest = _VERSIONS.get(operator.name, 2)
    if type is TensorType.INT16:
        lowest = _INT16_VERSIONS.get(operator.name, lowest)
    elif operator.name == "TRANSPOSE_CONV" and len(operator.inputs) < 4:
        lowest = 2
    if weight_bits == 4:
        lowest = max(lowest, _INT4_VERSIONS.get(operator.name, 0))
    return max(operator.version, lowest)


def with_options(operator: Operator, type: TensorType) -> Operator:
    """The operator with the options that activations of `type` ask for: beside int16 the type of the bias is named, and
    ADD and SUB take scales that are no powers of two.
    """
    if type is not TensorType.INT16:
        return operator
    wanted = {"quantized_bias_type": TensorType.INT64, "pot_scale_int16": False}
    known = {name: value for name, value in wanted.items() if hasattr(operator.options, name)}
    return dataclasses.replace(operator, options=dataclasses.replace(operator.options, **known)) if known else operator


def takes_int4(name: str) -> bool:
    """Whether an operator's weights can be int4 in every resolver."""
    return name in _INT4_VERSIONS
