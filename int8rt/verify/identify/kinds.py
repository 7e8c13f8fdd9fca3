"""Which operators can be identified, and by what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from int8rt.kernels.add import AddParams
from int8rt.kernels.conv import Conv2DParams
from int8rt.kernels.depthwise_conv import DepthwiseConv2DParams
from int8rt.kernels.fully_connected import FullyConnectedParams
from int8rt.kernels.mean import QuantizedSumParams
from int8rt.kernels.mul import MulParams
from int8rt.kernels.pooling import Pool2DParams
from int8rt.kernels.softmax import SoftmaxParams
from int8rt.kernels.unary import LookupTableParams
from int8rt.model import Operator, Tensor
from int8rt.verify.identify.piece import Candidates, Piece
from int8rt.verify.identify.rescaling import mean, rescaled
from int8rt.verify.identify.sums import add
from int8rt.verify.identify.tables import average_pool, logistic, softmax

GROUPED = "CONV_2D in groups"

# Operator to its parameters in the 8-bit case and its candidates.
KINDS: Mapping[str, tuple[type, Callable[[Piece], Candidates]]] = {
    "CONV_2D": (Conv2DParams, rescaled),
    "DEPTHWISE_CONV_2D": (DepthwiseConv2DParams, rescaled),
    "FULLY_CONNECTED": (FullyConnectedParams, rescaled),
    "ADD": (AddParams, add),
    "MUL": (MulParams, rescaled),
    "AVERAGE_POOL_2D": (Pool2DParams, average_pool),
    "MEAN": (QuantizedSumParams, mean),
    "SOFTMAX": (SoftmaxParams, softmax),
    "LOGISTIC": (LookupTableParams, logistic),
}


def covered(piece: Piece) -> bool:
    """Whether the candidates know this case: 8 bits in and out, and an ADD that does not broadcast."""
    known = KINDS.get(piece.operator.name)
    if known is None or not isinstance(piece.params, known[0]) or piece.found.dtype not in (np.int8, np.uint8):
        return False
    if piece.operator.name == "ADD" and piece.value(0).shape != piece.value(1).shape:
        return False
    return bool(piece.value(0).dtype == piece.found.dtype)


def kind_of(operator: Operator, tensors: Sequence[Tensor]) -> str:
    """What an operator is called in findings: its name; convolutions in groups are often computed by another kernel."""
    if operator.name == "CONV_2D" and len(operator.inputs) > 1:
        input, filter = (tensors[index].shape for index in operator.inputs[:2])
        if len(input) == len(filter) == 4 and input[3] > filter[3]:
            return GROUPED
    return operator.name


def candidates(piece: Piece) -> Candidates:
    """Name and output of every arithmetic that is tried on this operator."""
    return KINDS[piece.operator.name][1](piece)
