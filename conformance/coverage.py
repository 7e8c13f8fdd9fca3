"""What the operator suite covers: `python -m conformance.coverage`. With --write it goes into docs/suite.md."""

from __future__ import annotations

import json
from collections import Counter
from importlib import resources
from typing import Any

from conformance.pages import DOCS, page_command
from int8rt.conformance.cases import all_cases, expand

PAGE = DOCS / "suite.md"
_TYPES = ("int8", "uint8", "int16")
_TEXT = """# The operator suite

{cases} cases of {operators} operators; {refused} of them must be refused. They are data,
`int8rt/conformance/suite.json`; `int8rt schema suite` prints their form. `int8rt conformance list --json` says of each
case which rule it tests and which pairs of profiles it separates; `int8rt conformance generate` writes them as files,
with a case.json whose form is `int8rt schema case`. [mutations.md](mutations.md) says what the suite is worth.

Written by `python -m conformance.coverage --write`; a test keeps it in step.

## Operators and types

Exact cases, and after a plus those that must be refused.

| operator | int8 | uint8 | int16 |
|---|---:|---:|---:|
"""
_RULES = """
## Rules

Every value of a parameter is combined with every value of the others, for each operator and type.

| group | rule | operators | types | parameters | cases |
|---|---|---|---|---|---:|
"""


def page() -> str:
    """docs/suite.md."""
    cases = all_cases()
    counts = Counter((case.operator, case.type, case.expect) for case in cases)
    operators = dict.fromkeys(case.operator for case in cases)
    head = _TEXT.format(
        cases=f"{len(cases):,}", operators=len(operators), refused=sum(case.expect == "refused" for case in cases)
    )
    rows = [
        f"| {operator} | {' | '.join(_cell(counts, operator, type) for type in _TYPES)} |\n" for operator in operators
    ]
    suite = json.loads((resources.files("int8rt.conformance") / "suite.json").read_text(encoding="utf-8"))
    return head + "".join(rows) + _RULES + "".join(map(_group, suite["groups"]))


def _cell(counts: Counter[tuple[str, str, str]], operator: str, type: str) -> str:
    exact, refused = (counts[operator, type, expect] for expect in ("exact", "refused"))
    return f"{exact or ''}{f' + {refused}' if refused else ''}".strip() or "-"


def _group(group: dict[str, Any]) -> str:
    parameters = {name: [value] for name, value in group.get("fixed", {}).items()} | group["grid"]
    text = "; ".join(f"{name}: {', '.join(_shown(value) for value in values)}" for name, values in parameters.items())
    cells = [group["name"], group["rule"], ", ".join(group["operators"]), ", ".join(group["types"]), text]
    return f"| {' | '.join(cells)} | {len(expand(group))} |\n"


def _shown(value: Any) -> str:
    return json.dumps(value).replace(" ", "").replace('"', "").replace(",", " ") or "none"


if __name__ == "__main__":
    page_command("conformance.coverage", PAGE, page)
