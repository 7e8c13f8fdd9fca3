"""The tables of the matrix: runtimes with their sums, operators and models across runtimes. `layout` draws them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.matrix.layout import Cell, Table

LETTERS = {"REFUSED": "R", "CRASHED": "C", "TIMEOUT": "T", "NO ANSWER": "N", "ACCEPTED": "A"}


def columns(matrix: Mapping[str, Any]) -> list[str]:
    """A short name for each runtime: what `--sut` calls it, with its version where that stands twice."""
    suts = [row["sut"] for row in matrix["runtimes"]]
    return [
        row["sut"] if suts.count(row["sut"]) == 1 else f"{row['sut']} {row['runtime'].split()[-1]}"
        for row in matrix["runtimes"]
    ]


def runtimes(matrix: Mapping[str, Any]) -> Table:
    """Which runtimes there are, and the sums."""
    kinds = "exact", "explained", "near", "not explained", "not taken"
    places = [(0, kind) for kind in kinds] + [(1, kind) for kind in kinds if kind != "near"]
    titles = [f"models {kind}" if place else kind for place, kind in places]
    table = Table(["runtime", "what it is", "date", *titles])
    for name, row in zip(columns(matrix), matrix["runtimes"], strict=True):
        what = row["runtime"] + (f"; {row['missing']}" if row["missing"] else "")
        if row["missing"] and "suite" not in row:
            table.rows.append([Cell(name), Cell(row["missing"], "none"), *[Cell("")] * 10])
            continue
        sums = suite_sums(row), model_sums(row)
        numbers = [_number(sums[place][kind], kind) for place, kind in places]
        table.rows.append([Cell(name), Cell(what), Cell(row["date"]), *numbers])
    return table


def _number(count: int, kind: str) -> Cell:
    colours = {"exact": "good", "explained": "known", "near": "near", "not explained": "bad"}
    return Cell(str(count), colours.get(kind, "") if count else "none")


def suite_sums(row: Mapping[str, Any]) -> dict[str, int]:
    """Cases of the suite by what became of them."""
    sums = dict.fromkeys(("exact", "explained", "near", "not explained", "not taken"), 0)
    for _, _, cell in row["suite"]:
        verdicts = cell["verdicts"]
        sums["exact"] += verdicts.get("EXACT", 0)
        sums[how_explained(cell)] += verdicts.get("DIFFERENT", 0)
        sums["not taken"] += sum(count for name, count in verdicts.items() if name in LETTERS)
    return sums


def how_explained(cell: Mapping[str, Any]) -> str:
    """How far the differences of an operator and type are explained."""
    if cell.get("explained") or not (cell.get("different") or cell.get("shapes")):
        return "explained"
    return "near" if cell.get("near") and not cell["shapes"] else "not explained"


def model_sums(row: Mapping[str, Any]) -> dict[str, int]:
    """Models by what became of them."""
    sums = dict.fromkeys(("exact", "explained", "not explained", "not taken"), 0)
    for model in row["models"]:
        if model is not None:
            differs = "explained" if model.get("explained") else "not explained"
            sums[{"EXACT": "exact", "DIFFERENT": differs}.get(model["status"], "not taken")] += 1
    return sums


def operators(matrix: Mapping[str, Any]) -> Table:
    """The suite: operators and types down, runtimes across."""
    table = Table(["operator", "type", *columns(matrix)])
    suites = [{(o, t): cell for o, t, cell in row.get("suite", [])} for row in matrix["runtimes"]]
    for key in dict.fromkeys(key for suite in suites for key in suite):
        table.rows.append([Cell(key[0]), Cell(key[1]), *(suite_cell(suite.get(key)) for suite in suites)])
    return table


def suite_cell(cell: Mapping[str, Any] | None) -> Cell:
    """One operator and type."""
    if cell is None:
        return Cell("", "none")
    good, rest = cell["verdicts"].get("EXACT", 0), {n: c for n, c in cell["verdicts"].items() if n in LETTERS}
    if good == cell["cases"]:
        return Cell(f"✓ {good}", "good")
    text, hint, how = f"{good}/{cell['cases']}", [], "explained"
    if cell.get("shapes"):
        text, how = f"{text} shape ?", "not explained"
    elif cell.get("different"):
        how = how_explained(cell)
        text += f" ±{cell['largest'] or 'ε'}{ {'explained': '', 'near': ' ~', 'not explained': ' ?'}[how] }"
        hint.append(cell["explained"] or f"closest: {cell['nearest']}")
    text += "".join(f" {count} {LETTERS[name]}" for name, count in rest.items())
    hint += cell.get("words", [])
    colour = {"explained": "known", "near": "near", "not explained": "bad"}[how]
    if not cell.get("different") and rest.keys() <= {"REFUSED", "ACCEPTED"}:
        colour = "none"
    return Cell(text, "bad" if rest.keys() & {"CRASHED", "TIMEOUT", "NO ANSWER"} else colour, "\n".join(hint))


def models(matrix: Mapping[str, Any]) -> Table:
    """Models down, runtimes across."""
    table = Table(["model", *columns(matrix)])
    for place, name in enumerate(matrix["models"]["names"]):
        table.rows.append([Cell(name), *(model_cell(row["models"][place]) for row in matrix["runtimes"])])
    return table


def model_cell(row: Mapping[str, Any] | None) -> Cell:
    """One model."""
    if row is None:
        return Cell("", "none")
    if row["status"] == "EXACT":
        return Cell("✓", "good")
    if row["status"] in LETTERS:
        return Cell(LETTERS[row["status"]], "none" if row["status"] == "REFUSED" else "bad", row.get("message", ""))
    share = 100 * (1 - row["different"] / row["elements"])
    text = f"±{row['largest']:.3g} {min(share, 99.9):.3g}%{'' if row['explained'] else ' ?'}"
    kinds = [f"{kind}: {data.get('explained') or 'not explained'}" for kind, data in row["operators"].items()]
    hint = f"profile {row['profile']}" if row["profile"] else "\n".join(kinds)
    return Cell(text, "known" if row["explained"] else "bad", hint)
