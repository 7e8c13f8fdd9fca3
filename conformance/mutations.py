"""Deliberately wrong arithmetics, and which cases of the operator suite catch them: `python -m conformance.mutations`.

Each is what someone could have written instead (`int8rt.verify.identify.mutants`), run on every case of its operators.
With --write the table goes into docs/mutations.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from conformance.pages import DOCS, page_command
from int8rt.conformance.cases import Case, all_cases
from int8rt.verify.difference import compare_arrays
from int8rt.verify.identify.mutants import MUTATIONS, Mutation
from int8rt.verify.identify.piece import Piece
from int8rt.verify.teacher import Teacher

PAGE = DOCS / "mutations.md"
_TEXT = """# The strength of the operator suite

Each line is one deliberately wrong arithmetic of one operator: how many of the operator's cases catch it, of how many
on which the mistake can be made at all; in which groups of the suite they are; and the first of them. A case catches
it where one element of the output has another value.

Written by `python -m conformance.mutations --write`; a test keeps it in step. {operators} operators, {wrong} mistakes,
{lines} lines, {survivors} without a case.

| operator | mistake | caught by | groups | the first |
|---|---|---:|---|---|
"""


@dataclass(frozen=True, slots=True)
class Kill:
    """killers: names of the cases that catch it. groups: how many by group of the suite. cases: where it applies."""

    operator: str
    wrong: str
    killers: tuple[str, ...]
    groups: tuple[tuple[str, int], ...]
    cases: int


def piece_of(case: Case) -> Piece:
    """The case's operator with its parameters, its inputs, and its right output in `found`."""
    model, inputs = case.make()
    teacher = Teacher(model, inputs, "tflite-ref")
    values = teacher.inputs(0, dict(zip(model.subgraphs[0].inputs, inputs, strict=True)))
    assert values is not None
    return Piece.make(case.name, teacher, 0, values, teacher.outputs(0, values)[model.subgraphs[0].outputs[0]])


def kills() -> Iterator[Kill]:
    """What became of every mutation of every operator."""
    for operator in dict.fromkeys(name for mutation in MUTATIONS for name in mutation.operators):
        pieces = [piece_of(case) for case in all_cases() if case.operator == operator and case.expect == "exact"]
        for mutation in MUTATIONS:
            if operator in mutation.operators:
                yield _kill(operator, mutation, pieces)


def _kill(operator: str, mutation: Mutation, pieces: list[Piece]) -> Kill:
    killers, tried = [], 0
    for piece in pieces:
        wrong = mutation.run(piece)
        if wrong is not None:
            tried += 1
            if compare_arrays(wrong, piece.found):
                killers.append(piece.source)
    groups = Counter(name.split("/")[2] for name in killers)
    return Kill(operator, mutation.wrong, tuple(killers), tuple(groups.items()), tried)


def page() -> str:
    """docs/mutations.md."""
    found = list(kills())
    head = _TEXT.format(
        operators=len({kill.operator for kill in found}),
        wrong=len({kill.wrong for kill in found}),
        lines=len(found),
        survivors=sum(not kill.killers for kill in found),
    )
    return head + "".join(_line(kill) for kill in found)


def _line(kill: Kill) -> str:
    groups = ", ".join(f"{name} {count}" for name, count in kill.groups)
    first = f"`{kill.killers[0]}`" if kill.killers else "none"
    return f"| {kill.operator} | {kill.wrong} | {len(kill.killers)} of {kill.cases} | {groups} | {first} |\n"


if __name__ == "__main__":
    page_command("conformance.mutations", PAGE, page)
