"""LOGISTIC: 1 / (1 + e^-x), element by element.

input: T[...], output: T[...]; T is int8, uint8 (output scale 1/256) or int16 (output scale 1/32768, zero points 0).
8-bit types look the result up in a table of the real function; int16 interpolates in a table of 256 entries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.bfloat16 import with_bfloat16
from int8rt.kernels.float32 import functions
from int8rt.kernels.float32.functions import elementwise, in_float32, with_float32
from int8rt.kernels.layout import check_int16_zero_point
from int8rt.kernels.signature import signatures
from int8rt.kernels.unary import (
    LookupTableParams,
    by_codes,
    evaluate_lookup_table,
    prepare_lookup_table,
    require_output,
)
from int8rt.model import TensorType
from int8rt.quantization import libm
from int8rt.quantization.sigmoid_table import logistic_by_table, scale_to_table, table_multiplier


@dataclass(frozen=True, slots=True, kw_only=True)
class SigmoidTableParams(Params):
    """int16 codes times `input_multiplier`, shifted right by `input_left_shift`, are in the sigmoid table's unit."""

    input_multiplier: int
    input_left_shift: int


def logistic(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The real function, in the type of `x`."""
    return 1 / (1 + libm.exp(-x))


def prepare(context: OperatorContext) -> LookupTableParams | SigmoidTableParams:
    """Check the output's scale; make the table, or the multiplier of int16."""
    input = context.input(0)
    if input.type == TensorType.INT16:
        check_int16_zero_point(context, input, context.output())
        require_output(context, 1 / 32768)
        multiplier, shift = table_multiplier(context.per_tensor(input)[0], 0)
        return SigmoidTableParams(output_shapes=(input.shape,), input_multiplier=multiplier, input_left_shift=shift)
    require_output(context, 1 / 256)
    return prepare_lookup_table(context, logistic)


def evaluate(params: LookupTableParams | SigmoidTableParams, input: Array) -> Array:
    """LOGISTIC of each element."""
    if isinstance(params, LookupTableParams):
        return evaluate_lookup_table(params, input)
    multiplier, shift = params.input_multiplier, params.input_left_shift
    return by_codes(input, lambda codes: logistic_by_table(scale_to_table(codes, multiplier, shift)))


LOGISTIC = with_bfloat16(
    with_float32(
        Kernel(
            name="LOGISTIC",
            signatures=signatures("T -> T", T=("int8", "uint8", "int16")),
            prepare=prepare,
            evaluate=evaluate,
            source="kernels/activations.cc, internal/common.h, reference/integer_ops/logistic.h",
            max_version=3,
        ),
        elementwise(functions.logistic),
        function16=in_float32(elementwise(functions.logistic)),
    )
)
