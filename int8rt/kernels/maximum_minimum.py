"""MAXIMUM and MINIMUM: the larger or smaller of two codes, broadcast.

inputs, output: T of shapes that broadcast.
Codes are compared and copied as they are, whatever the scales and zero points of the three tensors say.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from int8rt.kernels.arithmetic import broadcast_operation, broadcast_pair
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.bfloat16 import with_bfloat16
from int8rt.kernels.signature import signatures
from int8rt.quantization.bfloat16 import bfloat16_to_float32


def prepare(context: OperatorContext) -> Params:
    """Check that the inputs broadcast."""
    return Params(output_shapes=(broadcast_pair(context),))


def evaluate(
    operation: Callable[..., Array], first_wins: Callable[..., Array], params: Params, input1: Array, input2: Array
) -> Array:
    """input1 where first_wins(input1, input2), else input2; `operation`: the same for integers, in one step.

    So with floats the second input wins where either is NaN, and where the two are zeros.
    """
    if input1.dtype.kind == "f":
        return np.asarray(np.where(first_wins(input1, input2), input1, input2))
    return broadcast_operation(operation, input1, input2, input1.dtype)


def _picked(first_wins: Callable[..., Array], input1: Array, input2: Array) -> Array:
    """Bits of bfloat16, NaN included, as they are."""
    return np.where(first_wins(bfloat16_to_float32(input1), bfloat16_to_float32(input2)), input1, input2)


def _kernel(name: str, operation: Callable[..., Array], first_wins: Callable[..., Array]) -> Kernel:
    kernel = Kernel(
        name=name,
        signatures=signatures("T,T -> T", T=("int8", "uint8", "int16", "int32", "int64", "float16", "float32")),
        prepare=prepare,
        evaluate=functools.partial(evaluate, operation, first_wins),
        source="kernels/maximum_minimum.cc, reference/maximum_minimum.h",
        max_version=4,
    )
    return with_bfloat16(kernel, functools.partial(_picked, first_wins))


MAXIMUM = _kernel("MAXIMUM", np.maximum, np.greater)
MINIMUM = _kernel("MINIMUM", np.minimum, np.less)
