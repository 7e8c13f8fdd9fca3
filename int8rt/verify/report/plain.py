"""A judgement as plain data, for JSON."""

from __future__ import annotations

import dataclasses
from typing import Any

from int8rt.verify.verdict import Judgement


def plain(judgement: Judgement) -> dict[str, Any]:
    """Dicts, lists, strings and numbers: the fields of `Judgement`, and what follows from them."""
    first = judgement.first
    data: dict[str, Any] = {
        "runtime": judgement.runtime,
        "profile": judgement.profile,
        "conformant": judgement.conformant,
        "least_bound": judgement.least_bound,
        "first": None if first is None else first.position,
    }
    data |= {name: value for name, value in dataclasses.asdict(judgement).items() if name not in data}
    for operator, entry in zip(judgement.operators, data["operators"], strict=True):
        entry["text"], entry["passes"] = str(operator), judgement.passes(operator)
    return data
