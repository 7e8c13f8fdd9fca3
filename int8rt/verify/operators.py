"""Judging operators one by one: by the inputs that the runtime gave them, or cut out of the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import EvaluationError, Int8rtError, ModelError
from int8rt.model import Model
from int8rt.quantization.profiles import PROFILES
from int8rt.schema import write_model
from int8rt.verify.cut import cut_operator
from int8rt.verify.findings import Findings, add, decide, together
from int8rt.verify.first import Evidence
from int8rt.verify.hints import hint
from int8rt.verify.kept import State, evidence_state, findings_state, restored_findings
from int8rt.verify.runtimes.base import WITHOUT_DATA, Answer, Fault, Runtime
from int8rt.verify.statistics import Statistics, measure, restored
from int8rt.verify.teacher import Teacher
from int8rt.verify.unwritten import unwritten_elements
from int8rt.verify.verdict import OperatorReport, TensorReport, Verdict

Array = npt.NDArray[Any]


class Run:
    """One run: its inputs and what int8rt makes of them. expected: every tensor by index."""

    def __init__(self, model: Model, label: str, inputs: Sequence[Array], expected: Mapping[int, Array]) -> None:
        self.model, self.label, self.inputs, self.expected = model, label, inputs, expected
        self.given = dict(zip(model.subgraphs[0].inputs, inputs, strict=True))
        self._unwritten = unwritten_elements(model, expected)
        self._teachers: dict[str, Teacher] = {}

    def teacher(self, profile: str) -> Teacher:
        """int8rt's operators in a profile, for inputs of these shapes."""
        if profile not in self._teachers:
            self._teachers[profile] = Teacher(self.model, self.inputs, profile)
        return self._teachers[profile]

    def measure(self, index: int, found: Array | None, expected: Array) -> Statistics:
        """`statistics.measure` of tensor `index`, without the elements that TensorFlow Lite leaves unwritten."""
        mask = self._unwritten.get(index)
        if mask is not None and found is not None and found.shape == mask.shape:
            found = np.where(mask, expected.astype(found.dtype), found)
        statistics = measure(found, expected, self.label)
        if statistics.mismatch and found is not None:
            guess = hint(found, expected, self.model.subgraphs[0].tensors[index])
            return replace(statistics, mismatch=f"{statistics.mismatch}; {guess}") if guess else statistics
        return statistics


