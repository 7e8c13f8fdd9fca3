"""What operators share while a model runs: its other subgraphs, variables and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy.typing as npt

from int8rt.model import Shape, Subgraph, TensorType

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Handle:
    """The value of a resource tensor: which variable it stands for."""

    container: str
    shared_name: str


@dataclass(frozen=True, slots=True)
class Variable:
    """What a variable holds. value: as a tensor of `type` is in memory; not to be written to."""

    type: TensorType
    value: Array


@dataclass(frozen=True, slots=True)
class TableHandle:
    """The value of a resource tensor that stands for a table. key, value: what it has been declared to hold."""

    number: int
    key: TensorType
    value: TensorType


@dataclass(slots=True)
class Table:
    """Values by their keys, strings as bytes objects. entries: None until it is filled, which happens once."""

    key: TensorType
    value: TensorType
    entries: Mapping[Any, Any] | None = None


class Runtime(Protocol):
    """What an operator can reach beside its tensors: the other subgraphs, and the variables that all share."""

    def subgraph(self, index: int) -> Subgraph:
        """What the file says of a subgraph."""

    def subgraph_count(self) -> int:
        """How many subgraphs the model has."""

    def output_shapes(self, index: int, shapes: Sequence[Shape]) -> tuple[Shape | None, ...]:
        """Prepare a subgraph for inputs of these shapes; the shapes of its outputs, None where only running tells."""

    def begin(self, index: int) -> None:
        """Called once an evaluation, before a subgraph is run once or several times: its variables may start anew."""

    def call(self, index: int, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """Run a subgraph; arrays of the caller's own."""

    def call_once(self, index: int) -> None:
        """Run a subgraph without inputs, unless that was done before."""

    def variable_handle(self, number: int) -> Handle:
        """The variable of that number: as VAR_HANDLEs come in the file, and any other number is one of its own."""

    def read_variable(self, handle: Handle) -> Variable | None:
        """What the variable holds, in its own array, which changes when it is assigned; None before that."""

    def assign_variable(self, handle: Handle, type: TensorType, value: Array) -> None:
        """Copy `value` into the variable, which may have had another type and shape."""

    def table(self, handle: TableHandle) -> Table:
        """The table of that number, whose types are those of the first handle that asked for it."""

    def fill_table(self, handle: TableHandle, entries: Mapping[Any, Any], size: int) -> None:
        """Give the table its entries, which take `size` bytes."""
