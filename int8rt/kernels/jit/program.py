"""A planned subgraph as a program: a table of kernel calls over one arena, with NumPy steps between where none exists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.base import Params, element_count
from int8rt.kernels.jit.abi import SLACK
from int8rt.kernels.jit.arena import Lifetime, plan_arena
from int8rt.kernels.jit.isa.levels import Level
from int8rt.kernels.jit.lowering import At, Data, LowerContext, Lowered, Scratch, Slot, Status, View, from_arena, to_arena
from int8rt.kernels.jit.twins import TWINS
from int8rt.model import TensorType
from int8rt.plan import Plan, Step

Array = npt.NDArray[Any]
_ALIGN = 64


@dataclass(frozen=True, slots=True, eq=False)
class NumpyStep:
    """An operator without a twin: evaluated by its NumPy definition on arrays made from the arena."""

    step: Step
    params: Params


# What became of an operator: kernel calls, a view, NumPy, or nothing because its outputs are constants.
Item = list[Lowered] | View | NumpyStep | None


@dataclass(frozen=True, slots=True)
class Program:
    """table: int64[n, 2], kernel and block addresses of the calls. order: for each step of the plan, in order, its rows
    of the table [first, last), a `NumpyStep`, or None where nothing is to be done.

    memory: what keeps all addresses valid. status: int64 for each step, not 0 where its values left its domain.
    views: tensor index to its array in the arena, as it lies there.
    """

    table: npt.NDArray[np.int64]
    order: tuple[tuple[int, int] | NumpyStep | None, ...]
    views: dict[int, Array]
    memory: tuple[Array, ...]
    status: npt.NDArray[np.int64]
    arena_bytes: int


def build_program(plan: Plan, level: Level, threads: int, preserve: bool) -> Program | None:
    """Lower every step that has a twin and lay out the arena; None where shapes are only known while running."""
    if any(step.params is None for step in plan.steps):
        return None
    tensors = plan.subgraph.tensors
    if any(shape is None for step in plan.steps for shape in step.params.output_shapes):  # type: ignore[union-attr]
        return None
    lowered = [_lower(plan, step, level) for step in plan.steps]
    alias = _aliases(plan, lowered, preserve)
    places, total = _place(plan, lowered, alias, preserve)
    arena = _aligned(total + SLACK)
    views: dict[int, Array] = {}
    keep: list[Array] = [arena]
    for index, offset in places.items():
        shape, dtype = plan.shapes[index], arena_dtype(tensors[index].type)
        size = element_count(shape) * dtype.itemsize
        views[index] = arena[offset : offset + size].view(dtype).reshape(shape)
    constants: dict[int, Array] = {}

    def address(position: int, value: int | At | Data | Scratch | Status) -> int:
        if isinstance(value, At):
            if value.index in views:
                return int(views[value.index].ctypes.data)
            if value.index not in constants:
                constants[value.index] = _with_slack(to_arena(plan.constants[value.index]))
            return int(constants[value.index].ctypes.data)
        if isinstance(value, Data):
            array = _with_slack(value.array)
            keep.append(array)
            return int(array.ctypes.data)
        if isinstance(value, Scratch):
            array = _aligned(value.size * threads + SLACK)
            keep.append(array)
            return int(array.ctypes.data)
        if isinstance(value, Status):
            return int(status[position:].ctypes.data)
        return int(value)

    status = np.zeros(len(plan.steps), np.int64)
    rows: list[tuple[int, int]] = []
    order: list[tuple[int, int] | NumpyStep | None] = []
    for position, item in enumerate(lowered):
        if not isinstance(item, list):
            order.append(item if isinstance(item, NumpyStep) else None)
            continue
        order.append((len(rows), len(rows) + len(item)))
        for call in item:
            block = np.zeros(1, call.block)
            for name, value in call.values.items():
                block[name] = address(position, value)
            keep.append(block)
            rows.append((int(call.kernel.address), int(block.ctypes.data)))
    for index, value in constants.items():
        keep.append(value)
        views[index] = value
    table = np.array(rows, np.int64).reshape(-1, 2)
    return Program(table, tuple(order), views, tuple(keep), status, total)


def arena_dtype(type: TensorType) -> np.dtype[Any]:
    """How a tensor's elements lie in the arena: int8 codes as unsigned bytes."""
    return np.dtype(np.uint8) if type == TensorType.INT8 else type.dtype


def _lower(plan: Plan, step: Step, level: Level) -> Item:
    assert step.params is not None
    if all(index in plan.constants for index in step.operator.outputs):
        return None
    twin = TWINS.get(step.operator.label)
    if twin is not None:
        lowered = twin(step.params, _context(plan, step, level))
        if lowered is not None:
            return [lowered] if isinstance(lowered, Lowered) else lowered
    return NumpyStep(step, step.params)


