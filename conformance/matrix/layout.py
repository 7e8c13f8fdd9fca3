"""Tables and words in Markdown and in HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape


@dataclass(frozen=True, slots=True)
class Cell:
    """text; colour: "good", "known", "near", "bad", "none" or ""; hint: what HTML shows under the pointer."""

    text: str
    colour: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A header and rows."""

    header: list[str]
    rows: list[list[Cell]] = field(default_factory=list)


_STYLE = """body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:96rem;padding:0 1rem;color:#222}
p,ul{max-width:60rem}h2{margin-top:2.5rem}li{margin:.2rem 0}summary{cursor:pointer;font-weight:600;padding:.2rem 0}
.table{overflow:auto}.tall{max-height:85vh}table{border-collapse:separate;border-spacing:0;font-size:12px}
td,th{border:solid #ccc;border-width:0 1px 1px 0;padding:.15rem .4rem;text-align:left;white-space:nowrap}
th{background:#eee;position:sticky;top:0;z-index:1}.table td:first-child{position:sticky;left:0;background:#fff}
td[title]{cursor:help}.good{background:#d9f2d9}.known{background:#fdf3cd}.near{background:#fbe0b8}.bad{background:#f8d4d0}
.none{color:#777}code{background:#f3f3f3;padding:0 .2rem}.legend td{white-space:normal}"""


def markdown(table: Table) -> str:
    """A table of Markdown."""
    rows = [[cell.text.replace("|", "/").replace("\n", " ") for cell in row] for row in table.rows]
    lines = [table.header, ["---"] * len(table.header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def html(table: Table, tall: bool = False) -> str:
    """A table of HTML. tall: it scrolls under its header."""
    header = "".join(f"<th>{escape(text)}" for text in table.header)
    rows = "\n".join("<tr>" + "".join(map(_cell, row)) for row in table.rows)
    return f'<div class="table{" tall" if tall else ""}"><table><tr>{header}\n{rows}</table></div>'


def _cell(cell: Cell) -> str:
    colour = f" class={cell.colour}" if cell.colour else ""
    hint = f' title="{escape(cell.hint[:300])}"' if cell.hint else ""
    return f"<td{colour}{hint}>{escape(cell.text)}"


def legend(lines: Sequence[tuple[str, str, str]]) -> str:
    """(sign, meaning, colour) in lines."""
    rows = "".join(f'<tr><td class="{colour}">{inline(sign)}<td>{inline(means)}' for sign, means, colour in lines)
    return f"<table class=legend>{rows}</table>"


def paragraph(text: str) -> str:
    """Markdown's words as a paragraph."""
    return f"<p>{inline(text)}</p>"


def inline(text: str) -> str:
    """Markdown's backquotes, asterisks and links as HTML."""
    parts = escape(text).split("`")
    text = "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))
    text = re.sub(r"\[([^]]+)\]\(([^)]+)\)", r'<a href="\2">\1</a>', text)
    return re.sub(r"\*([^*]+)\*", r"<i>\1</i>", re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", text))


def page(title: str, body: Sequence[str]) -> str:
    """The whole file."""
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>\n' + "\n".join(body) + "\n</body></html>\n"
