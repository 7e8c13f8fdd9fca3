"""Runs a planned subgraph with NumPy, operator by operator: the definition that every faster way must equal."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable

import numpy as np

from int8rt.errors import EvaluationError, InputError, Int8rtError
from int8rt.kernels.base import Array, as_tuple
from int8rt.model import Model, Shape, Tensor, TensorType
from int8rt.plan import MemoryLimits, Plan, make_plan
from int8rt.quantization.profiles import Profile

# Called with (position of the operator, tensor index, value) for every tensor that an operator writes.
Observer = Callable[[int, int, Array], None]


class SubgraphExecutor:
    """One subgraph with its current input shapes, values and variables."""

    def __init__(
        self,
        model: Model,
        subgraph_index: int,
        profile: Profile,
        limits: MemoryLimits,
        preserve_all_tensors: bool = False,
    ) -> None:
        self.subgraph = model.subgraphs[subgraph_index]
        self._model = model
        self._subgraph_index = subgraph_index
        self._profile = profile
        self._limits = limits
        self._preserve = preserve_all_tensors
        self._resized: dict[int, Shape] = {}
        self._plan: Plan | None = None
        self._values: dict[int, Array] = {}

    @property
    def plan(self) -> Plan | None:
        """The current plan; None before `allocate`, and after an input changed its shape."""
        return self._plan

    def resize(self, index: int, shape: Shape) -> None:
        """Give input tensor `index` another shape; takes effect with the next `allocate`."""
        if shape != self.shape(index):
            self._resized[index] = shape
            self._plan = None

    def shape(self, index: int) -> Shape:
        """The shape that a tensor has now; the model's own where only running tells."""
        if index in self._resized:
            return self._resized[index]
        if index in self._values:
            return self._values[index].shape
        if self._plan is not None and index in self._plan.shapes:
            return self._plan.shapes[index]
        return self.subgraph.tensors[index].shape

    def allocate(self) -> None:
        """Plan for the current input shapes; inputs and variables start at zero unless their shape is unchanged."""
        if self._plan is not None:
            return
        plan = make_plan(self._model, self._subgraph_index, self._profile, self._resized, self._limits)
        kept = {
            index: value
            for index, value in self._values.items()
            if index in self.subgraph.inputs and value.shape == plan.shapes[index]
        }
        self._values = {}
        for index in self.subgraph.inputs:
            if index not in plan.constants:
                self._values[index] = kept.get(index, self._zeros(self.subgraph.tensors[index], plan.shapes[index]))
        self._plan = plan
        self.reset_variables()

    def reset_variables(self) -> None:
        """Set every variable tensor to zero (int8: to its zero point)."""
        for index, tensor in enumerate(self.subgraph.tensors):
            if tensor.is_variable:
                self._values[index] = self._zeros(tensor, tensor.shape)
                if tensor.type == TensorType.INT8 and tensor.quantization is not None:
                    self._values[index] += tensor.quantization.zero_point.astype(np.int8)[0]

    def set(self, index: int, value: Array) -> None:
        """Store a copy of `value` in tensor `index`."""
        self._values[index] = np.array(value, order="C")

    def get(self, index: int) -> Array:
        """The array of tensor `index` itself, not a copy; `InputError` where it holds no value now."""
        if self._plan is None:
            raise InputError("the tensors are not allocated: call allocate_tensors() first")
        if index in self._values:
            return self._values[index]
        if index in self._plan.constants:
            return self._plan.constants[index]
        name = self.subgraph.tensors[index].name
        raise InputError(
            f"tensor {index} {name!r} holds no value: intermediate tensors are only kept with "
            "experimental_preserve_all_tensors=True, and only once invoke() has run"
        )

    def invoke(self, observer: Observer | None = None) -> None:
        """Run all operators in order."""
        if self._plan is None:
            raise InputError("the tensors are not allocated: call allocate_tensors() first")
        plan, values = self._plan, self._values
        inputs = ChainMap(values, dict(plan.constants))
        keep = set(self.subgraph.inputs) | set(self.subgraph.outputs)
        for step in plan.steps:
            operator = step.operator
            outputs = operator.outputs
            if any(index not in plan.constants for index in outputs):
                try:
                    params = step.params if step.params is not None else plan.prepare(step, inputs)
                    results = as_tuple(
                        step.kernel.evaluate(params, *(None if i < 0 else inputs[i] for i in operator.inputs))
                    )
                except Int8rtError as error:
                    if isinstance(error, EvaluationError):
                        raise EvaluationError(f"operator {step.position} ({operator.label}): {error}") from None
                    raise
                values.update(zip(outputs, results, strict=True))
            if observer is not None:
                for index in outputs:
                    observer(step.position, index, values[index] if index in values else plan.constants[index])
            if not self._preserve:
                for index in (*operator.inputs, *outputs):
                    dead = plan.last_use.get(index, -1) <= step.position
                    if dead and index not in keep and index >= 0 and not self.subgraph.tensors[index].is_variable:
                        values.pop(index, None)

    @staticmethod
    def _zeros(tensor: Tensor, shape: Shape) -> Array:
        if tensor.type == TensorType.STRING:
            return np.full(shape, b"", object)
        return np.zeros(shape, tensor.type.dtype)
