"""What a report says, before it becomes HTML, Markdown or JUnit: facts, tables, histograms, a derivation, test cases.

Every verb builds one `Document` from its results; the renderings know nothing of verbs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

# good: exact. near: explained, or off by a step or two. bad: different or failed. none: nothing is known.
Tone = Literal["good", "near", "bad", "none", ""]
Outcome = Literal["passed", "failure", "error", "skipped"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table, with its colour."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Table:
    """rows: as long as `header`. right: columns of numbers. folded: HTML shows it when it is asked for."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    right: tuple[int, ...] = ()
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many elements are how many steps off. steps, beyond: as in `Statistics`. caption: what is drawn."""

    label: str
    caption: str
    tone: Tone
    steps: Mapping[int, int]
    beyond: int


@dataclass(frozen=True, slots=True)
class Histograms:
    """Histograms beside one another."""

    title: str
    items: tuple[Histogram, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Beside:
    """The derivation of one element, and beside it how the runtime's answer comes about. lines: what stands below."""

    title: str
    about: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TestCase:
    """A test case for JUnit. message: why it did not pass, in a line; text: at length."""

    __test__ = False  # for pytest: it is no test

    group: str
    name: str
    outcome: Outcome = "passed"
    type: str = ""
    message: str = ""
    text: str = ""


Part = Table | Histograms | Beside


@dataclass(frozen=True, slots=True)
class Document:
    """verdict: the answer in a few words; good: whether it is the one that is hoped for. summary: one or two sentences.

    facts: name and value. script: the same in Python, "" for none.
    """

    title: str
    good: bool
    verdict: str
    summary: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]
    cases: tuple[TestCase, ...]
    script: str = ""