def _context(plan: Plan, step: Step, level: Level) -> LowerContext:
    def slot(index: int) -> Slot:
        tensor = plan.subgraph.tensors[index]
        return Slot(index, tensor.type, plan.shapes[index], plan.constants.get(index))

    inputs = tuple(None if index < 0 else slot(index) for index in step.operator.inputs)
    return LowerContext(level, inputs, tuple(slot(index) for index in step.operator.outputs), step.operator.name)


def _aliases(plan: Plan, lowered: list[Item], preserve: bool) -> dict[int, int]:
    """Output tensor to the tensor whose memory it takes: views always, in-place outputs where nobody reads the input."""
    alias: dict[int, int] = {}
    last_use: dict[int, int] = {}
    for step in plan.steps:
        last_use.update((index, step.position) for index in step.operator.inputs)
    fixed = set(plan.subgraph.inputs) | set(plan.subgraph.outputs)

    def root(index: int) -> int:
        while index in alias:
            index = alias[index]
        return index

    for step, item in zip(plan.steps, lowered, strict=True):
        if not step.operator.inputs or not step.operator.outputs:
            continue
        source, target = step.operator.inputs[0], step.operator.outputs[0]
        if source < 0 or source in plan.constants or plan.subgraph.tensors[source].is_variable:
            continue
        free = root(source) not in fixed and last_use.get(root(source), -1) <= step.position
        in_place = isinstance(item, list) and item[0].in_place and free and not preserve
        same_size = element_count(plan.shapes[source]) == element_count(plan.shapes[target])
        if isinstance(item, View) or (in_place and same_size):
            alias[target] = source
            last_use[root(source)] = max(last_use.get(root(source), -1), last_use.get(target, len(plan.steps)))
            if target in fixed:
                fixed.add(root(source))
    return alias


def _place(
    plan: Plan, lowered: list[Item], alias: dict[int, int], preserve: bool
) -> tuple[dict[int, int], int]:
    """(arena offset of every tensor that is no constant, total bytes)."""
    end = len(plan.steps)
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    size: dict[int, int] = {}

    def root(index: int) -> int:
        while index in alias:
            index = alias[index]
        return index

    def use(index: int, position: int) -> None:
        if index < 0 or index in plan.constants:
            return
        home = root(index)
        tensor = plan.subgraph.tensors[index]
        first[home] = min(first.get(home, position), position)
        last[home] = max(last.get(home, position), position)
        size[home] = max(size.get(home, 0), element_count(plan.shapes[index]) * arena_dtype(tensor.type).itemsize)
        if tensor.is_variable or index in plan.subgraph.inputs or preserve:
            first[home], last[home] = -1, end
        if index in plan.subgraph.outputs:
            last[home] = end

    for index in plan.subgraph.inputs:
        use(index, -1)
    for step, item in zip(plan.steps, lowered, strict=True):
        if item is None:
            continue
        for index in (*step.operator.inputs, *step.operator.outputs):
            use(index, step.position)
    homes = list(first)
    offsets, total = plan_arena([Lifetime(size[home], first[home], last[home]) for home in homes])
    where = dict(zip(homes, offsets, strict=True))
    places = {index: where[root(index)] for index in range(len(plan.subgraph.tensors)) if root(index) in where}
    return places, total


def _aligned(size: int) -> npt.NDArray[np.uint8]:
    memory = np.zeros(size + _ALIGN, np.uint8)
    start = -memory.ctypes.data % _ALIGN
    return memory[start : start + size]


def _with_slack(array: Array) -> Array:
    """A contiguous copy behind which `SLACK` more bytes may be read."""
    memory = _aligned(array.nbytes + SLACK)
    memory[: array.nbytes] = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return memory[: array.nbytes].view(array.dtype).reshape(array.shape)


def run_numpy(program: Program, item: NumpyStep, plan: Plan) -> None:
    """Evaluate an operator on arrays made from the arena, and write its outputs there."""
    operator, tensors = item.step.operator, plan.subgraph.tensors
    inputs: list[Array | None] = []
    for index in operator.inputs:
        if index < 0:
            inputs.append(None)
        elif index in plan.constants:
            inputs.append(plan.constants[index])
        else:
            inputs.append(from_arena(program.views[index], tensors[index].type))
    result = item.step.kernel.evaluate(item.params, *inputs)
    for index, value in zip(operator.outputs, result if isinstance(result, tuple) else (result,), strict=True):
        program.views[index][...] = to_arena(np.ascontiguousarray(value)).reshape(program.views[index].shape)

