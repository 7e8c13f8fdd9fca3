"""Which kinds of quantized models are exact: `python -m conformance.kinds FOLDER... --results ROWS.json`.

Every model of the folders is classified from its file alone, and counted with the status that `conformance.zoo --json`
gave it (one file of results a folder, in the same order). A model counts in each row that describes it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.pages import put
from conformance.zoo import STATUSES
from int8rt.errors import Int8rtError
from int8rt.model import Model, Operator, Subgraph, Tensor, TensorType
from int8rt.schema import read_model
from int8rt.verify.inputs import KINDS as INPUT_KINDS

_EIGHT_BIT = (TensorType.INT8, TensorType.UINT8)
_QUANTIZED = (*_EIGHT_BIT, TensorType.INT16)
_PACKED = (TensorType.INT4, TensorType.INT2, TensorType.UINT4)
_FLOATS = (TensorType.FLOAT32, TensorType.FLOAT16, TensorType.FLOAT64)
_CONVERSIONS = ("QUANTIZE", "DEQUANTIZE", "CAST")
_RECURRENT = (
    "LSTM",
    "UNIDIRECTIONAL_SEQUENCE_LSTM",
    "BIDIRECTIONAL_SEQUENCE_LSTM",
    "RNN",
    "UNIDIRECTIONAL_SEQUENCE_RNN",
    "BIDIRECTIONAL_SEQUENCE_RNN",
    "SVDF",
)
_RESOURCES = ("VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE", "HASHTABLE")
_CONTROL = ("IF", "WHILE", "CALL", "STABLEHLO_CASE", "STABLEHLO_COMPOSITE")
_SHAPES = ("SHAPE", "RANK", "RANGE", "FILL", "WHERE", "UNIQUE", "BROADCAST_ARGS", "DYNAMIC_UPDATE_SLICE")

KINDS: Mapping[str, str] = {
    "integer int8": "Integer only, int8 inputs and outputs",
    "integer uint8": "Integer only, int8 inside, uint8 inputs or outputs",
    "per tensor": "int8 with one scale for the weights of a convolution",
    "float islands": "int8 with float inputs, outputs or islands between QUANTIZE and DEQUANTIZE",
    "dynamic range": "Dynamic range: float activations, 8-bit weights",
    "float16": "float16 weights or tensors",
    "16x8": "16x8: int16 activations",
    "16x8 fallback": "16x8 with float operators between",
    "legacy uint8": "Legacy uint8: asymmetric weights",
    "float": "Float, nothing quantized",
    "packed": "Packed 4-bit and 2-bit weights, sparse weights",
    "recurrent": "Recurrent: LSTM, RNN, SVDF",
    "stateful": "Stateful: variable tensors and resource variables",
    "control flow": "Control flow: IF, WHILE, CALL, STABLEHLO_COMPOSITE",
    "computed shapes": "Shapes that are computed: SHAPE, RANGE, FILL, WHERE, UNIQUE",
    "strings": "Strings",
    "custom": "Custom operators",
    "other": "Other: integers without scales",
}


@dataclass(frozen=True)
class _Facts:
    """What all operators of a model show. arithmetic: types of results of operators that compute, if quantized."""

    names: set[str] = field(default_factory=set)
    arithmetic: set[TensorType] = field(default_factory=set)
    weights: set[tuple[TensorType, TensorType]] = field(default_factory=set)
    constants_dequantized: set[TensorType] = field(default_factory=set)
    floats_written: bool = False
    one_scale: bool = False


def classify(model: Model) -> tuple[str, ...]:
    """The kinds of a model, keys of `KINDS` in their order."""
    facts = _facts(model)
    main = model.subgraphs[0]
    edges = {main.tensors[index].type for index in (*main.inputs, *main.outputs)}
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]
    types = {tensor.type for tensor in tensors}
    floating = facts.floats_written or not edges.isdisjoint(_FLOATS)
    eight_bit = TensorType.INT8 in facts.arithmetic
    wide = TensorType.INT16 in facts.arithmetic
    legacy = any(filter == TensorType.UINT8 for _, filter in facts.weights) or TensorType.UINT8 in facts.arithmetic
    hybrid = any(source in _FLOATS and filter in (*_EIGHT_BIT, *_PACKED) for source, filter in facts.weights)
    hybrid = hybrid or not facts.constants_dequantized.isdisjoint(_EIGHT_BIT)
    found = {
        "integer int8": eight_bit and not floating and TensorType.UINT8 not in edges,
        "integer uint8": eight_bit and not floating and TensorType.UINT8 in edges,
        "per tensor": facts.one_scale,
        "float islands": eight_bit and floating,
        "dynamic range": hybrid,
        "float16": TensorType.FLOAT16 in types,
        "16x8": wide,
        "16x8 fallback": wide and _float_arithmetic(model),
        "legacy uint8": legacy,
        "packed": not types.isdisjoint(_PACKED) or any(tensor.sparsity is not None for tensor in tensors),
        "recurrent": not facts.names.isdisjoint(_RECURRENT),
        "stateful": not facts.names.isdisjoint(_RESOURCES) or any(tensor.is_variable for tensor in tensors),
        "control flow": not facts.names.isdisjoint(_CONTROL),
        "computed shapes": not facts.names.isdisjoint(_SHAPES),
        "strings": TensorType.STRING in types,
        "custom": any(name.startswith("CUSTOM:") for name in facts.names),
    }
    quantized = eight_bit or wide or legacy or hybrid or found["float16"] or found["packed"]
    found["float"] = not types.isdisjoint(_FLOATS) and not quantized and not _conversions(model)
    kinds = tuple(kind for kind in KINDS if found.get(kind, False))
    return kinds or (("float islands",) if floating and types & set(_QUANTIZED) else ("other",))


def _facts(model: Model) -> _Facts:
    facts = _Facts()
    flags = {"floats_written": False, "one_scale": False}
    for graph in model.subgraphs:
        for operator in graph.operators:
            facts.names.add(operator.label)
            written = [graph.tensors[index] for index in operator.outputs]
            constants = [tensor for tensor in _inputs(graph, operator) if _is_constant(model, tensor)]
            flags["floats_written"] |= any(tensor.type in _FLOATS for tensor in written)
            if operator.name == "DEQUANTIZE":
                facts.constants_dequantized.update(tensor.type for tensor in constants)
            if operator.name not in _CONVERSIONS:
                facts.arithmetic.update(tensor.type for tensor in written if _is_quantized(tensor))
            source = next((t for t in _inputs(graph, operator) if not _is_constant(model, t)), None)
            for constant in constants:
                computes = operator.name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
                computes |= operator.name in (*_RECURRENT, "BATCH_MATMUL", "EMBEDDING_LOOKUP", "CONV_3D")
                if computes and source is not None and constant.type in (*_EIGHT_BIT, *_PACKED):
                    # An embedding is looked up by index: what it gives is the activation.
                    activation = written[0] if operator.name == "EMBEDDING_LOOKUP" and written else source
                    facts.weights.add((activation.type, constant.type))
                    one = constant.type == TensorType.INT8 and activation.type == TensorType.INT8
                    several = constant.quantization is None or constant.quantization.scale.size != 1
                    channels = max(constant.shape, default=1)
                    convolution = operator.name in ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV")
                    flags["one_scale"] |= convolution and one and not several and channels > 1
    return _Facts(facts.names, facts.arithmetic, facts.weights, facts.constants_dequantized, **flags)


def _inputs(graph: Subgraph, operator: Operator) -> list[Tensor]:
    return [graph.tensors[index] for index in operator.inputs if index >= 0]


def _is_constant(model: Model, tensor: Tensor) -> bool:
    return bool(tensor.buffer) and model.buffers[tensor.buffer] is not None


def _is_quantized(tensor: Tensor) -> bool:
    return tensor.type in _QUANTIZED and tensor.quantization is not None and tensor.quantization.scale.size > 0


def _float_arithmetic(model: Model) -> bool:
    return any(
        graph.tensors[index].type in _FLOATS
        for graph in model.subgraphs
        for operator in graph.operators
        if operator.name not in _CONVERSIONS
        for index in operator.outputs
    )


def _conversions(model: Model) -> bool:
    return any(operator.name in ("QUANTIZE", "DEQUANTIZE") for graph in model.subgraphs for operator in graph.operators)


@dataclass(frozen=True, slots=True)
class Classified:
    """A model with its kinds and the row that `conformance.zoo` gave it; no kinds where it can't be read."""

    name: str
    kinds: tuple[str, ...]
    row: Mapping[str, Any]


