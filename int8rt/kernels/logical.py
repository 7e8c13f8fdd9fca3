"""LOGICAL_AND, LOGICAL_OR and LOGICAL_NOT of truth values.

inputs, output: bool; two inputs of shapes that broadcast.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from int8rt.kernels.arithmetic import broadcast_operation, broadcast_pair
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.signature import signatures


def prepare_pair(context: OperatorContext) -> Params:
    """Check that the inputs broadcast."""
    return Params(output_shapes=(broadcast_pair(context),))


def evaluate_pair(operation: Callable[..., Array], params: Params, input1: Array, input2: Array) -> Array:
    """LOGICAL_AND or LOGICAL_OR."""
    return broadcast_operation(operation, input1, input2, np.bool_)


def prepare_not(context: OperatorContext) -> Params:
    """The output has the input's shape."""
    return Params(output_shapes=(context.input(0).shape,))


def evaluate_not(params: Params, input: Array) -> Array:
    """LOGICAL_NOT."""
    return np.asarray(np.logical_not(input))


LOGICAL_AND = Kernel(
    name="LOGICAL_AND",
    signatures=signatures("bool,bool -> bool"),
    prepare=prepare_pair,
    evaluate=functools.partial(evaluate_pair, np.logical_and),
    source="kernels/logical.cc",
    max_version=1,
)

LOGICAL_OR = Kernel(
    name="LOGICAL_OR",
    signatures=signatures("bool,bool -> bool"),
    prepare=prepare_pair,
    evaluate=functools.partial(evaluate_pair, np.logical_or),
    source="kernels/logical.cc",
    max_version=1,
)

LOGICAL_NOT = Kernel(
    name="LOGICAL_NOT",
    signatures=signatures("bool -> bool"),
    prepare=prepare_not,
    evaluate=evaluate_not,
    source="kernels/elementwise.cc",
    max_version=1,
)
