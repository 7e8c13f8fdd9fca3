"""Runs a planned subgraph as a compiled program; what has no twin runs with NumPy between."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import EvaluationError, InputError
from int8rt.executor import Observer, SubgraphExecutor
from int8rt.kernels.jit.isa.levels import Level, choose_level
from int8rt.kernels.jit.lowering import from_arena, to_arena
from int8rt.kernels.jit.program import NumpyStep, Program, build_program, run_numpy
from int8rt.kernels.jit.run import run
from int8rt.model import TensorType

Array = npt.NDArray[Any]


class JitExecutor(SubgraphExecutor):
    """A `SubgraphExecutor` whose steps are compiled kernels over one arena."""

    level: Level | None = None
    program: Program | None = None

    def allocate(self) -> None:
        """Plan, lower and lay out; falls back to NumPy alone where shapes are only known while running."""
        if self._plan is not None:
            return
        super().allocate()
        assert self._plan is not None
        self.level = self.level or choose_level()
        self.program = build_program(self._plan, self.level, 1, self._preserve)
        if self.program is None:
            return
        for index in (*self.subgraph.inputs, *self.subgraph.outputs):
            if index in self._plan.constants:
                continue
            given = self._values.get(index)
            if self.subgraph.tensors[index].type != TensorType.INT8:
                self._values[index] = self.program.views[index]
            elif given is None:
                self._values[index] = np.zeros(self._plan.shapes[index], np.int8)
            if given is not None:
                self._values[index][...] = given
        self._store_variables()
        self._segments = list(_segments(self.program))
        self._int8_inputs = [(self._values[i], self.program.views[i]) for i in self._int8(self.subgraph.inputs)]
        self._int8_outputs = [(self._values[i], self.program.views[i]) for i in self._int8(self.subgraph.outputs)]

    def reset_variables(self) -> None:
        """Set every variable tensor to zero (int8: to its zero point)."""
        super().reset_variables()
        if self.program is not None:
            self._store_variables()

    def set(self, index: int, value: Array) -> None:
        """Store a copy of `value` in tensor `index`."""
        if self.program is None:
            super().set(index, value)
        elif self.subgraph.tensors[index].is_variable:
            self.program.views[index][...] = to_arena(np.ascontiguousarray(value))
        else:
            self._values[index][...] = value

    def get(self, index: int) -> Array:
        """The array of tensor `index`; a copy for intermediate int8 tensors."""
        program = self.program
        if program is None or self._plan is None or index in self._plan.constants:
            return super().get(index)
        variable = self.subgraph.tensors[index].is_variable
        if index in self._values and not variable:
            return self._values[index]
        if index in program.views and (self._preserve or variable):
            return from_arena(program.views[index], self.subgraph.tensors[index].type)
        return super().get(index)

    def invoke(self, observer: Observer | None = None) -> None:
        """Run the program."""
        if self.program is None:
            super().invoke(observer)
            return
        if self._plan is None:
            raise InputError("the tensors are not allocated: call allocate_tensors() first")
        for array, view in self._int8_inputs:
            np.bitwise_xor(array.view(np.uint8), np.uint8(128), out=view)
        if observer is None:
            for item in self._segments:
                if isinstance(item, NumpyStep):
                    run_numpy(self.program, item, self._plan)
                else:
                    run(*item)
        else:
            self._observe(observer)
        if self.program.status.any():
            self._raise_status()
        for array, view in self._int8_outputs:
            np.bitwise_xor(view, np.uint8(128), out=array.view(np.uint8))

    def _observe(self, observer: Observer) -> None:
        assert self.program is not None
        assert self._plan is not None
        table = int(self.program.table.ctypes.data)
        for step, item in zip(self._plan.steps, self.program.order, strict=True):
            if isinstance(item, NumpyStep):
                run_numpy(self.program, item, self._plan)
            elif item is not None:
                run(table, *item)
            for index in step.operator.outputs:
                if index in self._plan.constants:
                    value = self._plan.constants[index]
                else:
                    value = from_arena(self.program.views[index], self.subgraph.tensors[index].type)
                observer(step.position, index, value)

    def _raise_status(self) -> None:
        assert self.program is not None
        position = int(np.flatnonzero(self.program.status)[0])
        self.program.status[:] = 0
        name = self.subgraph.operators[position].label
        raise EvaluationError(f"operator {position} ({name}): values outside the range that its arithmetic can hold")

    def _int8(self, indices: tuple[int, ...]) -> list[int]:
        assert self._plan is not None
        tensors = self.subgraph.tensors
        return [i for i in dict.fromkeys(indices) if tensors[i].type == TensorType.INT8 and i not in self._plan.constants]

    def _store_variables(self) -> None:
        assert self.program is not None
        for index, tensor in enumerate(self.subgraph.tensors):
            if tensor.is_variable and index in self.program.views:
                self.program.views[index][...] = to_arena(self._values[index])


def _segments(program: Program) -> list[tuple[int, int, int] | NumpyStep]:
    """Runs of table rows (table address, first, last) and NumPy steps, in order."""
    table = int(program.table.ctypes.data)
    segments: list[tuple[int, int, int] | NumpyStep] = []
    for item in program.order:
        if isinstance(item, NumpyStep):
            segments.append(item)
        elif item is not None:
            previous = segments[-1] if segments else None
            if isinstance(previous, tuple):
                segments[-1] = (table, previous[1], item[1])
            else:
                segments.append((table, *item))
    return segments
