"""SHAPE and RANK: the sizes of a tensor's dimensions, and their number. Known before anything runs.

input: any type and shape, output: int32[rank] or int64[rank] (SHAPE), int32 scalar (RANK)
"""

from __future__ import annotations

import numpy as np

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.signature import signatures
from int8rt.model import TensorType
from int8rt.schema.options import ShapeOptions


def prepare_shape(context: OperatorContext) -> Params:
    """The shape that the input has now, as a value."""
    out_type, output = context.options(ShapeOptions).out_type, context.output()
    if out_type not in (TensorType.INT32, TensorType.INT64):
        raise context.invalid(f"out_type is {out_type.label}, expected int32 or int64")
    if output.type != out_type:
        raise context.invalid(f"output {output.name!r} is {output.type.label}, out_type says {out_type.label}")
    shape = context.input(0).shape
    return Params(output_shapes=((len(shape),),), known_outputs=(np.array(shape, out_type.dtype),))


def prepare_rank(context: OperatorContext) -> Params:
    """The number of dimensions of the input, as a value."""
    return Params(output_shapes=((),), known_outputs=(np.array(context.input(0).rank, np.int32),))


def evaluate(params: Params, input: Array) -> Array:
    """The value found by `prepare`."""
    (value,) = params.known_outputs
    assert value is not None
    return value


SHAPE = Kernel(
    name="SHAPE",
    signatures=signatures("any -> int32|int64"),
    prepare=prepare_shape,
    evaluate=evaluate,
    source="kernels/shape.cc",
    max_version=1,
)

RANK = Kernel(
    name="RANK",
    signatures=signatures("any -> int32"),
    prepare=prepare_rank,
    evaluate=evaluate,
    source="kernels/rank.cc",
    max_version=1,
)
