"""What is known of one operator, and the verdict that follows from it."""

from __future__ import annotations

import functools
import math
import operator
from dataclasses import dataclass, field

from int8rt.verify.runtimes.base import Fault
from int8rt.verify.statistics import Statistics
from int8rt.verify.verdict import ROUNDING_STEPS, Verdict


@dataclass(slots=True)
class Findings:
    """candidates: other profiles that explain everything seen so far. local, accumulated: by the tensor's index.

    The rest as in `verdict.OperatorReport`.
    """

    candidates: list[str]
    local: dict[int, Statistics] = field(default_factory=dict)
    alone: bool = False
    accumulated: dict[int, Statistics] = field(default_factory=dict)
    fault: Fault | None = None


def add(statistics: dict[int, Statistics], index: int, more: Statistics) -> None:
    """Count `more` to what is known of tensor `index`."""
    known = statistics.get(index)
    statistics[index] = more if known is None else known + more


def together(statistics: dict[int, Statistics]) -> Statistics | None:
    """All tensors of an operator as one; None where nothing is known."""
    return functools.reduce(operator.add, statistics.values()) if statistics else None


def decide(findings: Findings, bound: float) -> tuple[Verdict, float | None]:
    """The verdict, and the least bound in steps with which the operator would pass."""
    local, accumulated = together(findings.local), together(findings.accumulated)
    if findings.fault is not None:
        return (Verdict.UNSUPPORTED if findings.fault.kind == "refused" else Verdict.FAILED), None
    if local is None:
        mismatch = accumulated is not None and bool(accumulated.mismatch)
        return (Verdict.FAILED if mismatch else Verdict.UNKNOWN), None
    if local.mismatch:
        return Verdict.FAILED, None
    if local.equal:
        return Verdict.EXACT, 0
    least = local.largest if math.isfinite(local.largest) else None
    if findings.candidates:
        return Verdict.OTHER_PROFILE, least
    bounded = least is not None and least <= max(bound, ROUNDING_STEPS)
    return (Verdict.BOUNDED if bounded else Verdict.DIFFERENT), least
