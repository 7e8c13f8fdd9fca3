"""What every operator module is made of: a `Kernel` with `prepare` (the model's numbers) and `evaluate` (arithmetic).

`prepare` runs once, sees types, shapes, scales and constants through an `OperatorContext`, checks them, and returns a
frozen `Params` with every derived integer. `evaluate` runs on bare arrays and that `Params`, and never looks anywhere
else. The same `Params` feeds the jitted kernels, explanations and reports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from int8rt.errors import ModelError, UnsupportedError
from int8rt.kernels.runtime import Runtime
from int8rt.kernels.signature import Signature
from int8rt.model import Operator, Quantization, Shape, Sparsity, Subgraph, TensorType
from int8rt.quantization.profiles import TFLITE_REF, Profile

Array = npt.NDArray[Any]
OptionsT = TypeVar("OptionsT")


@dataclass(frozen=True, slots=True, eq=False)
class Updated:
    """What an operator with state returns. variables: new values of its variable inputs, by their position."""

    outputs: tuple[Array, ...]
    variables: Mapping[int, Array]


Result = Array | tuple[Array, ...] | Updated


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """Base of every operator's parameters.

    output_shapes: None stands for a shape that only the data decides.
    known_outputs: values that are known without running, such as the result of SHAPE; None where they are not.
    reads: tensors, by index, that `evaluate` takes after the inputs; none where all tensors are preserved, for which
    LiteRT's delegate keeps the operators apart.
    """

    output_shapes: tuple[Shape | None, ...]
    known_outputs: tuple[Array | None, ...] = ()
    reads: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor as `prepare` sees it.

    shape: the shape it has now (after `resize_tensor_input`). value: its data where known before running, in `shape`
    and `type.dtype`; None for what is computed while running. index: in the subgraph, -1 outside of a model.
    block_scales: the scales of a blockwise quantization, where they are constants. sparsity: which elements the file
    stores, where it does not store all; `value` is dense.
    """

    name: str
    type: TensorType
    shape: Shape
    quantization: Quantization | None = None
    value: Array | None = None
    is_variable: bool = False
    index: int = -1
    block_scales: Array | None = None
    sparsity: Sparsity | None = None

    @property
    def rank(self) -> int:
        """Number of dimensions."""
        return len(self.shape)


class Deferred(Exception):  # noqa: N818 - a signal, no error
    """Raised inside `prepare` when it needs a value that only running will tell; the executor then prepares later."""


@dataclass(frozen=True, slots=True)
class OperatorContext:
    """One operator with its tensors, for `prepare`. `position`: its index in the subgraph, -1 outside of a model.

    intermediates: tensors that only tell how values inside of the operator are quantized.
    runtime: None outside of a model that is to be run. subgraph: None outside of a model.
    """

    operator: Operator
    inputs: tuple[TensorInfo | None, ...]
    outputs: tuple[TensorInfo, ...]
    profile: Profile = TFLITE_REF
    position: int = -1
    intermediates: tuple[TensorInfo | None, ...] = ()
    runtime: Runtime | None = None
    subgraph: Subgraph | None = None

    @property
    def where(self) -> str:
        """How messages name this operator."""
        at = f"operator {self.position} " if self.position >= 0 else ""
        return f"{at}({self.operator.label})" if at else self.operator.label

    def invalid(self, message: str) -> ModelError:
        """The error for a model that contradicts itself or breaks a rule of this operator."""
        return ModelError(f"{self.where}: {message}")

    def unsupported(self, message: str) -> UnsupportedError:
        """The error for what this operator does not support."""
        return UnsupportedError(f"{self.where}: {message}")

    def input(self, index: int) -> TensorInfo:
        """Input `index`; `ModelError` where the operator has none."""
        tensor = self.optional_input(index)
        if tensor is None:
            raise self.invalid(f"input {index} is missing")
        return tensor

    def optional_input(self, index: int) -> TensorInfo | None:
        """Input `index`, or None where it is absent."""
        return self.inputs[index] if index < len(self.inputs) else None

    def output(self, index: int = 0) -> TensorInfo:
        """Output `index`; `ModelError` where the operator has none."""
        if index >= len(self.outputs):
            raise self.invalid(f"output {index} is missing")
        return self.outputs[index]

    def variable(self, index: int) -> TensorInfo:
        """Input `index`, whose value the operator updates; `ModelError` where it is no variable."""
        tensor = self.input(index)
        if not tensor.is_variable:
            raise self.invalid(f"input {index} {tensor.name!r} holds a state and must be a variable")
        return tensor

    def options(self, kind: type[OptionsT]) -> OptionsT:
        """The operator's options; the schema's defaults where the file holds none."""
        options = self.operator.options
        if options is None:
            return kind()
        if not isinstance(options, kind):
            raise self.invalid(f"has {type(options).__name__}, expected {kind.__name__}")
        return options

    def value(self, index: int) -> Array:
        """The data of input `index`; postpones preparation to run time where it is not known yet."""
        tensor = self.input(index)
        if tensor.value is None:
            raise Deferred
        return tensor.value

    def per_tensor(self, tensor: TensorInfo) -> tuple[float, int]:
        """(scale, zero_point) of a tensor that must be quantized per tensor."""
        scale, zero_point = self.per_axis(tensor)
        if scale.size != 1:
            raise self.invalid(f"tensor {tensor.name!r} has {scale.size} scales, expected one for the whole tensor")
        return float(scale[0]), int(zero_point[0])

    def per_axis(self, tensor: TensorInfo) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """(scale float32[n], zero_point int64[n]) of a tensor that must be quantized."""
        quantization = tensor.quantization
        if quantization is not None and (quantization.blockwise or quantization.multi_axis):
            raise self.unsupported(f"tensor {tensor.name!r} has scales for blocks or for several axes")
        if quantization is None or quantization.scale.size == 0:
            raise self.invalid(f"tensor {tensor.name!r} ({tensor.type.label}) has no quantization parameters")
        # Zero points are int64 in the file and int32 in TensorFlow Lite.
        scale, zero_point = quantization.scale, quantization.zero_point.astype(np.int32).astype(np.int64)
        if zero_point.size != scale.size:
            zero_point = np.broadcast_to(zero_point if zero_point.size == 1 else np.zeros(1, np.int64), scale.shape)
        return scale, zero_point


