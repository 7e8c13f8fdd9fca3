"""A judgement as JUnit's XML: a test case for each output and each operator."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from int8rt.verify.report.text import amount, histogram
from int8rt.verify.verdict import Judgement, OperatorReport, Verdict

# What XML 1.0 has no place for, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(judgement: Judgement, name: str) -> str:
    """The XML text. name: of the suite, the model for example.

    An operator fails where it does not pass, is an error where the runtime failed or refused, and is skipped where
    nothing is known of it.
    """
    suite = ElementTree.Element("testsuite", {"name": clean(name)})
    for fault in judgement.faults:
        case = _case(suite, name, f"run {fault.run}")
        ElementTree.SubElement(case, "error", {"type": fault.kind, "message": clean(fault.message)})
    for output in judgement.outputs:
        case = _case(suite, name, f"output {output.index} {output.name}")
        if not output.statistics.equal:
            text = amount(output.statistics)
            ElementTree.SubElement(case, "failure", {"type": "DIFFERENT", "message": clean(text)})
    for operator in judgement.operators:
        case = _case(suite, name, f"operator {operator.position} {operator.operator}")
        _judge(case, judgement, operator)
    for kind in ("failure", "error", "skipped"):
        plural = {"failure": "failures", "error": "errors", "skipped": "skipped"}[kind]
        suite.set(plural, str(len(suite.findall(f"testcase/{kind}"))))
    suite.set("tests", str(len(suite.findall("testcase"))))
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"


def _case(suite: ElementTree.Element, group: str, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", {"classname": clean(group), "name": clean(name)})


def _judge(case: ElementTree.Element, judgement: Judgement, operator: OperatorReport) -> None:
    if operator.verdict is Verdict.UNKNOWN:
        ElementTree.SubElement(case, "skipped", {"message": "the runtime does not show what it computes here"})
    elif operator.verdict in (Verdict.UNSUPPORTED, Verdict.FAILED):
        message = operator.message or amount(operator.local or operator.accumulated)
        ElementTree.SubElement(case, "error", {"type": str(operator.verdict), "message": clean(message)})
    elif not judgement.passes(operator):
        failure = ElementTree.SubElement(case, "failure", {"type": str(operator.verdict), "message": str(operator)})
        failure.text = f"{amount(operator.local)}\n{histogram(operator.local)}"


def clean(text: str) -> str:
    """`text` without what XML cannot hold."""
    return _FORBIDDEN.sub("\ufffd", text)
