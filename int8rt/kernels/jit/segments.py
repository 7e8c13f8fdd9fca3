"""A program's steps as they are run: rows of its table in as few calls as can be, and NumPy steps between them."""

from __future__ import annotations

from collections.abc import Iterator

from int8rt.kernels.jit.lowering import NumpyStep
from int8rt.kernels.jit.program import Program
from int8rt.plan import Plan, Step

# What is run at once: rows of the table [first, last), or a step of NumPy's.
Segment = tuple[int, int] | Step


def items(plan: Plan, program: Program, settled: bool) -> Iterator[tuple[Step, tuple[int, int] | NumpyStep | None]]:
    """Each step with its rows of the table, a `NumpyStep`, or None where nothing is to be done.

    settled: whether the variables that subgraphs share live in the program's memory, so that its copies are of use, and
    all subgraphs that are called once have been.
    """
    for step, item in zip(plan.steps, program.order, strict=True):
        if step.position in program.moves and not settled:
            yield step, NumpyStep()
        elif settled and step.operator.name == "CALL_ONCE":
            yield step, None
        else:
            yield step, item


def segments(plan: Plan, program: Program, settled: bool) -> list[Segment]:
    """What is to be run, in order."""
    found: list[Segment] = []

    def add(first: int, last: int) -> None:
        previous = found[-1] if found else None
        if isinstance(previous, tuple) and previous[1] == first:
            found[-1] = (previous[0], last)
        elif first < last:
            found.append((first, last))

    add(*program.inward)
    for step, item in items(plan, program, settled):
        if item is None or step.position in program.unneeded:
            continue
        if isinstance(item, NumpyStep):
            found.append(step)
        else:
            add(*item)
    add(*program.outward)
    return found
