"""A judgement as a document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from int8rt import __version__
from int8rt.model import shown
from int8rt.verify.first import Divergence
from int8rt.verify.report import beside
from int8rt.verify.report.document import Beside, Cell, Document, Histogram, Histograms, Part, Table, TestCase, Tone
from int8rt.verify.report.text import (
    LONGEST_FAULT,
    amount,
    evidence_text,
    histogram,
    output_text,
    summary_text,
    unexplained_text,
    where_first,
)
from int8rt.verify.statistics import Statistics
from int8rt.verify.verdict import Judgement, OperatorReport, Verdict

TONES: dict[Verdict, Tone] = {
    Verdict.EXACT: "good",
    Verdict.OTHER_PROFILE: "near",
    Verdict.BOUNDED: "near",
    Verdict.DIFFERENT: "bad",
    Verdict.UNSUPPORTED: "bad",
    Verdict.FAILED: "bad",
    Verdict.UNKNOWN: "none",
}


def document(judgement: Judgement, name: str, script: str = "") -> Document:
    """The document. name: of the model. script: the same in Python."""
    facts = [
        ("model", name),
        ("runtime", judgement.runtime),
        ("compared with", f"int8rt {__version__}, profile {judgement.profile}"),
        ("inputs", ", ".join(judgement.runs)),
        ("bound", f"±{judgement.bound:g}"),
    ]
    facts += [(f"output {o.index} {shown(o.name)}", output_text(o)) for o in judgement.outputs if o.statistics.elements]
    facts += [
        (f"run {fault.run}", f"{fault.kind}: {shown(fault.message, LONGEST_FAULT)}") for fault in judgement.faults
    ]
    return Document(
        f"{name} on {judgement.runtime}",
        judgement.conformant,
        "conformant" if judgement.conformant else "not conformant",
        tuple(_summary(judgement)),
        tuple(facts),
        tuple(_parts(judgement)),
        tuple(_cases(judgement, name)),
        script,
    )


def divergence_part(divergence: Divergence, title: str) -> Beside | None:
    """The derivation beside the runtime's answer; None where neither it nor an arithmetic is known."""
    derivation, lines = divergence.derivation, tuple(beside.explanations(divergence))
    rows = tuple((row.name, row.expected, row.answered, row.real, row.rule) for row in beside.rows(divergence))
    if not rows and not lines:
        return None
    about = ""
    if derivation is not None:
        about = f"{derivation.title}; profile {derivation.profile}, TensorFlow Lite's {derivation.source}"
    return Beside(title, about, beside.header(divergence), rows, lines)


def _summary(judgement: Judgement) -> Iterator[str]:
    if judgement.operators:
        yield f"{summary_text(judgement)}."
    first = judgement.first
    if first is not None:
        yield f"The first that differs by itself: {where_first(first)}."
    for line in (*evidence_text(judgement), *unexplained_text(judgement)):
        yield f"{line[0].upper()}{line[1:]}."


def _parts(judgement: Judgement) -> Iterator[Part]:
    if judgement.operators:
        yield _matrix(judgement)
    if judgement.divergence is not None:
        part = divergence_part(judgement.divergence, "The first divergence, step by step")
        if part is not None:
            yield part
    differing = [o for o in judgement.operators if _drawn(o.local) or _drawn(o.accumulated)]
    if differing:
        note = (
            "Steps between the runtime's elements and int8rt's; heights are logarithmic. By itself: from the inputs "
            "that the runtime gave the operator. In the model: with what came before."
        )
        items = tuple(item for operator in differing for item in _histograms(operator))
        yield Histograms("Differences by operator", items, note)
    if judgement.operators:
        yield _operators(judgement)


def _drawn(statistics: Statistics | None) -> bool:
    return statistics is not None and statistics.different > 0 and not statistics.mismatch


def _matrix(judgement: Judgement) -> Table:
    """Operator kinds and their verdicts."""
    verdicts = [v for v in Verdict if any(o.verdict is v for o in judgement.operators)]
    kinds = dict.fromkeys(operator.operator for operator in judgement.operators)
    counts = Counter((operator.operator, operator.verdict) for operator in judgement.operators)
    rows = tuple(
        (Cell(kind), *(Cell(str(n), TONES[v]) if (n := counts[kind, v]) else Cell("") for v in verdicts))
        for kind in kinds
    )
    numbers = tuple(range(1, len(verdicts) + 1))
    return Table("Verdicts", ("operator", *map(str, verdicts)), rows, right=numbers)


def _histograms(operator: OperatorReport) -> Iterator[Histogram]:
    drawn: list[tuple[Statistics | None, str, Tone]] = [
        (operator.local, "by itself", TONES[operator.verdict]),
        (operator.accumulated, "in the model", ""),
    ]
    for statistics, place, tone in drawn:
        if statistics is not None and _drawn(statistics):
            label = f"{operator.position} {operator.operator}, {place}"
            at = f"largest at {list(statistics.at)} ({statistics.run})"
            caption = f"{amount(statistics)}; {at}"
            yield Histogram(label, caption, tone, statistics.histogram, statistics.beyond)


def _operators(judgement: Judgement) -> Table:
    rows = []
    for operator in judgement.operators:
        local = operator.local
        where = f"{list(local.at)}: {local.found}, expected {local.expected}" if local and local.different else ""
        own = shown(operator.message) or amount(local) + (" (cut out)" if operator.alone and local is not None else "")
        rows.append(
            (
                Cell(str(operator.position)),
                Cell(operator.operator),
                Cell(str(operator), TONES[operator.verdict]),
                Cell(own),
                Cell(where),
                Cell(amount(operator.accumulated)),
                Cell("" if operator.bound is None else f"±{operator.bound:g}"),
                Cell(", ".join(shown(name) for name in operator.tensors)),
            )
        )
    header = ("#", "operator", "verdict", "by itself", "largest", "in the model", "passes with", "tensors")
    return Table("Every operator", header, tuple(rows), right=(0,), folded=len(rows) > 40)


def _cases(judgement: Judgement, name: str) -> Iterator[TestCase]:
    """An operator fails where it does not pass, is an error where the runtime failed or refused."""
    for fault in judgement.faults:
        yield TestCase(name, f"run {fault.run}", "error", fault.kind, fault.message)
    for output in judgement.outputs:
        good = output.statistics.equal
        case = f"output {output.index} {output.name}"
        wrong = (f"{Verdict.DIFFERENT}", amount(output.statistics), histogram(output.statistics))
        yield TestCase(name, case) if good else TestCase(name, case, "failure", *wrong)
    for operator in judgement.operators:
        yield _case(judgement, operator, name)


def _case(judgement: Judgement, operator: OperatorReport, name: str) -> TestCase:
    case = f"operator {operator.position} {operator.operator}"
    if operator.verdict is Verdict.UNKNOWN:
        return TestCase(name, case, "skipped", message="the runtime does not show what it computes here")
    if operator.verdict in (Verdict.UNSUPPORTED, Verdict.FAILED):
        message = operator.message or amount(operator.local or operator.accumulated)
        return TestCase(name, case, "error", str(operator.verdict), message)
    if judgement.passes(operator):
        return TestCase(name, case)
    text = f"{amount(operator.local)}\n{histogram(operator.local)}"
    return TestCase(name, case, "failure", str(operator.verdict), str(operator), text)
