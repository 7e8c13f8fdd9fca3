"""What explains the differences of each runtime, in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.matrix.defects import Defect
from conformance.matrix.tables import columns, how_explained


def explanations(matrix: Mapping[str, Any], bugs: Mapping[str, Defect]) -> Iterator[tuple[str, list[str]]]:
    """For each runtime: each explanation with its operators, what is not explained, what is refused or ends it."""
    reports = {bug: folder for folder, bug in bugs.items()}
    for name, row in zip(columns(matrix), matrix["runtimes"], strict=True):
        known: dict[str, dict[str, list[str]]] = {}
        words: dict[str, dict[str, list[str]]] = {}
        open = []
        for operator, type, cell in row.get("suite", []):
            report = reports.get(Defect(operator, row["runtime"], type))
            link = f" ([reduced](bugs/{report}/REPORT.md))" if report else ""
            where = f"{operator} {type}{link}"
            if cell.get("shapes"):
                open.append(f"**another shape or type**: {where}, first in `{cell['example']}`")
            elif cell.get("explained"):
                known.setdefault(_or(cell["explained"]), {}).setdefault(operator, []).append(type + link)
            elif cell.get("different"):
                far = f"; at most {cell['distance']:g} steps from the real-valued result" if "distance" in cell else ""
                what = "**near**" if how_explained(cell) == "near" else "**not explained**"
                open.append(f"{what}: {where}; closest: {cell['nearest']}{far}; first in `{cell['example']}`")
            for said in cell.get("words", []):
                text, _, count = said.rpartition(" (")
                said = re.sub("0x[0-9a-f]+", "0x...", text)[:110]
                words.setdefault(said, {}).setdefault(operator, []).append(f"{type} {count.rstrip(')')}")
        lines = [f"*{what}*: {_where(where)}" for what, where in known.items()]
        lines += open + list(_of_models(row))
        lines += [f"no answer, cases of {_where(where)}: {text}" for text, where in words.items()]
        if lines:
            yield name, lines


def _or(explained: str) -> str:
    return ", or ".join(explained.split(" | "))


def _where(where: Mapping[str, list[str]]) -> str:
    return "; ".join(f"{operator} {', '.join(dict.fromkeys(types))}" for operator, types in where.items())


def _of_models(row: Mapping[str, Any]) -> Iterator[str]:
    """Whole models that a profile explains, and operators that differ by themselves, over all models."""
    profiles: dict[str, int] = {}
    found: dict[str, dict[str, list[float]]] = {}
    for model in row["models"]:
        if (model or {}).get("profile"):
            profiles[model["profile"]] = profiles.get(model["profile"], 0) + 1
        for kind, data in (model or {}).get("operators", {}).items():
            unknown, unseen = data.get("unknown", 0), data.get("unseen", 0)
            counts = {data.get("explained", ""): data["count"] - unknown - unseen}
            counts |= {"**not explained**": unknown, "not seen alone, without an answer": unseen}
            for what, count in counts.items():
                sums = found.setdefault(what, {}).setdefault(kind, [0, 0])
                sums[:] = sums[0] + count, max(sums[1], data.get("largest", 0) if count else 0)
    fused = [m for m in row["models"] if m and m["status"] == "DIFFERENT" and not m["explained"] and not m["operators"]]
    if fused:
        yield f"whole models, **not explained**, though each operator alone is exact: {len(fused)}"
    for profile, count in profiles.items():
        yield f"whole models, *profile {profile}*: {count}"
    for what, kinds in found.items():
        items = [f"{kind} ({count:g}, ±{largest:.4g})" for kind, (count, largest) in sorted(kinds.items()) if count]
        if items:
            yield f"operators of models, {what if what[0] in '*n' else f'*{what}*'}: {', '.join(items)}"
