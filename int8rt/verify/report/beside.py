"""The first divergence as rows: what int8rt computes, and beside it how the runtime's answer comes about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from int8rt.explain.derivation import Line, shown_real, shown_value
from int8rt.quantization.requantization import Rounding
from int8rt.text import columns
from int8rt.verify.first import Divergence

# So many arithmetics that give the runtime's value are listed.
_MOST = 6


@dataclass(frozen=True, slots=True)
class Row:
    """One step. expected: int8rt's value; answered: the other's, "" where it is the same step with the same value."""

    name: str
    expected: str
    answered: str
    real: str
    rule: str


def header(divergence: Divergence) -> tuple[str, ...]:
    """What stands above the columns of `Row`."""
    rounding = next(iter(divergence.roundings), None)
    other = f"with {rounding}" if divergence.other is not None and rounding is not None else "the runtime"
    profile = "" if divergence.derivation is None else divergence.derivation.profile
    return "", f"int8rt, {profile}", other, "real", "rule"


def rows(divergence: Divergence) -> Iterator[Row]:
    """Every step, and at the end both answers; nothing where the operator can't be explained."""
    derivation = divergence.derivation
    if derivation is None:
        return
    other = derivation if divergence.other is None else divergence.other
    yield from _matched(derivation.lines, other.lines)
    yield Row("answer", str(derivation.result), str(divergence.answered), "", "int8rt's, and the runtime's")


def table(divergence: Divergence) -> str:
    """The derivation's title, and `rows` under `header`."""
    derivation = divergence.derivation
    assert derivation is not None
    about = f"{derivation.title}\nprofile {derivation.profile}; TensorFlow Lite's {derivation.source}\n\n"
    cells = [(row.name, row.expected, row.answered, row.real, row.rule) for row in rows(divergence)]
    return about + columns(header(divergence), cells, right=(1, 2, 3))


def explanations(divergence: Divergence) -> Iterator[str]:
    """Which arithmetics give the runtime's value there, and how many of the run's elements, best first."""
    found = dict(divergence.arithmetics)
    whole = [name for name, count in found.items() if count == divergence.elements]
    if whole:  # those that explain everything; without mistakes where they do so, too
        found = {name: found[name] for name in ([n for n in whole if ";" not in n] or whole)}
    elif not found:
        found = {Rounding[name].value: count for name, count in divergence.roundings.items()}
    for name, count in list(found.items())[:_MOST]:
        share = "all" if count == divergence.elements else f"{count} of"
        more = f", and {share} {divergence.elements} elements of the run" if divergence.elements > 1 else ""
        yield f"{name}: gives {divergence.answered} there{more}"
    if not found and divergence.derivation is not None:
        yield f"none of the known arithmetics gives {divergence.answered} there"


def _matched(expected: Sequence[Line], found: Sequence[Line]) -> Iterator[Row]:
    """Steps of the same name in one row."""
    matcher = SequenceMatcher(None, [line.name for line in expected], [line.name for line in found], autojunk=False)
    for kind, low, high, first, last in matcher.get_opcodes():
        if kind == "equal":
            for one, other in zip(expected[low:high], found[first:last], strict=True):
                yield _row(one, "" if one.value == other.value else shown_value(other.value))
        else:
            yield from (_row(line, "") for line in expected[low:high])
            for line in found[first:last]:
                yield Row(line.name, "", shown_value(line.value), shown_real(line.real), line.rule)


def _row(line: Line, answered: str) -> Row:
    return Row(line.name, shown_value(line.value), answered, shown_real(line.real), line.rule)
