"""The first operator that differs by itself: one element step by step, and which rounding gives the runtime's."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
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

# Of larger outputs only the roundings are tried, not everything that `identify` knows.
_MOST_ELEMENTS = 1 << 20


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
    best first; only those that give this one. arithmetics: the same of what `identify` knows, mistakes included.
    elements: how many there are. other: the derivation by the first of the roundings, which ends in `answered`.
    """

    position: int
    answered: float | str | None
    elements: int
    roundings: Mapping[str, int]
    derivation: Derivation | None
    arithmetics: Mapping[str, int] = field(default_factory=dict)
    other: Derivation | None = None


def diverging(evidence: Evidence) -> Divergence:
    """Explain the largest difference in `evidence`."""
    statistics = evidence.statistics
    derivation: Derivation | None = None
    other: Derivation | None = None
    roundings: dict[str, int] = {}
    if statistics.different:
        try:
            derivation = explain_step(evidence.teacher.plan, evidence.position, evidence.inputs, statistics.at)
            roundings = _roundings(evidence)
            other = _by(evidence, next(iter(roundings), None))
        except Int8rtError:  # an operator without an explanation
            pass
    return Divergence(
        evidence.position,
        statistics.found,
        statistics.elements,
        roundings,
        derivation,
        _arithmetics(evidence) if statistics.different else {},
        other,
    )


def _params(evidence: Evidence) -> Any:
    plan = evidence.teacher.plan
    step = plan.steps[evidence.position]
    return step.params if step.params is not None else plan.prepare(step, evidence.inputs)


def _with(params: Any, rounding: Rounding) -> Any:
    changed = dataclasses.replace(params.requantization, rounding=rounding)
    return dataclasses.replace(params, requantization=changed)


def _roundings(evidence: Evidence) -> dict[str, int]:
    """Which roundings give the element in question, and how many others."""
    step, params = evidence.teacher.plan.steps[evidence.position], _params(evidence)
    requantization = getattr(params, "requantization", None)
    if not isinstance(requantization, Requantization):
        return {}
    inputs = [None if index < 0 else evidence.inputs[index] for index in step.operator.inputs]
    given: dict[str, int] = {}
    for rounding in Rounding:
        if (rounding is Rounding.INT64) != (requantization.accumulator.itemsize == 8):
            continue
        same = as_tuple(step.kernel.evaluate(_with(params, rounding), *inputs))[0] == evidence.found
        if same[evidence.statistics.at]:
            given[rounding.name] = int(np.count_nonzero(same))
    # Where integers and floats explain as much, integers are easier to follow.
    return dict(sorted(given.items(), key=lambda item: (-item[1], item[0].startswith("FLOAT"))))


def _by(evidence: Evidence, rounding: str | None) -> Derivation | None:
    """The derivation by another rounding."""
    if rounding is None:
        return None
    params = _with(_params(evidence), Rounding[rounding])
    try:
        return explain_step(
            evidence.teacher.plan, evidence.position, evidence.inputs, evidence.statistics.at, params=params
        )
    except Int8rtError:  # a rounding that is not explained for this operator
        return None


def _arithmetics(evidence: Evidence) -> dict[str, int]:
    """Which of the arithmetics that `identify` knows give the element, and how many others; plain ones first."""
    from int8rt.verify.identify.kinds import candidates, covered
    from int8rt.verify.identify.piece import Piece

    piece = Piece.make("", evidence.teacher, evidence.position, evidence.inputs, evidence.found)
    if evidence.found.size > _MOST_ELEMENTS or not covered(piece):
        return {}
    given: dict[str, int] = {}
    for name, value in candidates(piece):
        same = value == evidence.found
        if same[evidence.statistics.at]:
            given[name] = int(np.count_nonzero(same))
    return dict(sorted(given.items(), key=lambda item: -item[1]))
