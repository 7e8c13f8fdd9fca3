"""One operator that has run: what it got, what the runtime gave, and what int8rt knows of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import as_tuple
from int8rt.model import ActivationFunctionType, Model, Operator, Tensor
from int8rt.quantization.xnnpack import ACTIVATIONS, activation_range
from int8rt.verify.cut import cut_operator
from int8rt.verify.teacher import Teacher

Array = npt.NDArray[Any]

# Name of an arithmetic and the output that it gives; the same names in the same order for all pieces of a kind.
Candidates = Iterator[tuple[str, Array]]


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """found: the runtime's output 0. tensors, inputs: of the operator's inputs, None for an absent one.

    source: the probe that it is, or where in the model.
    """

    source: str
    operator: Operator
    params: Any
    evaluate: Any
    tensors: tuple[Tensor | None, ...]
    inputs: tuple[Array | None, ...]
    output: Tensor
    found: Array
    teacher: Teacher
    position: int

    @staticmethod
    def make(source: str, teacher: Teacher, position: int, values: Mapping[int, Array], found: Array) -> Piece:
        """The operator at `position`. values: its inputs by tensor index. Raises what preparing raises."""
        step, graph = teacher.plan.steps[position], teacher.subgraph
        indices = step.operator.inputs
        return Piece(
            source,
            step.operator,
            step.params if step.params is not None else teacher.plan.prepare(step, values),
            step.kernel.evaluate,
            tuple(graph.tensors[index] if index >= 0 else None for index in indices),
            tuple(values[index] if index >= 0 else None for index in indices),
            graph.tensors[step.operator.outputs[0]],
            found,
            teacher,
            position,
        )

    def value(self, place: int) -> Array:
        """Input `place`, which is there."""
        value = self.inputs[place]
        assert value is not None
        return value

    def input(self, place: int = 0) -> tuple[float, int]:
        """(scale, zero point) of an input with one scale."""
        return quantization(self.tensors[place])

    def run(self, params: Any = None, inputs: tuple[Array | None, ...] | None = None) -> Array:
        """Output 0 with other parameters or inputs."""
        values = self.inputs if inputs is None else inputs
        if params is None:
            return as_tuple(self.evaluate(self.params, *values))[0]
        if hasattr(params, "requantization") and getattr(params, "table", None) is not None:
            params = replace(params, table=None)  # it was made with the right ones
        return as_tuple(self.evaluate(params, *values))[0]

    def alone(self) -> tuple[Model, list[Array]] | None:
        """The operator as a model of its own, and its inputs; None where it cannot stand alone."""
        operator = self.teacher.subgraph.operators[self.position]
        values = {i: v for i, v in zip(operator.inputs, self.inputs, strict=True) if v is not None}
        values[operator.outputs[0]] = self.found
        cut = cut_operator(self.teacher.model, self.position, values, self.teacher.plan.constants)
        return None if cut is None else (cut[0], [values[index] for index in cut[1]])

    def finish(self, value: Array, low: int | None = None, high: int | None = None) -> Array:
        """Clamped to [low, high], by default the type's range, in the output's type."""
        info = np.iinfo(self.found.dtype)
        low, high = info.min if low is None else low, info.max if high is None else high
        return np.minimum(np.maximum(value, low), high).astype(self.found.dtype)


def quantization(tensor: Tensor | None) -> tuple[float, int]:
    """(scale, zero point) of a tensor that has one scale."""
    assert tensor is not None
    assert tensor.quantization is not None
    return float(tensor.quantization.scale[0]), int(tensor.quantization.zero_point[0])


def xnnpack_range(piece: Piece) -> tuple[int, int]:
    """The codes to which XNNPACK clamps for the operator's fused activation."""
    fused = getattr(piece.operator.options, "fused_activation_function", ActivationFunctionType.NONE)
    activation = fused if fused in ACTIVATIONS else ActivationFunctionType.NONE
    return activation_range(activation, *quantization(piece.output), piece.found.dtype)
