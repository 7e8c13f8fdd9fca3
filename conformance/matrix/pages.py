"""The matrix as Markdown and as one HTML file: what stands in them. How tables look is in `layout`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from conformance.matrix import layout
from conformance.matrix.layout import Cell, Table

_TITLE = "Runtimes beside LiteRT's reference arithmetic"
_INTRODUCTION = """\
Which runtimes compute bit for bit what the reference kernels of LiteRT compute (`OpResolverType.BUILTIN_REF`, int8rt's
profile `tflite-ref`), on the {cases} cases of int8rt's operator suite and on {count} real models; and where one does
not, by which rule its answers come about. A difference is no fault by itself: LiteRT's own kernels round in several
ways, and most differences are one step. A true defect has a folder under "Defects"."""

_MADE = """\
Made by `python -m conformance.matrix` on {processor}, by int8rt {int8rt}, suite {fingerprint}."""

_EXPLAINED = """\
A difference is **explained** where one rule gives every element of all cases of an operator and type, or up to three
rules do, each for whole cases: a profile of int8rt, an arithmetic that `int8rt identify` knows, or the nearest code of
the real-valued result, which is what a runtime gives that computes in floats. It is **near** where no rule does that,
but no code is farther from the real-valued result (where a converter loses an option, from that without it) than 1/64
of its type's range: 4 steps of 8 bits, 1024 of 16."""

_SUMS = """\
Cases of the suite and models, by what became of them. "exact" counts what must be refused and is. "not taken": the
runtime refused, crashed, gave no answer in time, or took what must be refused."""

_CELLS = (
    ("`✓ 57`", "all 57 cases are exact", "good"),
    ("`31/57 ±1`", "31 of 57 are exact; the rest differ by at most one step, explained", "known"),
    ("`31/57 ±1 ~`", "the rest is not explained, but near", "near"),
    ("`31/57 ±250 ?`", "the rest is not explained", "bad"),
    ("`3 R`", "three cases refused: the runtime says that it does not take them", "none"),
    ("`3 A`", "three cases accepted that a runtime should refuse", ""),
    ("`1 C`, `1 T`, `1 N`", "one crash, one without an answer in time, one without a fitting answer", "bad"),
)
_MODELS = """\
The models are those of a collection that int8rt runs, with at most {largest_bytes} bytes and {most_operators}
operators, each on {inputs} inputs, random and smooth. A closing SOFTMAX, which would hide differences, is left off.
`✓`: equal. `±1 83%`: the largest difference in steps, and the share of equal elements; it is explained by a profile, or
operator by operator, and has a `?` where it is not."""

# What a report of the reducer says of its model's output.
_OUTPUT = re.compile(r"^\| .* \| output \| (\w+) ", re.MULTILINE)
LETTERS = {"REFUSED": "R", "CRASHED": "C", "TIMEOUT": "T", "NO ANSWER": "N", "ACCEPTED": "A"}


@dataclass(frozen=True, slots=True)
class Defect:
    """operator, runtime: its description. type: of the codes; "" where the report does not say."""

    operator: str
    runtime: str
    type: str

    def __str__(self) -> str:
        return f"{self.operator} {self.type}: {self.runtime}".replace(" :", ":")

    @staticmethod
    def read(report: Path) -> Defect:
        """What a report of the reducer is about."""
        text = report.read_text(encoding="utf-8")
        type = _OUTPUT.search(text)
        operator, _, runtime = text.splitlines()[0].lstrip("# ").partition(" beside ")[0].partition(": ")
        return Defect(operator, runtime, type[1] if type else "")


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
        sums[_kind(cell)] += verdicts.get("DIFFERENT", 0)
        sums["not taken"] += sum(count for name, count in verdicts.items() if name in LETTERS)
    return sums


def _kind(cell: Mapping[str, Any]) -> str:
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
    text, hint, kind = f"{good}/{cell['cases']}", [], "explained"
    if cell.get("shapes"):
        text, kind = f"{text} shape ?", "not explained"
    elif cell.get("different"):
        kind = _kind(cell)
        text += f" ±{cell['largest'] or 'ε'}{ {'explained': '', 'near': ' ~', 'not explained': ' ?'}[kind] }"
        hint.append(cell["explained"] or f"closest: {cell['nearest']}")
    text += "".join(f" {count} {LETTERS[name]}" for name, count in rest.items())
    hint += cell.get("words", [])
    colour = {"explained": "known", "near": "near", "not explained": "bad"}[kind]
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
                what = "**near**" if _kind(cell) == "near" else "**not explained**"
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


def _texts(matrix: Mapping[str, Any]) -> tuple[str, str, str]:
    chosen = matrix["models"]
    count = len(chosen["names"])
    first = _INTRODUCTION.format(cases=matrix["suite"]["cases"], count=count)
    made = _MADE.format(processor=matrix["processor"], int8rt=matrix["int8rt"], **matrix["suite"])
    return first, made, _MODELS.format(**chosen)


def markdown(matrix: Mapping[str, Any], bugs: Mapping[str, Defect]) -> str:
    """The page for reading in a repository. bugs: folder of a report to its title."""
    first, made, last = _texts(matrix)
    parts = [f"# {_TITLE}", first, made, "## Runtimes", _SUMS, layout.markdown(runtimes(matrix)), _EXPLAINED]
    if bugs:
        parts += ["## Defects", "Smallest models that show what is no rounding: model, inputs, expected, actual."]
        parts.append("\n".join(f"- [{bug}](bugs/{folder}/REPORT.md)" for folder, bug in bugs.items()))
    parts += ["## Operators", "\n".join(f"- {text}: {means}" for text, means, _ in _CELLS)]
    parts += [layout.markdown(operators(matrix)), "## What explains the differences"]
    for name, lines in explanations(matrix, bugs):
        parts += [f"### {name}", "\n".join(f"- {line}" for line in lines)]
    if matrix["models"]["names"]:
        parts += ["## Models", last, layout.markdown(models(matrix))]
    return "\n\n".join(parts) + "\n"


def html(matrix: Mapping[str, Any], bugs: Mapping[str, Defect]) -> str:
    """One file with its style in it, and nothing to be loaded."""
    first, made, last = _texts(matrix)
    body = [f"<h1>{_TITLE}</h1>", *map(layout.paragraph, (first, made)), "<h2>Runtimes</h2>", layout.paragraph(_SUMS)]
    body += [layout.html(runtimes(matrix)), layout.paragraph(_EXPLAINED)]
    if bugs:
        items = "".join(f"<li>{layout.inline(f'[{bug}](bugs/{f}/REPORT.md)')}</li>" for f, bug in bugs.items())
        body.append(f"<h2>Defects</h2><ul>{items}</ul>")
    body += ["<h2>Operators</h2>", layout.legend(_CELLS), layout.paragraph("A cell tells more under the pointer.")]
    body += [layout.html(operators(matrix), tall=True), "<h2>What explains the differences</h2>"]
    for name, lines in explanations(matrix, bugs):
        items = "".join(f"<li>{layout.inline(line)}</li>" for line in lines)
        body.append(f"<details><summary>{escape(name)}</summary><ul>{items}</ul></details>")
    if matrix["models"]["names"]:
        body += ["<h2>Models</h2>", layout.paragraph(last), layout.html(models(matrix), tall=True)]
    return layout.page(_TITLE, body)
