"""How one element of an operator's output comes about: lines of integers, each with what it stands for and its rule."""

from __future__ import annotations

from dataclasses import dataclass

Value = int | float | str


@dataclass(frozen=True, slots=True)
class Line:
    """One step. name: what is computed. value: the integer (or the float, for an operator on floats).

    real: the real number that it stands for, None where it stands for none. rule: what is done, and why so.
    """

    name: str
    value: Value
    real: float | None = None
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Derivation:
    """The steps that lead to element `at` of tensor `tensor`, which operator `position` writes.

    result: that element: a code, or a float. real: what it stands for.
    """

    operator: str
    position: int
    tensor: int
    name: str
    at: tuple[int, ...]
    profile: str
    lines: tuple[Line, ...]
    result: int | float
    real: float | None
    source: str

    @property
    def title(self) -> str:
        """Which element of what this is, and its value."""
        means = "" if self.real is None or self.real == self.result else f", which stands for {self.real:.9g}"
        where = f"operator {self.position} ({self.operator}), tensor {self.tensor} {self.name!r}"
        return f"{where} at {list(self.at)}: {self.result}{means}"

    def __str__(self) -> str:
        from int8rt.text import columns

        rows = [(line.name, shown_value(line.value), shown_real(line.real), line.rule) for line in self.lines]
        table = columns(("", "value", "real", "rule"), rows, right=(1, 2))
        return f"{self.title}\nprofile {self.profile}; TensorFlow Lite's {self.source}\n\n{table}"

    def _repr_html_(self) -> str:
        from int8rt.explain.html import fragment

        return fragment(self)


def shown_value(value: Value) -> str:
    """A value as tables show it."""
    return f"{value:.9g}" if isinstance(value, float) else str(value)


def shown_real(real: float | None) -> str:
    """A real number as tables show it."""
    return "" if real is None else f"{real:.7g}"
