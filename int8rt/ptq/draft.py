"""A subgraph while it is being rewritten: tensors, constants and operators that can be added."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy.typing as npt

from int8rt.model import Metadata, Model, Operator, Quantization, Shape, Signature, Subgraph, Tensor, TensorType
from int8rt.schema.constant import constant_value
from int8rt.schema.encode import encode


class Draft:
    """The tensors and buffers of a subgraph; `operators` is filled anew."""

    def __init__(self, model: Model, subgraph: int, buffers: list[bytes | memoryview | None]) -> None:
        self.model = model
        self.source = model.subgraphs[subgraph]
        self.tensors = list(self.source.tensors)
        self.buffers = buffers
        self.operators: list[Operator] = []

    def constant(self, index: int) -> npt.NDArray[Any] | None:
        """The data of a tensor of the source, or None where it is computed."""
        return constant_value(self.model, self.source.tensors[index]) if index >= 0 else None

    def is_float_constant(self, index: int) -> bool:
        """Whether this is a tensor of the source, and a constant of float32."""
        known = 0 <= index < len(self.source.tensors)
        return known and self.source.tensors[index].type is TensorType.FLOAT32 and self.constant(index) is not None

    def add(self, name: str, type: TensorType, like: Tensor, quantization: Quantization | None) -> int:
        """A new tensor of the shape of another."""
        tensor = dataclasses.replace(like, name=name, type=type, quantization=quantization, buffer=0, sparsity=None)
        self.tensors.append(dataclasses.replace(tensor, external_buffer=0))
        return len(self.tensors) - 1

    def add_constant(
        self, name: str, data: npt.NDArray[Any], type: TensorType, like: Tensor, quantization: Quantization | None
    ) -> int:
        """A new constant of the shape of another tensor."""
        index = self.add(name, type, like, quantization)
        self.buffers.append(encode(data, type, tuple(data.shape)))
        self.tensors[index] = dataclasses.replace(self.tensors[index], buffer=len(self.buffers) - 1)
        return index

    def change(self, index: int, **fields: Any) -> None:
        """Replaces fields of a tensor."""
        self.tensors[index] = dataclasses.replace(self.tensors[index], **fields)

    def convert(self, source: int, name: str, type: TensorType, quantization: Quantization | None) -> int:
        """A QUANTIZE (or, to floats, a DEQUANTIZE) of a tensor to a new one, which is returned."""
        index = self.add(name, type, self.tensors[source], quantization)
        to_float = type is TensorType.FLOAT32
        # Version 2 is what int16 and a change of scale ask for; 3 of DEQUANTIZE reads float16.
        read = self.tensors[source].type
        version = 3 if read is TensorType.FLOAT16 else 2 if to_float else 1
        name = "DEQUANTIZE" if to_float else "QUANTIZE"
        if TensorType.INT16 in (type, read):
            version = 2 if not to_float else max(version, 2)
        self.operators.append(Operator(name, (source,), (index,), version))
        return index

    def done(self, inputs: Iterable[int], outputs: Iterable[int]) -> Subgraph:
        """The subgraph."""
        return dataclasses.replace(
            self.source,
            tensors=tuple(self.tensors),
            inputs=tuple(inputs),
            outputs=tuple(outputs),
            operators=tuple(self.operators),
        )


def without_unused(model: Model) -> Model:
    """`model` without tensors that nothing refers to, and without the buffers that only they had.

    Equal constant buffers are kept once.
    """
    subgraphs, signatures = [], list(model.signatures)
    for position, subgraph in enumerate(model.subgraphs):
        numbers = _used(subgraph, [s for s in signatures if s.subgraph == position])
        subgraphs.append(_renumbered(subgraph, numbers))
        signatures = [_renamed(s, numbers) if s.subgraph == position else s for s in signatures]
    return _without_buffers(dataclasses.replace(model, subgraphs=tuple(subgraphs), signatures=tuple(signatures)))


def _used(subgraph: Subgraph, signatures: Iterable[Signature]) -> Mapping[int, int]:
    used = {*subgraph.inputs, *subgraph.outputs}
    for operator in subgraph.operators:
        used |= {*operator.inputs, *operator.outputs, *operator.intermediates}
    for signature in signatures:
        used |= {*signature.inputs.values(), *signature.outputs.values()}
    for tensor in list(used):
        quantization = subgraph.tensors[tensor].quantization if tensor >= 0 else None
        for form in (quantization and quantization.blockwise, quantization and quantization.multi_axis):
            if form:
                used |= {form.scales, form.zero_points}
    used.discard(-1)
    return {-1: -1} | {old: new for new, old in enumerate(sorted(used))}


def _renumbered(subgraph: Subgraph, numbers: Mapping[int, int]) -> Subgraph:
    def all_of(indices: Iterable[int]) -> Shape:
        return tuple(numbers[index] for index in indices)

    tensors = [_own_numbers(subgraph.tensors[old], numbers) for old in numbers if old >= 0]
    operators = [
        dataclasses.replace(
            operator,
            inputs=all_of(operator.inputs),
            outputs=all_of(operator.outputs),
            intermediates=all_of(operator.intermediates),
        )
        for operator in subgraph.operators
    ]
    return dataclasses.replace(
        subgraph,
        tensors=tuple(tensors),
        operators=tuple(operators),
        inputs=all_of(subgraph.inputs),
        outputs=all_of(subgraph.outputs),
    )


def _own_numbers(tensor: Tensor, numbers: Mapping[int, int]) -> Tensor:
    """The tensor with the new numbers of those that hold its scales."""
    quantization = tensor.quantization
    if quantization is None or (quantization.blockwise is None and quantization.multi_axis is None):
        return tensor
    moved: dict[str, Any] = {}
    for name in ("blockwise", "multi_axis"):
        form = getattr(quantization, name)
        if form is not None:
            scales, zero_points = numbers[form.scales], numbers[form.zero_points]
            moved[name] = dataclasses.replace(form, scales=scales, zero_points=zero_points)
    return dataclasses.replace(tensor, quantization=dataclasses.replace(quantization, **moved))


def _renamed(signature: Signature, numbers: Mapping[int, int]) -> Signature:
    inputs = {name: numbers[index] for name, index in signature.inputs.items()}
    outputs = {name: numbers[index] for name, index in signature.outputs.items()}
    return dataclasses.replace(signature, inputs=inputs, outputs=outputs)


def _without_buffers(model: Model) -> Model:
    buffers: list[bytes | memoryview | None] = [None]
    numbers: dict[int, int] = {0: 0}
    known: dict[bytes, int] = {}

    def keep(index: int) -> int:
        if index not in numbers:
            data = model.buffers[index]
            content = None if data is None else hashlib.sha256(data).digest()
            if content is not None and content in known:
                numbers[index] = known[content]
            else:
                numbers[index] = len(buffers)
                buffers.append(data)
                if content is not None:
                    known[content] = numbers[index]
        return numbers[index]

    subgraphs = tuple(
        dataclasses.replace(
            subgraph, tensors=tuple(dataclasses.replace(t, buffer=keep(t.buffer)) for t in subgraph.tensors)
        )
        for subgraph in model.subgraphs
    )
    metadata = tuple(Metadata(item.name, keep(item.buffer)) for item in model.metadata)
    metadata_buffer = tuple(keep(index) for index in model.metadata_buffer)
    return dataclasses.replace(
        model, subgraphs=subgraphs, buffers=tuple(buffers), metadata=metadata, metadata_buffer=metadata_buffer
    )
