"""What the operators on one tensor share: their checks, and those that are nothing but a look-up table.

input: T[...], output: T[...] of the same shape
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt

from int8rt.errors import SpecError
from int8rt.kernels.base import Array, OperatorContext, Params
from int8rt.model import TensorType
from int8rt.quantization.lookup_table import (
    RealFunction,
    lookup,
    lookup_int16,
    populate_lookup_table,
    populate_lookup_table_int16,
)

_CODES = 1 << 16  # of int16

Arguments = ParamSpec("Arguments")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LookupTableParams(Params):
    """table: T[256] indexed by the input code read as unsigned; for int16, int16[513] to interpolate in."""

    table: npt.NDArray[Any]


def prepare_lookup_table(context: OperatorContext, function: RealFunction) -> LookupTableParams:
    """The table of a real function between the scales of input and output, both of which must have a scale."""
    input, output = context.input(0), context.output()
    scales = (*context.per_tensor(input), *context.per_tensor(output))
    if input.type == TensorType.INT16:
        table: npt.NDArray[Any] = populate_lookup_table_int16(function, *scales)
    else:
        table = populate_lookup_table(function, *scales, output.type.dtype)
    return LookupTableParams(output_shapes=(input.shape,), table=table)


def evaluate_lookup_table(params: LookupTableParams, input: Array) -> Array:
    """The table's value for each code."""
    if params.table.size == 256:
        return lookup(input, params.table)
    return by_codes(input, lambda codes: lookup_int16(codes, params.table))


def by_codes(input: Array, function: Callable[[Array], Array]) -> Array:
    """`function` of each int16 element; of every code once, where the input has more elements than there are codes."""
    if input.size <= _CODES:
        return function(input)
    table = function(np.arange(_CODES).astype(np.uint16).view(np.int16))
    return np.take(table, input.view(np.uint16))


def require_output(context: OperatorContext, scale: float, zero_point: int | None = None) -> None:
    """`ModelError` unless the output has exactly this scale and, where given, this zero point."""
    output = context.output()
    found_scale, found_zero_point = context.per_tensor(output)
    if found_scale != scale:
        raise context.invalid(f"output {output.name!r} has scale {found_scale:g}, expected {scale:g}")
    if zero_point is not None and found_zero_point != zero_point:
        raise context.invalid(f"output {output.name!r} has zero point {found_zero_point}, expected {zero_point}")


def within_spec(
    context: OperatorContext,
    function: Callable[Arguments, ResultT],
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> ResultT:
    """`function(*args)`; what it refuses with a `SpecError` becomes a `ModelError` that names the operator."""
    try:
        return function(*args, **kwargs)
    except SpecError as error:
        raise context.invalid(str(error)) from None
