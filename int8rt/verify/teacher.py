"""int8rt's answer for one operator, from given inputs: what it would do with the numbers that a runtime had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt

from int8rt.executor import SubgraphExecutor, evaluate_step
from int8rt.memory import MemoryLimits
from int8rt.model import Model
from int8rt.plan import Plan
from int8rt.quantization.profiles import get_profile
from int8rt.tensor_values import variable_value

Array = npt.NDArray[Any]


class Teacher:
    """A model's operators, one by one, in one profile. inputs: of the model, for their shapes.

    Raises what planning raises.
    """

    def __init__(self, model: Model, inputs: Sequence[Array], profile: str) -> None:
        self.model, self.subgraph = model, model.subgraphs[0]
        # Runs nothing itself; operators that call other subgraphs need it.
        self._executor = SubgraphExecutor(model, 0, get_profile(profile), MemoryLimits())
        for index, value in zip(self.subgraph.inputs, inputs, strict=True):
            self._executor.resize(index, value.shape)
        self._executor.allocate()
        assert self._executor.plan is not None
        self.plan: Plan = self._executor.plan

    def inputs(self, position: int, values: Mapping[int, Array]) -> dict[int, Array] | None:
        """The operator's inputs by tensor index: constants, fresh variables and `values`.

        None where one is unknown, where the inputs do not decide what the operator does, and where it only gives a
        variable its first value.
        """
        step = self.plan.steps[position]
        if step.kernel.reaches_out or not step.operator.outputs:
            return None
        found: dict[int, Array] = {}
        for index in self.plan.reads(step, step.params):
            tensor = self.subgraph.tensors[index] if index >= 0 else None
            if tensor is None:
                continue
            if index in self.plan.constants:
                found[index] = self.plan.constants[index]
            elif tensor.is_variable:
                found[index] = variable_value(tensor)
            elif index in values:
                found[index] = values[index]
            else:
                return None
        return found

    def outputs(self, position: int, inputs: Mapping[int, Array]) -> dict[int, Array]:
        """The operator's outputs, from its inputs by tensor index."""
        written = evaluate_step(self.plan, self.plan.steps[position], inputs)
        return {index: written[index] for index in self.subgraph.operators[position].outputs}
