"""One runtime on the operator suite: of each operator and type, how many cases are exact, what explains the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from int8rt.conformance.cases import Case
from int8rt.conformance.run import expected, expected_if_known, judge
from int8rt.model import Model
from int8rt.quantization.profiles import PROFILES
from int8rt.verify.difference import compare_arrays
from int8rt.verify.identify.kinds import KINDS, candidates, covered
from int8rt.verify.identify.piece import Piece
from int8rt.verify.runtimes.base import Answer, Array, Capabilities, Runtime
from int8rt.verify.teacher import Teacher

REFERENCE = "tflite-ref"


class Listening:
    """A runtime, with its last answer kept."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.answer: Answer | None = None

    def capabilities(self) -> Capabilities:
        """The runtime's."""
        return self._runtime.capabilities()

    def prepare(self, model: Model, content: bytes) -> None:
        """As the runtime does it."""
        self.answer = None
        self._runtime.prepare(model, content)

    def run(self, inputs: Sequence[Array], read: Sequence[int] = ()) -> Answer:
        """The runtime's answer."""
        self.answer = self._runtime.run(inputs, read)
        return self.answer

    def close(self) -> None:
        """Close the runtime."""
        self._runtime.close()


@dataclass(slots=True)
class Cell:
    """The cases of one operator and type.

    verdicts: to their numbers. profiles, arithmetics: to the number of elements that they do not give, over all answers
    of the right shape; None where one does not know some case. largest: difference in steps; shapes: whether some
    answer had another shape or type. faults: the runtime's words to a number of cases. example: a case of each verdict.
    """

    cases: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    elements: int = 0
    different: int = 0
    largest: int = 0
    shapes: bool = False
    profiles: dict[str, int | None] = field(default_factory=dict)
    arithmetics: dict[str, int | None] | None = None
    faults: Counter[str] = field(default_factory=Counter)
    example: dict[str, str] = field(default_factory=dict)

    def add(self, case: Case, verdict: str, message: str, found: Array | None) -> None:
        """One more case. found: the runtime's output, None without an answer or where none is expected."""
        self.cases += 1
        name = "EXACT" if verdict == "REFUSED" and case.expect == "refused" else verdict.partition(" in ")[0]
        if verdict.startswith("EXACT in "):
            name = "DIFFERENT"
        self.verdicts[name] += 1
        if name != "EXACT":
            self.example.setdefault(name, case.name)
        if found is not None and case.expect == "exact":
            self._measure(case, found)
        elif name not in ("EXACT", "ACCEPTED"):
            self.faults[message[:160]] += 1

    def _measure(self, case: Case, found: Array) -> None:
        model, inputs = case.make()
        right = expected(model, inputs)
        if found.shape != right.shape or found.dtype != right.dtype:
            self.shapes = True
            return
        self.elements += right.size
        self.different += _unequal(found, right)
        if right.dtype.kind in "iu" and right.size:
            self.largest = max(self.largest, int(np.abs(found.astype(np.int64) - right).max()))
        for profile in PROFILES:
            given = expected_if_known(model, inputs, profile)
            self.profiles[profile] = _sum(self.profiles.get(profile, 0), given, found)
        piece = _piece(case, model, inputs, found)
        known = dict(candidates(piece)) if piece is not None else {}
        if self.arithmetics is None:
            self.arithmetics = dict.fromkeys(known, 0)
        self.arithmetics = {n: _sum(wrong, known.get(n), found) for n, wrong in self.arithmetics.items()}

    def plain(self) -> dict[str, Any]:
        """For JSON: counts, and what explains the differences."""
        data: dict[str, Any] = {"cases": self.cases, "verdicts": dict(sorted(self.verdicts.items()))}
        if self.faults:
            data["words"] = [f"{text} ({count})" for text, count in self.faults.most_common(2)]
        if self.different or self.shapes:
            data |= {"elements": self.elements, "different": self.different, "largest": self.largest}
            data |= {"shapes": self.shapes, "example": self.example.get("DIFFERENT", ""), "explained": self.explained()}
            data["nearest"] = self.nearest()
        return data

    def explained(self) -> str:
        """The profile, or else the arithmetics of `identify`, with which every element is explained; "" for none."""
        if self.shapes:
            return ""
        for name, wrong in self.profiles.items():
            if wrong == 0 and name != REFERENCE:
                return f"profile {name}"
        right = [name for name, wrong in (self.arithmetics or {}).items() if wrong == 0]
        right = [name for name in right if ";" not in name] or right
        return " | ".join(right[:3])

    def nearest(self) -> str:
        """What is wrong on the fewest elements, and on how many; "" where all is explained."""
        if self.shapes or self.explained():
            return ""
        tried = {**{f"profile {n}": w for n, w in self.profiles.items()}, **(self.arithmetics or {})}
        counts = {name: wrong for name, wrong in tried.items() if wrong is not None}
        best = min(counts, key=lambda name: counts[name])
        return f"{best}: {counts[best]} of {self.elements} elements"


def run_suite(runtime: Runtime, cases: Iterable[Case]) -> Mapping[tuple[str, str], Cell]:
    """(operator, type) to what came of its cases. Raises `UnavailableError`."""
    cells: dict[tuple[str, str], Cell] = {}
    listening = Listening(runtime)
    for case in cases:
        verdict = judge(case, listening)
        answer = listening.answer
        found = answer.outputs[0] if answer is not None and answer.outputs else None
        cells.setdefault((case.operator, case.type), Cell()).add(case, verdict.verdict, verdict.message, found)
    return cells


def _piece(case: Case, model: Model, inputs: Sequence[Array], found: Array) -> Piece | None:
    if case.operator not in KINDS:
        return None
    teacher = Teacher(model, inputs, REFERENCE)
    values = teacher.inputs(0, dict(zip(model.subgraphs[0].inputs, inputs, strict=True)))
    if values is None:
        return None
    piece = Piece.make(case.name, teacher, 0, values, found)
    return piece if covered(piece) else None


def _sum(before: int | None, given: Array | None, found: Array) -> int | None:
    return None if before is None or given is None else before + _unequal(found, given)


def _unequal(found: Array, given: Array) -> int:
    if found.dtype != given.dtype or found.shape != given.shape:
        return int(found.size)
    if found.dtype.kind == "f":
        bits = f"u{found.itemsize}"
        return int(np.count_nonzero(found.view(bits) != given.view(bits))) if compare_arrays(found, given) else 0
    return int(np.count_nonzero(found != given))
