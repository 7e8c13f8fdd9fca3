"""Search: the smallest operator that differs, or the shortest chain; then what of its dimensions is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import InputError, Int8rtError, ModelError, UnsupportedError
from int8rt.model import Model
from int8rt.verify.compare import run_int8rt
from int8rt.verify.cut import cut_operators
from int8rt.verify.reduce.axes import groups, take
from int8rt.verify.reduce.trial import Array, Case, Trial
from int8rt.verify.runtimes.base import Runtime
from int8rt.verify.teacher import Teacher


@dataclass(frozen=True, slots=True)
class Reduction:
    """runtime: its description. run: the label of the inputs that it comes from. operators: positions in the model.

    case: what is left; original: before its dimensions were cut. tried: models that the runtime was given.
    """

    runtime: str
    profile: str
    run: str
    operators: range
    original: Case
    case: Case
    tried: int


def reduce(
    model: Model,
    runtime: Runtime,
    runs: Sequence[tuple[str, Sequence[npt.NDArray[Any]]]],
    *,
    operator: int | None = None,
    profile: str = "tflite-ref",
    budget: int = 500,
) -> Reduction | None:
    """The smallest case found in which `runtime` does something else than int8rt; None where there is none.

    operator: the position of the only one to look at. budget: models to try while cutting dimensions.
    Raises `UnsupportedError` for a runtime that takes no other models, `UnavailableError` where it isn't there.
    """
    if not runtime.capabilities().any_model:
        raise UnsupportedError("a recording can't be asked about smaller models")
    count = len(model.subgraphs[0].operators)
    if operator is not None and not 0 <= operator < count:
        raise InputError(f"there is no operator {operator}: the model has {count}")
    trial = Trial(runtime, profile)
    cutters = [(label, _Cutter(model, inputs, profile)) for label, inputs in runs]
    for label, positions, case in _found(cutters, trial, count, operator):
        smaller = shrink(case, trial, trial.runs + budget) if len(positions) == 1 else case
        described = runtime.capabilities().description
        return Reduction(described, profile, label, positions, case, smaller, trial.runs)
    return None


class _Cutter:
    """Cuts operators out of a model with the values that they have in one run."""

    def __init__(self, model: Model, inputs: Sequence[Array], profile: str) -> None:
        self.model, self.inputs = model, inputs
        values, _ = run_int8rt(model, inputs, profile, "auto", keep=True)
        self._values = values | dict(zip(model.subgraphs[0].inputs, inputs, strict=True))
        self._constants: Mapping[int, Array] = Teacher(model, inputs, profile).plan.constants

    def size(self, position: int) -> int:
        """Elements that an operator reads and writes."""
        operator = self.model.subgraphs[0].operators[position]
        known = {**self._constants, **self._values}
        return sum(known[index].size for index in (*operator.inputs, *operator.outputs) if index in known)

    def __call__(self, positions: range) -> tuple[Model, list[Array]] | None:
        """The model of these operators and its inputs; None where they can't stand alone."""
        try:
            cut = cut_operators(self.model, positions, self._values, self._constants)
        except ModelError:  # what has no form as a file
            return None
        if cut is None or not all(index in self._values for index in cut[1]):
            return None
        return cut[0], [self._values[index] for index in cut[1]]


def _found(
    cutters: Sequence[tuple[str, _Cutter]], trial: Trial, count: int, operator: int | None
) -> Iterator[tuple[str, range, Case]]:
    """First single operators, small ones first; then chains."""
    for label, cutter in cutters:
        wanted = range(count) if operator is None else [operator]
        for position in sorted(wanted, key=cutter.size):
            if (case := _try(cutter, trial, range(position, position + 1))) is not None:
                yield label, range(position, position + 1), case
    if operator is not None:
        return
    for label, cutter in cutters:
        chain = _shortest(cutter, trial, count)
        if chain is not None:
            yield label, *chain
        if (case := trial(cutter.model, cutter.inputs)) is not None:  # what can't be cut out: calls of subgraphs
            yield label, range(count), case


def _try(cutter: _Cutter, trial: Trial, positions: range, kind: str | None = None) -> Case | None:
    cut = cutter(positions)
    return None if cut is None else trial(*cut, kind)


def _shortest(cutter: _Cutter, trial: Trial, count: int) -> tuple[range, Case] | None:
    """The shortest chain that ends where the model, run from its beginning, first differs."""
    for stop in range(2, count + 1):
        case = _try(cutter, trial, range(stop))
        if case is None:
            continue
        for start in range(stop - 2, 0, -1):
            if (shorter := _try(cutter, trial, range(start, stop), case.kind)) is not None:
                return range(start, stop), shorter
        return range(stop), case
    return None


def shrink(case: Case, trial: Trial, limit: int) -> Case:
    """The case with as few elements in each dimension as still show it; `limit`: the trial's runs to stop at.

    Halves first, then smaller parts are left out, until nothing more can be.
    """
    before = None
    while before is None or case.size < before:
        before = case.size
        for group in list(groups(case.model)):
            case = _shrink_group(case, trial, group, limit)
    return case


def _shrink_group(case: Case, trial: Trial, group: Any, limit: int) -> Case:
    place, axis = group[0]

    def length() -> int:
        graph = case.model.subgraphs[0]
        return int(graph.tensors[graph.operators[0].inputs[place]].shape[axis])

    part = length() // 2
    while part and trial.runs < limit:
        everything = np.arange(length())
        starts = range(0, length(), part)
        pieces = [everything[s : s + part] for s in starts] if part > 1 or length() <= 16 else []
        pieces += [np.delete(everything, slice(s, s + part)) for s in starts]
        for kept in pieces:
            if not 0 < len(kept) < length() or trial.runs >= limit:
                continue
            try:
                smaller = trial(*take(case.model, case.inputs, group, kept), case.kind)
            except Int8rtError:
                smaller = None
            if smaller is not None:
                case = smaller
                break
        else:
            part //= 2
            continue
        part = min(part, length() // 2)
    return case
