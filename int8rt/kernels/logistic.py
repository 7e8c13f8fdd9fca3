"""LOGISTIC: 1 / (1 + e^-x), element by element.

input: T[...], output: T[...]; T is int8, uint8 (output scale 1/256) or int16 (output scale 1/32768, zero points 0).
8-bit types look the result up in a table of the real function; int16 interpolates in a table of 256 entries.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from int8rt.kernels.base import Array, OperatorContext
from int8rt.kernels.float32 import functions
from int8rt.kernels.layout import check_int16_zero_point
from int8rt.kernels.sigmoid import SigmoidParams, evaluate_sigmoid, prepare_sigmoid_table, sigmoid_kernel
from int8rt.kernels.unary import prepare_lookup_table, require_output
from int8rt.model import TensorType
from int8rt.quantization import libm
from int8rt.quantization.sigmoid_table import logistic_by_table


def logistic(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The real function, in the type of `x`."""
    return 1 / (1 + libm.exp(-x))


def prepare(context: OperatorContext) -> SigmoidParams:
    """Check the output's scale; make the table, or the multiplier of int16."""
    if context.input(0).type == TensorType.INT16:
        check_int16_zero_point(context, context.input(0), context.output())
        require_output(context, 1 / 32768)
        return prepare_sigmoid_table(context, 0)
    require_output(context, 1 / 256)
    return prepare_lookup_table(context, logistic)


def evaluate(params: SigmoidParams, input: Array) -> Array:
    """LOGISTIC of each element."""
    return evaluate_sigmoid(logistic_by_table, params, input)


LOGISTIC = sigmoid_kernel("LOGISTIC", prepare, evaluate, functions.logistic)
