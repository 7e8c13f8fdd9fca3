"""What is known of one operator, and the verdict that follows from it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from int8rt.verify.runtimes.base import Fault
from int8rt.verify.statistics import Statistics
from int8rt.verify.verdict import ROUNDING_STEPS, Verdict


@dataclass(slots=True)
class Findings:
    """candidates: other profiles that explain everything seen so far. The rest as in `verdict.OperatorReport`."""

    candidates: list[str]
    local: Statistics | None = None
    alone: bool = False
    accumulated: Statistics | None = None
    fault: Fault | None = None


def decide(findings: Findings, bound: float) -> tuple[Verdict, float | None]:
    """The verdict, and the least bound in steps with which the operator would pass."""
    local = findings.local
    if findings.fault is not None:
        return (Verdict.UNSUPPORTED if findings.fault.kind == "refused" else Verdict.FAILED), None
    if local is None:
        mismatch = findings.accumulated is not None and findings.accumulated.mismatch
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
