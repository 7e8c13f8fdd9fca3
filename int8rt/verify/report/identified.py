"""What was identified, as a document."""

from __future__ import annotations

from collections.abc import Iterator

from int8rt import __version__
from int8rt.verify.identify import Finding, Identification
from int8rt.verify.report.document import Cell, Document, Table, TestCase


def document(found: Identification, name: str, script: str = "") -> Document:
    """The document. name: of the model. script: the same in Python."""
    known = sum(finding.arithmetic is not None for finding in found.findings)
    facts = [("model", name), ("runtime", found.runtime), ("compared with", f"what int8rt {__version__} knows")]
    if found.uncovered:
        facts.append(("not looked at", ", ".join(found.uncovered)))
    header = ("operator", "type", "arithmetic", "elements", "on which the known ones part", "nearest other", "wrong on")
    table = Table(
        "Arithmetic by operator kind",
        header,
        tuple(_row(finding) for finding in found.findings),
        "An arithmetic is named where it gives every element that was looked at, in the model and in models of one "
        "operator whose inputs tell the known arithmetics apart.",
        right=(3, 4, 6),
    )
    return Document(
        f"Arithmetic of {found.runtime}",
        found.known,
        "identified" if found.known else "not all identified",
        (f"{known} of {len(found.findings)} operator kinds compute with a known arithmetic.",),
        tuple(facts),
        (table,),
        tuple(_cases(found, name)),
        script,
    )


def _row(finding: Finding) -> tuple[Cell, ...]:
    return (
        Cell(finding.operator),
        Cell(finding.type),
        Cell(str(finding), "good" if finding.arithmetic is not None else "bad" if finding.elements else "none"),
        Cell(str(finding.elements)),
        Cell(str(finding.parting)),
        Cell(finding.nearest or ""),
        Cell("" if finding.nearest is None else str(finding.residual)),
    )


def _cases(found: Identification, name: str) -> Iterator[TestCase]:
    for finding in found.findings:
        case = f"{finding.operator} {finding.type}"
        if finding.arithmetic is not None:
            yield TestCase(name, case)
        elif finding.elements:
            yield TestCase(name, case, "failure", "UNKNOWN", str(finding))
        else:
            yield TestCase(name, case, "error", "NO ANSWER", str(finding), "\n".join(finding.faults))
