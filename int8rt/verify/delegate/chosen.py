"""One operator that int8rt computes in place of the interpreter: cut out of the model, planned for its shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import Int8rtError, UnsupportedError
from int8rt.model import Model, Shape, Tensor, TensorType
from int8rt.verify.cut import cut_operator
from int8rt.verify.identify.mutants import Mutation
from int8rt.verify.identify.piece import Piece
from int8rt.verify.teacher import Teacher

Array = npt.NDArray[Any]

# What lies in a tensor's memory as NumPy has it.
_PLAIN = (
    TensorType.INT8,
    TensorType.UINT8,
    TensorType.INT16,
    TensorType.INT32,
    TensorType.INT64,
    TensorType.FLOAT16,
    TensorType.FLOAT32,
    TensorType.BOOL,
)


class Chosen:
    """The operator at `position` of the first subgraph. mutation: the mistake that it makes.

    inputs: tensor indices that it reads at run time. outputs: those that it writes.
    Raises `UnsupportedError` where it cannot be taken out of an interpreter.
    """

    def __init__(self, model: Model, position: int, profile: str, mutation: Mutation | None) -> None:
        graph = model.subgraphs[0]
        operator = graph.operators[position]
        cut = cut_operator(model, position, {}, {})
        if cut is None:
            raise UnsupportedError("it calls subgraphs, or its parameters are elsewhere")
        self._model, self.inputs = cut
        self.outputs = tuple(dict.fromkeys(operator.outputs))
        if any(graph.tensors[index].is_variable for index in (*operator.inputs, *operator.outputs) if index >= 0):
            raise UnsupportedError("it has variables")
        others = {graph.tensors[i].type for i in (*self.inputs, *self.outputs)} - {*_PLAIN}
        if others:
            raise UnsupportedError(f"its tensors are {', '.join(sorted(type.label for type in others))}")
        self._profile, self._mutation = profile, mutation
        self._teachers: dict[tuple[Shape, ...], Teacher] = {}
        self.shapes([graph.tensors[index].shape for index in self.inputs])

    def shapes(self, inputs: Sequence[Shape]) -> dict[int, Shape]:
        """The shapes of its outputs by tensor index. Raises `UnsupportedError` where only running tells."""
        plan = self._teacher(tuple(inputs)).plan
        own = plan.subgraph.operators[0].outputs
        if plan.steps[0].params is None or any(index not in plan.shapes for index in own):
            raise UnsupportedError("the shape of what it gives depends on values")
        return {index: plan.shapes[place] for index, place in zip(self.outputs, dict.fromkeys(own), strict=True)}

    def run(self, values: Mapping[int, Array]) -> dict[int, Array]:
        """What it writes, by tensor index. values: at least of its inputs."""
        given = [values[index] for index in self.inputs]
        teacher = self._teacher(tuple(value.shape for value in given))
        own = teacher.inputs(0, dict(zip(teacher.subgraph.inputs, given, strict=True)))
        assert own is not None  # nothing but constants and inputs is read
        found = list(teacher.outputs(0, own).values())
        if self._mutation is not None:
            wrong = self._mutation.run(Piece.make("", teacher, 0, own, found[0]))
            found[0] = found[0] if wrong is None else wrong
        return dict(zip(self.outputs, found, strict=True))

    def _teacher(self, shapes: tuple[Shape, ...]) -> Teacher:
        if shapes not in self._teachers:
            tensors: list[Tensor] = [self._model.subgraphs[0].tensors[i] for i in self._model.subgraphs[0].inputs]
            # Only the shapes count: nothing is allocated for these.
            blank = [np.broadcast_to(np.zeros((), t.type.dtype), s) for t, s in zip(tensors, shapes, strict=True)]
            self._teachers = {shapes: Teacher(self._model, blank, self._profile)}
        return self._teachers[shapes]


def choose(
    model: Model, positions: Sequence[int], profile: str, mutations: Mapping[int, Mutation]
) -> tuple[dict[int, Chosen], dict[int, str]]:
    """(the operators at these positions that can be taken, why the others cannot)."""
    taken: dict[int, Chosen] = {}
    left: dict[int, str] = {}
    for position in positions:
        try:
            taken[position] = Chosen(model, position, profile, mutations.get(position))
        except Int8rtError as error:
            left[position] = str(error)
    return taken, left
