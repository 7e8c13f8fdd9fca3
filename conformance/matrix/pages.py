"""The matrix as Markdown and as one HTML file."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from conformance.matrix import layout
from conformance.matrix.defects import Defect
from conformance.matrix.explanations import explanations
from conformance.matrix.tables import models, operators, runtimes

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
