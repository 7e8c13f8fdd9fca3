"""A planned subgraph as a program: a table of kernel calls over one arena, and NumPy steps where there is no kernel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.jit.arena import aligned
from int8rt.kernels.jit.borders import Folded
from int8rt.kernels.jit.isa.levels import Level
from int8rt.kernels.jit.lowered_steps import StepLowerer
from int8rt.kernels.jit.lowering import At, Data, Lowered, NumpyStep, Scratch, Status, arena_dtype, from_arena, to_arena
from int8rt.kernels.jit.moves import copied, flipped
from int8rt.kernels.jit.sharing import share_memory, tensor_bytes
from int8rt.kernels.jit.store import Store
from int8rt.kernels.runtime import Handle, Variable
from int8rt.model import TensorType
from int8rt.plan import Plan, Step

Array = npt.NDArray[Any]

# What a kernel does in a nanosecond, roughly, and the nanoseconds from which sharing it with other threads pays: they
# wait for each other after it. All shared steps of a program together must be worth some of those: it takes as much to
# call the threads, and none of them may be there.
_MACS_PER_NS = 150
_BYTES_PER_NS = 10
_WORTH_SHARING = 4000
_WORTH_CALLING = 3


@dataclass(frozen=True, slots=True)
class Program:
    """table: int64[n, 3], the rows of `run`. shared: whether any row is for all threads.

    inward, outward: rows of the table [first, last) before and after all steps: they copy int8 tensors of the caller's
    into the arena and back. order: for each step of the plan its rows, a `NumpyStep`, or None where nothing is to be
    done. unneeded: positions of steps that only who looks at their outputs needs to run; their rows come last.
    views: tensor index to its array in the arena, as it lies there. given: tensor index to the array that the caller
    sees, for inputs, outputs and variables. status: int64 for each step, not 0 where its values left its domain;
    watched: whether any step says so.
    moves: positions of the steps that copy variables which subgraphs share, from and to the memory in `variables`; they
    are of use as long as the variables do live there.
    store: what keeps all addresses valid.
    """

    table: npt.NDArray[np.int64]
    shared: bool
    inward: tuple[int, int]
    order: tuple[tuple[int, int] | NumpyStep | None, ...]
    unneeded: frozenset[int]
    outward: tuple[int, int]
    views: Mapping[int, Array]
    given: Mapping[int, Array]
    status: npt.NDArray[np.int64]
    watched: bool
    moves: frozenset[int]
    variables: Mapping[Handle, Variable]
    store: Store
    arena_bytes: int


def build_program(plan: Plan, level: Level, threads: int, preserve: bool, store: Store) -> Program:
    """Lower every step that has a twin, and lay out the arena.

    threads: how many may run a kernel at once. preserve: keep all tensors to the end. store: for the arena, packed
    weights and working memory; `ModelError` beyond its limit.
    """
    lowerer, rows = StepLowerer(plan, level, store), _Rows(plan, threads, store)
    items = [lowerer.lower(step) for step in plan.steps]
    unneeded: frozenset[int] = frozenset()
    folded = Folded()
    if not preserve:
        folded = lowerer.fold_borders(items)
        unneeded = lowerer.fuse(items) | folded.pads
    sharing, copies = share_memory(plan, items, preserve, folded)
    places, total = sharing.place(items, store.gap)
    rows.lay_out(places, total, preserve)
    for index, (whole, first) in sharing.columns.items():
        rows.views[index] = rows.views[whole][..., first : first + plan.shapes[index][-1]]
    store.reserve(
        max((rows.scratch_bytes(call) for item in items if isinstance(item, list) for call in item), default=0)
    )
    inward = rows.add(rows.boundary(outward=False), 0)
    order: list[tuple[int, int] | NumpyStep | None] = []
    for step, item in zip(plan.steps, items, strict=True):
        if step.position in copies:
            item = rows.copy(step)
        if isinstance(item, list) and step.position not in unneeded:
            order.append(rows.add(item, step.position, step))
        else:
            order.append(item if isinstance(item, NumpyStep) else None)
    outward = rows.add(rows.boundary(outward=True), 0)
    for k, (step, item) in enumerate(zip(plan.steps, items, strict=True)):
        if isinstance(item, list) and step.position in unneeded:
            order[k] = rows.add(item, step.position, step)
    table = np.array(rows.table, np.int64).reshape(-1, 3)
    if rows.shared_nanoseconds <= _WORTH_CALLING * _WORTH_SHARING:
        table[:, 2] = 0
    return Program(
        table=table,
        shared=bool(table[:, 2].any()),
        inward=inward,
        order=tuple(order),
        unneeded=unneeded,
        outward=outward,
        views=rows.views,
        given=rows.given,
        status=rows.status,
        watched=rows.watched,
        moves=frozenset(lowerer.moves),
        variables=lowerer.variables,
        store=store,
        arena_bytes=total,
    )


def compiled_steps(plan: Plan, level: Level, limit: int) -> list[bool]:
    """Which steps need no NumPy while running: they have kernels, share memory, or have constant outputs."""
    lowerer = StepLowerer(plan, level, Store(limit))
    return [not isinstance(lowerer.lower(step), NumpyStep) for step in plan.steps]


class _Rows:
    """Rows of the table from calls of kernels, and what their blocks name as addresses."""

    def __init__(self, plan: Plan, threads: int, store: Store) -> None:
        self._plan = plan
        self._threads = threads
        self._store = store
        self.table: list[tuple[int, int, int]] = []
        self.shared_nanoseconds = 0.0
        self.views: dict[int, Array] = {}
        self.given: dict[int, Array] = {}
        self.status = np.zeros(len(plan.steps), np.int64)
        self.watched = False
        self._constants: dict[int, Array] = {}

    def lay_out(self, places: Mapping[int, int], total: int, preserve: bool) -> None:
        """Make the arena, the views into it and the arrays that the caller sees; what he may read is zero."""
        subgraph = self._plan.subgraph
        sizes: dict[int, int] = {}
        for index, offset in places.items():
            sizes[offset] = max(sizes.get(offset, 0), tensor_bytes(self._plan, index))
        memory = self._store.arena(sizes, total)
        variables = (index for index, tensor in enumerate(subgraph.tensors) if tensor.is_variable)
        seen = {*subgraph.inputs, *variables, *subgraph.outputs}
        for index, offset in places.items():
            type, size = subgraph.tensors[index].type, tensor_bytes(self._plan, index)
            view = memory[offset][:size].view(arena_dtype(type)).reshape(self._plan.shapes[index])
            self.views[index] = view
            int8 = type == TensorType.INT8
            if preserve or index in seen:
                view[...] = 128 if int8 else 0
            if index in seen:
                own = self._store.block(size).view(np.int8).reshape(view.shape) if int8 else view
                own[...] = 0
                self.given[index] = own

    def boundary(self, outward: bool) -> list[Lowered]:
        """Copies of the caller's int8 tensors into the arena, or back."""
        subgraph = self._plan.subgraph
        variables = [index for index, tensor in enumerate(subgraph.tensors) if tensor.is_variable]
        indices = dict.fromkeys((*(subgraph.outputs if outward else subgraph.inputs), *variables))
        calls = []
        for index in indices:
            array = self.given.get(index)
            if array is not None and subgraph.tensors[index].type == TensorType.INT8 and array.size:
                ends: tuple[Data | At, Data | At] = (Data(array), At(index))
                source, target = ends[::-1] if outward else ends
                calls.append(flipped(source, target, array.size))
        return calls

    def copy(self, step: Step) -> list[Lowered] | NumpyStep:
        """A view whose tensors can't share memory."""
        source, target = step.operator.inputs[0], step.operator.outputs[0]
        if target not in self.views or (source not in self.views and source not in self._plan.constants):
            return NumpyStep()
        count = tensor_bytes(self._plan, target)
        return [copied(At(source), At(target), count)] if count else []

    def add(self, calls: Sequence[Lowered], position: int, step: Step | None = None) -> tuple[int, int]:
        """Append these calls to the table; their rows. step: whose calls they are; None for copies."""
        first = len(self.table)
        nanoseconds = 0.0 if step is None else self._nanoseconds(step)
        shared = int(step is not None and self._threads > 1 and nanoseconds > _WORTH_SHARING * len(calls))
        self.shared_nanoseconds += shared * nanoseconds
        for call in calls:
            block, scratch = np.zeros(1, call.block), 0
            for name, value in call.values.items():
                if isinstance(value, Scratch):
                    size = aligned(value.size * self._threads)
                    block[name] = self._store.scratch(scratch, scratch + size).ctypes.data
                    scratch += size
                else:
                    block[name] = self._address(value, position)
            self.table.append((int(call.kernel.address), self._store.keep(block), shared))
        return first, len(self.table)

    def _nanoseconds(self, step: Step) -> float:
        """A guess at what a step takes on one thread."""
        macs = step.kernel.macs(step.params) if step.kernel.macs is not None else 0
        indices = {index for index in (*step.operator.inputs, *step.operator.outputs) if index in self.views}
        return macs / _MACS_PER_NS + sum(tensor_bytes(self._plan, index) for index in indices) / _BYTES_PER_NS

    def scratch_bytes(self, call: Lowered) -> int:
        """Working memory that a call takes, for all threads."""
        return sum(aligned(value.size * self._threads) for value in call.values.values() if isinstance(value, Scratch))

    def _address(self, value: int | At | Data | Status, position: int) -> int:
        if isinstance(value, At):
            return int(self._tensor(value.index).ctypes.data) + value.offset
        if isinstance(value, Data):
            return int(value.array.ctypes.data)
        if isinstance(value, Status):
            self.watched = True
            return int(self.status[position:].ctypes.data)
        return int(value)

    def _tensor(self, index: int) -> Array:
        if index in self.views:
            return self.views[index]
        if index not in self._constants:
            value, type = self._plan.constants[index], self._plan.subgraph.tensors[index].type
            self._constants[index] = self._store.copy(to_arena(value) if type == TensorType.INT8 else value)
        return self._constants[index]


def read(program: Program, plan: Plan, index: int) -> Array:
    """The value of a tensor that lies in the arena; a copy for int8."""
    return from_arena(program.views[index], plan.subgraph.tensors[index].type)


def write(program: Program, plan: Plan, index: int, value: Array) -> None:
    """Put a value into the arena."""
    view = program.views[index]
    value = np.ascontiguousarray(value).reshape(view.shape)
    view[...] = to_arena(value) if plan.subgraph.tensors[index].type == TensorType.INT8 else value
