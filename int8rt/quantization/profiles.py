"""Profiles: which arithmetic a runtime really uses, operator by operator.

The quantization specification fixes parameters, never rounding. A profile names the rounding of one runtime, measured
on a given release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from int8rt.errors import InputError
from int8rt.quantization.requantization import Rounding


@dataclass(frozen=True, slots=True)
class Profile:
    """`roundings`: operator name to the rounding of its accumulator, whatever its width.

    Every other operator uses `default` for int32 accumulators and `default_int64` for int64 ones.
    plain_int16_sums: SUM of int16 adds the codes up in int16, and wants one scale for input and output.
    """

    name: str
    description: str
    roundings: Mapping[str, Rounding]
    default: Rounding = Rounding.DOUBLE
    default_int64: Rounding = Rounding.INT64
    plain_int16_sums: bool = False

    def rounding(self, operator: str, accumulator: np.dtype[Any] = np.dtype(np.int32)) -> Rounding:  # noqa: B008
        """The rounding of an operator's rescaling, by its TensorFlow Lite name and its accumulator's type."""
        return self.roundings.get(operator, self.default_int64 if accumulator.itemsize == 8 else self.default)


TFLITE_REF = Profile(
    "tflite-ref",
    "ai-edge-litert 2.3.0, OpResolverType.BUILTIN_REF",
    {"FULLY_CONNECTED": Rounding.FLOAT64},
)

TFLITE_REF_2_19 = Profile(
    "tflite-ref@2.19",
    "ai-edge-litert 1.2.0 (TensorFlow 2.19), OpResolverType.BUILTIN_REF: FULLY_CONNECTED rounds twice, as others do",
    {},
    plain_int16_sums=True,
)

PROFILES: Mapping[str, Profile] = {profile.name: profile for profile in (TFLITE_REF, TFLITE_REF_2_19)}


def get_profile(name: str) -> Profile:
    """The profile of that name; raises `InputError` that lists the known ones."""
    if name not in PROFILES:
        raise InputError(f"unknown profile {name!r}; known: {', '.join(PROFILES)}")
    return PROFILES[name]
