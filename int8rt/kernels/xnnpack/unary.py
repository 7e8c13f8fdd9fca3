"""Functions of one 8-bit code, QUANTIZE and DEQUANTIZE in XNNPACK.

ELU, LOGISTIC, TANH: a look-up table, in which the zero point is added before rounding, with ties to even. LEAKY_RELU
and QUANTIZE from codes to codes of the same type: a multiplier with 8 fractional bits. QUANTIZE of real numbers: times
the reciprocal of the scale, ties to even. DEQUANTIZE: the difference to the zero point times the scale, in float32.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.arithmetic import all_codes
from int8rt.kernels.base import Array, OperatorContext, Params
from int8rt.kernels.elu import elu
from int8rt.kernels.unary import LookupTableParams, evaluate_lookup_table
from int8rt.kernels.xnnpack.delegation import (
    MAX_RANK,
    Delegated,
    check_codes,
    has_elements,
    holds_codes,
    is_stored,
)
from int8rt.model import TensorType
from int8rt.quantization import libm
from int8rt.quantization.affine import dequantize
from int8rt.quantization.xnnpack import in_256ths, populate_lookup_table, quantize, rescale_by_256ths
from int8rt.schema.options import LeakyReluOptions


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TableParams(LookupTableParams):
    """table: the result for each 8-bit code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RealToCodesParams(Params):
    """scale, zero_point, dtype: of the output."""

    scale: float
    zero_point: int
    dtype: np.dtype[Any]


