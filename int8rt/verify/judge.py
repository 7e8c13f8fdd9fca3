"""A runtime beside int8rt: every output, and every operator by what it does itself.

Equality comes first. Where a runtime shows its intermediate tensors, each operator is computed again by int8rt from the
inputs that it really had, so that no operator is blamed for what came before it. Where it doesn't, operators are cut
out into models of their own and get int8rt's inputs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from int8rt import __version__
from int8rt.interpreter import Backend
from int8rt.model import Model
from int8rt.quantization.profiles import get_profile
from int8rt.verify.compare import run_int8rt
from int8rt.verify.first import diverging
from int8rt.verify.kept import Kept, State
from int8rt.verify.operators import OperatorJudge, Run
from int8rt.verify.runtimes.base import WITHOUT_DATA, Answer, Fault, Runtime, written
from int8rt.verify.runtimes.remember import Remembering
from int8rt.verify.statistics import Statistics, restored, top1
from int8rt.verify.verdict import FaultReport, Judgement, OutputReport

Array = npt.NDArray[Any]


@dataclass(slots=True)
class _Output:
    statistics: Statistics = field(default_factory=Statistics)
    rows: int = 0
    agreeing: int = 0
    gap: float | None = 0.0


class Judge:
    """One model, one runtime; `add` runs, then `judgement`.

    content: the file that `model` was read from. operators: judge them too, not only the outputs. A runtime with a
    folder (`runtimes.remember`) has what was judged kept there too: a run that is there is not judged again.
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
        self._operators = OperatorJudge(model, runtime, self._profile) if operators else None
        self._outputs = [_Output() for _ in self._subgraph.outputs]
        self._kept: Kept | None = None
        if isinstance(runtime, Remembering):
            self._kept = Kept(runtime.folder, f"{__version__} {self._profile} {backend} {operators}")
        self._runs: list[tuple[str, Sequence[Array]]] = []
        self._faults: list[FaultReport] = []
        self._seconds: dict[str, float] = {}

    def add(self, label: str, inputs: Sequence[Array]) -> None:
        """Run both on these inputs, in the order of the model's, and compare."""
        known = None if self._kept is None else self._kept.next(self._content, label, inputs)
        self._runs.append((label, inputs))
        if known is not None:
            self._resume(known)
            return
        expected, _ = run_int8rt(self._model, inputs, self._profile, self._backend, keep=True)
        run = Run(self._model, label, inputs, expected)
        whole, answer = self._ask(run)
        seen = self._operators is not None and self._operators.add(run, answer)
        if whole is not None:
            self._measure_gaps(run, whole, answer if seen else None)
        if self._kept is not None and not self._out_of_time():
            self._kept.write(*self._state())

    def _out_of_time(self) -> bool:
        """Whether an answer did not come in time; with a longer limit it may."""
        own = self._operators is not None and self._operators.out_of_time
        return own or any(fault.kind == "timeout" for fault in self._faults)

    def _state(self) -> State:
        about, arrays = ({}, {}) if self._operators is None else self._operators.state()
        about["outputs"] = [dataclasses.asdict(output) for output in self._outputs]
        about["faults"] = [dataclasses.asdict(fault) for fault in self._faults]
        return about | {"seconds": self._seconds}, arrays

    def _resume(self, state: State) -> None:
        about, _ = state
        self._outputs = [
            _Output(restored(o["statistics"]), o["rows"], o["agreeing"], o.get("gap")) for o in about["outputs"]
        ]
        self._faults = [FaultReport(**fault) for fault in about["faults"]]
        self._seconds = dict(about["seconds"])
        if self._operators is not None:
            self._operators.resume(state, dict(self._runs))

    def _ask(self, run: Run) -> tuple[Answer | None, Answer | None]:
        """The runtime's answer, with its outputs measured, and the one with the tensors that it shows; or None."""
        capabilities = self._runtime.capabilities()
        wanted = self._operators is not None and capabilities.intermediates
        read = [index for _, index in written(self._subgraph)] if wanted else []
        try:
            self._runtime.prepare(self._model, self._content)
            answer = self._runtime.run(run.inputs, [] if capabilities.reading_matters else read)
        except Fault as fault:
            self._faults.append(FaultReport(run.label, fault.kind, str(fault)))
            return None, None
        self._seconds[run.label] = answer.seconds
        self._measure_outputs(run, answer)
        if not capabilities.reading_matters or not read:
            return answer, answer
        try:
            return answer, self._runtime.run(run.inputs, read)
        except Fault:  # not with all tensors kept; operators can still be cut out
            return answer, None

    def _measure_outputs(self, run: Run, answer: Answer) -> None:
        for place, index in enumerate(self._subgraph.outputs):
            if self._subgraph.tensors[index].type in WITHOUT_DATA:
                continue
            output, found = self._outputs[place], answer.outputs[place]
            statistics = run.measure(index, found, run.expected[index])
            output.statistics += statistics
            if found is not None and not statistics.mismatch:
                rows, agreeing = top1(found, run.expected[index])
                output.rows += rows
                output.agreeing += agreeing

    def _measure_gaps(self, run: Run, whole: Answer, shown: Answer | None) -> None:
        """How far outputs are from the tensors that operators were seen to write. shown: None where not all were."""
        for place, index in enumerate(self._subgraph.outputs):
            output, found = self._outputs[place], whole.outputs[place]
            seen = None if shown is None else shown.tensors.get(index, shown.outputs[place])
            gap = None if found is None or seen is None else run.measure(index, found, seen)
            known = output.gap is not None and gap is not None and not gap.mismatch
            output.gap = max(output.gap or 0.0, gap.largest) if known and gap is not None else None

    def judgement(self, bound: float = 0) -> Judgement:
        """The verdicts on all runs so far. bound: how many steps an operator may be off and still pass."""
        outputs = [
            OutputReport(index, self._subgraph.tensors[index].name, o.statistics, o.rows, o.agreeing, o.gap)
            for index, o in zip(self._subgraph.outputs, self._outputs, strict=True)
        ]
        operators = self._operators
        evidence = None if operators is None else operators.evidence
        return Judgement(
            self._runtime.capabilities().description,
            self._profile,
            bound,
            tuple(label for label, _ in self._runs),
            tuple(outputs),
            () if operators is None else tuple(operators.reports(bound)),
            tuple(self._faults),
            dict(self._seconds),
            None if evidence is None else diverging(evidence),
        )


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