def classified(folder: Path, rows: Mapping[str, Mapping[str, Any]]) -> Iterator[Classified]:
    """The models of a folder that have a row in the results."""
    for name, row in sorted(rows.items()):
        try:
            kinds = classify(read_model((folder / name).read_bytes()))
        except Int8rtError:
            kinds = ()
        yield Classified(name, kinds, row)


def page(models: Sequence[Classified], folders: Mapping[str, int]) -> str:
    """Markdown: a table of kinds, then the models that are not exact. folders: how many files are of which."""
    counts: Counter[tuple[str, str]] = Counter()
    for model in models:
        status = model.row["status"]
        counts["All", status] += 1
        for kind in model.kinds or ("unreadable",):
            counts[kind, status] += 1
    titles = {**KINDS, "unreadable": "Not readable", "All": f"All {len(models)} files, each once"}
    lines = [
        "<!-- Generated by `python -m conformance.kinds`; do not edit. -->",
        "# Kinds of models",
        "",
        "A model counts in every row that describes it. *exact*: all outputs and every intermediate tensor have the",
        "same bits as those of LiteRT's reference kernels, with NumPy and compiled. *unsupported*: int8rt refuses it,",
        "and says what it lacks. *refused*: LiteRT does not run it, or has no reference kernel for an operator.",
        "*crashed*: no end in the time that both were given, or an error that is not int8rt's own.",
        f"Files: {', '.join(f'{count} of `{folder}`' for folder, count in folders.items())}.",
        "",
        "| Kind | Models | " + " | ".join(STATUSES) + " |",
        "| --- |" + " ---: |" * (1 + len(STATUSES)),
    ]
    for kind, title in titles.items():
        numbers = [counts[kind, status] for status in STATUSES]
        if sum(numbers):
            lines.append(f"| {title} | {sum(numbers)} | " + " | ".join(str(number or "") for number in numbers) + " |")
    rest = [model for model in models if model.row["status"] != "exact"]
    if rest:
        lines += ["", "## Not exact", "", "| Model | Status | Why |", "| --- | --- | --- |"]
        lines += [f"| {model.name} | {model.row['status']} | {_why(model.row)} |" for model in rest]
    fewer = [(model.name, inputs) for model in models if (inputs := _inputs_of(model.row)) < set(INPUT_KINDS)]
    if fewer:
        lines += ["", "Fewer kinds of inputs than for the others:", ""]
        lines += [f"- {name}: {', '.join(sorted(inputs))}" for name, inputs in fewer]
    return "\n".join(lines) + "\n"