@dataclass(frozen=True, slots=True)
class Kernel:
    """One operator. `signatures`: the accepted types, such as "int8,int8,int32? -> int8" (see `signature`).

    evaluate(params, *inputs): arrays in `TensorType.dtype`, None for an absent optional input; returns the output
    array, a tuple of them where there are several, or `Updated` where it changes variables (then it is not `pure`).
    max_version: the highest operator version that is understood. macs: multiply-accumulate operations of one
    evaluation. source: the files of TensorFlow Lite that define it. pure: the outputs depend on the inputs alone, so
    an operator with constant inputs can be evaluated in advance. reaches_out: `evaluate` takes a `Runtime` between
    `params` and the inputs (then it is not `pure`). others: what LiteRT does with types that it should refuse. bound:
    how near real numbers are to LiteRT's where they are not the same bits; docs/float_exactness.md.
    """

    name: str
    signatures: tuple[Signature, ...]
    prepare: Callable[[OperatorContext], Params]
    evaluate: Callable[..., Result]
    source: str
    max_version: int
    macs: Callable[[Any], int] | None = None
    pure: bool = True
    reaches_out: bool = False
    others: str = ""
    bound: str = ""

    def check_types(self, context: OperatorContext) -> None:
        """Raise `UnsupportedError` that names the types found and the types accepted."""
        inputs = tuple(tensor.type if tensor else None for tensor in context.inputs)
        outputs = tuple(tensor.type for tensor in context.outputs)
        if context.operator.version > self.max_version:
            raise context.unsupported(f"version {context.operator.version}; supported up to {self.max_version}")
        if not any(signature.matches(inputs, outputs) for signature in self.signatures):
            found = ", ".join(t.label if t is not None else "none" for t in inputs)
            found += " -> " + ", ".join(t.label for t in outputs)
            accepted = "; ".join(str(signature) for signature in self.signatures)
            others = f"; {self.others}" if self.others else ""
            raise context.unsupported(f"types {found}; accepted: {accepted}{others}")


def as_tuple(result: Result) -> tuple[Array, ...]:
    """The outputs of `Kernel.evaluate` as a tuple."""
    if isinstance(result, Updated):
        return result.outputs
    return result if isinstance(result, tuple) else (result,)


def broadcast_shape(context: OperatorContext, *tensors: TensorInfo) -> Shape:
    """The NumPy broadcast of the tensors' shapes; `ModelError` where they do not fit."""
    try:
        return np.broadcast_shapes(*(tensor.shape for tensor in tensors))
    except ValueError:
        shapes = " and ".join(f"{tensor.name!r} {list(tensor.shape)}" for tensor in tensors)
        raise context.invalid(f"{shapes} do not broadcast") from None


def normalize_axis(context: OperatorContext, axis: int, rank: int) -> int:
    """A possibly negative axis as one in [0, rank); `ModelError` otherwise."""
    if not -rank <= axis < rank:
        raise context.invalid(f"axis {axis} is outside a tensor of rank {rank}")
    return axis + rank if axis < 0 else axis


def element_count(shape: Sequence[int]) -> int:
    """Number of elements of a shape."""
    count = 1
    for dimension in shape:
        count *= int(dimension)
    return count
