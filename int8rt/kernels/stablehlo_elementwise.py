"""STABLEHLO_ADD, STABLEHLO_MULTIPLY, STABLEHLO_MAXIMUM and STABLEHLO_MINIMUM: element by element, nothing broadcast.

T[..], T[..] of the same shape -> T[..]. Codes of quantized types are taken as plain integers; integers wrap around,
bool adds as OR and multiplies as AND, float16 is rounded after each operation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.signature import signatures

# What the kernels of StableHLO operators compute with.
STABLEHLO_TYPES = (
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "float16",
    "float32",
    "float64",
    "bool",
)


def maximum(a: Array, b: Array) -> Any:
    """C++'s std::max: `a` where the two are equal or one of them is NaN."""
    return np.where(a < b, b, a)


def minimum(a: Array, b: Array) -> Any:
    """C++'s std::min: `a` where the two are equal or one of them is NaN."""
    return np.where(b < a, b, a)


# By the names of the operators that stand for them in the bodies of others, too.
OPERATIONS: Mapping[str, Callable[[Array, Array], Any]] = {
    "STABLEHLO_ADD": np.add,
    "STABLEHLO_MULTIPLY": np.multiply,
    "STABLEHLO_MAXIMUM": maximum,
    "STABLEHLO_MINIMUM": minimum,
}


def body_operators(context: OperatorContext, index: int) -> tuple[str, ...]:
    """The names of the operators of subgraph `index`, which an operator's options name as its body, in order."""
    if context.runtime is None:
        raise context.unsupported("has a body, so it can't run outside of a model")
    return tuple(operator.name for operator in context.runtime.subgraph(index).operators)


def prepare(context: OperatorContext) -> Params:
    """Check that the shapes are equal."""
    input1, input2 = context.input(0), context.input(1)
    if input1.shape != input2.shape:
        raise context.invalid(f"the shapes {list(input1.shape)} and {list(input2.shape)} must be equal")
    return Params(output_shapes=(input1.shape,))


def _kernel(name: str) -> Kernel:
    operation = OPERATIONS[name]

    def evaluate(params: Params, input1: Array, input2: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(operation(input1, input2))

    return Kernel(
        name=name,
        signatures=signatures("T,T -> T", T=STABLEHLO_TYPES),
        prepare=prepare,
        evaluate=evaluate,
        source="kernels/stablehlo_elementwise.cc",
        max_version=1,
    )


STABLEHLO_ADD, STABLEHLO_MULTIPLY, STABLEHLO_MAXIMUM, STABLEHLO_MINIMUM = map(_kernel, OPERATIONS)
