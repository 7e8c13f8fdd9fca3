"""The matrix as Markdown and as one HTML file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_INTRODUCTION = """\
How many cases of int8rt's operator suite, and which models, come out bit for bit as the reference kernels of LiteRT
(`OpResolverType.BUILTIN_REF`, int8rt's profile `tflite-ref`) compute them. Made by `python -m conformance.matrix`
on {processor}, by int8rt {int8rt}, suite {fingerprint} with {cases} cases. What is not exact is no fault by
itself: LiteRT's own kernels round in several ways, and most differences are one step. It is explained below by the
profile or the arithmetic (one that `int8rt identify` knows) that gives **every** element of all cases; or by answers
that are nearest codes of the real-valued result, as a runtime gives that computes in floats; or said to be
unexplained. A runtime with fewer cases in its row was asked those of some types only."""

_CELLS = """\
In a cell: cases that conform / all; then the largest difference in steps where there is one, and what else happened.
`=` after it: all answers are explained; `?`: not. Below, what explains them has behind each operator the number of its
elements, of which none is left. "refused": the runtime says that it does not take the model, which
is what some cases must come to; "accepted": it takes one of these."""

_MODELS = """\
The models are those of a collection that int8rt runs, with at most {largest_bytes} bytes and {most_operators}
operators: {count}, each on {inputs} inputs, random and smooth. A closing SOFTMAX, which would hide differences, is left
off. `=` outputs equal; `±k p%`: the largest difference in steps and the share of equal elements, explained by a profile
(then its name) or, operator by operator, by arithmetics (`=`), or not (`?`); R refused; C crashed; T no answer in time;
N no answer of the right shape and type."""

_SHORT = {"REFUSED": "R", "CRASHED": "C", "TIMEOUT": "T", "NO ANSWER": "N"}


class Table:
    """A header and rows of cells, each a text and a class for colours."""

    def __init__(self, header: list[str]) -> None:
        self.header = header
        self.rows: list[list[tuple[str, str]]] = []


def columns(matrix: Mapping[str, Any]) -> list[str]:
    """A short name for each runtime: what `--sut` calls it, with its version where that stands twice."""
    suts = [row["sut"] for row in matrix["runtimes"]]
    return [
        row["sut"] if suts.count(row["sut"]) == 1 else f"{row['sut']} {row['runtime'].split()[-1]}"
        for row in matrix["runtimes"]
    ]


def runtimes(matrix: Mapping[str, Any]) -> Table:
    """Which runtimes there are, and the sums."""
    table = Table(["runtime", "what it is", "date", "suite", "models exact"])
    for name, row in zip(columns(matrix), matrix["runtimes"], strict=True):
        if row["missing"] and "suite" not in row:
            table.rows.append([(name, ""), (row["missing"], "none"), ("", ""), ("", ""), ("", "")])
            continue
        cells = [cell for _, _, cell in row["suite"]]
        good, all = sum(c["verdicts"].get("EXACT", 0) for c in cells), sum(c["cases"] for c in cells)
        models = [model for model in row["models"] if model is not None]
        exact = sum(model["status"] == "EXACT" for model in models)
        table.rows.append(
            [
                (name, ""),
                (row["runtime"] + (f"; {row['missing']}" if row["missing"] else ""), ""),
                (row["date"], ""),
                (f"{good}/{all}", _colour(good, all)),
                (f"{exact}/{len(models)}", _colour(exact, len(models))),
            ]
        )
    return table


def operators(matrix: Mapping[str, Any]) -> Table:
    """The suite: operators and types down, runtimes across."""
    table = Table(["operator", "type", *columns(matrix)])
    suites = [{(o, t): cell for o, t, cell in row.get("suite", [])} for row in matrix["runtimes"]]
    for key in dict.fromkeys(key for suite in suites for key in suite):
        table.rows.append([(key[0], ""), (key[1], ""), *(suite_cell(suite.get(key)) for suite in suites)])
    return table


def suite_cell(cell: Mapping[str, Any] | None) -> tuple[str, str]:
    """Text and class of one operator and type."""
    if cell is None:
        return "", "none"
    good = cell["verdicts"].get("EXACT", 0)
    text = f"{good}/{cell['cases']}"
    if cell.get("shapes"):
        text += " shape?"
    elif cell.get("different"):
        text += f" ±{cell['largest']}{'=' if cell['explained'] else '?'}"
    rest = {name: n for name, n in cell["verdicts"].items() if name not in ("EXACT", "DIFFERENT")}
    text += "".join(f" {n} {name.lower()}" for name, n in rest.items())
    if good == cell["cases"]:
        return text, "good"
    if cell["verdicts"].get("REFUSED", 0) == cell["cases"] - good:
        return text, "none"
    return text, "known" if cell.get("explained") and not rest.keys() & {"CRASHED", "TIMEOUT", "ACCEPTED"} else "bad"


def models(matrix: Mapping[str, Any]) -> Table:
    """Models down, runtimes across."""
    table = Table(["model", *columns(matrix)])
    for place, name in enumerate(matrix["models"]["names"]):
        table.rows.append([(name, ""), *(model_cell(row["models"][place]) for row in matrix["runtimes"])])
    return table


def model_cell(row: Mapping[str, Any] | None) -> tuple[str, str]:
    """Text and class of one model."""
    if row is None:
        return "", "none"
    if row["status"] == "EXACT":
        return "=", "good"
    if row["status"] in _SHORT:
        return _SHORT[row["status"]], "none" if row["status"] == "REFUSED" else "bad"
    share = 100 * (1 - row["different"] / row["elements"])
    text = f"±{row['largest']:.4g} {min(share, 99.99):.4g}% {row['profile'] or '=?'[not row['explained']]}"
    return text, "known" if row["explained"] else "bad"


def explanations(matrix: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """For each runtime: each explanation with its operators, what is not explained, what is refused or ends it."""
    for name, row in zip(columns(matrix), matrix["runtimes"], strict=True):
        known: dict[str, list[str]] = {}
        words: dict[str, list[str]] = {}
        open = []
        for operator, type, cell in row.get("suite", []):
            where = f"{operator} {type}"
            if cell.get("shapes"):
                open.append(f"**another shape or type**: {where}, first in `{cell['example']}`")
            elif cell.get("explained"):
                known.setdefault(cell["explained"], []).append(f"{where} ({cell['elements']})")
            elif cell.get("different"):
                open.append(f"**not explained**: {where}; nearest {cell['nearest']}; first in `{cell['example']}`")
            for said in cell.get("words", []):
                text, _, count = said.rpartition(" (")
                words.setdefault(re.sub("0x[0-9a-f]+", "0x...", text)[:110], []).append(f"{where} ({count}")
        lines = [f"{what}: {', '.join(where)}" for what, where in known.items()]
        lines += open + list(_of_models(row))
        lines += [f"no answer in {', '.join(where)}: {text}" for text, where in words.items()]
        if lines:
            yield name, lines


def _of_models(row: Mapping[str, Any]) -> Iterator[str]:
    """Operators that differ by themselves in models, over all models."""
    found: dict[str, dict[str, list[float]]] = {}
    for model in row["models"]:
        for kind, data in (model or {}).get("operators", {}).items():
            unknown, unseen = data.get("unknown", 0), data.get("unseen", 0)
            counts = {data.get("explained", ""): data["count"] - unknown - unseen}
            counts |= {"**not explained**": unknown, "not seen alone, without an answer": unseen}
            for what, count in counts.items():
                sums = found.setdefault(what, {}).setdefault(kind, [0, 0])
                sums[:] = sums[0] + count, max(sums[1], data.get("largest", 0) if count else 0)
    for what, kinds in found.items():
        items = [f"{kind} ({count:g}, ±{largest:g})" for kind, (count, largest) in sorted(kinds.items()) if count]
        if items:
            yield f"in models, {what}: {', '.join(items)}"


def _colour(good: int, all: int) -> str:
    return "good" if good == all else ""


def _texts(matrix: Mapping[str, Any]) -> tuple[str, str, str]:
    chosen = matrix["models"]
    first = _INTRODUCTION.format(processor=matrix["processor"], int8rt=matrix["int8rt"], **matrix["suite"])
    third = _MODELS.format(**{**chosen, "count": len(chosen["names"])})
    return first, _CELLS, third


def markdown(matrix: Mapping[str, Any], bugs: Mapping[str, str]) -> str:
    """The page for reading in a repository. bugs: folder of a report to its title."""
    first, second, third = _texts(matrix)
    parts = ["# Runtimes beside LiteRT's reference arithmetic", first, _markdown(runtimes(matrix))]
    if bugs:
        parts += [
            "## Defects, reduced",
            "Smallest models that show what is no rounding: model, inputs, expected, actual.",
        ]
        parts.append("\n".join(f"- [{title}](bugs/{folder}/REPORT.md)" for folder, title in bugs.items()))
    parts += ["## Operators", second, _markdown(operators(matrix)), "## What explains the differences"]
    for name, lines in explanations(matrix):
        parts += [f"### {name}", "\n".join(f"- {line}" for line in lines)]
    if matrix["models"]["names"]:
        parts += ["## Models", third, _markdown(models(matrix))]
    return "\n\n".join(parts) + "\n"


def _markdown(table: Table) -> str:
    rows = [[text.replace("|", "/").replace("\n", " ") for text, _ in row] for row in table.rows]
    lines = [table.header, ["---"] * len(table.header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


_STYLE = """body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:90rem;padding:0 1rem;color:#222}
table{border-collapse:collapse;font-size:12px;display:block;overflow-x:auto}
td,th{border:1px solid #ccc;padding:.15rem .4rem;text-align:left;white-space:nowrap}th{background:#eee}
.good{background:#d9f2d9}.known{background:#fdf3cd}.bad{background:#f8d4d0}.none{color:#777}li{font-size:13px}"""


def html(matrix: Mapping[str, Any], bugs: Mapping[str, str]) -> str:
    """One file with its style in it, and nothing to be loaded."""
    first, second, third = _texts(matrix)
    body = ["<h1>Runtimes beside LiteRT's reference arithmetic</h1>", _paragraph(first), _html(runtimes(matrix))]
    if bugs:
        items = "".join(f'<li><a href="bugs/{escape(f)}/REPORT.md">{escape(t)}</a></li>' for f, t in bugs.items())
        body.append(f"<h2>Defects, reduced</h2><ul>{items}</ul>")
    body += ["<h2>Operators</h2>", _paragraph(second), _html(operators(matrix))]
    body.append("<h2>What explains the differences</h2>")
    for name, lines in explanations(matrix):
        items = "".join(f"<li>{_inline(line)}</li>" for line in lines)
        body.append(f"<details><summary>{escape(name)}</summary><ul>{items}</ul></details>")
    if matrix["models"]["names"]:
        body += ["<h2>Models</h2>", _paragraph(third), _html(models(matrix))]
    head = f'<meta charset="utf-8"><title>Runtimes beside LiteRT</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>\n' + "\n".join(body) + "\n</body></html>\n"


def _html(table: Table) -> str:
    header = "".join(f"<th>{escape(text)}" for text in table.header)
    rows = ("".join(f"<td class={c}>{escape(t)}" if c else f"<td>{escape(t)}" for t, c in row) for row in table.rows)
    return f"<table><tr>{header}\n" + "\n".join(f"<tr>{row}" for row in rows) + "</table>"


def _paragraph(text: str) -> str:
    return f"<p>{_inline(text)}</p>"


def _inline(text: str) -> str:
    """Markdown's backquotes and double asterisks as HTML."""
    parts = escape(text).split("`")
    text = "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))
    bold = text.split("**")
    return "".join(f"<b>{part}</b>" if i % 2 else part for i, part in enumerate(bold))
