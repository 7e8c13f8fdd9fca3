"""The suite against a runtime: a verdict for each case, written down as soon as it is known."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from int8rt.conformance.cases import Case, fingerprint
from int8rt.errors import InputError, Int8rtError
from int8rt.files import parse_json
from int8rt.model import Model
from int8rt.quantization.profiles import PROFILES
from int8rt.schema import write_model
from int8rt.verify.compare import run_int8rt
from int8rt.verify.difference import compare_arrays
from int8rt.verify.runtimes.base import Fault, Runtime
from int8rt.verify.statistics import Statistics, measure, restored
from int8rt.verify.verdict import ROUNDING_STEPS

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one case.

    verdict: "EXACT", "EXACT in PROFILE", "DIFFERENT", "REFUSED", "ACCEPTED" (what must be refused), "CRASHED",
    "TIMEOUT" or "NO ANSWER". message: what differs, or the runtime's own words. statistics: how an answer differs.
    """

    case: str
    operator: str
    type: str
    verdict: str
    conformant: bool
    message: str = ""
    statistics: Statistics | None = None

    def __str__(self) -> str:
        return f"{self.case}: {self.label}" + (f": {self.message}" if self.message else "")

    def within(self, bound: float) -> bool:
        """Whether the case conforms, or was answered with differences of at most `bound` steps."""
        statistics = self.statistics
        return self.conformant or (statistics is not None and not statistics.mismatch and statistics.largest <= bound)

    @property
    def label(self) -> str:
        """The verdict; BOUNDED(±k) for what is different by so little that roundings can be the reason."""
        if self.verdict == "DIFFERENT" and self.statistics is not None and not self.statistics.mismatch:
            largest = self.statistics.largest
            return f"BOUNDED(±{largest:g})" if largest <= ROUNDING_STEPS else self.verdict
        return self.verdict


_FAULTS = {"refused": "REFUSED", "crashed": "CRASHED", "timeout": "TIMEOUT", "answer": "NO ANSWER"}


def expected(model: Model, inputs: Sequence[Array], profile: str = "tflite-ref") -> Array:
    """What the output must be: computed by NumPy, the definition."""
    values, _ = run_int8rt(model, inputs, profile, "numpy", keep=False)
    return values[model.subgraphs[0].outputs[0]]


def expected_if_known(model: Model, inputs: Sequence[Array], profile: str) -> Array | None:
    """The same; None where the profile has no such operator, or refuses the model as its runtime does."""
    try:
        return expected(model, inputs, profile)
    except Int8rtError:
        return None


def separates(case: Case) -> tuple[tuple[str, str], ...]:
    """The pairs of profiles whose answers differ on this case; found by computing them."""
    if case.expect == "refused":
        return ()
    model, inputs = case.make()
    computed = [(name, expected_if_known(model, inputs, name)) for name in PROFILES]
    pairs = itertools.combinations([(name, answer) for name, answer in computed if answer is not None], 2)
    return tuple((first, second) for (first, one), (second, other) in pairs if compare_arrays(one, other))


def judge(case: Case, runtime: Runtime) -> Verdict:
    """Run one case. Raises `UnavailableError` where the runtime is not there."""
    model, inputs = case.make()

    def verdict(name: str, conformant: bool, message: str = "", statistics: Statistics | None = None) -> Verdict:
        return Verdict(case.name, case.operator, case.type, name, conformant, message, statistics)

    try:
        runtime.prepare(model, write_model(model))
        answer = runtime.run(inputs)
    except Fault as fault:
        return verdict(_FAULTS[fault.kind], fault.kind == case.expect, str(fault))
    if case.expect == "refused":
        return verdict("ACCEPTED", False, case.rule)
    found = answer.outputs[0] if answer.outputs else None
    if found is None:
        return verdict("NO ANSWER", False, "no output")
    right = expected(model, inputs)
    difference, statistics = compare_arrays(found, right), measure(found, right)
    if not difference:
        return verdict("EXACT", True, "", statistics)
    message = str(difference).replace("LiteRT", "expected")
    for profile in PROFILES:
        known = expected_if_known(model, inputs, profile)
        if known is not None and not compare_arrays(found, known):
            return verdict(f"EXACT in {profile}", False, message, statistics)
    return verdict("DIFFERENT", False, message, statistics)


class Journal:
    """Verdicts in a file, each written as soon as it is known, so that a killed run goes on where it was.

    path: None for none. runtime: whose verdicts they are, and files: digests of what it consists of; `InputError` for
    the journal of another runtime, build of it or suite.
    verdicts: what it holds already, by case. A last line that was cut off when a run was killed is removed.
    """

    def __init__(self, path: Path | None, runtime: str, files: Sequence[str] = ()) -> None:
        self._path = path
        self.runtime = runtime
        self.verdicts: dict[str, Verdict] = {}
        if path is None:
            return
        owner = {"runtime": runtime} | ({"files": list(files)} if files else {})
        header = json.dumps({"schema_version": 1, "suite": fingerprint()} | owner)
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        whole = text[: text.rfind("\n") + 1]
        if not whole:
            whole = header + "\n"
        if whole.splitlines()[0] != header:
            raise InputError(
                f"{path} holds the results of another runtime, build or suite: take another file, or remove it"
            )
        if whole != text:
            path.write_text(whole, encoding="utf-8")
        self.verdicts = {verdict.case: verdict for verdict in recorded(path)[0]}

    def add(self, verdict: Verdict) -> None:
        """Write one more."""
        self.verdicts[verdict.case] = verdict
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(dataclasses.asdict(verdict)) + "\n")


def recorded(path: Path) -> tuple[list[Verdict], str]:
    """The verdicts of a journal, and whose they are. Raises `InputError` for another file."""
    try:
        header, *lines = path.read_text(encoding="utf-8").splitlines()
        runtime = str(parse_json(header, path)["runtime"])
        return [_verdict(parse_json(line, path)) for line in lines], runtime
    except (TypeError, ValueError, KeyError):
        raise InputError(f"{path} is no journal of a run, or was cut off: run goes on with it") from None


def _verdict(data: dict[str, Any]) -> Verdict:
    """A line of a journal."""
    statistics = data.pop("statistics", None)
    return Verdict(**data, statistics=None if statistics is None else restored(statistics))
