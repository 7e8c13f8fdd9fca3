"""Runs a planned subgraph with NumPy, operator by operator: the definition that every faster way must equal."""

from __future__ import annotations

import time
import weakref
from collections import ChainMap
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, cast

import numpy as np

from int8rt.errors import EvaluationError, InputError, StateError
from int8rt.kernels.base import Array, Updated, as_tuple
from int8rt.memory import MemoryLimits
from int8rt.model import Model, Shape
from int8rt.plan import Plan, Step, Surroundings, make_plan
from int8rt.quantization.profiles import Profile
from int8rt.schema import constant_value
from int8rt.subgraphs import Subgraphs
from int8rt.support import check_supported
from int8rt.tensor_values import default_value, variable_value

# Called with (position of the operator, tensor index, value) for every tensor that an operator writes.
Observer = Callable[[int, int, Array], None]


class SubgraphExecutor:
    """One subgraph with its current input shapes, values and variables.

    subgraphs: those of the model, if another executor has them already.
    """

    def __init__(
        self,
        model: Model,
        subgraph_index: int,
        profile: Profile,
        limits: MemoryLimits,
        preserve_all_tensors: bool = False,
        *,
        subgraphs: Subgraphs | None = None,
    ) -> None:
        self.subgraph = model.subgraphs[subgraph_index]
        self.subgraph_index = subgraph_index
        self.subgraphs = Subgraphs(model, limits, self) if subgraphs is None else subgraphs
        # What others hold must not hold this one.
        self._runtime = cast(Subgraphs, weakref.proxy(self.subgraphs)) if subgraphs is None else subgraphs
        self._model = model
        self._profile = profile
        self._limits = limits
        self.preserve_all_tensors = preserve_all_tensors
        self._resized: dict[int, Shape] = {}
        self._shapes: dict[int, Shape] = {}
        self._plan: Plan | None = None
        self._values: dict[int, Array] = {}
        self._variables = [index for index, tensor in enumerate(self.subgraph.tensors) if tensor.is_variable]

    def sibling(self, subgraph_index: int) -> SubgraphExecutor:
        """An executor for another subgraph of the model, which shares variables with this one, and does not hold it."""
        arguments = self._model, subgraph_index, self._profile, self._limits, self.preserve_all_tensors
        return SubgraphExecutor(*arguments, subgraphs=self._runtime)

    @property
    def plan(self) -> Plan | None:
        """The current plan; None before `allocate`, and after an input changed its shape."""
        return self._plan

    def resize(self, index: int, shape: Shape) -> None:
        """Give input tensor `index` another shape; takes effect with the next `allocate`."""
        if shape != self.shape(index):
            self._resized[index] = self._shapes[index] = shape
            self._plan = None
            if self.subgraphs.depth == 0:
                self.subgraphs.budget.resized = True

    def shape(self, index: int) -> Shape:
        """The shape that a tensor has now; the model's own before planning, and where only running tells."""
        return self._shapes.get(index, self.subgraph.tensors[index].shape)

    def allocate(self) -> None:
        """Plan for the current input shapes; inputs keep their values where their shape is unchanged."""
        if self._plan is not None:
            return
        if self.subgraphs.depth == 0:
            self.subgraphs.restart(preparing=True)
            check_supported(self._model, self.subgraph_index, self._profile)
        surroundings = Surroundings(
            self.subgraph_index, self._profile, self.subgraphs.budget, self._runtime, self.preserve_all_tensors
        )
        plan = make_plan(self._model, surroundings, self._resized)
        self._shapes.update(plan.shapes)
        before, self._values = self._values, {}
        for index in self.subgraph.inputs:
            if index not in plan.constants:
                value = before.get(index)
                if value is None or value.shape != plan.shapes[index]:
                    value = default_value(self.subgraph.tensors[index], plan.shapes[index])
                self._values[index] = value
        self._plan = plan
        self.reset_variables()

    def reset_variables(self) -> None:
        """Set every variable tensor to zero (int8: to its zero point)."""
        if self._plan is None:
            return
        for index in self._variables:
            self._values[index] = variable_value(self.subgraph.tensors[index], self._plan.shapes[index])

    def set(self, index: int, value: Array) -> None:
        """Copy `value`, of the tensor's dtype and current shape, into tensor `index`."""
        if self._plan is None:
            raise InputError("cannot set tensor: it is not allocated, call allocate_tensors() first")
        if index in self._plan.constants:
            raise InputError(f"cannot set tensor {index} {self.subgraph.tensors[index].label!r}: it is a constant")
        own = self._values.get(index)
        if own is not None and own.shape == value.shape and own.flags.writeable:
            own[...] = value
        else:
            self._values[index] = np.array(value, order="C")

    def get(self, index: int) -> Array:
        """The array of tensor `index` itself, not a copy; `InputError` where it holds no value now.

        Constants have theirs always. After `allocate` all outputs have one, and with preserve_all_tensors whatever an
        operator writes, if its shape is known: zeros at first.
        """
        tensor = self.subgraph.tensors[index]
        if self._plan is None:
            constant = constant_value(self._model, tensor)
            if constant is None:
                raise InputError(f"tensor {index} {tensor.label!r} has no data: call allocate_tensors() first")
            return constant
        for values in (self._values, self._plan.constants):
            if index in values:
                return values[index]
        if index in self._plan.shapes and (self.preserve_all_tensors or index in self.subgraph.outputs):
            return default_value(tensor, self._plan.shapes[index])
        raise InputError(
            f"tensor {index} {tensor.label!r} holds no value: intermediate tensors are only kept with "
            "experimental_preserve_all_tensors=True, and only once invoke() has run"
        )

    def invoke(self, observer: Observer | None = None) -> None:
        """Run all operators in order."""
        if self._plan is None:
            raise StateError("Invoke called on model that is not ready: call allocate_tensors() first")
        if self.subgraphs.depth == 0:
            self.subgraphs.restart()
        plan = self._plan
        values: MutableMapping[int, Array] = ChainMap(self._values, dict(plan.constants))
        lasting = [self._values[index] for index in (*self.subgraph.inputs, *self._variables) if index in self._values]
        for step in plan.steps:
            if not plan.known(step):
                for index, result in evaluate_step(plan, step, values).items():
                    if index in self._variables:
                        self._values[index][...] = result
                        continue
                    # A view (RESHAPE gives one) of what the caller may overwrite would change with it.
                    if any(np.may_share_memory(result, array) for array in lasting):
                        result = result.copy()
                    self._values[index] = result
                    self._shapes[index] = result.shape
            if observer is not None:
                for index in step.operator.outputs:
                    observer(step.position, index, values[index])
            if not self.preserve_all_tensors:
                for index in plan.dead_after.get(step.position, ()):
                    self._values.pop(index, None)

    def step_backends(self) -> list[str]:
        """What computes each step: "numpy", or "" where its outputs are constants."""
        assert self._plan is not None
        return ["" if self._plan.known(step) else "numpy" for step in self._plan.steps]

    def invoke_timed(self) -> list[float]:
        """Run all operators in order; the seconds that each step took."""
        assert self._plan is not None
        seconds = [0.0] * len(self._plan.steps)
        before = time.perf_counter()

        def watch(position: int, index: int, value: Array) -> None:
            nonlocal before
            now = time.perf_counter()
            seconds[position] += now - before
            before = now

        self.invoke(watch)
        return seconds


def evaluate_step(plan: Plan, step: Step, values: Mapping[int, Array]) -> dict[int, Array]:
    """What one step writes, by tensor index: its outputs, then variables among its inputs; by its NumPy definition.

    values: of its inputs, by tensor index.
    """
    operator = step.operator
    params = step.params if step.params is not None else plan.prepare(step, values)
    reads = plan.reads(step, params)
    if step.params is None and any(index not in values for index in reads if index >= 0):
        profile = plan.surroundings.profile.name
        raise EvaluationError(
            f"operator {step.position} ({operator.label}): reading what its input was made of, "
            f"for shapes known only while running, in profile {profile} is not done"
        )
    inputs: list[Any] = [None if index < 0 else values[index] for index in reads]
    if step.kernel.reaches_out:
        inputs.insert(0, plan.surroundings.runtime)
    try:
        result = step.kernel.evaluate(params, *inputs)
    except EvaluationError as error:
        raise EvaluationError(f"operator {step.position} ({operator.label}): {error}") from None
    written = dict(zip(operator.outputs, map(np.asarray, as_tuple(result)), strict=True))
    if isinstance(result, Updated):
        written |= {operator.inputs[position]: np.asarray(value) for position, value in result.variables.items()}
    return written
