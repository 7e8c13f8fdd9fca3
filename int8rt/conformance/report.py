"""Verdicts as a matrix of operators and types, as plain types, and as a document for HTML, Markdown and JUnit."""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from int8rt import __version__
from int8rt.conformance.cases import all_cases, fingerprint
from int8rt.conformance.run import Verdict, expected
from int8rt.errors import Int8rtError
from int8rt.model import shown
from int8rt.verify.first import Divergence, Evidence, diverging
from int8rt.verify.report.document import Beside, Cell, Document, Histogram, Histograms, Part, Table, TestCase, Tone
from int8rt.verify.report.judged import divergence_part
from int8rt.verify.report.text import amount
from int8rt.verify.statistics import Statistics
from int8rt.verify.teacher import Teacher


def matrix(verdicts: Sequence[Verdict]) -> tuple[list[str], list[list[str]]]:
    """(header, rows): "conformant/all" for each operator and type, and the worst that happened where not all are."""
    types = list(dict.fromkeys(verdict.type for verdict in verdicts))
    rows = [
        [name, *(_cell([v for v in verdicts if (v.operator, v.type) == (name, type)]) for type in types)]
        for name in dict.fromkeys(verdict.operator for verdict in verdicts)
    ]
    return ["operator", *types], rows


def plain(verdicts: Sequence[Verdict], runtime: str) -> dict[str, Any]:
    """Everything, for JSON."""
    return {
        "runtime": runtime,
        "suite": fingerprint(),
        "conformant": all(verdict.conformant for verdict in verdicts),
        "cases": [dataclasses.asdict(verdict) | {"text": verdict.label} for verdict in verdicts],
    }


def document(verdicts: Sequence[Verdict], runtime: str, script: str = "", description: str = "") -> Document:
    """The document. script: the same in Python. description: what the runtime says that it is."""
    good = sum(verdict.conformant for verdict in verdicts)
    counts = Counter(verdict.label for verdict in verdicts)
    facts = [
        ("runtime", f"{description}, as {runtime}" if description else runtime),
        ("compared with", f"int8rt {__version__}, profile tflite-ref"),
        ("suite", f"{fingerprint()}, {len(verdicts)} of its {len(all_cases())} cases"),
        *((name, f"{count} cases") for name, count in counts.most_common()),
    ]
    return Document(
        f"Operator suite on {description or runtime}",
        good == len(verdicts),
        "conformant" if good == len(verdicts) else "not conformant",
        (f"{good} of {len(verdicts)} cases conform to tflite-ref.",),
        tuple(facts),
        tuple(_parts(verdicts)),
        tuple(_case(verdict) for verdict in verdicts),
        script,
    )


def _parts(verdicts: Sequence[Verdict]) -> Iterator[Part]:
    header, rows = matrix(verdicts)
    cells = tuple((Cell(row[0]), *(Cell("" if text == "-" else text, _tone(text)) for text in row[1:])) for row in rows)
    yield Table("Verdicts", tuple(header), cells, "Conformant cases of all, and what became of the others.")
    failed = [verdict for verdict in verdicts if not verdict.conformant]
    first = next((v for v in failed if v.statistics is not None and v.statistics.different), None)
    part = None if first is None else _first(first)
    if part is not None:
        yield part
    drawn = tuple(_histograms(verdicts))
    if drawn:
        yield Histograms(
            "Differences by operator",
            drawn,
            "Steps between the runtime's elements and int8rt's, over all answered cases; heights are logarithmic.",
        )
    if failed:
        lines = tuple((Cell(v.case), Cell(v.label, _tone(v.label)), Cell(shown(v.message))) for v in failed)
        header = ["case", "verdict", "what differs"]
        yield Table("Cases that do not conform", tuple(header), lines, folded=len(lines) > 30)


def _cell(verdicts: Sequence[Verdict]) -> str:
    if not verdicts:
        return "-"
    good = sum(verdict.conformant for verdict in verdicts)
    others = sorted({verdict.label for verdict in verdicts if not verdict.conformant})
    return f"{good}/{len(verdicts)} {', '.join(others)}".strip()


def _tone(text: str) -> Tone:
    """The colour of a cell of the matrix, or of a verdict."""
    if text == "-":
        return ""
    if any(name in text for name in ("DIFFERENT", "ACCEPTED", "REFUSED", "CRASHED", "TIMEOUT", "NO ANSWER")):
        return "bad"
    return "near" if "BOUNDED" in text or "EXACT in" in text else "good"


def _histograms(verdicts: Sequence[Verdict]) -> Iterator[Histogram]:
    """One for each operator and type with a difference."""
    for name, type in dict.fromkeys((v.operator, v.type) for v in verdicts):
        cell = [v for v in verdicts if (v.operator, v.type) == (name, type)]
        known = [v.statistics for v in cell if v.statistics is not None and not v.statistics.mismatch]
        if not any(statistics.different for statistics in known):
            continue
        whole: Statistics = functools.reduce(operator.add, known)
        tone = _tone(" ".join(v.label for v in cell if not v.conformant))
        caption = f"{amount(whole)}, in {sum(s.different > 0 for s in known)} of {len(cell)} cases"
        yield Histogram(f"{name}, {type}", caption, tone, whole.histogram, whole.beyond)


def _first(verdict: Verdict) -> Beside | None:
    """The first case that differs: its largest difference, step by step. Its data are made again."""
    divergence = explained(verdict)
    return None if divergence is None else divergence_part(divergence, f"The first difference: {verdict.case}")


def explained(verdict: Verdict) -> Divergence | None:
    """The largest difference of a case, and what gives the runtime's answer; None where it was none."""
    statistics = verdict.statistics
    case = next((case for case in all_cases() if case.name == verdict.case), None)
    if case is None or statistics is None or statistics.mismatch or not isinstance(statistics.found, (int, float)):
        return None
    model, inputs = case.make()
    try:
        teacher = Teacher(model, inputs, "tflite-ref")
        values = teacher.inputs(0, dict(zip(model.subgraphs[0].inputs, inputs, strict=True)))
        if values is None or len(model.subgraphs[0].operators) != 1:
            return None
        found = expected(model, inputs).copy()
        found[statistics.at] = statistics.found
        # Of the runtime's answer one element is left.
        one = dataclasses.replace(diverging(Evidence(0, teacher, values, found, statistics)), elements=1)
    except Int8rtError:
        return None
    return dataclasses.replace(
        one, roundings=dict.fromkeys(one.roundings, 1), arithmetics=dict.fromkeys(one.arithmetics, 1)
    )


def _case(verdict: Verdict) -> TestCase:
    """A failure where it differs, an error where the runtime did not answer."""
    group = f"{verdict.operator}.{verdict.type}"
    if verdict.conformant:
        return TestCase(group, verdict.case)
    answered = verdict.verdict in ("DIFFERENT", "ACCEPTED") or verdict.verdict.startswith("EXACT in")
    return TestCase(group, verdict.case, "failure" if answered else "error", verdict.label, verdict.message)
