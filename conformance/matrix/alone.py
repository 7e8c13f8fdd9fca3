"""Operators of a model, each asked of the runtime alone: what gives its answers?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from conformance.matrix.real import NAME, farther, real_result
from int8rt.errors import ModelError
from int8rt.model import Model
from int8rt.schema import write_model
from int8rt.verify.compare import run_int8rt
from int8rt.verify.cut import cut_operator
from int8rt.verify.identify.kinds import KINDS, candidates, covered
from int8rt.verify.identify.piece import Piece
from int8rt.verify.runtimes.base import Array, Fault, Runtime
from int8rt.verify.teacher import Teacher

# On fewer elements some mistake fits by chance.
_ENOUGH = 16


class Alone:
    """The operators of the first subgraph, with the inputs that they have in int8rt."""

    def __init__(self, model: Model, inputs: Sequence[Array], runtime: Runtime) -> None:
        self._model, self._runtime = model, runtime
        self._values: dict[int, Any] = dict(zip(model.subgraphs[0].inputs, inputs, strict=True))
        self._values |= run_int8rt(model, inputs, "tflite-ref", "auto", keep=True)[0]
        self._teacher = Teacher(model, inputs, "tflite-ref")

    def explained(self, position: int) -> str:
        """What gives every element of the operator's answer: the nearest codes of its real-valued result, or else an
        arithmetic that `identify` knows. "" where there is none, or no answer.
        """
        try:
            cut = cut_operator(self._model, position, self._values, self._teacher.plan.constants)
            if cut is None:
                return ""
            given = [self._values[index] for index in cut[1]]
            self._runtime.prepare(cut[0], write_model(cut[0]))
            (found,) = self._runtime.run(given).outputs
        except (Fault, ModelError, ValueError):  # several outputs, too
            return ""
        if found is None:
            return ""
        result = real_result(cut[0], given)
        if result is not None and found.shape == result.shape and farther(found, result)[0] == 0:
            return NAME
        return self._arithmetic(position, found)

    def _arithmetic(self, position: int, found: Array) -> str:
        operator = self._model.subgraphs[0].operators[position]
        own = self._teacher.inputs(position, self._values)
        right = self._values[operator.outputs[0]]
        if operator.name not in KINDS or own is None or (found.shape, found.dtype) != (right.shape, right.dtype):
            return ""
        piece = Piece.make("", self._teacher, position, own, found)
        known = candidates(piece) if covered(piece) and found.size >= _ENOUGH else ()
        return next((name for name, value in known if np.array_equal(value, found)), "")
