"""FLOOR, CEIL and ROUND: real numbers to whole ones; ROUND takes ties to even.

input: T[...], output: T[...]; T is float32, for FLOOR and ROUND float16 and bfloat16 too.
BUILTIN_REF has no kernel for CEIL and ROUND; `tflite-ref` takes the arithmetic of the optimized ones.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.bfloat16 import with_bfloat16
from int8rt.kernels.signature import signatures
from int8rt.quantization.rounding import round_half_even


def prepare(context: OperatorContext) -> Params:
    """The shape is that of the input."""
    return Params(output_shapes=(context.input(0).shape,))


def evaluate(function: Callable[[Array], Array], params: Params, input: Array) -> Array:
    """The whole numbers; `function` of an array gives them."""
    with np.errstate(invalid="ignore"):
        return np.asarray(function(input))


FLOOR = with_bfloat16(
    Kernel(
        name="FLOOR",
        signatures=signatures("T -> T", T=("float16", "float32")),
        prepare=prepare,
        evaluate=functools.partial(evaluate, np.floor),
        source="kernels/floor.cc, reference/floor.h",
        max_version=1,
    )
)

CEIL = Kernel(
    name="CEIL",
    signatures=signatures("float32 -> float32"),
    prepare=prepare,
    evaluate=functools.partial(evaluate, np.ceil),
    source="kernels/ceil.cc",
    max_version=1,
)

ROUND = with_bfloat16(
    Kernel(
        name="ROUND",
        signatures=signatures("T -> T", T=("float16", "float32")),
        prepare=prepare,
        evaluate=functools.partial(evaluate, round_half_even),
        source="kernels/round.cc, reference/round.h",
        max_version=1,
    )
)
