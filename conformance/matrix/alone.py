"""Operators of a model, each asked of the runtime alone: are its answers nearest codes of the real-valued results?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.matrix.real import farther, real_result
from int8rt.errors import ModelError
from int8rt.model import Model
from int8rt.schema import write_model
from int8rt.verify.compare import run_int8rt
from int8rt.verify.cut import cut_operator
from int8rt.verify.runtimes.base import Array, Fault, Runtime
from int8rt.verify.teacher import Teacher


class Alone:
    """The operators of the first subgraph, with the inputs that they have in int8rt."""

    def __init__(self, model: Model, inputs: Sequence[Array], runtime: Runtime) -> None:
        self._model, self._runtime = model, runtime
        self._values: dict[int, Any] = dict(zip(model.subgraphs[0].inputs, inputs, strict=True))
        self._values |= run_int8rt(model, inputs, "tflite-ref", "auto", keep=True)[0]
        self._teacher = Teacher(model, inputs, "tflite-ref")

    def nearest(self, position: int) -> bool:
        """Whether every element of the operator's answer is a nearest code. False where there is no answer."""
        try:
            cut = cut_operator(self._model, position, self._values, self._teacher.plan.constants)
            if cut is None:
                return False
            given = [self._values[index] for index in cut[1]]
            self._runtime.prepare(cut[0], write_model(cut[0]))
            (found,) = self._runtime.run(given).outputs
        except (Fault, ModelError, ValueError):  # several outputs, too
            return False
        result = real_result(cut[0], given)
        fits = found is not None and result is not None and found.shape == result.shape
        return fits and farther(found, result)[0] == 0  # type: ignore[arg-type]
