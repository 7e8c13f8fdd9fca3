"""How much memory a model's tensors may take before it is refused: what a file asks for is not to be believed."""

from __future__ import annotations

from dataclasses import dataclass

from int8rt.errors import ModelError
from int8rt.kernels.base import element_count
from int8rt.model import Model, Shape, Tensor, shown

# Of an array in NumPy.
_MOST_DIMENSIONS = 64
# A string, or a handle: a pointer and a small object.
_OBJECT_BYTES = 48


@dataclass(frozen=True, slots=True)
class MemoryLimits:
    """Bytes that the tensors of a model may take, as NumPy holds them; and how much its subgraphs may call others.

    tensor: one tensor. total: all together. undeclared: all together may take twice what the shapes in the file amount
    to, or this much more where that is larger; not applied once the caller has resized an input. running: instead of
    `undeclared`, for shapes that follow from values met while running. The arena, packed weights, tables and working
    memory of a compiled model may take `total` and `undeclared` together.
    called: operators that called subgraphs may run in one invocation, counted in each round of a loop. Preparing one
    for other shapes counts as 20, calling a subgraph as one more. `allocate_tensors` may take a tenth of it.
    """

    tensor: int = 2 << 30
    total: int = 8 << 30
    undeclared: int = 16 << 20
    running: int = 1 << 30
    called: int = 10_000_000


class MemoryBudget:
    """Counts the tensors of all subgraphs against the limits, as their shapes become known; and variables.

    resized: whether the caller has given an input another shape.
    """

    def __init__(self, model: Model, limits: MemoryLimits) -> None:
        self._limits = limits
        self.resized = False
        self._declared = sum(tensor_bytes(item, item.shape) for graph in model.subgraphs for item in graph.tensors)
        self._sizes: dict[int, dict[int, int]] = {}
        self._total = 0

    def restart(self, subgraph: int) -> None:
        """Forget the tensors of one subgraph."""
        self._total -= sum(self._sizes.pop(subgraph, {}).values())

    def add(self, subgraph: int, index: int, tensor: Tensor, shape: Shape, running: bool = False) -> None:
        """Count tensor `index` with this shape (anew, where it was counted before); `ModelError` beyond a limit."""
        what = f"tensor {index} {tensor.label!r} gets the shape {_shown(shape)}"
        if len(shape) > _MOST_DIMENSIONS:
            raise ModelError(f"{what}: {len(shape)} dimensions, NumPy has {_MOST_DIMENSIONS} at most")
        self._count(subgraph, index, tensor_bytes(tensor, shape), what, running)

    def add_variable(self, number: int, name: str, size: int) -> None:
        """Count `size` bytes for a variable that all subgraphs share; `ModelError` beyond a limit."""
        self._count(-1, number, size, f"variable {shown(name)!r} is assigned", True)

    def _count(self, subgraph: int, index: int, size: int, what: str, running: bool) -> None:
        sizes = self._sizes.setdefault(subgraph, {})
        self._total += size - sizes.get(index, 0)
        sizes[index] = size
        if size > self._limits.tensor:
            shown_size = f"{size}" if size < 1 << 64 else "more than 2^64"
            raise ModelError(f"{what}: {shown_size} bytes, the limit is {self._limits.tensor}")
        if self._total > self._limits.total:
            raise ModelError(f"{what}: {self._total} bytes for all tensors, the limit is {self._limits.total}")
        more = max(self._declared, self._limits.running if running else self._limits.undeclared)
        if not self.resized and self._total > self._declared + more:
            raise ModelError(f"{what}: {self._total} bytes for all tensors, but the file declares {self._declared}")


def tensor_bytes(tensor: Tensor, shape: Shape) -> int:
    """Bytes of a tensor of this shape in memory."""
    return element_count(shape) * (tensor.type.dtype.itemsize if tensor.type.bits else _OBJECT_BYTES)


def _shown(shape: Shape) -> str:
    return str(list(shape)) if len(shape) <= 16 else f"{list(shape[:16])} and {len(shape) - 16} dimensions more"
