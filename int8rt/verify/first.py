"""The first operator that differs by itself: one element step by step, and which rounding gives the runtime's."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import Int8rtError
from int8rt.explain import Derivation, explain_step
from int8rt.kernels.base import as_tuple
from int8rt.quantization.requantization import Requantization, Rounding
from int8rt.verify.statistics import Statistics
from int8rt.verify.teacher import Teacher

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an operator got and gave in one run. inputs: by tensor index; found: the runtime's output 0."""

    position: int
    teacher: Teacher
    inputs: Mapping[int, Array]
    found: Array
    statistics: Statistics


@dataclass(frozen=True, slots=True)
class Divergence:
    """derivation: of the element that is furthest off, as int8rt computes it; None where it can't be explained.

    answered: the runtime's value of it. roundings: names of roundings to how many of the run's elements they give,
    best first; only those that give this one. elements: how many there are.
    """

    position: int
    answered: float | str | None
    elements: int
    roundings: Mapping[str, int]
    derivation: Derivation | None


def diverging(evidence: Evidence) -> Divergence:
    """Explain the largest difference in `evidence`."""
    statistics = evidence.statistics
    derivation: Derivation | None = None
    roundings: dict[str, int] = {}
    if statistics.different:
        try:
            derivation = explain_step(evidence.teacher.plan, evidence.position, evidence.inputs, statistics.at)
            roundings = _roundings(evidence)
        except Int8rtError:  # an operator without an explanation
            pass
    return Divergence(evidence.position, statistics.found, statistics.elements, roundings, derivation)


def _roundings(evidence: Evidence) -> dict[str, int]:
    """Which roundings give the element in question, and how many others."""
    plan = evidence.teacher.plan
    step = plan.steps[evidence.position]
    params: Any = step.params if step.params is not None else plan.prepare(step, evidence.inputs)
    requantization = getattr(params, "requantization", None)
    if not isinstance(requantization, Requantization):
        return {}
    inputs = [None if index < 0 else evidence.inputs[index] for index in step.operator.inputs]
    given: dict[str, int] = {}
    for rounding in Rounding:
        if (rounding is Rounding.INT64) != (requantization.accumulator.itemsize == 8):
            continue
        other = dataclasses.replace(params, requantization=dataclasses.replace(requantization, rounding=rounding))
        same = as_tuple(step.kernel.evaluate(other, *inputs))[0] == evidence.found
        if same[evidence.statistics.at]:
            given[rounding.name] = int(np.count_nonzero(same))
    return dict(sorted(given.items(), key=lambda item: -item[1]))
