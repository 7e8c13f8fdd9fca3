"""STABLEHLO_REDUCE_WINDOW and REDUCE_WINDOW: all elements of a sliding window joined into one.

STABLEHLO_REDUCE_WINDOW: input T[..], init value T -> T[..]. The input gets base_dilations - 1 places between its
elements and `padding` around them (or loses elements where it is negative), all of them the init value. The body is a
subgraph of one operator: ADD, MUL, MAXIMUM, MINIMUM (or their StableHLO forms), LOGICAL_AND or LOGICAL_OR.
REDUCE_WINDOW: input T[..], init value T, window_shape, window_strides, window_dilations: int64[rank], constants ->
T[..]. An element starts as the init value and is joined with its window row by row; integers wrap around.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, TensorInfo, element_count
from int8rt.kernels.layout import integers
from int8rt.kernels.signature import signatures
from int8rt.kernels.stablehlo_elementwise import body_operators
from int8rt.schema.enums import ReduceWindowFunction as Function
from int8rt.schema.options import ReduceWindowOptions, StablehloReduceWindowOptions

_MOST_DIMENSIONS = 6
_INT32_MAX = 2**31 - 1
# A file may ask for a window of any size, most of it padding.
_MOST_TAPS = 1 << 18

_BODIES: Mapping[str, Function] = {
    "ADD": Function.ADD,
    "STABLEHLO_ADD": Function.ADD,
    "MUL": Function.MUL,
    "STABLEHLO_MULTIPLY": Function.MUL,
    "MAXIMUM": Function.MAXIMUM,
    "STABLEHLO_MAXIMUM": Function.MAXIMUM,
    "MINIMUM": Function.MINIMUM,
    "STABLEHLO_MINIMUM": Function.MINIMUM,
    "LOGICAL_AND": Function.ALL,
    "LOGICAL_OR": Function.ANY,
}

_OPERATIONS: Mapping[Function, Callable[[Array, Array], Any]] = {
    Function.ADD: np.add,
    Function.MUL: np.multiply,
    Function.MAXIMUM: lambda a, b: np.where(a >= b, a, b),
    Function.MINIMUM: lambda a, b: np.where(a <= b, a, b),
    Function.ALL: lambda a, b: (a != 0) & (b != 0),
    Function.ANY: lambda a, b: (a != 0) | (b != 0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReduceWindowParams(Params):
    """By dimension, in elements; low: padding at the beginning. function: how two elements are joined."""

    function: Function
    window: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    base_dilations: tuple[int, ...]
    low: tuple[int, ...]


def prepare(context: OperatorContext) -> ReduceWindowParams:
    """Check the windows of a STABLEHLO_REDUCE_WINDOW, and read its body."""
    options, input = context.options(StablehloReduceWindowOptions), context.input(0)
    rank = _check(context, input)
    ones = (1,) * rank
    window, strides = options.window_dimensions, options.window_strides or ones
    base, dilations = options.base_dilations or ones, options.window_dilations or ones
    padding = options.padding or (0,) * (2 * rank)
    body = body_operators(context, options.body_subgraph_index)
    if len(body) != 1 or body[0] not in _BODIES:
        raise context.unsupported(f"its body is [{', '.join(body)}]; supported: one of {', '.join(_BODIES)}")
    if any(len(values) != rank for values in (window, strides, base, dilations)) or len(padding) != 2 * rank:
        raise context.invalid(f"the options do not fit an input of rank {rank}")
    return _params(context, _BODIES[body[0]], window, strides, dilations, base, padding)


def prepare_tflite(context: OperatorContext) -> ReduceWindowParams:
    """Check the windows of a REDUCE_WINDOW."""
    rank = _check(context, context.input(0))
    window, strides, dilations = (_constant(context, index) for index in (2, 3, 4))
    if any(len(values) != rank for values in (window, strides, dilations)):
        raise context.invalid(f"windows {window}, strides {strides}, dilations {dilations} do not fit rank {rank}")
    function = context.options(ReduceWindowOptions).reduce_function
    if function == Function.UNSUPPORTED:
        raise context.unsupported("has no function")
    return _params(context, function, window, strides, dilations, (1,) * rank, (0,) * (2 * rank))


def _check(context: OperatorContext, input: TensorInfo) -> int:
    if not 1 <= input.rank <= _MOST_DIMENSIONS:
        raise context.invalid(f"input {input.name!r} has rank {input.rank}, expected 1 to {_MOST_DIMENSIONS}")
    if not element_count(context.input(1).shape):
        raise context.invalid(f"init value {context.input(1).name!r} is empty")
    return input.rank


def _constant(context: OperatorContext, index: int) -> tuple[int, ...]:
    if context.input(index).value is None:
        raise context.invalid(f"input {context.input(index).name!r} must be a constant")
    return integers(context, index)


def _params(
    context: OperatorContext,
    function: Function,
    window: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    base: Sequence[int],
    padding: Sequence[int],
) -> ReduceWindowParams:
    input, shape = context.input(0), []
    if min(*window, *strides, *dilations, *base) < 1:
        found = f"window {list(window)}, strides {list(strides)}, dilations {list(dilations)} and {list(base)}"
        raise context.invalid(f"{found} must be at least 1")
    for i, size in enumerate(input.shape):
        padded = (size - 1) * base[i] + 1 + padding[2 * i] + padding[2 * i + 1]
        if (padded <= 0 and size > 0) or (size == 0 and (base[i] > 1 or any(padding))) or padded > _INT32_MAX:
            raise context.invalid(f"the padded input has size {padded} in dimension {i}, expected 1 to {_INT32_MAX}")
        reach = (window[i] - 1) * dilations[i] + 1
        shape.append(0 if padded < reach else (padded - reach) // strides[i] + 1)
    if element_count(shape) and element_count(window) > _MOST_TAPS:
        raise context.unsupported(f"windows {list(window)} are too large; supported up to {_MOST_TAPS} elements")
    return ReduceWindowParams(
        output_shapes=(tuple(shape),),
        function=function,
        window=tuple(window),
        strides=tuple(strides),
        dilations=tuple(dilations),
        base_dilations=tuple(base),
        low=tuple(padding[::2]),
    )


def evaluate(params: ReduceWindowParams, input: Array, init_value: Array) -> Array:
    """Each tap of the windows in turn, for all windows at once."""
    (shape,) = params.output_shapes
    assert shape is not None
    init = init_value.reshape(-1)[0]
    # The kernel has bool as bytes, so a sum may wrap around to false.
    wide = input.view(np.int8) if input.dtype == np.bool_ else input
    total = np.full(shape, init, wide.dtype)
    if not total.size:
        return total.astype(input.dtype)
    operation = _OPERATIONS[params.function]
    taps = [
        [_tap(params, i, tap, size, shape[i]) for tap in range(params.window[i])] for i, size in enumerate(input.shape)
    ]
    with np.errstate(all="ignore"):
        for tap in itertools.product(*taps):
            elements = np.full(shape, init, wide.dtype)
            elements[tuple(outputs for outputs, _ in tap)] = wide[tuple(inputs for _, inputs in tap)]
            total = np.asarray(operation(total, elements)).astype(wide.dtype, copy=False)
    return total.astype(input.dtype, copy=False)


def _tap(params: ReduceWindowParams, axis: int, tap: int, size: int, count: int) -> tuple[slice, slice]:
    """In one dimension: the windows whose tap is an element of the input, and these elements."""
    start, stride, base = (
        tap * params.dilations[axis] - params.low[axis],
        params.strides[axis],
        params.base_dilations[axis],
    )
    windows = np.arange(count, dtype=np.int64)
    places = windows * stride + start
    chosen = windows[(places >= 0) & (places % base == 0) & (places < (size - 1) * base + 1)]
    if not chosen.size:
        return slice(0, 0), slice(0, 0)
    step = int(chosen[1] - chosen[0]) if chosen.size > 1 else 1
    first, last = int(chosen[0]), int(chosen[-1])
    inputs = slice((first * stride + start) // base, (last * stride + start) // base + 1, max(1, step * stride // base))
    return slice(first, last + 1, step), inputs


def evaluate_tflite(
    params: ReduceWindowParams, input: Array, init_value: Array, window: Array, strides: Array, dilations: Array
) -> Array:
    """REDUCE_WINDOW."""
    return evaluate(params, input, init_value)


_TYPES = ("bool", "int8", "int16", "int32", "int64", "uint8", "float32", "float64")

STABLEHLO_REDUCE_WINDOW = Kernel(
    name="STABLEHLO_REDUCE_WINDOW",
    signatures=signatures("T,T -> T", T=_TYPES),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/stablehlo_reduce_window.cc",
    max_version=1,
)

REDUCE_WINDOW = Kernel(
    name="REDUCE_WINDOW",
    signatures=signatures("T,T,int64,int64,int64 -> T", T=_TYPES),
    prepare=prepare_tflite,
    evaluate=evaluate_tflite,
    source="kernels/stablehlo_reduce_window.cc",
    max_version=1,
)
