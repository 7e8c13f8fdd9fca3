"""int8rt's quantized files beside those of TensorFlow 2.21's converter, number by number.

Both are made from the same float model and, where the mode needs them, the same ranges: those that TensorFlow's own
calibrator recorded. Operators are paired in their order, and so are their tensors.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from int8rt.model import Model, Operator, Subgraph, Tensor
from int8rt.ptq import Recipe, quantize
from int8rt.schema import load_model
from int8rt.schema.constant import constant_value

_LSTM_STATES = {18: "output state", 19: "cell state"}
# Why numbers differ, by (operator, tensor); {count} of them do.
_EXPLAINED = {
    ("bias of DEPTHWISE_CONV_2D", "16x8"): "shared bias",
    ("bias of CONV_2D", "16x8"): "shared bias",
    ("output state of UNIDIRECTIONAL_SEQUENCE_LSTM", "int8"): "output state",
    ("cell state of UNIDIRECTIONAL_SEQUENCE_LSTM", "int8"): "cell state",
    ("output state of UNIDIRECTIONAL_SEQUENCE_LSTM", "float16"): "zeros",
    ("cell state of UNIDIRECTIONAL_SEQUENCE_LSTM", "float16"): "zeros",
}
EXPLANATIONS = {
    "shared bias": "Two convolutions whose biases have equal numbers but other scales: the converter stores one int64 "
    "vector for both, with the scale of one of them, so that the other adds a wrong bias. int8rt writes one for each.",
    "output state": "Of an LSTM whose output is concatenated, the converter gives the output the scale of the "
    "concatenation but the output state its own, though the kernel copies the codes of one into the other. int8rt "
    "gives both the same.",
    "cell state": "For cell states that stay small the converter chooses a scale below 2^-15, for which LiteRT's "
    "kernel leaves out the hyperbolic tangent. int8rt stops at 2^-15.",
    "zeros": "The converter stores the zeros that a state begins with, as float16, and reads them through a DEQUANTIZE "
    "into the variable. int8rt leaves the variable as it was: it begins with zeros.",
}


@dataclass(frozen=True, slots=True)
class Pair:
    """A file of the converter's, what it was made from, and the recipe that stands for the converter's settings."""

    network: str
    mode: str
    source: Path
    made: Path
    recipe: Recipe


@dataclass(slots=True)
class Counts:
    """(equal, all): of activations by scale and zero point, of constants' scales, of constants' elements.

    different: which tensors differ, by what they are for their operator. operators: whether they are the same.
    """

    operators: bool = True
    activations: list[int] = field(default_factory=lambda: [0, 0])
    scales: list[int] = field(default_factory=lambda: [0, 0])
    constants: list[int] = field(default_factory=lambda: [0, 0])
    different: Counter[str] = field(default_factory=Counter)


RECIPES = {
    "int8, float ends": Recipe(),
    "int8": Recipe(inputs="int8", outputs="int8"),
    "int8, uint8 ends": Recipe(inputs="uint8", outputs="uint8"),
    "int8 per tensor": Recipe(granularity="tensor"),
    "int8 per tensor, int8 ends": Recipe(inputs="int8", outputs="int8", granularity="tensor"),
    "16x8": Recipe("int16x8"),
    "16x8, int16 ends": Recipe("int16x8", inputs="int16", outputs="int16"),
    "dynamic": Recipe("dynamic"),
    "float16": Recipe("float16"),
}
_MADE = {
    "int8_floatio": "int8, float ends",
    "int8_only_int8": "int8",
    "int8_only_uint8": "int8, uint8 ends",
    "int8_pertensor": "int8 per tensor",
    "i16x8": "16x8",
    "i16x8_fallback": "16x8",
    "i16x8_int16io": "16x8, int16 ends",
    "dynamic": "dynamic",
    "float16": "float16",
}
# Small models whose dynamic-range form was made of layers with more weights.
_LARGER = ("lstm", "bidirectional_lstm", "gru", "rnn")
_SMALL = {
    "int8_float_io": "int8, float ends",
    "int8": "int8",
    "int8_uint8_io": "int8, uint8 ends",
    "int8_per_tensor": "int8 per tensor, int8 ends",
    "16x8": "16x8",
    "16x8_int16_io": "16x8, int16 ends",
    "dynamic_range": "dynamic",
    "float16": "float16",
}


def pairs(made: Path, small: Path) -> Iterator[Pair]:
    """Of a folder of networks, and of the small models that the tests keep."""
    for name in ("dcnn", "mobilenet_v1_025_128", "efficientnetb0_224", "opzoo", "lstm", "bilstm"):
        calibrated, plain = made / "ptq" / f"{name}_calibrate_only.tflite", made / f"{name}_float32.tflite"
        yield from _pairs(name, made / name, calibrated, plain, _MADE)
    for name in ("network", "matrices", "unrolled_gru", "lstm", "bidirectional_lstm", "gru", "rnn", "svdf", "tables"):
        calibrated, plain = small / f"{name}_calibrated.tflite", small / f"{name}_float32.tflite"
        yield from _pairs(f"{name} (small)", small / name, calibrated, plain, _SMALL)


def _pairs(label: str, stem: Path, calibrated: Path, plain: Path, files: dict[str, str]) -> Iterator[Pair]:
    for suffix, mode in files.items():
        ranged = RECIPES[mode].mode in ("int8", "int16x8")
        source = calibrated if calibrated.exists() and (ranged or not plain.exists()) else plain
        result = stem.with_name(f"{stem.name}_{suffix}.tflite")
        if suffix == "dynamic_range" and stem.name in _LARGER:
            continue
        if result.exists() and source.exists() and (source == calibrated or not ranged):
            shown = f"{mode}, fallback" if suffix.endswith("fallback") else mode
            yield Pair(label, shown, source, result, RECIPES[mode])


def count(found: Model, expected: Model) -> Counts:
    """How far two models are the same."""
    counts = Counts()
    seen: set[tuple[int, int, int]] = set()
    for position, (ours, theirs) in enumerate(zip(found.subgraphs, expected.subgraphs, strict=True)):
        (first, unpacked), (second, other_unpacked) = _computing(found, ours), _computing(expected, theirs)
        if [operator.name for operator in first] != [operator.name for operator in second]:
            counts.operators = False
            continue
        for a, b in zip(first, second, strict=True):
            mine = [unpacked.get(t, t) for t in (*_given(a, b), *a.outputs)]
            others = [other_unpacked.get(t, t) for t in (*_given(b, a), *b.outputs)]
            for place, (s, t) in enumerate(zip(mine, others, strict=False)):
                if s < 0 or t < 0:
                    counts.operators = counts.operators and s == t
                elif (position, s, t) not in seen:
                    seen.add((position, s, t))
                    role = f"{_role(a.name, place, len(mine) - len(a.outputs))} of {a.name}"
                    _see(counts, role, found, ours.tensors[s], expected, theirs.tensors[t])
    return counts


def _computing(model: Model, graph: Subgraph) -> tuple[list[Operator], dict[int, int]]:
    """The operators but for a DEQUANTIZE of a constant, whose place does not matter; what those read, by what they
    write.
    """
    unpacking = [
        operator
        for operator in graph.operators
        if operator.name == "DEQUANTIZE" and constant_value(model, graph.tensors[operator.inputs[0]]) is not None
    ]
    rest = [operator for operator in graph.operators if operator not in unpacking]
    return rest, {operator.outputs[0]: operator.inputs[0] for operator in unpacking}


def _given(operator: Operator, other: Operator) -> tuple[int, ...]:
    """Its inputs, with -1 for optional ones that the other operator lists too."""
    return operator.inputs + (-1,) * (len(other.inputs) - len(operator.inputs))


def _role(name: str, place: int, inputs: int) -> str:
    if place >= inputs:
        return "output"
    if name == "UNIDIRECTIONAL_SEQUENCE_LSTM":
        return _LSTM_STATES.get(place, f"input {place}")
    return {0: "input", 1: "weights", 2: "bias"}.get(place, f"input {place}")


def _see(counts: Counts, role: str, found: Model, a: Tensor, expected: Model, b: Tensor) -> None:
    ours, theirs = constant_value(found, a), constant_value(expected, b)
    same = True
    if theirs is not None:
        counts.constants[1] += theirs.size
        if ours is not None and ours.shape == theirs.shape and ours.dtype == theirs.dtype:
            equal = int((ours == theirs).sum())
            counts.constants[0] += equal
            same = equal == theirs.size
        else:
            same = False
    for mine, other in zip(_parameters(a), _parameters(b), strict=False):
        kind = counts.activations if theirs is None else counts.scales
        kind[1] += 1
        kind[0] += mine == other
        same = same and mine == other
    same = same and a.type is b.type and len(_parameters(a)) == len(_parameters(b))
    counts.different[role] += not same


def _parameters(tensor: Tensor) -> Sequence[tuple[float, int]]:
    quantization = tensor.quantization
    if quantization is None:
        return []
    zero_points = np.broadcast_to(quantization.zero_point, quantization.scale.shape)
    return list(zip(quantization.scale.tolist(), zero_points.tolist(), strict=True))


def report(made: Path, small: Path) -> Iterator[str]:
    """Of the page, line by line."""
    yield "| network | mode | operators | activations | scales of constants | constants | tensors that differ |"
    yield "|---|---|---|---|---|---|---|"
    reasons = dict[str, None]()
    for pair in pairs(made, small):
        counts = count(quantize(load_model(pair.source), pair.recipe).model, load_model(pair.made))
        different = []
        for role, number in counts.different.items():
            if number:
                reason = _EXPLAINED.get((role, pair.recipe.mode.replace("int16x8", "16x8")), "not explained")
                reasons[reason] = None
                different.append(f"{number} {role}: {reason}")
        shares = (f"{equal:,} of {total:,}" for equal, total in (counts.activations, counts.scales, counts.constants))
        same = "the same" if counts.operators else "others"
        yield f"| {pair.network} | {pair.mode} | {same} | {' | '.join(shares)} | {'; '.join(different)} |"
    for reason in reasons:
        if reason in EXPLANATIONS:
            yield ""
            yield f"*{reason}*: {EXPLANATIONS[reason]}"
