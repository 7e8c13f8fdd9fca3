"""Memory that compiled code reads and writes by address: aligned, with slack behind it, counted against a limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import ModelError
from int8rt.kernels.jit.abi import SLACK

_ALIGNMENT = 64


class Store:
    """Keeps arrays alive as long as itself. `ModelError` where all together exceed `limit` bytes.

    gap: unused bytes behind each tensor of the arena; tests watch them.
    """

    gap = 0

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: list[npt.NDArray[Any]] = []
        self._scratch = np.zeros(0, np.uint8)
        self.bytes = 0

    def block(self, size: int) -> npt.NDArray[np.uint8]:
        """`size` zero bytes, with slack behind them."""
        self.bytes += size
        if self.bytes > self._limit:
            raise ModelError(f"the compiled model takes {self.bytes} bytes, the limit is {self._limit}")
        memory = np.zeros(size + SLACK + _ALIGNMENT, np.uint8)
        start = -memory.ctypes.data % _ALIGNMENT
        self._kept.append(memory)
        return memory[start : start + size]

    def arena(self, sizes: Mapping[int, int], total: int) -> dict[int, npt.NDArray[np.uint8]]:
        """The memory at each offset of an arena of `total` bytes, of so many bytes as `sizes` says."""
        arena = self.block(total)
        return {offset: arena[offset : offset + size] for offset, size in sizes.items()}

    def reserve(self, size: int) -> None:
        """Make room for the working memory of any call: so many bytes, which all calls share."""
        self._scratch = self.block(size)

    def scratch(self, first: int, last: int) -> npt.NDArray[np.uint8]:
        """Bytes [first, last) of the working memory."""
        return self._scratch[first:last]

    def copy(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A contiguous copy of `array`, with slack behind it."""
        memory = self.block(array.nbytes)
        memory[:] = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        return memory.view(array.dtype).reshape(array.shape)

    def keep(self, array: npt.NDArray[Any]) -> int:
        """The address of `array` itself, which stays valid."""
        self._kept.append(array)
        return int(array.ctypes.data)
