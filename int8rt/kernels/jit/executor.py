"""Runs a planned subgraph as a compiled program; what has no twin runs with NumPy between."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

import numpy as np

from int8rt.errors import EvaluationError, StateError
from int8rt.executor import Observer, SubgraphExecutor, evaluate_step
from int8rt.kernels.base import Array
from int8rt.kernels.calls import CallParams
from int8rt.kernels.jit.isa.levels import Level, choose_level
from int8rt.kernels.jit.lowering import NumpyStep
from int8rt.kernels.jit.pool import Pool
from int8rt.kernels.jit.program import Program, build_program, read, write
from int8rt.kernels.jit.run import alone, entry, prepared
from int8rt.kernels.jit.segments import Segment, items, segments
from int8rt.kernels.jit.store import Store
from int8rt.memory import MemoryLimits
from int8rt.model import Model, Shape
from int8rt.plan import Plan, Step
from int8rt.quantization.profiles import Profile
from int8rt.subgraphs import Subgraphs

# So many executors of a model have threads of their own.
_WITH_THREADS = 8


class JitExecutor(SubgraphExecutor):
    """A `SubgraphExecutor` whose steps are compiled kernels over one arena.

    Tensors whose shape only running tells, and strings, are NumPy arrays as there; operators on them run with NumPy.
    """

    def __init__(
        self,
        model: Model,
        subgraph_index: int,
        profile: Profile,
        limits: MemoryLimits,
        preserve_all_tensors: bool = False,
        *,
        level: Level | None = None,
        threads: int = 1,
        subgraphs: Subgraphs | None = None,
    ) -> None:
        super().__init__(model, subgraph_index, profile, limits, preserve_all_tensors, subgraphs=subgraphs)
        self.level = level or choose_level()
        self._threads = threads
        self.program: Program | None = None
        self._segments: list[Segment] = []
        self._well = b""  # the program's status where no step has anything to say
        self._pool: Pool | None = None
        self._alone: Callable[[int, int], None] | None = None
        self._calls: list[Callable[[], None] | Step] = []
        # The one call that is all there is to do, if so.
        self._quick: Callable[[], None] | None = None
        # Tensors that the caller has set though he need not: until the next run they hold what he said.
        self._set_anyway: list[int] = []
        # Whether the variables that subgraphs share live in the program's memory, and when that was found.
        self._settled = False
        self._version = -1

    def sibling(self, subgraph_index: int) -> SubgraphExecutor:
        """An executor for another subgraph of the model, which shares variables with this one, and does not hold it."""
        arguments = self._model, subgraph_index, self._profile, self._limits, self.preserve_all_tensors
        # Each has its own threads: a file may have any number of subgraphs.
        threads = self._threads if len(list(self.subgraphs.executors())) < _WITH_THREADS else 1
        return JitExecutor(*arguments, level=self.level, threads=threads, subgraphs=self._runtime)

    def resize(self, index: int, shape: Shape) -> None:
        """Give input tensor `index` another shape; takes effect with the next `allocate`."""
        super().resize(index, shape)
        if self._plan is None:
            self.program = None
            self._calls, self._quick = [], None

    def allocate(self) -> None:
        """Plan, lower and lay out; inputs keep their values where their shape is unchanged."""
        if self._plan is not None:
            return
        self.program, self._calls, self._quick = None, [], None
        super().allocate()
        plan = self.plan
        assert plan is not None
        try:
            self.program = build_program(plan, self.level, self._threads, self.preserve_all_tensors, self._store())
        except BaseException:
            self._plan = None
            raise
        for index, array in self.program.given.items():
            if index in self._values:
                array[...] = self._values[index]
            self._values[index] = array
        self._settled, self._version = False, -1
        self._segments = segments(plan, self.program, False)
        self._well = bytes(self.program.status.nbytes)
        self._pool = self._alone = None

    def _store(self) -> Store:
        others = (each for each in self.subgraphs.executors() if isinstance(each, JitExecutor) and each is not self)
        used = sum(each.program.store.bytes for each in others if each.program is not None)
        return Store(self._limits.total + self._limits.undeclared - used)

    def reset_variables(self) -> None:
        """Set every variable tensor to zero (int8: to its zero point)."""
        super().reset_variables()
        if self.program is not None:
            self._into_program()

    def set(self, index: int, value: Array) -> None:
        """Copy `value`, of the tensor's dtype and current shape, into tensor `index`."""
        if self.program is None or index not in self.program.views or index in self.program.given:
            super().set(index, value)
        elif self.preserve_all_tensors:
            assert self._plan is not None
            write(self.program, self._plan, index, value)
        else:
            super().set(index, value)
            self._set_anyway.append(index)

    def get(self, index: int) -> Array:
        """The array of tensor `index`; a copy for int8 tensors that are no inputs, outputs or variables."""
        kept = self.preserve_all_tensors and self.program is not None and index in self.program.views
        if kept and index not in self._values:
            assert self.program is not None
            assert self._plan is not None
            return read(self.program, self._plan, index)
        return super().get(index)

    def invoke(self, observer: Observer | None = None) -> None:
        """Run all operators in order."""
        quick = self._quick
        if quick is None or observer is not None or self._set_anyway or self._version != self._runtime.version:
            self._run(observer)
        else:
            quick()
        program = self.program
        assert program is not None
        if program.watched and program.status.tobytes() != self._well:
            assert self._plan is not None
            self._raise_status(self._plan, program)

    def _run(self, observer: Observer | None) -> None:
        plan, program = self._plan, self.program
        if plan is None or program is None:
            raise StateError("Invoke called on model that is not ready: call allocate_tensors() first")
        if self.subgraphs.depth == 0:
            self.subgraphs.restart()
        for index in self._set_anyway:
            self._values.pop(index, None)
        self._set_anyway.clear()
        if self._version != self.subgraphs.version:
            self._settle(plan, program)
        if observer is not None:
            self._observe(plan, program, observer)
            return
        if not self._calls or (self._pool is not None and not self._pool.alive):
            self._calls = [self._call(program, segment) for segment in self._segments]
            if len(self._calls) == 1 and self._alone_serves(program):
                only = self._calls[0]
                self._quick = None if isinstance(only, Step) else only
        for call in self._calls:
            if isinstance(call, Step):
                self._evaluate(plan, program, call)
            else:
                call()

    def _call(self, program: Program, segment: Segment) -> Callable[[], None] | Step:
        """What runs a segment."""
        if isinstance(segment, Step):
            return segment
        if self._alone_serves(program):
            return prepared(int(program.table.ctypes.data), *segment)
        return functools.partial(self._runner(program), *segment)

    def _observe(self, plan: Plan, program: Program, observer: Observer) -> None:
        run = self._runner(program)
        run(*program.inward)
        for step, item in items(plan, program, self._settled):
            if isinstance(item, NumpyStep):
                self._evaluate(plan, program, step, dead=False)
            elif item is not None:
                run(*item)
            for index in step.operator.outputs:
                if index in plan.constants:
                    value = plan.constants[index]
                else:
                    value = read(program, plan, index) if index in program.views else self._values[index]
                observer(step.position, index, value)
            self._drop(plan, step)
        run(*program.outward)

    def step_backends(self) -> list[str]:
        """What computes each step: "jit", "numpy", or "" where nothing is to be done."""
        assert self.program is not None
        unneeded = self.program.unneeded
        needed = (None if k in unneeded else item for k, item in enumerate(self.program.order))
        return ["numpy" if isinstance(item, NumpyStep) else "jit" if item else "" for item in needed]

    def invoke_timed(self) -> list[float]:
        """Run all operators in order; the seconds that each step took, without those of calling it by itself."""
        plan, program = self._plan, self.program
        assert plan is not None
        assert program is not None
        if self._version != self.subgraphs.version:
            self._settle(plan, program)
        run, seconds = self._runner(program), []

        def timed(first: int, last: int) -> float:
            start = time.perf_counter()
            run(first, last)
            return time.perf_counter() - start

        nothing = min(timed(0, 0) for _ in range(20))
        run(*program.inward)
        for step, item in items(plan, program, self._settled):
            start = time.perf_counter()
            if item is None or step.position in program.unneeded:
                seconds.append(0.0)
            elif isinstance(item, NumpyStep):
                self._evaluate(plan, program, step)
                seconds.append(time.perf_counter() - start)
            else:
                seconds.append(max(timed(*item) - nothing, 0.0))
        run(*program.outward)
        return seconds

    def _settle(self, plan: Plan, program: Program) -> None:
        """Take the variables into the program's memory, where they have values of its types and shapes."""
        once = (step.params for step in plan.steps if step.operator.name == "CALL_ONCE")
        settled = bool(program.variables) and all(
            isinstance(params, CallParams) and self.subgraphs.is_done(params.subgraph) for params in once
        )
        for handle, memory in program.variables.items():
            settled = settled and self.subgraphs.adopt_variable(handle, memory)
        self._version = self.subgraphs.version
        if settled != self._settled:
            self._settled = settled
            self._segments, self._calls, self._quick = segments(plan, program, settled), [], None

    def _runner(self, program: Program) -> Callable[[int, int], None]:
        """What runs rows [first, last) of the table."""
        if not self._alone_serves(program):
            if self._pool is None or not self._pool.alive:
                self._pool = Pool(self._threads, program.table)
            return self._pool.run
        if self._alone is None:
            self._alone = functools.partial(entry(alone), int(program.table.ctypes.data))
        return self._alone

    def _alone_serves(self, program: Program) -> bool:
        return self._threads == 1 or not program.shared

    def _evaluate(self, plan: Plan, program: Program, step: Step, dead: bool = True) -> None:
        """Run a step with NumPy, on arrays made from the arena."""
        values: dict[int, Array] = {}
        for index in plan.reads(step, step.params):
            if index in plan.constants:
                values[index] = plan.constants[index]
            elif index in program.views:
                values[index] = read(program, plan, index)
            elif index >= 0:
                values[index] = self._values[index]
        for index, result in evaluate_step(plan, step, values).items():
            if index in program.views:
                write(program, plan, index, result)
            elif index in self._variables:
                self._values[index][...] = result
            else:
                # A view of the arena would change with it.
                shared = any(np.may_share_memory(result, array) for array in values.values())
                self._values[index] = result.copy() if shared else result
                self._shapes[index] = result.shape
        if dead:
            self._drop(plan, step)

    def _drop(self, plan: Plan, step: Step) -> None:
        if not self.preserve_all_tensors:
            for index in plan.dead_after.get(step.position, ()):
                self._values.pop(index, None)

    def _raise_status(self, plan: Plan, program: Program) -> None:
        position = int(np.flatnonzero(program.status)[0])
        program.status[:] = 0
        name = plan.steps[position].operator.label
        raise EvaluationError(f"operator {position} ({name}): values outside the range that its arithmetic can hold")

    def _into_program(self) -> None:
        """Copy the variables' values into the arrays of the program."""
        assert self.program is not None
        for index in self._variables:
            array = self.program.given.get(index)
            if array is not None and array is not self._values[index]:
                array[...] = self._values[index]
                self._values[index] = array
