"""What a comparison says: about each operator, each output, and the whole."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from int8rt.verify.first import Divergence
from int8rt.verify.statistics import Statistics

# Differences up to this many steps are called bounded: one or two roundings done otherwise make them, wrong arithmetic
# rarely does. It names a verdict and decides nothing: what passes is the bound that the caller gives.
ROUNDING_STEPS = 2


class Verdict(enum.StrEnum):
    """What an operator does with the inputs that it gets."""

    EXACT = "EXACT"
    OTHER_PROFILE = "EXACT IN ANOTHER PROFILE"
    BOUNDED = "BOUNDED"
    DIFFERENT = "DIFFERENT"
    UNSUPPORTED = "UNSUPPORTED"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class TensorReport:
    """One tensor that an operator writes: what the operator does itself, and what is in the whole model."""

    index: int
    name: str
    local: Statistics | None
    accumulated: Statistics | None


@dataclass(frozen=True, slots=True)
class OperatorReport:
    """One operator. tensors: names of what it writes.

    profiles: other profiles in which it is exact. local: what it does itself, from the inputs that the runtime gave it
    (alone: as a model of its own, from the right inputs); None where that is not known. accumulated: its tensors in the
    whole model. Both are of all tensors together; `written` has each. bound: the least bound in steps with which it
    would pass; None where none is enough, or not known.
    message: the runtime's words where it failed or refused.
    """

    position: int
    operator: str
    tensors: tuple[str, ...]
    verdict: Verdict
    profiles: tuple[str, ...] = ()
    local: Statistics | None = None
    alone: bool = False
    accumulated: Statistics | None = None
    bound: float | None = None
    message: str = ""
    written: tuple[TensorReport, ...] = ()

    def __str__(self) -> str:
        if self.verdict is Verdict.OTHER_PROFILE:
            return f"EXACT ({', '.join(self.profiles)})"
        if self.verdict is Verdict.BOUNDED:
            return f"BOUNDED(±{self.bound:g})"
        return str(self.verdict)


@dataclass(frozen=True, slots=True)
class OutputReport:
    """One output of the model. rows, agreeing: how many rows of its last axis there were, and in how many of them the
    largest element is the same one; 0 rows where there is nothing to choose from. gap: how many steps the output is
    from the tensor that the operators were seen to write; None where they were not all seen.
    """

    index: int
    name: str
    statistics: Statistics
    rows: int = 0
    agreeing: int = 0
    gap: float | None = None


@dataclass(frozen=True, slots=True)
class FaultReport:
    """A run of the whole model that ended without an answer. kind: of `runtimes.base.Fault`."""

    run: str
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """runtime: its description. bound: how many steps an operator may be off and still pass.

    seconds: of the runtime's runs, by their labels, where it told them. divergence: the largest difference of the first
    operator that gives other values by itself.
    """

    runtime: str
    profile: str
    bound: float
    runs: tuple[str, ...]
    outputs: tuple[OutputReport, ...]
    operators: tuple[OperatorReport, ...]
    faults: tuple[FaultReport, ...]
    seconds: Mapping[str, float]
    divergence: Divergence | None = None

    def __str__(self) -> str:
        from int8rt.verify.report.text import whole

        return whole(self)

    @property
    def conformant(self) -> bool:
        """Whether every run was answered and every output and operator passes.

        With a bound, outputs may be further off than the bound where that follows from operators which are all within
        it by themselves: each was seen to get what the ones before it gave, and the output is what the last one gave.
        """
        if self.faults or any(output.statistics.mismatch for output in self.outputs):
            return False
        return all(self.passes(operator) for operator in self.operators) and not self.unexplained

    @property
    def unexplained(self) -> tuple[OutputReport, ...]:
        """Outputs that are further off than the bound, though not by what operators do by themselves, as far as
        that was seen.
        """
        known = bool(self.operators) and all(operator.local is not None for operator in self.operators)

        def follows(output: OutputReport) -> bool:
            return known and output.gap is not None and output.gap <= self.bound

        return tuple(o for o in self.outputs if o.statistics.largest > self.bound and not follows(o))

    def passes(self, operator: OperatorReport) -> bool:
        """Whether this operator is exact or within the bound; one of which nothing is known passes."""
        if operator.verdict in (Verdict.EXACT, Verdict.UNKNOWN):
            return True
        return operator.bound is not None and operator.bound <= self.bound

    @property
    def least_bound(self) -> float | None:
        """The least bound, in steps, within which all operators are that are known; None where none would do."""
        bounds = [o.bound for o in self.operators if o.verdict is not Verdict.UNKNOWN]
        known = [bound for bound in bounds if bound is not None]
        return max(known, default=0) if len(known) == len(bounds) else None

    @property
    def first(self) -> OperatorReport | None:
        """The first operator that does something else by itself, in the order of execution."""
        good = (Verdict.EXACT, Verdict.UNKNOWN)
        return next((operator for operator in self.operators if operator.verdict not in good), None)
