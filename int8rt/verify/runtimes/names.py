"""Arrays by name, as files and programs give them, to the tensors of a model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from int8rt.model import Model
from int8rt.verify.runtimes.base import Answer, Array, Fault

# Names that a message lists.
_NAMED = 6


def tensor_keys(model: Model, indices: Sequence[int]) -> list[str]:
    """A name for each tensor of the first subgraph: its own where it is there and unique, else "#" and its index."""
    names = [tensor.name for tensor in model.subgraphs[0].tensors]
    return [names[i] if names[i] and names.count(names[i]) == 1 else f"#{i}" for i in indices]


def find_tensor(model: Model, key: str) -> int | None:
    """The index of the tensor that a key means; None where there is none, or several.

    key: "#7", the name of a tensor, the name of an output or input in a signature, or "output_0" (by its place).
    """
    subgraph = model.subgraphs[0]
    if (match := re.fullmatch(r"#(\d+)", key)) is not None:
        index = int(match[1])
        return index if index < len(subgraph.tensors) else None
    found = [index for index, tensor in enumerate(subgraph.tensors) if tensor.name == key]
    if len(found) == 1:
        return found[0]
    for signature in model.signatures:
        if signature.subgraph == 0:
            for names in (signature.outputs, signature.inputs):
                if key in names:
                    return names[key]
    if (match := re.fullmatch(r"output_(\d+)", key)) is not None and int(match[1]) < len(subgraph.outputs):
        return subgraph.outputs[int(match[1])]
    return None


def answer_by_name(model: Model, named: Mapping[str, Array], seconds: float = 0.0) -> Answer:
    """What a runtime says in names. Keys that name no tensor are only taken where a model with one output has one
    value.
    """
    subgraph = model.subgraphs[0]
    tensors = {index: value for key, value in named.items() if (index := find_tensor(model, key)) is not None}
    if len(named) == 1 and len(subgraph.outputs) == 1 and not tensors:
        tensors = {subgraph.outputs[0]: next(iter(named.values()))}
    return Answer(tuple(tensors.get(index) for index in subgraph.outputs), tensors, seconds)


def named_answer(model: Model, named: Mapping[str, Array], seconds: float = 0.0) -> Answer:
    """`answer_by_name` of what was run from here; `Fault` where no name stands for a tensor that is computed."""
    answer = answer_by_name(model, named, seconds)
    subgraph = model.subgraphs[0]
    if subgraph.outputs and not (
        set(answer.tensors) - set(subgraph.inputs) or set(answer.tensors) & set(subgraph.outputs)
    ):
        what = "nothing that is named as a tensor which the model computes"
        raise Fault("answer", f"its answer has {what}: {what_fits(model, named)}")
    return answer


def what_fits(model: Model, found: Iterable[str]) -> str:
    """For messages: names that were found, and those that would stand for the model's outputs."""
    names = list(found)
    listed = ", ".join(map(repr, names[:_NAMED])) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    outputs = ", ".join(map(repr, tensor_keys(model, model.subgraphs[0].outputs[:_NAMED])))
    return f"found {listed or 'none'}; the outputs are {outputs}, or output_0 and so on"
