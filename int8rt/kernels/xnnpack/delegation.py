"""Which operators LiteRT's XNNPACK delegate takes, as far as types, scales, constants and shapes decide.

What it does not take runs in the optimized kernels. What it takes and XNNPACK then refuses ends in an error: there is
no way back. Shapes are those that the file declares: the delegate looks at them before anything is prepared.
Source: TensorFlow Lite delegates/xnnpack/xnnpack_delegate.cc.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from int8rt.kernels.base import Kernel, OperatorContext, Params, Result, TensorInfo
from int8rt.model import Shape, TensorType

MAX_RANK = 6

_TINY = float(np.finfo(np.float32).tiny)


def is_stored(context: OperatorContext, tensor: TensorInfo | None) -> bool:
    """Whether the file holds the tensor's data; what follows from constants does not count."""
    if tensor is None or tensor.value is None or tensor.is_variable:
        return False
    graph = context.subgraph
    if graph is None:
        return True
    return tensor.index not in graph.inputs and not any(tensor.index in op.outputs for op in graph.operators)


def declared_shape(context: OperatorContext, tensor: TensorInfo) -> Shape:
    """The shape that the delegate sees: the one it has now for an input of the subgraph, else that of the file."""
    graph = context.subgraph
    if graph is None or tensor.index < 0 or tensor.index in graph.inputs:
        return tensor.shape
    return graph.tensors[tensor.index].shape


def has_elements(context: OperatorContext, tensor: TensorInfo, rank: int | tuple[int, int]) -> bool:
    """Whether the rank is this, or in this range, and no dimension is 0."""
    low, high = (rank, rank) if isinstance(rank, int) else rank
    shape = declared_shape(context, tensor)
    return low <= len(shape) <= high and all(size > 0 for size in shape)


def holds_codes(*tensors: TensorInfo | None) -> bool:
    """Whether these are all int8 or uint8 with one scale."""
    return all(tensor is not None and _has_one_scale(tensor) for tensor in tensors)


def _has_one_scale(tensor: TensorInfo) -> bool:
    quantization = tensor.quantization
    if tensor.type not in (TensorType.INT8, TensorType.UINT8) or quantization is None:
        return False
    return quantization.scale.size == 1 and quantization.quantized_dimension == 0


def has_normal_scales(tensor: TensorInfo) -> bool:
    """Whether every scale is positive, finite and not denormal."""
    assert tensor.quantization is not None
    scale = tensor.quantization.scale
    return bool(np.all(np.isfinite(scale)) and np.all(scale >= _TINY))


def zero_points(context: OperatorContext, tensor: TensorInfo) -> Any:
    """The zero points of a quantized tensor, one for each scale."""
    return context.per_axis(tensor)[1]


def check_codes(context: OperatorContext, *tensors: TensorInfo) -> None:
    """`ModelError` for scales and zero points of which XNNPACK makes no tensor."""
    for tensor in tensors:
        info, zero_point = np.iinfo(tensor.type.dtype), zero_points(context, tensor)
        if not has_normal_scales(tensor) or np.any((zero_point < info.min) | (zero_point > info.max)):
            raise context.invalid(f"XNNPACK does not take the quantization parameters of {tensor.name!r}")


def check_same_codes(context: OperatorContext, *tensors: TensorInfo) -> None:
    """As `check_codes`; also `ModelError` unless all have one scale and zero point."""
    check_codes(context, *tensors)
    first = context.per_tensor(tensors[0])
    for tensor in tensors[1:]:
        if context.per_tensor(tensor) != first or tensor.type != tensors[0].type:
            raise context.invalid(
                f"XNNPACK wants one type, scale and zero point for {tensors[0].name!r} and {tensor.name!r}"
            )


@dataclass(frozen=True, slots=True)
class Delegated:
    """An operator that XNNPACK computes where `takes` says so.

    prepare, evaluate: as those of a `Kernel`; evaluate None: that of the kernel which computes what is not taken, for
    the same parameters. Otherwise `parameters` are the classes that only `prepare` makes.
    """

    name: str
    takes: Callable[[OperatorContext], bool]
    prepare: Callable[[OperatorContext], Params]
    source: str
    evaluate: Callable[..., Result] | None = None
    parameters: tuple[type[Params], ...] = ()

    def kernel(self, other: Kernel, not_done: Callable[[OperatorContext], str | None]) -> Kernel:
        """`other`, but for what is taken. not_done: why `other` cannot compute the operator, or None."""
        own, parameters = self.evaluate, self.parameters

        def prepare(context: OperatorContext) -> Params:
            if self.takes(context):
                return self.prepare(context)
            if (reason := not_done(context)) is not None:
                raise context.unsupported(reason)
            return other.prepare(context)

        def evaluate(params: Params, *inputs: Any) -> Result:
            if own is not None and isinstance(params, parameters):
                return own(params, *inputs)
            return other.evaluate(params, *inputs)

        return replace(other, prepare=prepare, evaluate=evaluate, source=f"XNNPACK {self.source}; {other.source}")

    def also(self, second: Delegated) -> Delegated:
        """This operator where it is taken, or else `second`, which is the same one on other types."""
        first = self

        def takes(context: OperatorContext) -> bool:
            return first.takes(context) or second.takes(context)

        def prepare(context: OperatorContext) -> Params:
            return (first if first.takes(context) else second).prepare(context)

        def evaluate(params: Params, *inputs: Any) -> Result:
            chosen = first.evaluate if isinstance(params, first.parameters) else second.evaluate
            assert chosen is not None
            return chosen(params, *inputs)

        return replace(
            first,
            takes=takes,
            prepare=prepare,
            evaluate=evaluate,
            parameters=first.parameters + second.parameters,
            source=f"{first.source}, {second.source}",
        )
