"""One runtime on the operator suite: of each operator and type, how many cases are exact, what explains the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from conformance.matrix import real
from conformance.matrix.facts import REFERENCE, Facts
from int8rt.conformance.cases import Case
from int8rt.quantization.profiles import PROFILES
from int8rt.verify.difference import compare_arrays
from int8rt.verify.runtimes.base import Array, Fault, Runtime

# Other profiles, those that were measured on a runtime before the one that was not.
OTHERS = sorted(
    PROFILES.keys() - {REFERENCE}, key=lambda name: (name == "tflite-single-rounding", [*PROFILES].index(name))
)
# Codes are near the real-valued result within that part of their type's range.
_NEAR = 64

_FAULTS = {"refused": "REFUSED", "crashed": "CRASHED", "timeout": "TIMEOUT", "answer": "NO ANSWER"}


def words(message: str) -> str:
    """A runtime's own words for a page: the first of them, on one line."""
    return "".join(c if c.isprintable() else " " for c in message)[:160]


@dataclass(slots=True)
class Cell:
    """The cases of one operator and type.

    verdicts: to their numbers. profiles, arithmetics, mistakes: to the number of elements that they do not give, over
    all answers of the right shape; None where one does not know some case. farther: elements that are no nearest code
    of the real result, and not when wrapped around either. largest: difference in steps. distance: of codes from the
    real result, or that of a variant. shapes: some answer had another shape or type. known: for each answer, what gives
    all of it. unknown: the first case with none. reach: what counts as near, in steps. faults: the runtime's words to a
    number of cases. example: a case of each verdict.
    """

    cases: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    elements: int = 0
    different: int = 0
    largest: int = 0
    distance: float | None = 0
    shapes: bool = False
    profiles: dict[str, int | None] = field(default_factory=dict)
    arithmetics: dict[str, int | None] | None = None
    farther: tuple[int, int] | None = (0, 0)
    mistakes: dict[str, int | None] | None = None
    known: list[set[str]] = field(default_factory=list)
    unknown: str = ""
    reach: float = 0
    faults: Counter[str] = field(default_factory=Counter)
    example: dict[str, str] = field(default_factory=dict)

    def add(self, facts: Facts, verdict: str, message: str) -> None:
        """One more case."""
        self.cases += 1
        name = "EXACT" if verdict == "REFUSED" and facts.case.expect == "refused" else verdict
        self.verdicts[name] += 1
        if name != "EXACT":
            self.example.setdefault(name, facts.case.name)
        if name not in ("EXACT", "ACCEPTED", "DIFFERENT"):
            self.faults[words(message)] += 1

    def measure(self, facts: Facts, found: Array) -> None:
        """An answer to a case that has one, right or not: try all explanations on it."""
        right = facts.right
        if found.shape != right.shape or found.dtype != right.dtype:
            self.shapes = True
            return
        self.elements += right.size
        self.different += _unequal(found, right)
        if right.dtype.kind in "iu" and right.size:
            self.largest = max(self.largest, int(np.abs(found.astype(np.int64) - right).max()))
        self.profiles = _add(self.profiles or None, facts.profiles, found)
        self.arithmetics = _add(self.arithmetics, facts.arithmetics, found)
        self.mistakes = _add(self.mistakes, facts.mistakes, found)
        given = {**facts.profiles, **facts.arithmetics, **facts.mistakes}
        self.known.append({name for name, value in given.items() if value is not None and not _unequal(found, value)})
        self.known[-1] |= self._measure_reals(facts, found)
        if not self.known[-1]:
            self.unknown = self.unknown or facts.case.name

    def _measure_reals(self, facts: Facts, found: Array) -> set[str]:
        """What of the real-valued result gives the answer."""
        result = facts.reals[""]
        if self.farther is None or result is None or result.shape != found.shape:
            self.farther = self.distance = None
            return set()
        self.reach = (1 << 8 * found.itemsize) / _NEAR
        if self.distance is not None:
            others = [other for other in facts.reals.values() if other is not None and other.shape == found.shape]
            integers = found.dtype.kind in "iu"
            least = min(real.distance(found, other) for other in others) if integers else 0
            self.distance = max(self.distance, least) if integers else None
        near, wrapped = real.farther(found, result)
        self.farther = self.farther[0] + near, self.farther[1] + wrapped
        names = {real.NAME} if not near else {real.NAME_WRAPPED} if not wrapped else set()
        for what, other in facts.reals.items():
            if what and other is not None and other.shape == found.shape and not real.farther(found, other)[0]:
                names.add(what)
        return names | ({real.NAME_CUT} if real.cut_off(found, result) else set())

    def plain(self) -> dict[str, Any]:
        """For JSON: counts, and what explains the differences."""
        data: dict[str, Any] = {"cases": self.cases, "verdicts": dict(sorted(self.verdicts.items()))}
        if self.faults:
            data["words"] = [f"{text} ({count})" for text, count in self.faults.most_common(2)]
        if self.different or self.shapes:
            data |= {"elements": self.elements, "different": self.different, "largest": self.largest}
            example = self.unknown or self.example.get("DIFFERENT", "")
            data |= {"shapes": self.shapes, "example": example, "explained": self.explained()}
            data["nearest"] = self.nearest()
            if data["nearest"] and self.distance is not None:
                data |= {"distance": round(self.distance, 2), "near": self.distance <= self.reach}
        return data

    def explained(self) -> str:
        """The profile, or else arithmetics of `identify`, that give every element; or that they are nearest codes.

        Where none does alone, two or three that give every case; "" for none of these.
        """
        if self.shapes:
            return ""
        for name in OTHERS:
            if self.profiles.get(f"profile {name}") == 0:
                return f"profile {name}"
        tried = {**(self.arithmetics or {}), **(self.mistakes or {})}
        right = [name for name, wrong in tried.items() if wrong == 0]
        if plain := [name for name in right if ";" not in name]:
            return " | ".join(plain[:3])
        if self.farther is not None and self.farther[0] == 0:
            return real.NAME if self.largest else real.NAME_OF_REALS
        if not right and self.farther is not None and self.farther[1] == 0:
            return real.NAME_WRAPPED
        return " | ".join(right[:3]) or "; ".join(f"{name} ({count} cases)" for name, count in self._together())

    def _together(self) -> list[tuple[str, int]]:
        """At most three that give every answer between them, with numbers of cases; empty where they are not enough."""
        left = list(self.known)
        chosen: list[tuple[str, int]] = []
        while left and len(chosen) < 3:
            counts = Counter(name for names in left for name in sorted(names, key=lambda name: (";" in name, name)))
            if not counts:
                return []
            name, count = counts.most_common(1)[0]
            chosen.append((name, count))
            left = [names for names in left if name not in names]
        return [] if left else chosen

    def nearest(self) -> str:
        """What is wrong on the fewest elements, and on how many; "" where all is explained."""
        if self.shapes or self.explained():
            return ""
        tried = {**self.profiles, **(self.arithmetics or {}), **(self.mistakes or {})}
        if self.farther is not None:
            tried |= {real.NAME: self.farther[0], real.NAME_WRAPPED: self.farther[1]}
        counts = {name: wrong for name, wrong in tried.items() if wrong is not None}
        best = min(counts, key=lambda name: counts[name])
        return f"{best}, but for {counts[best]} of {self.elements} elements"