class OperatorJudge:
    """What is found out about each operator of a model, over several runs.

    evidence: the largest difference of the first operator that differs by itself.
    """

    def __init__(self, model: Model, runtime: Runtime, profile: str) -> None:
        self._model, self._runtime, self._profile = model, runtime, profile
        self._subgraph = model.subgraphs[0]
        others = [name for name in PROFILES if name != profile]
        self._findings = [Findings(list(others)) for _ in self._subgraph.operators]
        self.evidence: Evidence | None = None

    def add(self, run: Run, answer: Answer | None) -> bool:
        """Judge every operator by one run; whether all were judged by the inputs that the runtime gave them.

        answer: the runtime's, with the tensors that it shows; None without one.
        """
        alone, all_own = self._runtime.capabilities().any_model, True
        for position in range(len(self._findings)):
            own = answer is not None and self._from_own_inputs(run, position, answer)
            all_own = all_own and own
            if not own and alone:
                self._cut_out(run, position)
        return all_own

    def reports(self, bound: float) -> Iterator[OperatorReport]:
        """The verdicts, in the order of execution; see `Judge.judgement`."""
        for position, (operator, findings) in enumerate(zip(self._subgraph.operators, self._findings, strict=True)):
            verdict, least = decide(findings, bound)
            yield OperatorReport(
                position,
                operator.label,
                tuple(self._subgraph.tensors[index].name for index in operator.outputs),
                verdict,
                tuple(findings.candidates) if verdict is Verdict.OTHER_PROFILE else (),
                together(findings.local),
                findings.alone,
                together(findings.accumulated),
                least,
                str(findings.fault) if findings.fault is not None else "",
                tuple(
                    TensorReport(
                        index,
                        self._subgraph.tensors[index].name,
                        findings.local.get(index),
                        findings.accumulated.get(index),
                    )
                    for index in dict.fromkeys(operator.outputs)
                ),
            )

    @property
    def out_of_time(self) -> bool:
        """Whether the runtime did not answer for an operator in time."""
        return any(findings.fault is not None and findings.fault.kind == "timeout" for findings in self._findings)

    def state(self) -> State:
        """What is known so far, as plain data and arrays."""
        about: dict[str, Any] = {"operators": [findings_state(findings) for findings in self._findings]}
        if self.evidence is None:
            return about, {}
        evidence, arrays = evidence_state(self.evidence)
        return about | {"evidence": evidence}, arrays

    def resume(self, state: State, runs: Mapping[str, Sequence[Array]]) -> None:
        """Go on from `state`. runs: label to inputs, of the runs that it is of."""
        about, arrays = state
        self._findings = [restored_findings(data) for data in about["operators"]]
        self.evidence = None
        if "evidence" in about:
            statistics = restored(about["evidence"]["statistics"])
            teacher = Teacher(self._model, runs[statistics.run], self._profile)
            inputs = {int(name[1:]): value for name, value in arrays.items() if name != "found"}
            position = about["evidence"]["position"]
            self.evidence = Evidence(position, teacher, inputs, arrays["found"], statistics)

    def _from_own_inputs(self, run: Run, position: int, answer: Answer) -> bool:
        """Judge an operator by the runtime's own tensors; False where they are not all there."""
        findings, expected = self._findings[position], run.expected
        outputs = self._subgraph.operators[position].outputs
        indices = [i for i in outputs if self._subgraph.tensors[i].type not in WITHOUT_DATA]
        if not all(index in answer.tensors for index in indices):
            return False
        seen = {index: run.measure(index, answer.tensors[index], expected[index]) for index in indices}
        if self._folded(run, position) and not all(statistics.equal for statistics in seen.values()):
            return False
        for index, statistics in seen.items():
            add(findings.accumulated, index, statistics)
        fitting = {i: v for i, v in answer.tensors.items() if i in expected and _same_form(v, expected[i])}
        inputs = run.teacher(self._profile).inputs(position, {**fitting, **run.given})
        if inputs is None:
            return False
        return self._compare(run, position, inputs, {index: answer.tensors[index] for index in indices})

    def _folded(self, run: Run, position: int) -> bool:
        """Whether an operator writes only what is known without running. Runtimes that compute that once, as they load
        the model, may leave the tensors unwritten; what reads them is judged with the right constants.
        """
        constants = run.teacher(self._profile).plan.constants
        return all(index in constants for index in self._subgraph.operators[position].outputs)

    def _cut_out(self, run: Run, position: int) -> None:
        """Judge an operator as a model of its own, from the right inputs."""
        findings, operator = self._findings[position], self._subgraph.operators[position]
        if findings.fault is not None:
            return
        teacher, values = run.teacher(self._profile), {**run.given, **run.expected}
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
            # A model of constants alone is no fair question: XNNPACK takes DEQUANTIZE there, and then fails.
            if not self._folded(run, position):
                findings.fault = fault
            return
        findings.alone = True
        self._compare(run, position, inputs, dict(zip(dict.fromkeys(operator.outputs), answer.outputs, strict=True)))

    def _compare(self, run: Run, position: int, inputs: Mapping[int, Array], found: Mapping[int, Array | None]) -> bool:
        """Compare what the runtime made of these inputs with what int8rt does; False where int8rt can't compute."""
        findings, teacher = self._findings[position], run.teacher(self._profile)
        try:
            right = teacher.outputs(position, inputs)
        except EvaluationError:  # the runtime's own numbers can be outside the operator's domain
            return False
        for place, (index, value) in enumerate(found.items()):
            statistics = run.measure(index, value, right[index])
            add(findings.local, index, statistics)
            if place == 0 and value is not None and statistics.different:
                self._keep(Evidence(position, teacher, inputs, value, statistics))
        findings.candidates = [name for name in findings.candidates if _explains(run, name, position, inputs, found)]
        return True

    def _keep(self, evidence: Evidence) -> None:
        """Of all evidence keep that on the first operator which differs, and there the largest difference."""
        kept = self.evidence
        if kept is not None and evidence.position == kept.position:
            better = evidence.statistics.largest > kept.statistics.largest
        else:
            better = kept is None or evidence.position < kept.position
        if better:
            self.evidence = evidence


def _explains(
    run: Run, profile: str, position: int, inputs: Mapping[int, Array], found: Mapping[int, Array | None]
) -> bool:
    """Whether a profile gives what was found; not where it lacks an operator of the model."""
    try:
        outputs = run.teacher(profile).outputs(position, inputs)
    except Int8rtError:
        return False
    return all(measure(value, outputs[index]).equal for index, value in found.items())


def _same_form(found: Array, expected: Array) -> bool:
    return found.shape == expected.shape and found.dtype == expected.dtype
