"""A compiled model whose memory is watched: whoever writes beside what it may write is found after each step.

Every block, and every tensor's place in the arena, has bytes around it that nobody may write; and all memory is filled
with a pattern first, so that whoever reads what nobody wrote computes something else than NumPy does.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.executor import Observer
from int8rt.kernels.jit.abi import SLACK
from int8rt.kernels.jit.executor import JitExecutor
from int8rt.kernels.jit.store import Store

Array = npt.NDArray[Any]

# More than the slack, behind which a careless copy of 64 bytes would still land.
GAP = 256
PATTERN = 0xA5


class GuardedStore(Store):
    """A store with a gap on both sides of each block. Constants must stay what they are."""

    gap = GAP

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.blocks: list[tuple[Array, int, int]] = []
        self.constants: list[tuple[Array, Array]] = []

    def block(self, size: int) -> npt.NDArray[np.uint8]:
        memory = super().block(size + 2 * GAP)
        memory[:] = PATTERN
        self.blocks.append((memory, GAP, GAP + size))
        return memory[GAP : GAP + size]

    def reserve(self, size: int) -> None:
        return None

    def scratch(self, first: int, last: int) -> npt.NDArray[np.uint8]:
        return self.block(last - first)  # each call's own, to see who writes beside it

    def copy(self, array: Array) -> Array:
        copy = super().copy(array)
        self.constants.append((copy, copy.copy()))
        return copy

    def keep(self, array: Array) -> int:
        self.constants.append((array, array.copy()))
        return super().keep(array)

    def faults(self) -> list[str]:
        """What was written though it may not be."""
        found = []
        for number, (memory, first, last) in enumerate(self.blocks):
            for name, part in (("before", memory[:first]), ("behind", memory[last:])):
                if np.any(part != PATTERN):
                    found.append(f"{np.count_nonzero(part != PATTERN)} bytes {name} block {number} of {last - first}")
        for number, (array, before) in enumerate(self.constants):
            if array.tobytes() != before.tobytes():
                found.append(f"constant {number}")
        return found


class GuardedExecutor(JitExecutor):
    """A `JitExecutor` that keeps all tensors and raises `AssertionError` after a step that wrote where it may not."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        assert GAP > SLACK
        super().__init__(*arguments, **options)
        self.preserve_all_tensors = True
        self._arena, self._free = np.zeros(0, np.uint8), np.zeros(0, bool)

    def allocate(self) -> None:
        if self._plan is not None:
            return
        super().allocate()
        assert self.program is not None
        views = self.program.views
        for index in views.keys() - self.program.given.keys():
            views[index].reshape(-1).view(np.uint8)[:] = PATTERN
        # What no tensor covers, of the block in which they all are.
        for memory, _, _ in self.store.blocks:
            free = np.ones(memory.size, bool)
            for view in views.values():
                start = view.ctypes.data - memory.ctypes.data
                if view.size and 0 <= start < memory.size:
                    free[start : start + view.nbytes] = False
            if not free.all():
                self._arena, self._free = memory, free

    def _store(self) -> Store:
        limit, flush = self._limits.total + self._limits.undeclared, os.environ.get("INT8RT_PAGED")
        if flush:
            from tests.jit.paged import PagedStore

            self.store: GuardedStore = PagedStore(limit, flush)
        else:
            self.store = GuardedStore(limit)
        return self.store

    def invoke(self, observer: Observer | None = None) -> None:
        assert self.plan is not None
        last = -1

        def watch(position: int, index: int, value: Array) -> None:
            nonlocal last
            if position != last:
                last = position
                self.check(f"operator {position} ({self.subgraph.operators[position].label})")
            if observer is not None:
                observer(position, index, value)

        super().invoke(watch)
        self.check("the end")

    def check(self, where: str) -> None:
        """Raise `AssertionError` if anything was written that may not be."""
        faults = self.store.faults()
        changed = np.count_nonzero(self._arena[self._free] != PATTERN)
        if changed:
            faults.append(f"{changed} bytes of the arena between tensors")
        assert not faults, f"{where} wrote {', '.join(faults)}"
