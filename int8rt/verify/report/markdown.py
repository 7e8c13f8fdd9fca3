"""A document as Markdown, for the summary of a CI job for example."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from int8rt.text import columns
from int8rt.verify.report.document import Beside, Document, Histogram, Histograms, Table

# Longer tables are cut: the summary of a job has a limit, and HTML and JSON have everything.
_MOST_ROWS = 60
_WIDTH = 24
_ESCAPES = str.maketrans({c: f"\\{c}" for c in "\\`*_[]~"} | {c: f"&#{ord(c)};" for c in "<>|#&"})


def markdown(document: Document) -> str:
    """The text, which ends with a newline."""
    return "\n".join(_lines(document)).rstrip() + "\n"


def _lines(document: Document) -> Iterator[str]:
    yield from (f"## {_text(document.title)}", "", f"**{_text(document.verdict)}**")
    yield from ("", *map(_text, document.summary), "")
    yield from _table(("", ""), document.facts)
    for part in document.parts:
        yield from ("", f"### {_text(part.title)}", "")
        match part:
            case Table():
                yield from _table(part.header, [[cell.text for cell in row] for row in part.rows], part.right)
                if part.note:
                    yield from ("", _text(part.note))
            case Histograms():
                for item in part.items:
                    yield from _histogram(item)
            case Beside():
                if part.about:
                    yield from (_text(part.about), "")
                if part.rows:
                    yield from _code(columns(part.header, part.rows, right=(1, 2, 3)))
                yield from ("", *(f"- {_text(line)}" for line in part.lines))
    if document.script:
        yield from ("", "<details><summary>The same in Python</summary>", "")
        yield from (*_code(document.script.rstrip(), "python"), "", "</details>")


def _histogram(item: Histogram) -> Iterator[str]:
    """Bars of characters."""
    most = max(item.steps.values(), default=1)
    rows = [(f"{step:+d}" if step else "0", str(n), "█" * -(-_WIDTH * n // most)) for step, n in item.steps.items()]
    if item.beyond:
        rows.append(("beyond", str(item.beyond), ""))
    yield from (f"{_text(item.label)}: {_text(item.caption)}", "")
    yield from (*_code(columns(("steps", "elements", ""), rows, right=(0, 1))), "")


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> Iterator[str]:
    yield f"| {' | '.join(map(_text, header))} |"
    yield f"|{'|'.join('---:' if i in right else '---' for i in range(len(header)))}|"
    for row in rows[:_MOST_ROWS]:
        yield f"| {' | '.join(map(_text, row))} |"
    if len(rows) > _MOST_ROWS:
        yield from ("", f"and {len(rows) - _MOST_ROWS} more")


def _code(text: str, language: str = "") -> Iterator[str]:
    """A block that the text itself can't end."""
    fence = "```"
    while fence in text:
        fence += "`"
    yield from (fence + language, text, fence)


def _text(text: str) -> str:
    """`text` with nothing that is Markdown's or HTML's."""
    return " ".join(text.split()).translate(_ESCAPES)
