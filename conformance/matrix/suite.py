"""One runtime on the operator suite: of each operator and type, how many cases are exact, what explains the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from conformance.matrix import real
from conformance.matrix.mistakes import mistaken, variants
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


def words(message: str) -> str:
    """A runtime's own words for a page: the first of them, on one line."""
    return "".join(c if c.isprintable() else " " for c in message)[:160]


@dataclass(slots=True)
class Cell:
    """The cases of one operator and type.

    verdicts: to their numbers. profiles, arithmetics, mistakes: to the number of elements that they do not give, over
    all answers of the right shape; None where one does not know some case. farther: elements that are no nearest code
    of the real result, and not when wrapped around either. largest: difference in steps. shapes: some answer had
    another shape or type. known: for each answer, what gives all of it. faults: the runtime's words to a number of
    cases. example: a case of each verdict.
    """

    cases: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    elements: int = 0
    different: int = 0
    largest: int = 0
    shapes: bool = False
    profiles: dict[str, int | None] = field(default_factory=dict)
    arithmetics: dict[str, int | None] | None = None
    farther: tuple[int, int] | None = (0, 0)
    mistakes: dict[str, int | None] | None = None
    known: list[set[str]] = field(default_factory=list)
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
            self.faults[words(message)] += 1

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
        profiles = {f"profile {name}": expected_if_known(model, inputs, name) for name in PROFILES}
        self.profiles = _add(self.profiles or None, profiles, found)
        piece = _piece(case, model, inputs, found)
        arithmetics = dict(candidates(piece)) if piece is not None else {}
        self.arithmetics = _add(self.arithmetics, arithmetics, found)
        mistakes = dict(mistaken(model, inputs))
        self.mistakes = _add(self.mistakes, mistakes, found)
        given = {**profiles, **arithmetics, **mistakes}
        self.known.append({name for name, value in given.items() if value is not None and not _unequal(found, value)})
        self.known[-1] |= self._measure_reals(model, inputs, found)

    def _measure_reals(self, model: Model, inputs: Sequence[Array], found: Array) -> set[str]:
        """What of the real-valued result gives the answer."""
        result = real.real_result(model, inputs)
        if self.farther is None or result is None or result.shape != found.shape:
            self.farther = None
            return set()
        near, wrapped = real.farther(found, result)
        self.farther = self.farther[0] + near, self.farther[1] + wrapped
        names = {real.NAME} if not near else {real.NAME_WRAPPED} if not wrapped else set()
        for what, other in variants(model):
            result = real.real_result(other, inputs)
            if result is not None and not real.farther(found, result)[0]:
                names.add(f"{real.NAME}; {what}")
        return names

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
        """The profile, or else arithmetics of `identify`, that give every element; or that they are nearest codes.

        Where none does alone, two or three that give every case; "" for none of these.
        """
        if self.shapes:
            return ""
        for name, wrong in self.profiles.items():
            if wrong == 0 and name != f"profile {REFERENCE}":
                return name
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
        left, chosen = list(self.known), []
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
