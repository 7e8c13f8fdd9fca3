"""Which tensors of a program have a place in the arena, and which of them share it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from int8rt.kernels.base import element_count
from int8rt.kernels.jit.arena import Lifetime, plan_arena
from int8rt.kernels.jit.borders import Folded
from int8rt.kernels.jit.conv import CONV
from int8rt.kernels.jit.copies import BLOCKS
from int8rt.kernels.jit.lowering import At, Item, Lowered, View, arena_dtype
from int8rt.kernels.jit.windows import WINDOWS
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
    """Tensors that take another's memory: views, outputs where nobody reads the input later, parts of concatenations.

    No tensor that the caller may write (inputs, variables) shares memory with one that he reads.
    columns: tensors that are some columns of another: that one, and the first of them.
    folded: which steps read another tensor than the operator says, and which tensors have no memory.
    """

    def __init__(self, plan: Plan, preserve: bool, folded: Folded) -> None:
        self._plan = plan
        self._preserve = preserve
        self._reads = folded.reads
        # The tensor in whose memory another lies, and how many bytes behind its beginning.
        self._home: dict[int, tuple[int, int]] = {}
        self.columns: dict[int, tuple[int, int]] = {}
        self._readers = Counter(index for step in plan.steps for index in self._read_by(step))
        self._inside = arena_tensors(plan) - folded.absent
        self._last_use: dict[int, int] = {}
        for step in plan.steps:
            self._last_use.update((index, step.position) for index in self._read_by(step))
        tensors = plan.subgraph.tensors
        self._given = set(plan.subgraph.inputs) | {i for i, tensor in enumerate(tensors) if tensor.is_variable}
        self._read = set(plan.subgraph.outputs)

    def _read_by(self, step: Step) -> tuple[int, ...]:
        position, reads = step.position, self._plan.reads(step, step.params)
        return (*reads, self._reads[position]) if position in self._reads else reads

    def place_of(self, index: int) -> tuple[int, int]:
        """(the tensor whose memory `index` has: itself, or the one that it shares; bytes behind its beginning)."""
        offset = 0
        while index in self._home:
            index, more = self._home[index]
            offset += more
        return index, offset

    def home(self, index: int) -> int:
        """The tensor whose memory `index` has."""
        return self.place_of(index)[0]

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
        self._share(source, target)
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
        self._share(source, target)
        return True

    def part(self, source: int, target: int, offset: int) -> bool:
        """Let a tensor lie in a concatenation of it from the beginning; False where it must be copied there."""
        if self._preserve or source not in self._inside or target not in self._inside or target in self._given:
            return False
        home, whole = self.home(source), self.home(target)
        if home == whole or home in self._given or home in self._read:
            return False
        if tensor_bytes(self._plan, home) != tensor_bytes(self._plan, source):
            return False
        self._share(target, home, offset)
        return True

    def column(self, source: int, target: int, offset: int) -> bool:
        """Let an 8-bit tensor be columns of a concatenation, which alone reads it; False where it must be copied there.

        Its elements do not follow one another then.
        """
        if self._preserve or source not in self._inside or target not in self._inside or target in self._given:
            return False
        alone = self._readers[source] == 1 and self.place_of(source) == (source, 0)
        if not alone or source in self._given or source in self._read or self._is_home(source):
            return False
        self._share(target, source, offset)
        self.columns[source] = target, offset
        return True

    def _is_home(self, index: int) -> bool:
        return any(home == index for home, _ in self._home.values())

    def _share(self, source: int, target: int, offset: int = 0) -> None:
        """Let a tensor, with memory of its own or none yet, lie in another's, so many bytes behind its beginning."""
        home, before = self.place_of(source)
        self._home[target] = home, before + offset
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
        places = {index: self.place_of(index) for index in self._inside}
        return {index: where[home] + offset for index, (home, offset) in places.items() if home in where}, total

    def _sizes(self) -> dict[int, int]:
        sizes: dict[int, int] = {}
        for index in self._inside:
            home = self.home(index)
            sizes[home] = max(sizes.get(home, 0), tensor_bytes(self._plan, index))
        return sizes


def share_memory(plan: Plan, items: list[Item], preserve: bool, folded: Folded) -> tuple[Sharing, frozenset[int]]:
    """(who shares memory, positions of the views that must be copies); takes from `items` the copies not needed."""
    sharing = Sharing(plan, preserve, folded)
    copies = set()
    for k, (step, item) in enumerate(zip(plan.steps, items, strict=True)):
        if isinstance(item, View):
            if not sharing.view(step):
                copies.add(step.position)
        elif isinstance(item, list) and len(item) == 1 and item[0].in_place:
            sharing.in_place(step)
        elif isinstance(item, list):
            items[k] = [call for call in item if not _lies_there(plan, sharing, items, call)]
    return sharing, frozenset(copies)


def _lies_there(plan: Plan, sharing: Sharing, items: list[Item], call: Lowered) -> bool:
    """Whether a call copies a tensor into a part of another that from now on is the tensor's own memory."""
    values = call.values
    if call.block is not BLOCKS or "table" in values:
        return False
    source, target, offset = values["input"].index, values["output"].index, values["output_offset"]
    if values["rows"] == 1:
        return sharing.part(source, target, offset)
    # Matrix products write rows as far apart as they are told.
    producer = next((k for k, step in enumerate(plan.steps) if source in step.operator.outputs), -1)
    made = items[producer] if producer >= 0 else None
    if not isinstance(made, list) or len(made) != 1 or made[0].block not in (CONV, WINDOWS):
        return False
    by_columns = plan.shapes[source] == (*plan.shapes[target][:-1], values["bytes"])
    if not by_columns or not sharing.column(source, target, offset):
        return False
    there = {"output": At(target, offset), "output_stride": values["output_stride"]}
    items[producer] = [replace(made[0], values={**made[0].values, **there})]
    return True
