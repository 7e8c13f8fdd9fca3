"""A derivation as a fragment of HTML: a heading and a table, without scripts and without anything from elsewhere."""

from __future__ import annotations

from html import escape

from int8rt.explain.derivation import Derivation, shown_real, shown_value

_CELL = "padding:0.1em 0.8em;text-align:"


def fragment(derivation: Derivation) -> str:
    """The fragment; whatever the model's file says is escaped."""
    head = "".join(_cell("th", text, side) for text, side in zip(_HEADER, _SIDES, strict=True))
    rows = "".join(
        "<tr>"
        + "".join(
            _cell("td", text, side)
            for text, side in zip(
                (line.name, shown_value(line.value), shown_real(line.real), line.rule), _SIDES, strict=True
            )
        )
        + "</tr>"
        for line in derivation.lines
    )
    about = f"profile {derivation.profile}; TensorFlow Lite's {derivation.source}"
    return (
        f'<div class="int8rt-derivation"><p><b>{escape(derivation.title)}</b><br>{escape(about)}</p>'
        f'<table style="border-collapse:collapse"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


_HEADER = ("", "value", "real", "rule")
_SIDES = ("left", "right", "right", "left")


def _cell(kind: str, text: str, side: str) -> str:
    return f'<{kind} style="{_CELL}{side}">{escape(text)}</{kind}>'
