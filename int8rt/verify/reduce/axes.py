"""Which dimensions of an operator's inputs belong together, and a model with a part of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.model import Model, Quantization, Tensor
from int8rt.schema import constant_value
from int8rt.schema.encode import encode

Array = npt.NDArray[Any]

# Pairs of (input, dimension) that have one length and are cut together.
Group = tuple[tuple[int, int], ...]

_BROADCASTING = ("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "PRELU")
# Batch, height, width; output channels; input channels; the kernel. A group that does not fit a model is left out.
_GROUPS: dict[str, tuple[Group, ...]] = {
    "CONV_2D": (
        ((0, 0),),
        ((1, 0), (2, 0)),
        ((0, 1),),
        ((0, 2),),
        ((0, 3), (1, 3)),
        ((1, 1),),
        ((1, 2),),
    ),
    "DEPTHWISE_CONV_2D": (((0, 0),), ((0, 3), (1, 3), (2, 0)), ((0, 1),), ((0, 2),), ((1, 1),), ((1, 2),)),
    "FULLY_CONNECTED": (((0, 0),), ((1, 0), (2, 0)), ((0, -1), (1, 1))),
}


def groups(model: Model) -> Iterator[Group]:
    """The groups of the model's only operator that have more than one element."""
    graph = model.subgraphs[0]
    operator = graph.operators[0]
    tensors = [graph.tensors[index] if index >= 0 else None for index in operator.inputs]
    for group in _GROUPS.get(operator.name, ()) or _of_shapes(operator.name, tensors):
        there = tuple((place, axis) for place, axis in group if place < len(tensors) and tensors[place] is not None)
        lengths = {_length(tensors[place], axis) for place, axis in there}
        if len(lengths) == 1 and lengths.pop() > 1:
            yield there


def _of_shapes(name: str, tensors: Sequence[Tensor | None]) -> Iterator[Group]:
    """Dimensions of input 0; with those of the other inputs that are as long, where the operator broadcasts."""
    first = tensors[0] if tensors else None
    if first is None:
        return
    rank = len(first.shape)
    for axis in range(rank):
        from_end = axis - rank
        others = tensors[1:] if name in _BROADCASTING else ()
        same = [(p, from_end) for p, t in enumerate(others, 1) if t and _length(t, from_end) == first.shape[axis]]
        yield ((0, axis), *same)


def _length(tensor: Tensor | None, axis: int) -> int:
    assert tensor is not None
    rank = len(tensor.shape)
    return tensor.shape[axis] if -rank <= axis < rank else -1


def take(model: Model, inputs: Sequence[Array], group: Group, kept: Array) -> tuple[Model, list[Array]]:
    """The model and its inputs with the elements `kept` of a group's dimensions. Outputs keep their shape."""
    graph = model.subgraphs[0]
    operator = graph.operators[0]
    tensors, buffers, values = list(graph.tensors), list(model.buffers), list(inputs)
    done = set()
    for place, axis in group:
        index = operator.inputs[place]
        if index in done:
            continue
        done.add(index)
        tensor = tensors[index]
        axis %= len(tensor.shape)
        shape = (*tensor.shape[:axis], len(kept), *tensor.shape[axis + 1 :])
        data = constant_value(model, tensor)
        if data is not None:
            buffers.append(encode(np.take(data, kept, axis), tensor.type, shape))
            tensor = replace(tensor, buffer=len(buffers) - 1, sparsity=None)
        else:
            at = graph.inputs.index(index)
            values[at] = np.ascontiguousarray(np.take(values[at], kept, axis))
        quantization = tensor.quantization
        if quantization is not None and quantization.scale.size > 1 and quantization.quantized_dimension == axis:
            quantization = Quantization.per_axis(quantization.scale[kept], quantization.zero_point[kept], axis)
        tensors[index] = replace(tensor, shape=shape, quantization=quantization, shape_signature=None)
    graph = replace(graph, tensors=tuple(tensors))
    return _compact(replace(model, subgraphs=(graph, *model.subgraphs[1:]), buffers=tuple(buffers))), values


def _compact(model: Model) -> Model:
    """Without the buffers that no tensor has any more."""
    graph = model.subgraphs[0]
    used = sorted({tensor.buffer for tensor in graph.tensors} | {0})
    new = {buffer: place for place, buffer in enumerate(used)}
    tensors = tuple(replace(tensor, buffer=new[tensor.buffer]) for tensor in graph.tensors)
    buffers = tuple(model.buffers[buffer] for buffer in used)
    return replace(model, subgraphs=(replace(graph, tensors=tensors),), buffers=buffers)
