"""Where a run's time goes, operator by operator."""

from __future__ import annotations

import time
from dataclasses import dataclass

from int8rt.executor import SubgraphExecutor
from int8rt.kernels.base import element_count
from int8rt.model import Shape


@dataclass(frozen=True, slots=True)
class StepTime:
    """One operator. seconds: the least of all runs. backend: "jit", "numpy" or "" where nothing is computed.

    macs: multiply-accumulate operations; bytes: of all tensors that it reads and writes, constants included.
    """

    position: int
    operator: str
    shape: Shape
    backend: str
    seconds: float
    macs: int
    bytes: int


def profile(executor: SubgraphExecutor, seconds: float) -> list[StepTime]:
    """Run an allocated subgraph step by step, for `seconds` and at least three times."""
    plan = executor.plan
    assert plan is not None
    least = executor.invoke_timed()
    end, runs = time.perf_counter() + seconds, 1
    while runs < 3 or time.perf_counter() < end:
        least = [min(pair) for pair in zip(least, executor.invoke_timed(), strict=True)]
        runs += 1
    found = []
    for step, backend, seconds in zip(plan.steps, executor.step_backends(), least, strict=True):
        used = {*step.operator.inputs, *step.operator.outputs} & plan.shapes.keys()
        shapes = [plan.shapes.get(index, ()) for index in step.operator.outputs]
        found.append(
            StepTime(
                position=step.position,
                operator=step.operator.label,
                shape=shapes[0] if shapes else (),
                backend=backend,
                seconds=seconds if backend else 0.0,
                macs=step.kernel.macs(step.params) if step.kernel.macs and step.params else 0,
                bytes=sum(
                    element_count(plan.shapes[index]) * plan.subgraph.tensors[index].type.dtype.itemsize
                    for index in used
                ),
            )
        )
    return found
