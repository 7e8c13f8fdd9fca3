"""Which tensors of a program have a place in the arena, and which of them share it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from int8rt.kernels.base import element_count
from int8rt.kernels.jit.arena import Lifetime, plan_arena
from int8rt.kernels.jit.borders import Folded
from int8rt.kernels.jit.lowering import Item, View, arena_dtype
from int8rt.model import TensorType
from int8rt.plan import Plan, Step


def tensor_bytes(plan: Plan, index: int) -> int:
    """Bytes of tensor `index` in the arena."""
    return element_count(plan.shapes[index]) * arena_dtype(plan.subgraph.tensors[index].type).itemsize


def arena_tensors(plan: Plan) -> frozenset[int]:
    """Tensors that live in the arena: all that have a known shape and are no constants and no objects."""
    tensors = plan.subgraph.tensors
    return frozenset(i for i in plan.shapes if i not in plan.constants and not tensors[i].type.dtype.hasobject)


class Sharing:
    """Output tensors that take another tensor's memory: views, and in-place outputs where nobody reads the input later.

    No tensor that the caller may write (inputs, variables) shares memory with one that he reads.
    folded: which steps read another tensor than the operator says, and which tensors have no memory.
    """

    def __init__(self, plan: Plan, preserve: bool, folded: Folded) -> None:
        self._plan = plan
        self._preserve = preserve
        self._reads = folded.reads
        self._home: dict[int, int] = {}
        self._inside = arena_tensors(plan) - folded.absent
        self._last_use: dict[int, int] = {}
        for step in plan.steps:
            self._last_use.update((index, step.position) for index in self._read_by(step))
        tensors = plan.subgraph.tensors
        self._given = set(plan.subgraph.inputs) | {i for i, tensor in enumerate(tensors) if tensor.is_variable}
        self._read = set(plan.subgraph.outputs)

    def _read_by(self, step: Step) -> tuple[int, ...]:
        position = step.position
        return (*step.operator.inputs, self._reads[position]) if position in self._reads else step.operator.inputs

    def home(self, index: int) -> int:
        """The tensor whose memory `index` has: itself, or the one that it shares."""
        while index in self._home:
            index = self._home[index]
        return index

    def view(self, step: Step) -> bool:
        """Let the step's output be its first input's memory; False where it must be a copy."""
        source, target = step.operator.inputs[0], step.operator.outputs[0]
        if source not in self._inside or target not in self._inside or target in self._given:
            return False
        home = self.home(source)
        if self._plan.subgraph.tensors[home].is_variable:
            return False
        if home in self._given and (self._preserve or target in self._read):
            return False
        self._share(home, target)
        return True

    def in_place(self, step: Step) -> bool:
        """Let the step write its output over its first input; False where that is needed or of another size."""
        source, target = step.operator.inputs[0], step.operator.outputs[0]
        if self._preserve or source not in self._inside or target not in self._inside or target in self._given:
            return False
        home = self.home(source)
        others = [self.home(index) for index in step.operator.inputs[1:]]
        busy = home in self._given or home in self._read or home in others
        if busy or self._last_use.get(home, -1) > step.position:
            return False
        if tensor_bytes(self._plan, source) != tensor_bytes(self._plan, target):
            return False
        self._share(home, target)
        return True

    def _share(self, home: int, target: int) -> None:
        self._home[target] = home
        self._last_use[home] = max(self._last_use.get(home, -1), self._last_use.get(target, -1))
        if target in self._read:
            self._read.add(home)

    def place(self, items: Sequence[Item], gap: int) -> tuple[dict[int, int], int]:
        """(offset of every tensor of the arena, total bytes), with `gap` unused bytes behind each."""
        plan, end = self._plan, len(self._plan.steps)
        lives: dict[int, list[int]] = {}

        def use(index: int, *positions: int) -> None:
            if index in self._inside:
                lives.setdefault(self.home(index), []).extend((-1, end) if self._preserve else positions)

        tensors = plan.subgraph.tensors
        for index in self._given:
            # The caller's own array is the arena's memory unless the codes are int8: then there is a copy of it.
            own = tensors[index].type != TensorType.INT8 or tensors[index].is_variable
            use(index, -1, *((end,) if own else ()))
        for index in plan.subgraph.outputs:
            use(index, end)
        for step, item in zip(plan.steps, items, strict=True):
            if item is not None:
                for index in (*self._read_by(step), *step.operator.outputs):
                    use(index, step.position)
        sizes = self._sizes()
        homes = list(lives)
        lifetimes = [Lifetime(sizes[home] + gap, min(lives[home]), max(lives[home])) for home in homes]
        offsets, total = plan_arena(lifetimes)
        where: Mapping[int, int] = dict(zip(homes, offsets, strict=True))
        return {index: where[self.home(index)] for index in self._inside if self.home(index) in where}, total

    def _sizes(self) -> dict[int, int]:
        sizes: dict[int, int] = {}
        for index in self._inside:
            home = self.home(index)
            sizes[home] = max(sizes.get(home, 0), tensor_bytes(self._plan, index))
        return sizes


def share_memory(plan: Plan, items: Sequence[Item], preserve: bool, folded: Folded) -> tuple[Sharing, frozenset[int]]:
    """(who shares memory, positions of the views that must be copies)."""
    sharing = Sharing(plan, preserve, folded)
    copies = set()
    for step, item in zip(plan.steps, items, strict=True):
        if isinstance(item, View):
            if not sharing.view(step):
                copies.add(step.position)
        elif isinstance(item, list) and len(item) == 1 and item[0].in_place:
            sharing.in_place(step)
    return sharing, frozenset(copies)
