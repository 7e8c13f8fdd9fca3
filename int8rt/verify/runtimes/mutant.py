"""int8rt with one deliberate mistake: a runtime to be caught, where nothing else is installed."""

from __future__ import annotations

import time
from collections.abc import Sequence

from int8rt.errors import Int8rtError
from int8rt.model import Model
from int8rt.verify.identify.mutants import find_mutation
from int8rt.verify.identify.piece import Piece
from int8rt.verify.runtimes.base import Answer, Array, Capabilities, Fault
from int8rt.verify.teacher import Teacher


class MutantRuntime:
    """The reference's arithmetic, but every `operator` makes the mistake `wrong`; see `int8rt.verify.identify.mutants`.

    Models that call subgraphs or have variables are refused. Raises `InputError` for an unknown mistake.
    """

    def __init__(self, operator: str, wrong: str) -> None:
        self._operator, self._mutation = operator, find_mutation(operator, wrong)
        self._model: Model | None = None

    def capabilities(self) -> Capabilities:
        """Which mistake it makes."""
        description = f"int8rt with a mistake in {self._operator}: {self._mutation.wrong}"
        return Capabilities(description, intermediates=True, any_model=True)

    def prepare(self, model: Model, content: bytes) -> None:
        """Remember the model."""
        if any(tensor.is_variable for tensor in model.subgraphs[0].tensors):
            raise Fault("refused", "models with variables are not run with a mistake")
        self._model = model

    def run(self, inputs: Sequence[Array], read: Sequence[int] = ()) -> Answer:
        """Run it in this process, operator by operator."""
        assert self._model is not None
        graph = self._model.subgraphs[0]
        values = dict(zip(graph.inputs, inputs, strict=True))
        start = time.perf_counter()
        try:
            teacher = Teacher(self._model, inputs, "tflite-ref")
            values = {**teacher.plan.constants, **values}
            for position, operator in enumerate(graph.operators):
                own = teacher.inputs(position, values)
                if own is None:
                    raise Fault("refused", f"{operator.name} is not run with a mistake in the model")
                found = teacher.outputs(position, own)
                if operator.name == self._operator:
                    index = operator.outputs[0]
                    wrong = self._mutation.run(Piece.make("", teacher, position, own, found[index]))
                    found[index] = found[index] if wrong is None else wrong
                values.update(found)
        except Int8rtError as error:
            raise Fault("refused", str(error)) from None
        outputs = tuple(values[index] for index in graph.outputs)
        return Answer(outputs, {index: values[index] for index in read}, time.perf_counter() - start)

    def close(self) -> None:
        """Nothing is held."""
