"""What a rule is: a small function that yields what it finds, and whose docstring is the rule."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from int8rt.errors import Int8rtError
from int8rt.kernels.base import Array, Deferred, Params
from int8rt.kernels.registry import KERNELS
from int8rt.memory import MemoryLimits, tensor_bytes
from int8rt.model import Model, Operator, Subgraph, Tensor
from int8rt.quantization.profiles import TFLITE_REF
from int8rt.schema import constant_value
from int8rt.support import operator_context


class Severity(StrEnum):
    """ERROR: against the specification. WARNING: legal, but results may be wrong or worse than they could be.

    NOTE: legal and harmless, but worth to know.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Operand:
    """A tensor of the subgraph with its index."""

    index: int
    tensor: Tensor

    @property
    def scales(self) -> Array:
        """float32[n]; empty where the tensor has no quantization parameters."""
        quantization = self.tensor.quantization
        return np.zeros(0, np.float32) if quantization is None else quantization.scale

    @property
    def zero_points(self) -> Array:
        """int64[n]; empty where the tensor has none."""
        quantization = self.tensor.quantization
        return np.zeros(0, np.int64) if quantization is None else quantization.zero_point

    @property
    def scale(self) -> float:
        """The only scale; 0.0 where there are none or several."""
        return float(self.scales[0]) if self.scales.size == 1 else 0.0

    @property
    def zero_point(self) -> int:
        """The first zero point; 0 where there is none."""
        return int(self.zero_points[0]) if self.zero_points.size else 0

    @property
    def parameters(self) -> str:
        """The text "scale 0.5, zero point 3", floats to the last bit."""
        if self.scales.size == 0:
            return "no quantization parameters"
        if self.scales.size > 1:
            return f"{self.scales.size} scales"
        return f"scale {number(self.scale)}, zero point {self.zero_point}"

    @property
    def name(self) -> str:
        """The text "tensor 3 'weights'"."""
        return f"tensor {self.index} {self.tensor.label!r}"


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule yields. operand: the tensor that is wrong; found, expected: what it is and what it should be."""

    operand: Operand
    found: str
    expected: str


@dataclass(frozen=True)
class OperatorView:
    """One operator, with what the file says of it."""

    model: Model
    subgraph_index: int
    position: int

    @property
    def subgraph(self) -> Subgraph:
        """The operator's subgraph."""
        return self.model.subgraphs[self.subgraph_index]

    @property
    def operator(self) -> Operator:
        """The operator."""
        return self.subgraph.operators[self.position]

    @cached_property
    def inputs(self) -> tuple[Operand | None, ...]:
        """The inputs, None where an optional one is absent."""
        return tuple(self._operand(index) for index in self.operator.inputs)

    @cached_property
    def outputs(self) -> tuple[Operand, ...]:
        """The outputs."""
        return tuple(Operand(index, self.subgraph.tensors[index]) for index in self.operator.outputs)

    def input(self, index: int) -> Operand | None:
        """Input `index`, or None where the operator has none."""
        return self.inputs[index] if index < len(self.inputs) else None

    def value(self, operand: Operand) -> Array | None:
        """The data of a constant; None for what is computed, and for what can't be read or is too large."""
        return self._values.get(operand.index)

    @cached_property
    def params(self) -> Params | None:
        """The parameters that running the operator would use; None where int8rt can't tell them from the file."""
        kernel = KERNELS.get(self.operator.label)
        if kernel is None:
            return None
        shapes = {index: value.shape for index, value in self._values.items()}
        context = operator_context(self.subgraph, self.operator, TFLITE_REF, self.position, shapes, self._values)
        try:
            kernel.check_types(context)
            return kernel.prepare(context)
        except (Int8rtError, Deferred):
            return None

    def _operand(self, index: int) -> Operand | None:
        return Operand(index, self.subgraph.tensors[index]) if index >= 0 else None

    @cached_property
    def _values(self) -> Mapping[int, Array]:
        values = {}
        for operand in self.inputs:
            if operand is None or tensor_bytes(operand.tensor, operand.tensor.shape) > MemoryLimits().tensor:
                continue
            try:
                value = constant_value(self.model, operand.tensor)
            except Int8rtError:
                continue
            if value is not None:
                values[operand.index] = value
        return values


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule on operators (`check`) or on tensors (`check_tensor`); one of the two is None."""

    name: str
    severity: Severity
    text: str
    check: Callable[[OperatorView], Iterator[Found]] | None = None
    check_tensor: Callable[[Operand], Iterator[Found]] | None = None

    @property
    def summary(self) -> str:
        """The first paragraph of the text, as one line."""
        return " ".join(self.text.partition("\n\n")[0].split())


@dataclass(frozen=True, slots=True)
class Finding:
    """A place where a rule does not hold. operator: position in the subgraph, -1 for a tensor that none uses."""

    rule: str
    severity: Severity
    subgraph: int
    operator: int
    operator_name: str
    tensor: int
    tensor_name: str
    found: str
    expected: str

    def __str__(self) -> str:
        graph = f"subgraph {self.subgraph}, " if self.subgraph else ""
        where = f"operator {self.operator} ({self.operator_name})" if self.operator >= 0 else "no operator"
        what = f"{graph}{where}, tensor {self.tensor} {self.tensor_name!r}"
        return f"{self.severity}: {what}: found {self.found}; expected {self.expected} [{self.rule}]"


def operator_rule(severity: Severity, check: Callable[[OperatorView], Iterator[Found]]) -> Rule:
    """The rule on operators that a function states and checks; its name is the function's."""
    return Rule(_name(check), severity, inspect.getdoc(check) or "", check=check)


def tensor_rule(severity: Severity, check: Callable[[Operand], Iterator[Found]]) -> Rule:
    """The rule on tensors that a function states and checks."""
    return Rule(_name(check), severity, inspect.getdoc(check) or "", check_tensor=check)


def number(value: float) -> str:
    """A float32 in as many digits as tell it from its neighbours."""
    return str(np.float32(value))


def _name(check: Callable[..., Iterator[Found]]) -> str:
    return check.__name__.replace("_", "-")