def _inputs_of(row: Mapping[str, Any]) -> set[str]:
    """The kinds of inputs that a model which is exact was examined with."""
    return {run["inputs"] for run in row["runs"]} if row["status"] == "exact" and "runs" in row else set(INPUT_KINDS)


def _why(row: Mapping[str, Any]) -> str:
    """What LiteRT says, or int8rt where LiteRT runs it, in a line."""
    detail = row["detail"].strip()
    if missing := re.search(r"Didn't find op for builtin opcode '(\w+)' version '(\d+)'", detail):
        runs = "; int8rt runs it" if detail.endswith("int8rt: runs") else ""
        return f"LiteRT has no reference kernel for {missing[1]} version {missing[2]}{runs}"
    if row["status"] == "refused":
        detail = detail.partition("; int8rt: ")[0]
    lines = [line.strip() for line in detail.splitlines() if line.strip()]
    # The first line of a list only announces it.
    line = lines[1] if len(lines) > 1 and lines[0].endswith(":") else (lines or [""])[0]
    line, _, accepted = line.partition("; accepted: ")
    reason = accepted.rpartition("; ")[2]
    line += f"; {reason}" if reason and "->" not in reason else ""
    return (line if len(line) <= 300 else line[:300] + "…").replace("|", "\\|")


def main() -> int:
    """Prints or writes the page; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m conformance.kinds", description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--results", type=Path, action="append", required=True, help="of conformance.zoo, one a folder")
    parser.add_argument("--write", type=Path, help="write the page into this file instead of printing it")
    options = parser.parse_args()
    if len(options.results) != len(options.folders):
        parser.error("there must be as many --results as folders")
    models: list[Classified] = []
    counts: dict[str, int] = {}
    for folder, results in zip(options.folders, options.results, strict=True):
        found = list(classified(folder, json.loads(results.read_text())["models"]))
        models += found
        counts[folder.as_posix()] = len(found)
    put(page(models, counts), options.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
