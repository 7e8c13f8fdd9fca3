"""Float model and recipe in, quantized model out."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from int8rt.errors import InputError
from int8rt.model import Metadata, Model
from int8rt.ptq.draft import without_unused
from int8rt.ptq.recipe import Recipe
from int8rt.ptq.rewrite import rewrite
from int8rt.schema.calls import called_subgraphs
from int8rt.schema.reader import read_model
from int8rt.schema.writer import write_model

# The entry of a file by which the converter says it, and delegates read it.
_PRECISION = "reduced_precision_support"


@dataclass(frozen=True, slots=True)
class Quantized:
    """A quantized model. `left_float`: (subgraph, operator's position in the float model, label, reason) of operators
    with float inputs or outputs that stayed as they were. `content`: the .tflite file, which `model` is a view of.
    """

    model: Model
    left_float: tuple[tuple[int, int, str, str], ...]
    content: bytes = field(repr=False)

    def write(self) -> bytes:
        """The .tflite file."""
        return self.content


def quantize(model: Model, recipe: Recipe | None = None) -> Quantized:
    """Quantizes the subgraphs that the model's users enter, and in modes dynamic and float16 also what operators call.

    model: a float model; modes int8, int16x8 and int4 need the ranges of its activations in the tensors' min and max,
    as `calibrate` writes them. recipe: what to do with each operator; int8 with float inputs and outputs if none.
    Raises `InputError` where a range is missing or not finite, where the model is quantized already, and, with
    `integer_only`, where an operator would stay float: it names them all.
    """
    recipe = recipe or Recipe()
    _check_float(model)
    buffers = list(model.buffers)
    subgraphs, signatures, left = list(model.subgraphs), list(model.signatures), []
    # What operators call keeps its ends: where activations stay float, nothing else stands against it.
    called_too = recipe.mode in ("dynamic", "float16")
    for index in range(len(model.subgraphs)) if called_too else _entered(model):
        result = rewrite(model, index, recipe, buffers)
        subgraphs[index] = result.subgraph
        left += [(index, *reason) for reason in result.left_float]
        for i, signature in enumerate(signatures):
            if signature.subgraph == index:
                inputs = {name: result.inputs.get(t, t) for name, t in signature.inputs.items()}
                outputs = {name: result.outputs.get(t, t) for name, t in signature.outputs.items()}
                signatures[i] = dataclasses.replace(signature, inputs=inputs, outputs=outputs)
    if recipe.integer_only and left:
        named = "; ".join(f"operator {position} ({label}): {reason}" for _, position, label, reason in left)
        raise InputError(f"{len(left)} operators cannot be quantized to integers: {named}")
    changed = dataclasses.replace(
        model, subgraphs=tuple(subgraphs), signatures=tuple(signatures), buffers=tuple(buffers)
    )
    content = write_model(without_unused(_with_metadata(_with_one_version(changed), recipe)))
    # What was built is read back, so that nothing is returned that a reader would refuse.
    return Quantized(read_model(content), tuple(left), content)


def _with_one_version(model: Model) -> Model:
    """Each kind of operator in its highest version, as the converter writes it: one entry of the file for each kind."""
    highest: dict[str, int] = {}
    for operator in (operator for graph in model.subgraphs for operator in graph.operators):
        highest[operator.label] = max(operator.version, highest.get(operator.label, 0))
    subgraphs = [
        dataclasses.replace(
            graph,
            operators=tuple(dataclasses.replace(o, version=highest[o.label]) for o in graph.operators),
        )
        for graph in model.subgraphs
    ]
    return dataclasses.replace(model, subgraphs=tuple(subgraphs))


def _with_metadata(model: Model, recipe: Recipe) -> Model:
    """Of a model of mode float16: that runtimes may keep its numbers in float16 and add them up in float32."""
    if recipe.mode != "float16" or any(item.name == _PRECISION for item in model.metadata):
        return model
    metadata = (*model.metadata, Metadata(_PRECISION, len(model.buffers)))
    return dataclasses.replace(model, metadata=metadata, buffers=(*model.buffers, b"fp16accfp32"))


def _entered(model: Model) -> list[int]:
    called = {
        index
        for subgraph in model.subgraphs
        for operator in subgraph.operators
        for _, index in called_subgraphs(operator)
    }
    entries = {0, *(signature.subgraph for signature in model.signatures)}
    return sorted(entries - (called - {0}))


def _check_float(model: Model) -> None:
    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            if tensor.quantization is not None and tensor.quantization.scale.size and tensor.type.bits <= 16:
                raise InputError(
                    f"the model is quantized already: tensor '{tensor.label}' is {tensor.type.label} with a scale"
                )
