"""The subgraphs of one model while it runs: the executor of each, and what they share."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from int8rt.errors import EvaluationError, ModelError, UnsupportedError
from int8rt.kernels.base import Array
from int8rt.kernels.runtime import Handle, Table, TableHandle, Variable
from int8rt.memory import MemoryBudget, MemoryLimits
from int8rt.model import Model, Shape, Subgraph, TensorType
from int8rt.schema.options import VarHandleOptions

if TYPE_CHECKING:
    from int8rt.executor import SubgraphExecutor

# Deeper than any converter nests them; each takes some frames of Python's stack.
_DEEPEST = 32
# What preparing an operator counts as, in operators run; and how much less than running `allocate_tensors` may take.
_PREPARING = 20
_SHARE_OF_PREPARING = 10


class Subgraphs:
    """The `Runtime` of a model's operators. Executors of other subgraphs than the first are made when first needed.

    first: the executor that this belongs to, and that makes the others. depth: how many subgraphs are being called.
    version: changes with every array that holds a variable, not with its values.
    """

    def __init__(self, model: Model, limits: MemoryLimits, first: SubgraphExecutor) -> None:
        self.budget = MemoryBudget(model, limits)
        self.depth = 0
        self.version = 0
        self._model = model
        self._limits = limits
        # Not held: it holds this object.
        self._first = weakref.ref(first)
        self._others: dict[int, SubgraphExecutor] = {}
        self._count, self._most = 0, limits.called
        self._done_once: set[int] = set()
        self._variables: dict[Handle, Variable] = {}
        self._numbers: dict[Handle | int, int] = {}
        self._handles: list[Handle] | None = None
        self._tables: dict[int, Table] = {}

    def restart(self, preparing: bool = False) -> None:
        """Begin to count called operators anew, for an invocation or only to prepare one."""
        self._count, self._most = 0, self._limits.called // (_SHARE_OF_PREPARING if preparing else 1)

    def executor(self, index: int) -> SubgraphExecutor:
        """The executor of a subgraph."""
        first = self._first()
        assert first is not None
        if index == first.subgraph_index:
            return first
        if index not in self._others:
            self._others[index] = first.sibling(index)
        return self._others[index]

    def executors(self) -> Iterator[SubgraphExecutor]:
        """Those that there are."""
        first = self._first()
        if first is not None:
            yield first
        yield from self._others.values()

    def subgraph(self, index: int) -> Subgraph:
        """What the file says of a subgraph."""
        return self._model.subgraphs[index]

    def subgraph_count(self) -> int:
        """How many subgraphs the model has."""
        return len(self._model.subgraphs)

    def output_shapes(self, index: int, shapes: Sequence[Shape]) -> tuple[Shape | None, ...]:
        """Prepare a subgraph for inputs of these shapes; the shapes of its outputs, None where only running tells."""
        with self._entered(index):
            executor = self._prepared(index, shapes)
            assert executor.plan is not None
            return tuple(executor.plan.shapes.get(output) for output in executor.subgraph.outputs)

    def begin(self, index: int) -> None:
        """Let the variable tensors of a subgraph start anew, as they do in LiteRT unless all tensors are preserved."""
        executor = self.executor(index)
        if not executor.preserve_all_tensors:
            executor.reset_variables()

    def call(self, index: int, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """Run a subgraph; arrays of the caller's own."""
        with self._entered(index):
            executor = self._prepared(index, [value.shape for value in inputs])
            self._spend(1 + len(executor.subgraph.operators))
            for position, value in zip(executor.subgraph.inputs, inputs, strict=True):
                executor.set(position, value)
            executor.invoke()
            return tuple(np.array(executor.get(output), order="C") for output in executor.subgraph.outputs)

    def call_once(self, index: int) -> None:
        """Run a subgraph without inputs, unless that was done before; what it takes is released."""
        if index not in self._done_once:
            self.call(index, ())
            self._done_once.add(index)
            self._others.pop(index, None)
            self.budget.restart(index)

    def variable_handle(self, number: int) -> Handle:
        """The variable of that number: as VAR_HANDLEs come in the file, and any other number is one of its own."""
        if self._handles is None:
            options = (operator.options for graph in self._model.subgraphs for operator in graph.operators)
            named = [Handle(o.container, o.shared_name) for o in options if isinstance(o, VarHandleOptions)]
            self._handles = list(dict.fromkeys(named))
        known = 0 <= number < len(self._handles)
        return self._handles[number] if known else Handle("\0number", str(number))

    def read_variable(self, handle: Handle) -> Variable | None:
        """What the variable holds, in its own array, which changes when it is assigned; None before that."""
        return self._variables.get(handle)

    def assign_variable(self, handle: Handle, type: TensorType, value: Array) -> None:
        """Copy `value` into the variable, which may have had another type and shape."""
        own = self._variables.get(handle)
        if own is not None and own.type == type and own.value.shape == value.shape:
            np.copyto(own.value, value)
            return
        number = self._numbers.setdefault(handle, len(self._numbers))
        self.budget.add_variable(number, handle.shared_name, value.nbytes)
        self._variables[handle] = Variable(type, np.array(value, order="C"))
        self.version += 1

    def adopt_variable(self, handle: Handle, memory: Variable) -> bool:
        """Let `memory` hold the variable from now on; False where it has no value, or one of another type or shape."""
        own = self._variables.get(handle)
        if own is None or own.type != memory.type or own.value.shape != memory.value.shape:
            return False
        if own is not memory:
            np.copyto(memory.value, own.value)
            self._variables[handle] = memory
            self.version += 1
        return True

    def table(self, handle: TableHandle) -> Table:
        """The table of that number, whose types are those of the first handle that asked for it."""
        return self._tables.setdefault(handle.number, Table(handle.key, handle.value))

    def fill_table(self, handle: TableHandle, entries: Mapping[Any, Any], size: int) -> None:
        """Give the table its entries, which take `size` bytes."""
        number = self._numbers.setdefault(handle.number, len(self._numbers))
        self.budget.add_variable(number, f"table {handle.number}", size)
        self.table(handle).entries = entries

    def is_done(self, index: int) -> bool:
        """Whether `call_once` has run a subgraph."""
        return index in self._done_once

    def _prepared(self, index: int, shapes: Sequence[Shape]) -> SubgraphExecutor:
        executor = self.executor(index)
        for position, shape in zip(executor.subgraph.inputs, shapes, strict=True):
            executor.resize(position, shape)
        if executor.plan is None:
            self._spend(_PREPARING * (1 + len(executor.subgraph.operators)))
            executor.allocate()
        return executor

    def _spend(self, operators: int) -> None:
        self._count += operators
        if self._count > self._most:
            raise EvaluationError(f"called subgraphs run more than the {self._most} operators of the limit")

    @contextmanager
    def _entered(self, index: int) -> Iterator[None]:
        if self.depth == _DEEPEST:
            raise ModelError(f"subgraphs call each other more than {_DEEPEST} deep")
        self.depth += 1
        try:
            yield
        except (EvaluationError, ModelError, UnsupportedError) as error:
            raise type(error)(f"subgraph {index}: {error}") from None
        finally:
            self.depth -= 1
