"""A runtime beside int8rt: every output, and every operator by what it does itself.

Equality comes first. Where a runtime shows its intermediate tensors, each operator is computed again by int8rt from the
inputs that it really had, so that no operator is blamed for what came before it. Where it doesn't, operators are cut
out into models of their own and get int8rt's inputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import EvaluationError, Int8rtError, ModelError
from int8rt.interpreter import Backend
from int8rt.model import Model
from int8rt.quantization.profiles import PROFILES, get_profile
from int8rt.schema import write_model
from int8rt.verify.compare import run_int8rt
from int8rt.verify.cut import cut_operator
from int8rt.verify.findings import Findings, decide
from int8rt.verify.first import Evidence, diverging
from int8rt.verify.runtimes.base import WITHOUT_DATA, Answer, Fault, Runtime, written
from int8rt.verify.statistics import Statistics, measure, top1
from int8rt.verify.teacher import Teacher
from int8rt.verify.unwritten import unwritten_elements
from int8rt.verify.verdict import FaultReport, Judgement, OperatorReport, OutputReport, Verdict

Array = npt.NDArray[Any]


@dataclass(slots=True)
class _Output:
    statistics: Statistics = field(default_factory=Statistics)
    rows: int = 0
    agreeing: int = 0


class Judge:
    """One model, one runtime; `add` runs, then `judgement`.

    content: the file that `model` was read from. operators: judge them too, not only the outputs.
    Raises `UnavailableError` where the runtime isn't there, and whatever int8rt raises for the model.
    """

    def __init__(
        self,
        model: Model,
        content: bytes,
        runtime: Runtime,
        *,
        profile: str = "tflite-ref",
        backend: Backend = "auto",
        operators: bool = True,
    ) -> None:
        self._model, self._content, self._runtime = model, content, runtime
        self._subgraph = model.subgraphs[0]
        self._profile, self._backend = get_profile(profile).name, backend
        others = [name for name in PROFILES if name != self._profile]
        self._findings = [Findings(list(others)) for _ in self._subgraph.operators] if operators else []
        self._outputs = [_Output() for _ in self._subgraph.outputs]
        self._runs: list[str] = []
        self._faults: list[FaultReport] = []
        self._seconds: dict[str, float] = {}
        self._evidence: Evidence | None = None
        self._unwritten: Mapping[int, Array] = {}

    def add(self, label: str, inputs: Sequence[Array]) -> None:
        """Run both on these inputs, in the order of the model's, and compare."""
        expected, _ = run_int8rt(self._model, inputs, self._profile, self._backend, keep=True)
        self._unwritten = unwritten_elements(self._model, expected)
        self._runs.append(label)
        answer = self._ask(label, inputs, expected)
        given = dict(zip(self._subgraph.inputs, inputs, strict=True))
        if self._findings:
            teachers = {name: Teacher(self._model, inputs, name) for name in (self._profile, *self._others())}
            for position in range(len(self._findings)):
                known = answer is not None and self._from_own_inputs(label, position, teachers, given, answer, expected)
                if not known and self._runtime.capabilities().any_model:
                    self._cut_out(label, position, teachers, given | expected)

    def _others(self) -> set[str]:
        return {name for findings in self._findings for name in findings.candidates}

    def _ask(self, label: str, inputs: Sequence[Array], expected: Mapping[int, Array]) -> Answer | None:
        """The runtime's answer, with its outputs measured; None where there is none."""
        capabilities = self._runtime.capabilities()
        read = [index for _, index in written(self._subgraph)] if self._findings and capabilities.intermediates else []
        try:
            self._runtime.prepare(self._model, self._content)
            answer = self._runtime.run(inputs, [] if capabilities.reading_matters else read)
            self._seconds[label] = answer.seconds
            self._measure_outputs(label, answer, expected)
        except Fault as fault:
            self._faults.append(FaultReport(label, fault.kind, str(fault)))
            return None
        if not capabilities.reading_matters or not read:
            return answer
        try:
            return self._runtime.run(inputs, read)
        except Fault:  # not with all tensors kept; operators can still be cut out
            return None

    def _measure_outputs(self, label: str, answer: Answer, expected: Mapping[int, Array]) -> None:
        for place, index in enumerate(self._subgraph.outputs):
            if self._subgraph.tensors[index].type in WITHOUT_DATA:
                continue
            output, found = self._outputs[place], answer.outputs[place]
            statistics = self._measure(index, found, expected[index], label)
            output.statistics += statistics
            if found is not None and not statistics.mismatch:
                rows, agreeing = top1(found, expected[index])
                output.rows += rows
                output.agreeing += agreeing

    def _from_own_inputs(
        self,
        label: str,
        position: int,
        teachers: Mapping[str, Teacher],
        given: Mapping[int, Array],
        answer: Answer,
        expected: Mapping[int, Array],
    ) -> bool:
        """Judge an operator by the runtime's own tensors; False where they are not all there."""
        findings, operator = self._findings[position], self._subgraph.operators[position]
        indices = [i for i in operator.outputs if self._subgraph.tensors[i].type not in WITHOUT_DATA]
        if not all(index in answer.tensors for index in indices):
            return False
        for index in indices:
            statistics = self._measure(index, answer.tensors[index], expected[index], label)
            findings.accumulated = _sum(findings.accumulated, statistics)
        fitting = {i: v for i, v in answer.tensors.items() if i in expected and _same_form(v, expected[i])}
        inputs = teachers[self._profile].inputs(position, {**fitting, **given})
        if inputs is None:
            return False
        found = {index: answer.tensors[index] for index in indices}
        return self._compare(label, findings, position, teachers, inputs, found)

    def _cut_out(self, label: str, position: int, teachers: Mapping[str, Teacher], values: Mapping[int, Array]) -> None:
        """Judge an operator as a model of its own, from the right inputs."""
        findings, operator = self._findings[position], self._subgraph.operators[position]
        if findings.fault is not None:
            return
        teacher = teachers[self._profile]
        inputs = teacher.inputs(position, values)
        if inputs is None:
            return
        try:
            cut = cut_operator(self._model, position, values, teacher.plan.constants)
            if cut is None:
                return
            model, needed = cut
            self._runtime.prepare(model, write_model(model))
            answer = self._runtime.run([inputs[index] for index in needed])
        except ModelError:  # what has no form as a file, a handle for example
            return
        except Fault as fault:
            findings.fault = fault
            return
        findings.alone = True
        found = dict(zip(dict.fromkeys(operator.outputs), answer.outputs, strict=True))
        self._compare(label, findings, position, teachers, inputs, found)

    def _compare(
        self,
        label: str,
        findings: Findings,
        position: int,
        teachers: Mapping[str, Teacher],
        inputs: Mapping[int, Array],
        found: Mapping[int, Array | None],
    ) -> bool:
        try:
            right = teachers[self._profile].outputs(position, inputs)
        except EvaluationError:  # the runtime's own numbers can be outside the operator's domain
            return False
        for place, (index, value) in enumerate(found.items()):
            statistics = self._measure(index, value, right[index], label)
            findings.local = _sum(findings.local, statistics)
            if place == 0 and value is not None and statistics.different:
                self._keep(Evidence(position, teachers[self._profile], inputs, value, statistics))
        findings.candidates = [
            name for name in findings.candidates if _explains(teachers[name], position, inputs, found)
        ]
        return True

    def _measure(self, index: int, found: Array | None, expected: Array, label: str) -> Statistics:
        """`measure`, without the elements that TensorFlow Lite leaves unwritten."""
        mask = self._unwritten.get(index)
        if mask is not None and found is not None and found.shape == mask.shape:
            found = np.where(mask, expected.astype(found.dtype), found)
        return measure(found, expected, label)

    def _keep(self, evidence: Evidence) -> None:
        """Of all evidence keep that on the first operator which differs, and there the largest difference."""
        kept = self._evidence
        if kept is not None and evidence.position == kept.position:
            better = evidence.statistics.largest > kept.statistics.largest
        else:
            better = kept is None or evidence.position < kept.position
        if better:
            self._evidence = evidence

    def judgement(self, bound: float = 0) -> Judgement:
        """The verdicts on all runs so far. bound: how many steps an operator may be off and still pass."""
        outputs = [
            OutputReport(index, self._subgraph.tensors[index].name, o.statistics, o.rows, o.agreeing)
            for index, o in zip(self._subgraph.outputs, self._outputs, strict=True)
        ]
        return Judgement(
            self._runtime.capabilities().description,
            self._profile,
            bound,
            tuple(self._runs),
            tuple(outputs),
            tuple(self._operators(bound)),
            tuple(self._faults),
            dict(self._seconds),
            None if self._evidence is None else diverging(self._evidence),
        )

    def _operators(self, bound: float) -> Iterator[OperatorReport]:
        for position, (operator, findings) in enumerate(zip(self._subgraph.operators, self._findings, strict=False)):
            names = tuple(self._subgraph.tensors[index].name for index in operator.outputs)
            verdict, least = decide(findings, bound)
            message = str(findings.fault) if findings.fault is not None else ""
            yield OperatorReport(
                position,
                operator.label,
                names,
                verdict,
                tuple(findings.candidates) if verdict is Verdict.OTHER_PROFILE else (),
                findings.local,
                findings.alone,
                findings.accumulated,
                least,
                message,
            )


def _explains(teacher: Teacher, position: int, inputs: Mapping[int, Array], found: Mapping[int, Array | None]) -> bool:
    try:
        outputs = teacher.outputs(position, inputs)
    except Int8rtError:
        return False
    return all(measure(value, outputs[index]).equal for index, value in found.items())


def _sum(first: Statistics | None, second: Statistics) -> Statistics:
    return second if first is None else first + second


def _same_form(found: Array, expected: Array) -> bool:
    return found.shape == expected.shape and found.dtype == expected.dtype


def judge(
    model: Model,
    content: bytes,
    runtime: Runtime,
    runs: Sequence[tuple[str, Sequence[Array]]],
    *,
    profile: str = "tflite-ref",
    backend: Backend = "auto",
    bound: float = 0,
    operators: bool = True,
) -> Judgement:
    """The judgement on `runs`, (label, inputs) each; see `Judge`."""
    worker = Judge(model, content, runtime, profile=profile, backend=backend, operators=operators)
    for label, inputs in runs:
        worker.add(label, inputs)
    return worker.judgement(bound)
