"""JSON Schemas (draft 2020-12) of what commands print with `--json`, and of the operator suite's files."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any


def schema(name: str) -> dict[str, Any]:
    """The schema of a command that has one (compare, identify, conformance), or of suite.json or case.json."""
    text = (resources.files("int8rt.verify.report.schemas") / f"{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found