def sigmoid(x: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
    """e^x / (1 + e^x) in float64."""
    power = libm.exp(np.clip(x.astype(np.float64), -101, 101))
    return np.where(x > 100, 1.0, np.where(x < -100, 0.0, power / (1 + power)))


def _takes(context: OperatorContext) -> bool:
    if len(context.inputs) != 1 or len(context.outputs) != 1:
        return False
    return has_elements(context, context.input(0), (0, MAX_RANK))


def takes_function(context: OperatorContext) -> bool:
    """Whether the delegate takes this function of codes; of int8 codes only, where it is ELU."""
    tensors = context.input(0), context.output()
    if context.operator.name == "ELU" and any(tensor.type != TensorType.INT8 for tensor in tensors):
        return False
    return _takes(context) and holds_codes(*tensors)


def prepare_function(function: Callable[..., Any], context: OperatorContext) -> TableParams:
    """The table of a real function."""
    input, output = context.input(0), context.output()
    check_codes(context, input, output)
    scales = context.per_tensor(input), context.per_tensor(output)
    return TableParams(
        output_shapes=(input.shape,), table=populate_lookup_table(function, all_codes(input.type), *scales)
    )


def _ratio(context: OperatorContext) -> np.float32:
    with np.errstate(all="ignore"):
        return np.float32(context.per_tensor(context.input(0))[0]) / np.float32(context.per_tensor(context.output())[0])


def takes_leaky_relu(context: OperatorContext) -> bool:
    """Whether the delegate takes this LEAKY_RELU of codes: its multipliers fit 16 bits, and are not too small."""
    if not _takes(context) or not holds_codes(context.input(0), context.output()):
        return False
    alpha, ratio = np.float32(context.options(LeakyReluOptions).alpha), _ratio(context)
    with np.errstate(all="ignore"):
        below = ratio * alpha
    normal = np.isfinite(alpha) and abs(alpha) >= np.finfo(np.float32).tiny
    fits = 1 / 256 <= ratio <= 128 and -127.99609375 <= below <= 128 and abs(below) >= 1 / 256
    return bool(normal and fits)


def prepare_leaky_relu(context: OperatorContext) -> TableParams:
    """The result for each code."""
    input, output = context.input(0), context.output()
    check_codes(context, input, output)
    ratio, alpha = _ratio(context), np.float32(context.options(LeakyReluOptions).alpha)
    codes, zero_point = all_codes(input.type), context.per_tensor(input)[1]
    multiplier = np.where(codes.astype(np.int64) >= zero_point, in_256ths(ratio), in_256ths(ratio * alpha))
    table = rescale_by_256ths(codes, zero_point, multiplier, context.per_tensor(output)[1])
    return TableParams(output_shapes=(input.shape,), table=table)


def takes_quantize(context: OperatorContext) -> bool:
    """Whether the delegate takes this QUANTIZE: of float32, or from codes to codes of the same type."""
    input, output = context.input(0), context.output()
    if not _takes(context) or not holds_codes(output):
        return False
    check_codes(context, output)  # the delegate dies of others
    if input.type == TensorType.FLOAT32:
        return True
    if not holds_codes(input):
        return False
    check_codes(context, input)
    if input.type != output.type:
        return False
    return bool(1 / 256 <= _ratio(context) <= 128)


def prepare_quantize(context: OperatorContext) -> RealToCodesParams | TableParams:
    """The scale of a QUANTIZE; the table of one from codes to codes."""
    input, output = context.input(0), context.output()
    scale, zero_point = context.per_tensor(output)
    if input.type == TensorType.FLOAT32:
        return RealToCodesParams(
            output_shapes=(input.shape,), scale=scale, zero_point=zero_point, dtype=output.type.dtype
        )
    multiplier = in_256ths(_ratio(context))
    table = rescale_by_256ths(all_codes(input.type), context.per_tensor(input)[1], multiplier, zero_point)
    return TableParams(output_shapes=(input.shape,), table=table)


def takes_dequantize(context: OperatorContext) -> bool:
    """Whether the delegate takes this DEQUANTIZE of codes.

    Constants are left to the optimized kernel: where what uses them is taken, the delegate calls it beforehand. Where
    nothing does, as the output of a model, it takes the operator all the same, and fails while running.
    """
    input, graph = context.input(0), context.subgraph
    if input.type in (TensorType.INT8, TensorType.FLOAT16) and is_stored(context, input):
        if graph is not None and context.output().index in graph.outputs:
            raise context.unsupported(
                f"constants that become an output of the model in profile {context.profile.name} is not done: the "
                "delegate takes them, and may fail"
            )
        if input.sparsity is not None:
            raise context.unsupported(f"sparse constants in profile {context.profile.name} is not done")
        return False
    return _takes(context) and holds_codes(input) and context.output().type == TensorType.FLOAT32


def prepare_dequantize(context: OperatorContext) -> TableParams:
    """The real number of each code."""
    input = context.input(0)
    check_codes(context, input)
    scale, zero_point = context.per_tensor(input)
    return TableParams(output_shapes=(input.shape,), table=dequantize(all_codes(input.type), scale, zero_point))


def evaluate(params: TableParams | RealToCodesParams, input: Array) -> Array:
    """The function of each element."""
    if isinstance(params, TableParams):
        return evaluate_lookup_table(params, input)
    return quantize(input, params.scale, params.zero_point, params.dtype)


def _delegated(name: str, takes: Any, prepare: Any, source: str) -> Delegated:
    return Delegated(name, takes, prepare, source, evaluate, (TableParams, RealToCodesParams))


_REFERENCE = "src/reference/unary-elementwise.cc"
UNARY = (
    _delegated("DEQUANTIZE", takes_dequantize, prepare_dequantize, "src/qs8-f32-vcvt"),
    _delegated("ELU", takes_function, functools.partial(prepare_function, elu), _REFERENCE),
    _delegated("LEAKY_RELU", takes_leaky_relu, prepare_leaky_relu, "src/qs8-vlrelu"),
    _delegated("LOGISTIC", takes_function, functools.partial(prepare_function, sigmoid), _REFERENCE),
    _delegated("QUANTIZE", takes_quantize, prepare_quantize, "src/f32-qs8-vcvt, src/qs8-vcvt"),
    _delegated("TANH", takes_function, functools.partial(prepare_function, libm.tanh), _REFERENCE),
)
