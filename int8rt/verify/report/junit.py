"""A document's test cases as JUnit's XML."""

from __future__ import annotations

import re

from junitparser import Error, Failure, JUnitXml, Skipped, TestSuite
from junitparser import TestCase as XmlCase

from int8rt.verify.report.document import Document

_RESULTS = {"failure": Failure, "error": Error, "skipped": Skipped}
# What XML 1.0 has no place for, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(document: Document) -> str:
    """The XML text: one suite, with a test case for each of the document's; the facts are its properties."""
    suite = TestSuite(clean(document.title))
    for name, value in document.facts:
        suite.add_property(clean(name), clean(value))
    cases = []
    for case in document.cases:
        xml = XmlCase(clean(case.name), clean(case.group))
        if case.outcome != "passed":
            result = _RESULTS[case.outcome](clean(case.message), case.type or None)
            result.text = clean(case.text)
            xml.result = [result]
        cases.append(xml)
    suite.add_testcases(cases)
    whole = JUnitXml()
    whole.add_testsuite(suite)
    whole.update_statistics()
    text = str(whole.tostring(), "utf-8")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + text[text.index("<testsuites") :] + "\n"


def clean(text: str) -> str:
    """`text` without what XML cannot hold."""
    return _FORBIDDEN.sub("\ufffd", text)
