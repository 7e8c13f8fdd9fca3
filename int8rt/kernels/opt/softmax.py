"""SOFTMAX and LOG_SOFTMAX of 8-bit inputs in the optimized kernels: a table of e^-x in float32, sums in order.

SOFTMAX of int16 and float16 is the reference kernel's; of float32 both are Eigen's.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels import log_softmax, softmax
from int8rt.kernels.base import Array, OperatorContext, Params
from int8rt.kernels.float32.functions import row_params, softmax_float16
from int8rt.kernels.opt.functions import float_log_softmax, float_softmax, of_float32
from int8rt.kernels.rows import by_rows, differences_to_maximum
from int8rt.kernels.unary import require_output
from int8rt.model import TensorType
from int8rt.quantization.float_softmax import exponentials, log_probabilities, probabilities
from int8rt.schema.options import SoftmaxOptions


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FloatTableParams(Params):
    """table: float32[256], e^(-beta · scale · d) for d = max(q) - q. input_scale: of LOG_SOFTMAX."""

    table: npt.NDArray[np.float32]
    input_scale: float
    output_scale: float
    zero_point: int
    dtype: np.dtype[Any]


def prepare(context: OperatorContext) -> Any:
    """Check the output's scale and make the table."""
    input, output = context.input(0), context.output()
    if input.type == TensorType.INT16:
        return softmax.prepare(context)
    if input.rank < 1:
        raise context.invalid(f"input {input.name!r} must have at least one dimension")
    if input.type == output.type == TensorType.INT8:
        softmax.check_output(context, 1 / 256, -128)
    beta = context.options(SoftmaxOptions).beta
    if beta < 0:
        raise context.unsupported(f"a negative beta in profile {context.profile.name} is not done")
    return _params(context, beta)


def prepare_log(context: OperatorContext) -> FloatTableParams:
    """Check the output's scale and make the table."""
    input, output = context.input(0), context.output()
    if input.rank < 1:
        raise context.invalid(f"input {input.name!r} must have at least one dimension")
    require_output(context, 16 / 256, np.iinfo(output.type.dtype).max)
    return _params(context, 1.0)


def _params(context: OperatorContext, beta: float) -> FloatTableParams:
    input, output = context.input(0), context.output()
    (scale, _), (output_scale, zero_point) = context.per_tensor(input), context.per_tensor(output)
    with np.errstate(over="ignore", invalid="ignore"):
        step = np.float32(scale) * np.float32(beta)
    if not np.isfinite(step):
        raise context.unsupported(f"a step of {step:g} (scale · beta) in profile {context.profile.name} is not done")
    return FloatTableParams(
        output_shapes=(input.shape,),
        table=exponentials(scale, beta),
        input_scale=scale,
        output_scale=output_scale,
        zero_point=zero_point,
        dtype=output.type.dtype,
    )


def evaluate(params: Any, input: Array) -> Array:
    """SOFTMAX of each row."""
    if not isinstance(params, FloatTableParams):
        return softmax.evaluate(params, input)
    return by_rows(input, params.dtype, functools.partial(_softmax, params))


def _softmax(params: FloatTableParams, rows: Array) -> Array:
    terms = params.table[differences_to_maximum(rows)]
    return probabilities(terms, params.output_scale, params.zero_point, params.dtype)


def evaluate_log(params: FloatTableParams, input: Array) -> Array:
    """LOG_SOFTMAX of each row."""
    return by_rows(input, params.dtype, functools.partial(_log_softmax, params))


def _log_softmax(params: FloatTableParams, rows: Array) -> Array:
    terms = params.table[differences_to_maximum(rows)]
    return log_probabilities(rows, terms, params.input_scale, params.output_scale, params.zero_point, params.dtype)


_SOURCE = "kernels/activations.cc, optimized/optimized_ops.h"
SOFTMAX = of_float32(
    replace(softmax.SOFTMAX, prepare=prepare, evaluate=evaluate, source=_SOURCE),
    float_softmax,
    softmax.prepare_float,
    softmax_float16,
)
LOG_SOFTMAX = of_float32(
    replace(log_softmax.LOG_SOFTMAX, prepare=prepare_log, evaluate=evaluate_log, source=_SOURCE),
    float_log_softmax,
    row_params,
)
