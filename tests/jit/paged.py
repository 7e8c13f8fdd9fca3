"""Memory for a compiled model of which every piece ends (or begins) where the process may read no further.

Whoever reads more than the slack behind a tensor, constant or working memory, or anything before it, crashes the
process: INT8RT_PAGED=end or INT8RT_PAGED=start makes a `GuardedExecutor` use it.
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from int8rt.kernels.jit.abi import SLACK
from tests.jit.guarded import GuardedStore

_PAGE = mmap.PAGESIZE


class PagedStore(GuardedStore):
    """Blocks between pages that can't be touched. flush: "end" or "start", where a block has no room to spare."""

    gap = 0

    def __init__(self, limit: int, flush: str) -> None:
        super().__init__(limit)
        assert flush in ("end", "start")
        self.flush = flush

    def block(self, size: int) -> npt.NDArray[np.uint8]:
        pages = -(-(size + SLACK) // _PAGE)
        region = mmap.mmap(-1, (pages + 2) * _PAGE)
        memory = np.frombuffer(region, np.uint8)
        library = ctypes.CDLL(None, use_errno=True)
        for page in (0, pages + 1):
            address = ctypes.c_void_p(memory.ctypes.data + page * _PAGE)
            if library.mprotect(address, ctypes.c_size_t(_PAGE), 0):
                raise OSError(ctypes.get_errno(), "mprotect")
        self._kept.append(memory)
        start = _PAGE if self.flush == "start" else (pages + 1) * _PAGE - SLACK - size
        return memory[start : start + size]

    def arena(self, sizes: Mapping[int, int], total: int) -> dict[int, npt.NDArray[np.uint8]]:
        return {offset: self.block(size) for offset, size in sizes.items()}
