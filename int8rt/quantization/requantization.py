"""The numbers that turn an accumulator into an output value."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


class Rounding(enum.Enum):
    """How accumulator · real multiplier becomes an integer."""

    DOUBLE = "two roundings: a doubling high multiply (ties up), then a shift (ties away from zero)"
    INT64 = "one rounding, ties up, of a 64-bit product with a 16-bit multiplier"
    FLOAT64 = "a float64 product with the real multiplier, ties away from zero"
    TIES_UP = "two roundings: a doubling high multiply, then a shift, both with ties up"
    TIES_UP_IN_EIGHTS = "TIES_UP for whole blocks of eight channels, DOUBLE for the channels after them"
    SINGLE = "one rounding of the 64-bit product, ties up"
    FLOAT32 = "a float32 product with the real multiplier in float32, ties to even"


@dataclass(frozen=True, slots=True, eq=False)
class Requantization:
    """What turns an accumulator into an output value.

    multiplier, shift: int32[n], n = 1 or the number of output channels (the last axis of the accumulator).
    real_multiplier: float64[n], the numbers that (multiplier, shift) stand for.
    zero_point (int32), activation_min, activation_max: of the output, in quantized steps. dtype: of the output.
    accumulator: int32 or int64, the integer in which sums wrap around.
    """

    rounding: Rounding
    multiplier: npt.NDArray[np.int32]
    shift: npt.NDArray[np.int32]
    real_multiplier: npt.NDArray[np.float64]
    zero_point: int
    activation_min: int
    activation_max: int
    dtype: np.dtype[Any]
    accumulator: np.dtype[Any] = np.dtype(np.int32)  # noqa: RUF009 - a dtype is immutable
