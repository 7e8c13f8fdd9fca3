"""Which operators can be identified, and by what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from int8rt.kernels.add import AddParams
from int8rt.kernels.batch_matmul import QuantizedMatrixParams
from int8rt.kernels.conv import Conv2DParams
from int8rt.kernels.depthwise_conv import DepthwiseConv2DParams
from int8rt.kernels.dequantize import DequantizeParams
from int8rt.kernels.fully_connected import FullyConnectedParams
from int8rt.kernels.mean import QuantizedSumParams
from int8rt.kernels.mul import MulParams
from int8rt.kernels.pad import PadParams
from int8rt.kernels.pooling import Pool2DParams
from int8rt.kernels.quantize import QuantizeParams, RequantizeParams
from int8rt.kernels.reduce import ReduceParams
from int8rt.kernels.relu import ReluParams
from int8rt.kernels.resize_bilinear import ResizeBilinearParams
from int8rt.kernels.resize_nearest_neighbor import ResizeNearestNeighborParams
from int8rt.kernels.softmax import SoftmaxInt16Params, SoftmaxParams
from int8rt.kernels.transpose_conv import TransposeConvParams
from int8rt.kernels.unary import LookupTableParams
from int8rt.model import Operator, Tensor, TensorType
from int8rt.verify.identify.images import TEN_BITS, resize_bilinear
from int8rt.verify.identify.mutants import mutations_of
from int8rt.verify.identify.piece import Candidates, Piece
from int8rt.verify.identify.rescaling import BY_SUMS, FLOAT64, SIXTEEN, mean, rescaled
from int8rt.verify.identify.sums import REFERENCE, add
from int8rt.verify.identify.tables import (
    DIFFERENCE,
    ENTRIES,
    FIXED_POINT,
    MEAN_OF_CODES,
    QUOTIENT,
    TABLE,
    TABLES,
    average_pool,
    dequantize,
    fixed,
    logistic,
    quantize,
    softmax,
)
from int8rt.verify.identify.whole import RIGHT, TWICE, reference_of, whole

GROUPED = "CONV_2D in groups"
REQUANTIZED = "QUANTIZE of codes"
_EIGHT = (TensorType.INT8, TensorType.UINT8)
_ALL = (*_EIGHT, TensorType.INT16)


@dataclass(frozen=True, slots=True)
class Kind:
    """params: of the operator where it is on codes. known: its candidates. reference: the reference's name among them.

    types: of codes, in which it is looked at. wide: the reference's name for int16, where that is another.
    """

    params: type | tuple[type, ...]
    known: Callable[[Piece], Candidates]
    reference: str
    types: tuple[TensorType, ...] = _ALL
    wide: str = ""

    def name(self, type: TensorType) -> str:
        """What the reference does in this type of codes."""
        if self.known is whole:
            return reference_of(self.reference, type)
        return self.wide if self.wide and type == TensorType.INT16 else self.reference


KINDS: Mapping[str, Kind] = {
    "CONV_2D": Kind(Conv2DParams, rescaled, TWICE, wide=BY_SUMS),
    "DEPTHWISE_CONV_2D": Kind(DepthwiseConv2DParams, rescaled, TWICE, wide=SIXTEEN),
    "FULLY_CONNECTED": Kind(FullyConnectedParams, rescaled, FLOAT64),
    "TRANSPOSE_CONV": Kind(TransposeConvParams, rescaled, TWICE, wide=BY_SUMS),
    "BATCH_MATMUL": Kind(QuantizedMatrixParams, rescaled, TWICE, (TensorType.INT8, TensorType.INT16), SIXTEEN),
    "ADD": Kind(AddParams, add, REFERENCE),
    "SUB": Kind(AddParams, add, REFERENCE),
    "MUL": Kind(MulParams, rescaled, TWICE),
    "AVERAGE_POOL_2D": Kind(Pool2DParams, average_pool, MEAN_OF_CODES),
    "MAX_POOL_2D": Kind(Pool2DParams, fixed, RIGHT),
    "MEAN": Kind(QuantizedSumParams, mean, TWICE),
    "SOFTMAX": Kind((SoftmaxParams, SoftmaxInt16Params), softmax, FIXED_POINT, wide=TABLES),
    "LOGISTIC": Kind(LookupTableParams, logistic, TABLE, wide=ENTRIES),
    "TANH": Kind(LookupTableParams, logistic, TABLE, wide=ENTRIES),
    "QUANTIZE": Kind(QuantizeParams, quantize, QUOTIENT),
    "DEQUANTIZE": Kind(DequantizeParams, dequantize, DIFFERENCE),
    REQUANTIZED: Kind(RequantizeParams, rescaled, TWICE),
    "PAD": Kind(PadParams, fixed, RIGHT),
    "RELU": Kind(ReluParams, rescaled, TWICE),
    "RELU6": Kind(ReluParams, rescaled, TWICE),
    "RELU_N1_TO_1": Kind(ReluParams, rescaled, TWICE, _EIGHT),
    "REDUCE_MAX": Kind(ReduceParams, fixed, RIGHT),
    "REDUCE_MIN": Kind(ReduceParams, fixed, RIGHT),
    "RESIZE_NEAREST_NEIGHBOR": Kind(ResizeNearestNeighborParams, fixed, RIGHT),
    "RESIZE_BILINEAR": Kind(ResizeBilinearParams, resize_bilinear, TEN_BITS),
} | {
    name: Kind(object, whole, name, types)
    for name, types in {
        "ABS": (TensorType.INT8, TensorType.INT16),
        "CONCATENATION": _ALL,
        "DIV": (TensorType.UINT8,),
        "HARD_SWISH": _EIGHT,
        "L2_NORMALIZATION": _EIGHT,
        "LEAKY_RELU": _ALL,
        "LOG_SOFTMAX": _EIGHT,
        "MAXIMUM": _ALL,
        "MINIMUM": _ALL,
        "PRELU": _EIGHT,
        "RSQRT": (TensorType.INT8, TensorType.INT16),
        "SQRT": (TensorType.INT8, TensorType.INT16),
        "SQUARED_DIFFERENCE": (TensorType.INT8,),
        "SUM": _EIGHT,
    }.items()
}


def covered(piece: Piece) -> bool:
    """Whether the candidates know this case: codes with one scale; real numbers on the other side of QUANTIZE and
    DEQUANTIZE alone; and sums that do not broadcast.
    """
    name = _key(piece)
    if name not in KINDS or not isinstance(piece.params, KINDS[name].params):
        return False
    input = piece.tensors[2 if name == "TRANSPOSE_CONV" else 0]
    types = {None if input is None else input.type, piece.output.type}
    if name in ("QUANTIZE", "DEQUANTIZE"):
        codes = piece.output if name == "QUANTIZE" else input
        return _one_scale(codes) and TensorType.FLOAT32 in types and not types.isdisjoint(_ALL)
    if name in ("ADD", "SUB") and piece.value(0).shape != piece.value(1).shape:
        return False
    if KINDS[name].known is whole and not (_one_scale(input) and _one_scale(piece.output)):
        return False
    return (len(types) == 1 or name == REQUANTIZED) and all(known_type(name, type) for type in types)


def _one_scale(tensor: Tensor | None) -> bool:
    return tensor is not None and tensor.quantization is not None and tensor.quantization.scale.size == 1


def _key(piece: Piece) -> str:
    return REQUANTIZED if isinstance(piece.params, RequantizeParams) else piece.operator.name


def known_type(kind: str, type: TensorType | None) -> bool:
    """Whether the operator is looked at in this type of codes."""
    return type in KINDS["CONV_2D" if kind == GROUPED else kind].types


def type_of(operator: Operator, tensors: Sequence[Tensor]) -> TensorType:
    """The type of codes that it is about: that of output 0, of DEQUANTIZE that of its input."""
    index = operator.inputs[0] if operator.name == "DEQUANTIZE" else operator.outputs[0]
    return tensors[index].type


def kind_of(operator: Operator, tensors: Sequence[Tensor]) -> str:
    """What an operator is called in findings: its name; convolutions in groups are often computed by another kernel,
    and a QUANTIZE of codes rescales them.
    """
    if operator.name == "CONV_2D" and len(operator.inputs) > 1:
        input, filter = (tensors[index].shape for index in operator.inputs[:2])
        if len(input) == len(filter) == 4 and input[3] > filter[3]:
            return GROUPED
    if operator.name == "QUANTIZE" and operator.inputs and tensors[operator.inputs[0]].type in _ALL:
        return REQUANTIZED
    return operator.name


def candidates(piece: Piece) -> Candidates:
    """Name and output of every arithmetic that is tried on this operator, and then of every known mistake.

    A name is left out where its arithmetic is not defined.
    """
    kind = KINDS[_key(piece)]
    names = set()
    for name, value in kind.known(piece):
        names.add(name)
        yield name, value
    right, reference = piece.run(), kind.name(piece.output.type)
    for mutation in mutations_of(piece.operator.name):
        name = mutation.wrong if mutation.whole else f"{reference}; {mutation.wrong}"
        wrong = mutation.run(piece) if name not in names else None
        if name not in names and not (mutation.whole and wrong is None):
            yield name, right if wrong is None else wrong
