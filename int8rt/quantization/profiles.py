"""Profiles: which arithmetic a runtime really uses, operator by operator.

The quantization specification fixes parameters, never rounding. A profile names the rounding of one runtime, measured
on a given release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from int8rt.errors import InputError
from int8rt.quantization.requantize import Rounding


@dataclass(frozen=True, slots=True)
class Profile:
    """`roundings`: operator name to the rounding of its accumulator; every other operator uses `default`."""

    name: str
    description: str
    roundings: Mapping[str, Rounding]
    default: Rounding = Rounding.DOUBLE

    def rounding(self, operator: str) -> Rounding:
        """The rounding of an operator's rescaling, by its TensorFlow Lite name."""
        return self.roundings.get(operator, self.default)


TFLITE_REF = Profile(
    "tflite-ref",
    "ai-edge-litert 2.3.0, OpResolverType.BUILTIN_REF",
    {"FULLY_CONNECTED": Rounding.FLOAT64},
)

PROFILES: Mapping[str, Profile] = {profile.name: profile for profile in (TFLITE_REF,)}


def get_profile(name: str) -> Profile:
    """The profile of that name; raises `InputError` that lists the known ones."""
    if name not in PROFILES:
        raise InputError(f"unknown profile {name!r}; known: {', '.join(PROFILES)}")
    return PROFILES[name]
