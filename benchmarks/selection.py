"""Which models of a folder are measured: 8-bit convolutional networks, one of each architecture."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from int8rt.errors import Int8rtError
from int8rt.inspection import inspect_model
from int8rt.model import Model, TensorType
from int8rt.schema import read_model

_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV")
_TYPES = {TensorType.INT8: "int8", TensorType.UINT8: "uint8"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model. type: of its activations, "int8" or "uint8". macs: of one run. convolutional: has convolutions."""

    path: Path
    type: str
    macs: int
    convolutional: bool


def select(folders: Iterable[Path], least_macs: int = 0, least_operators: int = 0) -> list[Candidate]:
    """All models in the folders (or files) that int8rt can run on 8-bit activations, the largest first.

    Of several models with the same operators, shapes and types, the first by name.
    """
    found: dict[str, Candidate] = {}
    paths = [file for folder in folders for file in (sorted(folder.rglob("*.tflite")) if folder.is_dir() else [folder])]
    for path in paths:
        content = path.read_bytes()
        try:
            model = read_model(content)
        except Int8rtError:
            continue
        type = _activations(model)
        summary = inspect_model(model, len(content))
        if type is None or any(graph.unsupported or graph.refusal for graph in summary.subgraphs):
            continue
        if sum(len(graph.operators) for graph in model.subgraphs) < least_operators:
            continue
        macs = sum(graph.macs for graph in summary.subgraphs)
        if macs >= least_macs:
            found.setdefault(_architecture(model), Candidate(path, type, macs, _convolutional(model)))
    return sorted(found.values(), key=lambda candidate: -candidate.macs)


def _activations(model: Model) -> str | None:
    """The type that most operators with multiply-accumulates work on; None where that has not 8 bits."""
    graph = model.subgraphs[0]
    heavy = [op for op in graph.operators if op.label in (*_CONVOLUTIONS, "FULLY_CONNECTED")]
    types = [graph.tensors[op.inputs[2 if op.label == "TRANSPOSE_CONV" else 0]].type for op in heavy]
    weights = [graph.tensors[op.inputs[1]].type for op in heavy]
    kinds = {type for type in types if type not in _TYPES} | {type for type in weights if type not in _TYPES}
    return _TYPES[types[0]] if types and not kinds else None


def _convolutional(model: Model) -> bool:
    return any(op.label in _CONVOLUTIONS for graph in model.subgraphs for op in graph.operators)


def _architecture(model: Model) -> str:
    parts = [
        (op.label, op.options, [(graph.tensors[i].shape, graph.tensors[i].type) for i in op.inputs if i >= 0])
        for graph in model.subgraphs
        for op in graph.operators
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()
