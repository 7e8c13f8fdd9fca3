"""Which operators can be identified, and by what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from int8rt.kernels.add import AddParams
from int8rt.kernels.conv import Conv2DParams
from int8rt.kernels.depthwise_conv import DepthwiseConv2DParams
from int8rt.kernels.dequantize import DequantizeParams
from int8rt.kernels.fully_connected import FullyConnectedParams
from int8rt.kernels.mean import QuantizedSumParams
from int8rt.kernels.mul import MulParams
from int8rt.kernels.pad import PadParams
from int8rt.kernels.pooling import Pool2DParams
from int8rt.kernels.quantize import QuantizeParams
from int8rt.kernels.reduce import ReduceParams
from int8rt.kernels.relu import ReluParams
from int8rt.kernels.resize_bilinear import ResizeBilinearParams
from int8rt.kernels.resize_nearest_neighbor import ResizeNearestNeighborParams
from int8rt.kernels.softmax import SoftmaxParams
from int8rt.kernels.unary import LookupTableParams
from int8rt.model import Operator, Tensor, TensorType
from int8rt.verify.identify.images import TEN_BITS, resize_bilinear
from int8rt.verify.identify.mutants import mutations_of
from int8rt.verify.identify.piece import Candidates, Piece
from int8rt.verify.identify.rescaling import FLOAT64, TWICE, mean, rescaled
from int8rt.verify.identify.sums import REFERENCE, add
from int8rt.verify.identify.tables import (
    DIFFERENCE,
    FIXED_POINT,
    MEAN_OF_CODES,
    QUOTIENT,
    RIGHT,
    TABLE,
    average_pool,
    dequantize,
    fixed,
    logistic,
    quantize,
    softmax,
)

GROUPED = "CONV_2D in groups"

# Operator to its parameters in the 8-bit case, its candidates, and the reference's name among them.
KINDS: Mapping[str, tuple[type, Callable[[Piece], Candidates], str]] = {
    "CONV_2D": (Conv2DParams, rescaled, TWICE),
    "DEPTHWISE_CONV_2D": (DepthwiseConv2DParams, rescaled, TWICE),
    "FULLY_CONNECTED": (FullyConnectedParams, rescaled, FLOAT64),
    "ADD": (AddParams, add, REFERENCE),
    "SUB": (AddParams, add, REFERENCE),
    "MUL": (MulParams, rescaled, TWICE),
    "AVERAGE_POOL_2D": (Pool2DParams, average_pool, MEAN_OF_CODES),
    "MAX_POOL_2D": (Pool2DParams, fixed, RIGHT),
    "MEAN": (QuantizedSumParams, mean, TWICE),
    "SOFTMAX": (SoftmaxParams, softmax, FIXED_POINT),
    "LOGISTIC": (LookupTableParams, logistic, TABLE),
    "TANH": (LookupTableParams, logistic, TABLE),
    "QUANTIZE": (QuantizeParams, quantize, QUOTIENT),
    "DEQUANTIZE": (DequantizeParams, dequantize, DIFFERENCE),
    "PAD": (PadParams, fixed, RIGHT),
    "RELU6": (ReluParams, fixed, RIGHT),
    "REDUCE_MAX": (ReduceParams, fixed, RIGHT),
    "REDUCE_MIN": (ReduceParams, fixed, RIGHT),
    "RESIZE_NEAREST_NEIGHBOR": (ResizeNearestNeighborParams, fixed, RIGHT),
    "RESIZE_BILINEAR": (ResizeBilinearParams, resize_bilinear, TEN_BITS),
}
_CODES = (TensorType.INT8, TensorType.UINT8)
_INT16_TOO = ("REDUCE_MAX", "REDUCE_MIN", "RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR")


def covered(piece: Piece) -> bool:
    """Whether the candidates know this case: codes of 8 bits with one scale, for some operators also of 16 bits; real
    numbers on the other side of QUANTIZE and DEQUANTIZE alone; and sums that do not broadcast.
    """
    name = piece.operator.name
    if name not in KINDS or not isinstance(piece.params, KINDS[name][0]):
        return False
    input = piece.tensors[0]
    types = {None if input is None else input.type, piece.output.type}
    if name in ("QUANTIZE", "DEQUANTIZE"):
        codes = piece.output if name == "QUANTIZE" else input
        one_scale = codes is not None and codes.quantization is not None and codes.quantization.scale.size == 1
        return one_scale and TensorType.FLOAT32 in types and not types.isdisjoint(_CODES)
    if name in ("ADD", "SUB") and piece.value(0).shape != piece.value(1).shape:
        return False
    return len(types) == 1 and all(known_type(name, type) for type in types)


def known_type(name: str, type: TensorType | None) -> bool:
    """Whether the operator is looked at in this type of codes."""
    return type in _CODES or (type == TensorType.INT16 and name in _INT16_TOO)


def type_of(operator: Operator, tensors: Sequence[Tensor]) -> TensorType:
    """The type of codes that it is about: that of output 0, of DEQUANTIZE that of its input."""
    index = operator.inputs[0] if operator.name == "DEQUANTIZE" else operator.outputs[0]
    return tensors[index].type


def kind_of(operator: Operator, tensors: Sequence[Tensor]) -> str:
    """What an operator is called in findings: its name; convolutions in groups are often computed by another kernel."""
    if operator.name == "CONV_2D" and len(operator.inputs) > 1:
        input, filter = (tensors[index].shape for index in operator.inputs[:2])
        if len(input) == len(filter) == 4 and input[3] > filter[3]:
            return GROUPED
    return operator.name


def candidates(piece: Piece) -> Candidates:
    """Name and output of every arithmetic that is tried on this operator, and then of every known mistake."""
    _, known, reference = KINDS[piece.operator.name]
    names = set()
    for name, value in known(piece):
        names.add(name)
        yield name, value
    right = piece.run()
    for mutation in mutations_of(piece.operator.name):
        name = mutation.wrong if mutation.whole else f"{reference}; {mutation.wrong}"
        if name not in names:
            wrong = mutation.run(piece)
            yield name, right if wrong is None else wrong
