"""Functions of float32 in XNNPACK, exact or approximated; subnormal numbers count as 0, and become 0.

ABS keeps them, and is that of the other kernels; so does LEAKY_RELU of negative numbers and PRELU, where they are not
multiplied. Sums and products without an activation are not clamped. The approximations are those for AVX-512F.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.arithmetic import broadcast_pair, clamp
from int8rt.kernels.base import Array, OperatorContext, Params, element_count
from int8rt.kernels.xnnpack.delegation import MAX_RANK, Delegated, has_elements
from int8rt.kernels.xnnpack.float_product_rules import is_constant
from int8rt.model import ActivationFunctionType, Shape, TensorType
from int8rt.quantization import rsqrt14, xnnpack_functions
from int8rt.quantization.xnnpack import ACTIVATIONS, flush, real_bounds
from int8rt.schema.options import GeluOptions, LeakyReluOptions

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FloatParams(Params):
    """function: of one or two float32 arrays without subnormal numbers; with them, where `plain` says so.

    low, high: the clamp, None where there is none.
    """

    function: Callable[..., Float32]
    low: float | None = None
    high: float | None = None
    plain: bool = False


def _squared_difference(x: Float32, y: Float32) -> Float32:
    difference = flush(x - y)
    return difference * difference


UNARY: dict[str, Callable[[Float32], Float32]] = {
    "CEIL": np.ceil,
    "COS": xnnpack_functions.cos,
    "ELU": xnnpack_functions.elu,
    "EXP": xnnpack_functions.exp,
    "FLOOR": np.floor,
    "GELU": xnnpack_functions.gelu,
    "HARD_SWISH": xnnpack_functions.hard_swish,
    "LOG": xnnpack_functions.log,
    "LOGISTIC": xnnpack_functions.sigmoid,
    "NEG": lambda x: np.float32(0) - x,
    "RELU": lambda x: x,
    "RELU6": lambda x: x,
    "RELU_N1_TO_1": lambda x: x,
    "ROUND": np.rint,
    "RSQRT": rsqrt14.rsqrt,
    "SIN": xnnpack_functions.sin,
    "SQRT": rsqrt14.sqrt,
    "SQUARE": np.square,
    "TANH": xnnpack_functions.tanh,
}
BINARY: dict[str, Callable[[Float32, Float32], Float32]] = {
    "ADD": np.add,
    "DIV": np.divide,
    "MAXIMUM": xnnpack_functions.maximum,
    "MINIMUM": xnnpack_functions.minimum,
    "MUL": np.multiply,
    "PRELU": xnnpack_functions.leaky_relu,
    "SQUARED_DIFFERENCE": _squared_difference,
    "SUB": np.subtract,
}
_CLAMPS = {
    "RELU": ActivationFunctionType.RELU,
    "RELU6": ActivationFunctionType.RELU6,
    "RELU_N1_TO_1": ActivationFunctionType.RELU_N1_TO_1,
}


def _activation(context: OperatorContext) -> ActivationFunctionType:
    if context.operator.name in _CLAMPS:
        return _CLAMPS[context.operator.name]
    options: Any = context.operator.options
    return getattr(options, "fused_activation_function", ActivationFunctionType.NONE)


def takes(context: OperatorContext) -> bool:
    """Whether the delegate takes this function of float32 tensors."""
    count = 2 if context.operator.name in BINARY else 1
    if len(context.inputs) != count or len(context.outputs) != 1 or _activation(context) not in ACTIVATIONS:
        return False
    tensors = *(context.input(index) for index in range(count)), context.output()
    if any(tensor.type != TensorType.FLOAT32 for tensor in tensors):
        return False
    if context.operator.name == "LEAKY_RELU" and not _is_normal(context.options(LeakyReluOptions).alpha):
        return False
    if context.operator.name == "PRELU" and not is_constant(context, context.input(1)):
        return False
    return all(has_elements(context, tensor, (0, MAX_RANK)) for tensor in tensors[:-1])


def _is_normal(alpha: float) -> bool:
    return bool(np.isfinite(alpha) and abs(alpha) >= np.finfo(np.float32).tiny)


def prepare(context: OperatorContext) -> FloatParams:
    """The function, and the bounds of its activation."""
    name, activation = context.operator.name, _activation(context)
    if name == "LEAKY_RELU":
        slope = np.float32(context.options(LeakyReluOptions).alpha)
        leaky = functools.partial(xnnpack_functions.leaky_relu, slope=slope)
        return FloatParams(output_shapes=(context.input(0).shape,), function=leaky, plain=True)
    if name in BINARY:
        shape, function = broadcast_pair(context), BINARY[name]
        if name in ("MAXIMUM", "MINIMUM"):
            number = _constant_number(context)
            if number is not None:
                bounded = functools.partial(_bounded, function, number)
                return FloatParams(output_shapes=(shape,), function=bounded, plain=True)
            if _first_is_repeated(context):
                function = functools.partial(_swapped, function)
    else:
        shape, function = context.input(0).shape, UNARY[name]  # type: ignore[assignment]
        if name == "GELU" and context.options(GeluOptions).approximate:
            function = xnnpack_functions.approximate_gelu  # type: ignore[assignment]
    if activation == ActivationFunctionType.NONE:
        return FloatParams(output_shapes=(shape,), function=function, plain=name == "PRELU")
    low, high = real_bounds(activation)
    return FloatParams(output_shapes=(shape,), function=function, low=float(low), high=float(high))


def _swapped(function: Callable[..., Float32], x: Float32, y: Float32) -> Float32:
    return function(y, x)


def _bounded(function: Callable[..., Float32], number: int, *inputs: Float32) -> Float32:
    """The clamp that a constant number makes: it keeps the other input where they do not compare; no number is -0.0."""
    bound = np.where(inputs[number] == 0, np.float32(0), inputs[number])
    return flush(function(flush(bound), flush(inputs[1 - number])))


def _constant_number(context: OperatorContext) -> int | None:
    """Which input is a constant with one element, and no more dimensions than the other."""
    tensors = context.input(0), context.input(1)
    constant = [is_constant(context, tensor) and element_count(tensor.shape) == 1 for tensor in tensors]
    if all(constant):
        raise context.unsupported(f"two constant numbers in profile {context.profile.name} is not done")
    if not any(constant):
        return None
    number = constant.index(True)
    return number if tensors[number].rank <= tensors[1 - number].rank else None


def _first_is_repeated(context: OperatorContext) -> bool:
    """Whether the first input is repeated for neighbouring elements of the second: then they change places."""
    shapes = context.input(0).shape, context.input(1).shape
    rank = max(len(shape) for shape in shapes)
    padded = ((1,) * (rank - len(shape)) + shape for shape in shapes)
    sizes = [pair for pair in zip(*padded, strict=True) if pair != (1, 1)]
    return not sizes or sizes[-1][0] == 1


def clamped(shapes: tuple[Shape | None, ...], activation: ActivationFunctionType) -> FloatParams:
    """The clamp of an activation; a copy without one."""
    if activation == ActivationFunctionType.NONE:
        return FloatParams(output_shapes=shapes, function=np.copy, plain=True)
    low, high = real_bounds(activation)
    return FloatParams(output_shapes=shapes, function=np.copy, low=float(low), high=float(high))


def evaluate(params: FloatParams, *inputs: Array) -> Array:
    """The function of each element."""
    with np.errstate(all="ignore"):
        if params.plain:
            return params.function(*inputs)
        values = np.array(flush(np.asarray(params.function(*(flush(value) for value in inputs)), np.float32)))
    clamp(values, params.low, params.high)
    return values


FUNCTIONS = tuple(
    Delegated(name, takes, prepare, "src/f32-vbinary, src/f32-vclamp and others", evaluate, (FloatParams,))
    for name in (*UNARY, "LEAKY_RELU", *BINARY)
)
