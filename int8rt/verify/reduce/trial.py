"""One model, its inputs, and what int8rt and the runtime make of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy.typing as npt

from int8rt.errors import Int8rtError
from int8rt.model import Model
from int8rt.schema import read_model, write_model
from int8rt.verify.compare import run_int8rt
from int8rt.verify.operators import Run
from int8rt.verify.runtimes.base import WITHOUT_DATA, Fault, Runtime
from int8rt.verify.statistics import Statistics

Array = npt.NDArray[Any]

# What no model that is made here may need more of, in elements of all outputs.
_MOST_ELEMENTS = 1 << 26


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A model that shows it. expected: int8rt's outputs; actual: the runtime's, None where there is none.

    kind: "different", or that of a `Fault` ("refused", "crashed", "timeout", "answer"), whose words are the message.
    statistics: of each output.
    """

    model: Model
    content: bytes
    inputs: tuple[Array, ...]
    expected: tuple[Array, ...]
    actual: tuple[Array | None, ...]
    kind: str
    message: str
    statistics: tuple[Statistics, ...]

    @property
    def size(self) -> int:
        """Elements of all tensors, constants too."""
        total = 0
        for tensor in self.model.subgraphs[0].tensors:
            elements = 1
            for length in tensor.shape:
                elements *= max(length, 0)
            total += elements
        return total


class Trial:
    """Tries models on a runtime. runs: how many it has run so far."""

    def __init__(self, runtime: Runtime, profile: str = "tflite-ref") -> None:
        self._runtime, self._profile = runtime, profile
        self.runs = 0

    def __call__(self, model: Model, inputs: Sequence[Array], kind: str | None = None) -> Case | None:
        """The case that this model is; None where both agree, int8rt can't run it, or it goes wrong in another way.

        kind: the way wanted; any if None. Shapes of the model's outputs become what int8rt finds them to be.
        """
        try:
            # As it comes out of a file, whatever checks a file has to pass.
            expected, _ = run_int8rt(read_model(write_model(model)), inputs, self._profile, "numpy", keep=True)
            graph = model.subgraphs[0]
            tensors = tuple(
                replace(t, shape=expected[i].shape) if i in expected and not t.buffer else t
                for i, t in enumerate(graph.tensors)
            )
            model = replace(model, subgraphs=(replace(graph, tensors=tensors), *model.subgraphs[1:]))
            content = write_model(model)
            run = Run(model, "", inputs, expected)
        except Int8rtError:
            return None
        outputs = tuple(expected[index] for index in graph.outputs)
        if sum(value.size for value in outputs) > _MOST_ELEMENTS:
            return None
        self.runs += 1
        actual: tuple[Array | None, ...] = (None,) * len(outputs)
        statistics: tuple[Statistics, ...] = ()
        found, message = "different", ""
        try:
            self._runtime.prepare(model, content)
            actual = self._runtime.run(inputs).outputs
            judged = [p for p, index in enumerate(graph.outputs) if graph.tensors[index].type not in WITHOUT_DATA]
            statistics = tuple(run.measure(graph.outputs[place], actual[place], outputs[place]) for place in judged)
            if all(one.equal for one in statistics):
                return None
            message = next((one.mismatch for one in statistics if one.mismatch), "")
            found = "answer" if message else "different"
        except Fault as fault:
            found, message = fault.kind, str(fault)
        if kind is not None and found != kind:
            return None
        return Case(model, content, tuple(inputs), outputs, actual, found, message, statistics)
