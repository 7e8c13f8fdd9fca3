"""A document as one HTML file: styles and drawings inside, no scripts, nothing from elsewhere."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import resources

from jinja2 import Environment, StrictUndefined

from int8rt.verify.report.document import Beside, Document, Histogram, Histograms, Table

_HEIGHT = 56  # of the highest bar, in pixels
_DIGIT = 6  # the width of a digit


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a histogram. label, count: below and above it, where there is room. name: of its colour."""

    x: float
    y: float
    width: float
    height: float
    label: str
    count: int
    name: str
    label_fits: bool
    count_fits: bool


def html(document: Document) -> str:
    """The whole page; whatever models and runtimes say is escaped."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    source = (resources.files("int8rt.verify.report") / "page.html.j2").read_text(encoding="utf-8")
    kinds = {Table: "table", Histograms: "histograms", Beside: "beside"}
    parts = [(kinds[type(part)], part) for part in document.parts]
    page = environment.from_string(source).render(document=document, parts=parts, bars=bars)
    return f"{page}\n"


def bars(histogram: Histogram) -> tuple[int, list[Bar]]:
    """(width of the drawing, its bars): one for each step between the outermost ones, logarithmic in height."""
    steps = [step for step, count in histogram.steps.items() if count]
    low, high = min(steps, default=0), max(steps, default=0)
    counts = [(str(step) if step <= 0 else f"+{step}", histogram.steps.get(step, 0)) for step in range(low, high + 1)]
    if histogram.beyond:
        counts.append(("more", histogram.beyond))
    most = math.log1p(max((count for _, count in counts), default=1))
    width = max(12, min(44, 240 // max(len(counts), 1)))
    drawn = []
    for place, (label, count) in enumerate(counts):
        height = max(2.0, _HEIGHT * math.log1p(count) / most) if count else 0.0
        name = "zero" if label == "0" else histogram.tone or "plain"
        x = place * (width + 4)
        # Of narrow bars only some are labelled: zero, the ends, and every fourth step.
        labelled = width >= 26 or label in ("0", "more") or place == 0 or (label != "more" and int(label) % 4 == 0)
        counted = bool(count) and len(str(count)) * _DIGIT <= width + 4
        y = round(_HEIGHT - height, 1) + 14
        drawn.append(Bar(x, y, width, round(height, 1), label, count, name, labelled, counted))
    return len(counts) * (width + 4), drawn
