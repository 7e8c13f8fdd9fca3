"""What the quantization specification says of which operator, as tables.

Source: LiteRT's "8-bit quantization specification" for int8. For uint8 and int16, which it does not describe, the
parameters are those that TensorFlow Lite's kernels insist on (kernels/activations.cc, l2norm.cc).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from int8rt.model import TensorType

QUANTIZED = (TensorType.INT8, TensorType.UINT8, TensorType.INT16)
SIGNED_WEIGHTS = (TensorType.INT8, TensorType.INT4, TensorType.INT2)


@dataclass(frozen=True, slots=True)
class Weighted:
    """Positions of the inputs of an operator with weights; axis: the weights' dimension of output channels."""

    input: int
    filter: int
    bias: int
    axis: int


# TRANSPOSE_CONV is not in the specification; TensorFlow's converter quantizes it like the others.
WEIGHTED: Mapping[str, Weighted] = {
    "CONV_2D": Weighted(0, 1, 2, 0),
    "DEPTHWISE_CONV_2D": Weighted(0, 1, 2, 3),
    "FULLY_CONNECTED": Weighted(0, 1, 2, 0),
    "TRANSPOSE_CONV": Weighted(2, 1, 3, 0),
}

# Weights and bias that go with activations of each type.
WEIGHT_TYPES: Mapping[TensorType, tuple[TensorType, ...]] = {
    TensorType.INT8: SIGNED_WEIGHTS,
    TensorType.UINT8: (TensorType.UINT8,),
    TensorType.INT16: SIGNED_WEIGHTS,
}
BIAS_TYPES: Mapping[TensorType, tuple[TensorType, ...]] = {
    TensorType.INT8: (TensorType.INT32,),
    TensorType.UINT8: (TensorType.INT32,),
    TensorType.INT16: (TensorType.INT64, TensorType.INT32),
}

# The inputs that are activations, for every operator of the specification.
ACTIVATIONS: Mapping[str, tuple[int, ...]] = {
    **dict.fromkeys(("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM"), (0, 1)),
    **dict.fromkeys(("EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL"), (0, 1)),
    **dict.fromkeys(("AVERAGE_POOL_2D", "MAX_POOL_2D", "MEAN", "SUM", "QUANTIZE", "SHAPE", "ARG_MAX"), (0,)),
    **dict.fromkeys(("L2_NORMALIZATION", "LOGISTIC", "TANH", "SOFTMAX", "LOG_SOFTMAX"), (0,)),
    **dict.fromkeys(("RESHAPE", "SQUEEZE", "TRANSPOSE", "SLICE", "GATHER", "PAD", "RESIZE_BILINEAR"), (0,)),
    **dict.fromkeys(("SPACE_TO_DEPTH", "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"), (0,)),
    **{name: (weighted.input,) for name, weighted in WEIGHTED.items()},
    "PADV2": (0, 2),
}
# Operators with any number of activations.
ALL_INPUTS = ("CONCATENATION",)
# Operators whose output is no activation: indices, truth values, shapes.
OTHER_OUTPUT = ("ARG_MAX", "SHAPE", "EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL")

# (scale, zero point) of an output, by its type.
FIXED_OUTPUTS: Mapping[str, Mapping[TensorType, tuple[float, int]]] = {
    "LOGISTIC": {
        TensorType.INT8: (1 / 256, -128),
        TensorType.UINT8: (1 / 256, 0),
        TensorType.INT16: (1 / 32768, 0),
    },
    "SOFTMAX": {
        TensorType.INT8: (1 / 256, -128),
        TensorType.UINT8: (1 / 256, 0),
        TensorType.INT16: (1 / 32768, 0),
    },
    "TANH": {
        TensorType.INT8: (1 / 128, 0),
        TensorType.UINT8: (1 / 128, 128),
        TensorType.INT16: (1 / 32768, 0),
    },
    "L2_NORMALIZATION": {TensorType.INT8: (1 / 128, 0), TensorType.UINT8: (1 / 128, 128)},
    "LOG_SOFTMAX": {TensorType.INT8: (16 / 256, 127), TensorType.UINT8: (16 / 256, 255)},
}

# Operators of the specification whose inputs and outputs must all have the same scale and zero point.
SAME_PARAMETERS = (
    "AVERAGE_POOL_2D",
    "BATCH_TO_SPACE_ND",
    "CONCATENATION",
    "GATHER",
    "MAXIMUM",
    "MAX_POOL_2D",
    "MINIMUM",
    "PAD",
    "PADV2",
    "RESHAPE",
    "RESIZE_BILINEAR",
    "SLICE",
    "SPACE_TO_BATCH_ND",
    "SPACE_TO_DEPTH",
    "SQUEEZE",
    "TRANSPOSE",
)

# Operators that are not in the specification, or in it for int8 alone, and that copy codes without rescaling them: the
# positions of the inputs that they copy from (None: all).
COPIES: Mapping[str, tuple[int, ...] | None] = {
    **{name: ACTIVATIONS[name] for name in SAME_PARAMETERS if name in ACTIVATIONS},
    **dict.fromkeys(("DEPTH_TO_SPACE", "EXPAND_DIMS", "GATHER_ND", "MIRROR_PAD", "RESIZE_NEAREST_NEIGHBOR"), (0,)),
    **dict.fromkeys(("BROADCAST_TO", "REVERSE_V2", "REVERSE_SEQUENCE", "STRIDED_SLICE", "TILE", "UNPACK"), (0,)),
    **dict.fromkeys(("REDUCE_MAX", "REDUCE_MIN", "SPLIT_V", "TOPK_V2"), (0,)),
    **dict.fromkeys(("SELECT", "SELECT_V2"), (1, 2)),
    "DYNAMIC_UPDATE_SLICE": (0, 1),
    "PACK": None,
    "SCATTER_ND": (1,),
    "SPLIT": (1,),
}
