"""Run probes and the user's model, try every known arithmetic on what came back, and count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import Int8rtError, ModelError
from int8rt.model import Model, TensorType
from int8rt.schema import write_model
from int8rt.verify.compare import run_int8rt
from int8rt.verify.cut import cut_operator
from int8rt.verify.identify.kinds import (
    GROUPED,
    KINDS,
    candidates,
    covered,
    kind_of,
    known_type,
    type_of,
)
from int8rt.verify.identify.piece import Piece
from int8rt.verify.identify.probe_table import probes
from int8rt.verify.identify.whole import by_profile
from int8rt.verify.runtimes.base import Answer, Fault, Runtime, written
from int8rt.verify.teacher import Teacher

Array = npt.NDArray[Any]

# Operators of the user's model with more elements are not looked at; nor is a runtime asked after so many crashes.
_MOST_ELEMENTS = 1 << 22
_MOST_FAULTS = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """What one operator kind computes with.

    arithmetic: the known one that gives every element, None where none does. others: those that do as well: nothing
    here tells them apart. elements: how many were looked at; parting: on how many the known ones (without mistakes) do
    not all agree. nearest: of those that fail, the one that fails on the fewest elements: `residual`, the first of them
    in `where`. faults: probes that the runtime did not answer, in its words.
    """

    operator: str
    type: str
    arithmetic: str | None
    others: tuple[str, ...]
    elements: int
    parting: int
    nearest: str | None
    residual: int
    where: str
    faults: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.elements:
            return "no answer"
        if self.arithmetic is not None:
            return " | ".join((self.arithmetic, *self.others))
        return f"none of the known ones; nearest: {self.nearest}, {self.residual} of {self.elements} elements differ"


@dataclass(frozen=True, slots=True)
class Identification:
    """runtime: its description. uncovered: operators of the model that no arithmetic is known for here."""

    runtime: str
    findings: tuple[Finding, ...]
    uncovered: tuple[str, ...]

    @property
    def known(self) -> bool:
        """Whether every kind has a name."""
        return all(finding.arithmetic is not None for finding in self.findings)


@dataclass(slots=True)
class _Count:
    """right: arithmetic to how many elements it gives. example: the first piece that each is wrong on. pieces: all."""

    right: dict[str, int] = field(default_factory=dict)
    example: dict[str, str] = field(default_factory=dict)
    elements: int = 0
    parting: int = 0
    pieces: list[Piece] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def add(self, piece: Piece) -> None:
        """Try every arithmetic on one more operator."""
        self.elements += piece.found.size
        self.pieces.append(piece)
        first: Array | None = None
        parting = np.zeros(piece.found.shape, np.bool_)
        for name, value in candidates(piece):
            self._count(piece, name, value)
            if first is None:
                first = value
            if ";" not in name:
                parting |= value != first
        self.parting += int(np.count_nonzero(parting))

    def _count(self, piece: Piece, name: str, value: Array) -> None:
        right = int(np.count_nonzero(value == piece.found))
        self.right[name] = self.right.get(name, 0) + right
        if right < piece.found.size:
            self.example.setdefault(name, piece.source)

    def finding(self, operator: str, type: TensorType) -> Finding:
        """What follows; simpler arithmetics come first, and profiles only where none of these explains all."""
        # A mistake that changes nothing is none.
        if not (good := [name for name in self._good() if ";" not in name]):
            for piece in self.pieces:
                for name, value in by_profile(piece):
                    self._count(piece, name, value)
            good = self._good()
        bad = {name: self.elements - right for name, right in self.right.items() if right < self.elements}
        nearest = min(bad, key=lambda name: bad[name], default=None)
        residual = 0 if nearest is None else bad[nearest]
        return Finding(
            operator,
            type.label,
            good[0] if good else None,
            tuple(good[1:]),
            self.elements,
            self.parting,
            nearest,
            residual,
            "" if nearest is None else self.example.get(nearest, ""),
            tuple(dict.fromkeys(self.faults)),
        )

    def _good(self) -> list[str]:
        return [name for name, right in self.right.items() if right == self.elements]


def identify(
    model: Model,
    content: bytes,
    runtime: Runtime,
    runs: Sequence[tuple[str, Sequence[Array]]],
    *,
    seed: int = 0,
    probing: bool = True,
) -> Identification:
    """What `runtime` computes each operator kind of the first subgraph with. runs: (label, inputs) for the model.

    Operators are judged by what they do themselves: by the runtime's own intermediate tensors where it shows them, else
    cut out; and by probes, where it takes other models and `probing` asks for them. Raises `UnavailableError` where the
    runtime isn't there.
    """
    counts: dict[tuple[str, TensorType], _Count] = {}
    for piece in _of_model(model, content, runtime, runs, counts):
        if covered(piece):
            kind = kind_of(piece.operator, model.subgraphs[0].tensors)
            counts.setdefault((kind, _type(piece)), _Count()).add(piece)
    graph = model.subgraphs[0]
    kinds = [(kind_of(o, graph.tensors), type_of(o, graph.tensors)) for o in graph.operators if o.outputs]
    wanted = [k for k in dict.fromkeys(kinds) if (k[0] in KINDS or k[0] == GROUPED) and known_type(*k)]
    if probing and runtime.capabilities().any_model:
        for operator, type in wanted:
            for piece in _of_probes(runtime, operator, type, seed, counts.setdefault((operator, type), _Count())):
                counts[operator, type].add(piece)
    findings = tuple(counts[kind].finding(*kind) for kind in wanted if kind in counts)
    uncovered = [f"{name} {type.label}" for name, type in dict.fromkeys(kinds) if (name, type) not in counts]
    return Identification(runtime.capabilities().description, findings, tuple(uncovered))


def _type(piece: Piece) -> TensorType:
    input = piece.tensors[0]
    return input.type if piece.operator.name == "DEQUANTIZE" and input is not None else piece.output.type


def _of_model(
    model: Model,
    content: bytes,
    runtime: Runtime,
    runs: Sequence[tuple[str, Sequence[Array]]],
    counts: Mapping[tuple[str, TensorType], _Count],
) -> Iterator[Piece]:
    """Operators of the user's model, with what they got and gave."""
    capabilities, graph = runtime.capabilities(), model.subgraphs[0]
    for label, inputs in runs:
        expected, _ = run_int8rt(model, inputs, "tflite-ref", "auto", keep=True)
        teacher = Teacher(model, inputs, "tflite-ref")
        given = dict(zip(graph.inputs, inputs, strict=True))
        shown: Mapping[int, Array] = {}
        if capabilities.intermediates or not capabilities.any_model:
            wanted = [index for _, index in written(graph)] if capabilities.intermediates else []
            try:
                runtime.prepare(model, content)
                answer = runtime.run(inputs, wanted)
            except Fault:  # operators can still be cut out
                answer = Answer(())
            outputs = zip(graph.outputs, answer.outputs, strict=False)
            shown = {index: value for index, value in outputs if value is not None} | dict(answer.tensors)
        fitting = {i: v for i, v in shown.items() if i in expected and v.dtype == expected[i].dtype}
        fitting = {i: v for i, v in fitting.items() if v.shape == expected[i].shape}
        for position, operator in enumerate(graph.operators):
            if operator.name not in KINDS:
                continue
            output = operator.outputs[0]
            own = teacher.inputs(position, {**fitting, **given})
            found: Array | None = fitting.get(output)
            if own is None or found is None:
                own = teacher.inputs(position, {**expected, **given})
                cut_out = capabilities.any_model and own is not None
                found = _cut_out(model, runtime, teacher, position, {**expected, **given}) if cut_out else None
            if own is None or found is None or found.size > _MOST_ELEMENTS:
                continue
            if found.shape == expected[output].shape and found.dtype == expected[output].dtype:
                yield Piece.make(f"operator {position}, {label}", teacher, position, own, found)


