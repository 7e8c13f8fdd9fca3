"""REVERSE_V2: the elements in reverse order along neighbouring axes.

input: T of rank up to 8, axis: int32[n], output: T as the input
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count, normalize_axis
from int8rt.kernels.layout import integers
from int8rt.kernels.signature import signatures

_MAX_RANK = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseParams(Params):
    """`axis`: the reversed dimensions, in order."""

    axis: tuple[int, ...]


def prepare(context: OperatorContext) -> ReverseParams:
    """Check that the axes are neighbours, all that TensorFlow Lite takes."""
    input, axis = context.input(0), context.input(1)
    if input.rank > _MAX_RANK or axis.rank != 1:
        raise context.invalid(f"cannot reverse axes {list(axis.shape)} of a tensor of rank {input.rank}")
    values = tuple(sorted(normalize_axis(context, value, input.rank) for value in integers(context, 1)))
    if any(after != before + 1 for before, after in itertools.pairwise(values)):
        raise context.invalid(f"axes {list(values)} are not neighbours")
    here = input.shape[: values[-1] + 1] if values else ()
    if element_count(input.shape) == 0 and element_count(here) > 0:
        # TensorFlow Lite dies of nothing behind the axes, unless they or what is before them are nothing too.
        raise context.invalid(f"input {input.name!r} {list(input.shape)} has no elements behind axes {list(values)}")
    return ReverseParams(output_shapes=(input.shape,), axis=values)


def evaluate(params: ReverseParams, input: Array, axis: Array) -> Array:
    """A reversed copy."""
    return np.flip(input, params.axis).copy()


REVERSE_V2 = Kernel(
    name="REVERSE_V2",
    signatures=signatures(
        "T,int32 -> T",
        T=("int8", "uint8", "int16", "int32", "int64", "float32", "bool", "float16", "bfloat16"),
    ),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/reverse.cc",
    max_version=4,
)
