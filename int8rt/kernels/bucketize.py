"""BUCKETIZE: how many of the boundaries each element has reached.

input: T[...], output: int32[...]; T is int32, int64, float32 or float64. Boundaries are float32 numbers, with which
integers are compared as float32 numbers. NaN has reached all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Array, Kernel, OperatorContext, Params
from int8rt.kernels.signature import signatures
from int8rt.schema.options import BucketizeOptions


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BucketizeParams(Params):
    """boundaries: float32[n], ascending."""

    boundaries: npt.NDArray[np.float32]


def prepare(context: OperatorContext) -> BucketizeParams:
    """Check that the boundaries ascend."""
    boundaries = np.array(context.options(BucketizeOptions).boundaries, np.float32)
    if np.any(np.isnan(boundaries)):
        raise context.unsupported("NaN among the boundaries")
    if np.any(boundaries[1:] < boundaries[:-1]):
        raise context.invalid("boundaries must be in ascending order")
    return BucketizeParams(output_shapes=(context.input(0).shape,), boundaries=boundaries)


def evaluate(params: BucketizeParams, input: Array) -> Array:
    """The number of the bucket of each element."""
    values = input if input.dtype == np.float64 else input.astype(np.float32)
    return np.asarray(np.searchsorted(params.boundaries, values, side="right")).astype(np.int32)


BUCKETIZE = Kernel(
    name="BUCKETIZE",
    signatures=signatures("T -> int32", T=("int32", "int64", "float32", "float64")),
    prepare=prepare,
    evaluate=evaluate,
    source="kernels/bucketize.cc",
    max_version=1,
)