def _cut_out(
    model: Model, runtime: Runtime, teacher: Teacher, position: int, values: Mapping[int, Array]
) -> Array | None:
    try:
        cut = cut_operator(model, position, values, teacher.plan.constants)
        if cut is None:
            return None
        runtime.prepare(cut[0], write_model(cut[0]))
        return runtime.run([values[index] for index in cut[1]]).outputs[0]
    except (Fault, ModelError):
        return None


def _of_probes(runtime: Runtime, operator: str, type: TensorType, seed: int, count: _Count) -> Iterator[Piece]:
    """What the runtime makes of the probes. A runtime that hangs or crashes on several is not asked further."""
    severe = 0
    for name, model, inputs in probes(operator, type, seed):
        try:
            runtime.prepare(model, write_model(model))
            found = runtime.run(inputs).outputs[0]
        except Fault as fault:
            count.faults.append(f"{name}: {fault.kind}: {str(fault)[:200]}")
            severe += fault.kind in ("crashed", "timeout")
            if severe >= _MOST_FAULTS:
                return
            continue
        output = model.subgraphs[0].tensors[model.subgraphs[0].outputs[0]]
        if found is None or found.shape != output.shape or found.dtype != output.type.dtype:
            count.faults.append(f"{name}: answer: no tensor of the right type and shape")
            continue
        try:
            teacher = Teacher(model, inputs, "tflite-ref")
            values = teacher.inputs(0, dict(zip(model.subgraphs[0].inputs, inputs, strict=True)))
            assert values is not None
            yield Piece.make(name, teacher, 0, values, found)
        except Int8rtError as error:
            raise AssertionError(f"a probe of {operator} that int8rt refuses: {error}") from error
