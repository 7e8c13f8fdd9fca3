"""What the operators' `lower` functions take and give: tensors as slots of the arena, and steps of the program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.kernels.jit.isa.levels import Level
from int8rt.kernels.padding import Window
from int8rt.model import Shape, TensorType


@dataclass(frozen=True, slots=True)
class Slot:
    """A tensor of the program. value: its data where it is constant."""

    index: int
    type: TensorType
    shape: Shape
    value: npt.NDArray[Any] | None = None


@dataclass(frozen=True, slots=True)
class At:
    """Address of a tensor in the arena (or of a constant tensor's data), or `offset` bytes behind it."""

    index: int
    offset: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """Address of constant data that the step owns."""

    array: npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Scratch:
    """Address of working memory: `size` bytes for each thread, one behind the other."""

    size: int


@dataclass(frozen=True, slots=True)
class Status:
    """Address of an int64 of the step's own, 0 at first: a kernel sets it to 1 where values are outside its domain."""


@dataclass(frozen=True, slots=True)
class Lowered:
    """One call of a kernel: its compiled function, the layout of its block, and the block's values by name.

    values: int, At, Data, Scratch or Status.
    in_place: the output may take the first input's memory (each element is read before it is written, no other after).
    """

    kernel: Any
    block: np.dtype[Any]
    values: Mapping[str, Any]
    in_place: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """Nothing to compute: the output is the first input's memory under another shape."""


@dataclass(frozen=True, slots=True)
class NumpyStep:
    """An operator without a twin: evaluated by its NumPy definition, on arrays made from the arena."""


# What becomes of an operator: kernel calls, a view, NumPy, or nothing because its outputs are constants.
Item = list[Lowered] | View | NumpyStep | None


@dataclass(frozen=True, slots=True)
class LowerContext:
    """One operator to lower. Absent optional inputs are None."""

    level: Level
    inputs: tuple[Slot | None, ...]
    outputs: tuple[Slot, ...]
    name: str = field(default="")

    def input(self, index: int) -> Slot:
        """Input `index`, which `prepare` has found to be there."""
        slot = self.inputs[index]
        assert slot is not None
        return slot


def unsigned(type: TensorType, value: int) -> int:
    """A code of an 8-bit tensor as it lies in the arena: int8 codes have their sign bit flipped, so 128 is added."""
    return value + 128 if type == TensorType.INT8 else value


def clamp(type: TensorType, low: int, high: int) -> dict[str, int]:
    """The fields low and high: a clamp of the codes of an 8-bit tensor, as bounds of bytes in the arena.

    A zero point beyond the type may put the lower bound above the upper one: then all is the upper one, narrowed.
    """
    low, high = unsigned(type, low), unsigned(type, high)
    return {"low": low, "high": high} if low <= high else {"low": high & 255, "high": high & 255}


def window_values(block: np.dtype[Any], height: Window, width: Window) -> dict[str, int]:
    """Those fields of a sliding window that a block has: height, out_height, kernel_height, ..., width, ..."""
    values: dict[str, int] = {}
    for name, window in (("height", height), ("width", width)):
        values |= {
            name: window.input,
            f"out_{name}": window.output,
            f"kernel_{name}": window.kernel,
            f"stride_{name}": window.stride,
            f"dilation_{name}": window.dilation,
            f"pad_{name}": window.pad_before,
        }
    return {name: value for name, value in values.items() if name in (block.names or ())}


def arena_dtype(type: TensorType) -> np.dtype[Any]:
    """How a tensor's elements lie in the arena: int8 codes as unsigned bytes."""
    return np.dtype(np.uint8) if type == TensorType.INT8 else type.dtype


def to_arena(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """An array as it lies in the arena: int8 as uint8 with the sign bit flipped, anything else as it is."""
    return array.view(np.uint8) ^ np.uint8(128) if array.dtype == np.int8 else array


def from_arena(array: npt.NDArray[Any], type: TensorType) -> npt.NDArray[Any]:
    """The inverse of `to_arena`; a copy for int8."""
    return (array ^ np.uint8(128)).view(np.int8) if type == TensorType.INT8 else array
