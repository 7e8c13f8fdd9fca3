"""What an explanation is made of: one operator, its parameters and the values that it gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from int8rt.errors import UnsupportedError
from int8rt.kernels.base import Params
from int8rt.model import Operator, Shape, Tensor

Array = npt.NDArray[Any]
ParamsT = TypeVar("ParamsT", bound=Params)


@dataclass(frozen=True, slots=True)
class Subject:
    """at: the element of output 0. tensors, inputs: of the operator's inputs, None for an absent one."""

    operator: Operator
    position: int
    params: Params
    tensors: tuple[Tensor | None, ...]
    inputs: tuple[Array | None, ...]
    output: Tensor
    at: tuple[int, ...]

    def parameters(self, kind: type[ParamsT]) -> ParamsT:
        """The operator's parameters; raises `UnsupportedError` where they are not of this kind, as those of floats."""
        if not isinstance(self.params, kind):
            raise self.unsupported("arithmetic that is not quantized")
        return self.params

    def value(self, index: int) -> Array:
        """Input `index`, which is there."""
        value = self.inputs[index]
        assert value is not None
        return value

    def scale(self, index: int, channel: int = 0) -> float:
        """The scale of input `index`, of one channel where it has several."""
        tensor = self.tensors[index]
        assert tensor is not None
        return _scale(tensor, channel)

    @property
    def output_scale(self) -> float:
        """The scale of output 0."""
        return _scale(self.output, 0)

    @property
    def output_zero_point(self) -> int:
        """The zero point of output 0; 0 where it has none."""
        quantization = self.output.quantization
        return int(quantization.zero_point[0]) if quantization is not None and quantization.zero_point.size else 0

    def unsupported(self, what: str) -> UnsupportedError:
        """The error for what can't be explained."""
        return UnsupportedError(f"operator {self.position} ({self.operator.label}): {what} is not explained")


def _scale(tensor: Tensor, channel: int) -> float:
    quantization = tensor.quantization
    if quantization is None or quantization.scale.size == 0:
        return float("nan")
    return float(quantization.scale[channel if quantization.scale.size > 1 else 0])


def place(shape: Shape, flat: int) -> str:
    """The index of an element, as text: "[0,3,5,7]"."""
    return index_text(tuple(int(i) for i in np.unravel_index(flat, shape)))


def index_text(at: tuple[int, ...]) -> str:
    """An index as text: "[0,3,5,7]"."""
    return f"[{','.join(map(str, at))}]"
