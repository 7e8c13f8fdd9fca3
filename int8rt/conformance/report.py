"""Verdicts as a matrix of operators and types, as plain types, and as JUnit's XML."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

from int8rt.conformance.run import Verdict
from int8rt.verify.report.junit import clean


def matrix(verdicts: Sequence[Verdict]) -> tuple[list[str], list[list[str]]]:
    """(header, rows): "conformant/all" for each operator and type, and the worst that happened where not all are."""
    types = list(dict.fromkeys(verdict.type for verdict in verdicts))
    rows = []
    for operator in dict.fromkeys(verdict.operator for verdict in verdicts):
        row = [operator]
        for type in types:
            cell = [v for v in verdicts if v.operator == operator and v.type == type]
            good = sum(v.conformant for v in cell)
            others = sorted({v.verdict for v in cell if not v.conformant})
            row.append(f"{good}/{len(cell)} {', '.join(others)}".strip() if cell else "-")
        rows.append(row)
    return ["operator", *types], rows


def plain(verdicts: Sequence[Verdict], runtime: str) -> dict[str, Any]:
    """Everything, for JSON."""
    return {
        "runtime": runtime,
        "conformant": all(verdict.conformant for verdict in verdicts),
        "cases": [dataclasses.asdict(verdict) for verdict in verdicts],
    }


def junit(verdicts: Sequence[Verdict], runtime: str) -> str:
    """A test case for each case: a failure where it differs, an error where the runtime did not answer."""
    suite = ElementTree.Element("testsuite", {"name": clean(f"int8rt conformance of {runtime}")})
    for verdict in verdicts:
        attributes = {"classname": f"{verdict.operator}.{verdict.type}", "name": clean(verdict.case)}
        case = ElementTree.SubElement(suite, "testcase", attributes)
        if not verdict.conformant:
            answered = verdict.verdict in ("DIFFERENT", "ACCEPTED") or verdict.verdict.startswith("EXACT in")
            kind = "failure" if answered else "error"
            ElementTree.SubElement(case, kind, {"type": verdict.verdict, "message": clean(verdict.message)})
    suite.set("tests", str(len(verdicts)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"