def run_suite(runtime: Runtime, cases: Iterable[Case]) -> Mapping[tuple[str, str], Cell]:
    """(operator, type) to what came of its cases. Raises `UnavailableError`."""
    cells: dict[tuple[str, str], Cell] = {}
    answers: dict[tuple[str, str], list[tuple[Facts, Array]]] = {}
    for case in cases:
        facts, key = Facts(case), (case.operator, case.type)
        verdict, message, found = _ask(runtime, facts)
        cells.setdefault(key, Cell()).add(facts, verdict, message)
        if found is not None:
            answers.setdefault(key, []).append((facts, found))
    for key, cell in cells.items():
        if cell.verdicts["DIFFERENT"]:
            for facts, found in answers[key]:
                cell.measure(facts, found)
    return cells


def _ask(runtime: Runtime, facts: Facts) -> tuple[str, str, Array | None]:
    """The verdict, the runtime's words, and its answer where one is expected."""
    try:
        runtime.prepare(facts.model, facts.content)
        answer = runtime.run(facts.inputs)
    except Fault as fault:
        return _FAULTS[fault.kind], str(fault), None
    if facts.case.expect == "refused":
        return "ACCEPTED", "", None
    found = answer.outputs[0] if answer.outputs else None
    if found is None:
        return "NO ANSWER", "no output", None
    return "DIFFERENT" if compare_arrays(found, facts.right) else "EXACT", "", found


def _add(
    before: dict[str, int | None] | None, known: Mapping[str, Array | None], found: Array
) -> dict[str, int | None]:
    """Elements that each does not give, over one more answer; None where it does not know all."""
    counts = dict.fromkeys(known, 0) if before is None else before
    return {name: _sum(wrong, known.get(name), found) for name, wrong in counts.items()}


def _sum(before: int | None, given: Array | None, found: Array) -> int | None:
    return None if before is None or given is None else before + _unequal(found, given)


def _unequal(found: Array, given: Array) -> int:
    if found.dtype != given.dtype or found.shape != given.shape:
        return int(found.size)
    if found.dtype.kind == "f":
        bits = f"u{found.itemsize}"
        return int(np.count_nonzero(found.view(bits) != given.view(bits))) if compare_arrays(found, given) else 0
    return int(np.count_nonzero(found != given))
