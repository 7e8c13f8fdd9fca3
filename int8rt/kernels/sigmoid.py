"""What LOGISTIC and TANH share: int16 codes interpolate in one table of the logistic function, 8-bit codes look up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.bfloat16 import with_bfloat16
from int8rt.kernels.float32.functions import elementwise, in_float32, with_float32
from int8rt.kernels.signature import signatures
from int8rt.kernels.unary import LookupTableParams, by_codes, evaluate_lookup_table
from int8rt.quantization.sigmoid_table import scale_to_table, table_multiplier


@dataclass(frozen=True, slots=True, kw_only=True)
class SigmoidTableParams(Params):
    """int16 codes times `input_multiplier`, shifted right by `input_left_shift`, are in the sigmoid table's unit."""

    input_multiplier: int
    input_left_shift: int


SigmoidParams = LookupTableParams | SigmoidTableParams


def prepare_sigmoid_table(context: OperatorContext, max_left_shift: int) -> SigmoidTableParams:
    """The multiplier of int16 codes, whose scales and zero points have been checked; see `table_multiplier`."""
    input = context.input(0)
    multiplier, shift = table_multiplier(context.per_tensor(input)[0], max_left_shift)
    return SigmoidTableParams(output_shapes=(input.shape,), input_multiplier=multiplier, input_left_shift=shift)


def evaluate_sigmoid(by_table: Callable[[Array], Array], params: SigmoidParams, input: Array) -> Array:
    """Codes of the function of each element; by_table: of int16, from arguments in the table's unit."""
    if isinstance(params, LookupTableParams):
        return evaluate_lookup_table(params, input)
    multiplier, shift = params.input_multiplier, params.input_left_shift
    return by_codes(input, lambda codes: by_table(scale_to_table(codes, multiplier, shift)))


def sigmoid_kernel(
    name: str,
    prepare: Callable[[OperatorContext], SigmoidParams],
    evaluate: Callable[[SigmoidParams, Array], Array],
    function: Callable[[npt.NDArray[Any]], npt.NDArray[Any]],
) -> Kernel:
    """LOGISTIC or TANH of all types; function: of float32, in which float16 and bfloat16 are computed too."""
    codes = Kernel(
        name=name,
        signatures=signatures("T -> T", T=("int8", "uint8", "int16")),
        prepare=prepare,
        evaluate=evaluate,
        source=f"kernels/activations.cc, internal/common.h, reference/integer_ops/{name.lower()}.h",
        max_version=3,
    )
    return with_bfloat16(with_float32(codes, elementwise(function), function16=in_float32(elementwise(function))))
