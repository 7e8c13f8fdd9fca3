"""Which operators of a subgraph become integer, and with which scales; why the others stay float."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from int8rt.errors import InputError
from int8rt.model import Operator, TensorType
from int8rt.ptq.draft import Draft
from int8rt.ptq.lstm import why_not_lstm
from int8rt.ptq.recipe import Recipe, Treatment
from int8rt.ptq.rules import LSTM, RULES, STATES, SVDF, why_not
from int8rt.ptq.scales import Graph, Node, Range, Scales, choose_int8, choose_int16
from int8rt.ptq.svdf import why_not_svdf

FLOAT = TensorType.FLOAT32
_STATIC = ("int8", "int4", "int16x8")


@dataclass(frozen=True, slots=True)
class Choice:
    """integer: positions of the operators that become so. left_float: (position, label, reason) of those that do not,
    though they read or write floats.
    """

    integer: frozenset[int] = frozenset()
    scales: Scales = field(default_factory=Scales)
    left_float: tuple[tuple[int, str, str], ...] = ()


def choose(draft: Draft, recipe: Recipe, treatments: Sequence[Treatment]) -> Choice:
    """For activations of the recipe's type. treatments: of each operator.

    Raises `InputError` where a tensor of an operator that is to become integer has no range that can be used.
    """
    if not any(treatment.mode in _STATIC for treatment in treatments):
        return Choice()
    type = activation_type(recipe)
    nodes: list[Node] = []
    left: list[tuple[int, str, str]] = []
    ranges: dict[int, Range | None] = {}
    for position, (operator, treatment) in enumerate(zip(draft.source.operators, treatments, strict=True)):
        reason = _why_float(draft, operator, treatment, type)
        if reason is None:
            node = _node(draft, position, operator)
            nodes.append(node)
            ranges |= {t: range_of(draft, t) for t in (*node.inputs, *node.outputs)}
        elif _touches_floats(draft, operator):
            left.append((position, operator.label, reason))
    graph = Graph(nodes, {t: ends for t, ends in ranges.items() if ends is not None})
    scales = choose_int16(graph) if type is TensorType.INT16 else choose_int8(graph)
    for node in nodes:
        missing = [t for t in (*node.inputs, *node.outputs) if t not in scales.chosen]
        if missing:
            label = draft.source.tensors[missing[0]].label
            where = f"operator {node.position} ({node.operator.label})"
            raise InputError(f"{where}: tensor '{label}' has no range; calibrate the model")
    return Choice(frozenset(node.position for node in nodes), scales, tuple(left))


def activation_type(recipe: Recipe) -> TensorType:
    """int16 in mode int16x8, else int8."""
    return TensorType.INT16 if recipe.mode == "int16x8" else TensorType.INT8


def is_activation(draft: Draft, t: int) -> bool:
    """Whether a tensor of the source is a float that is computed."""
    return t >= 0 and draft.source.tensors[t].type is FLOAT and draft.constant(t) is None


def range_of(draft: Draft, t: int) -> Range | None:
    """The range that calibration has written into a tensor. `InputError` where it is none."""
    tensor = draft.source.tensors[t]
    quantization = tensor.quantization
    if quantization is None or quantization.min is None or quantization.max is None:
        return None
    if not quantization.min.size or not quantization.max.size:
        return None
    low, high = float(quantization.min.min()), float(quantization.max.max())
    if not (np.isfinite(low) and np.isfinite(high) and low <= high):
        raise InputError(f"tensor '{tensor.label}' has the range [{low}, {high}]")
    return low, high


def _why_float(draft: Draft, operator: Operator, treatment: Treatment, type: TensorType) -> str | None:
    if treatment.mode not in _STATIC:
        return f"the recipe leaves it {treatment.mode}"
    reason = why_not(operator, type)
    if reason is not None:
        return reason
    if operator.name == LSTM:
        return why_not_lstm(draft, operator, type)
    if operator.name == SVDF:
        return why_not_svdf(draft, operator)
    weighted = RULES[operator.name].weighted
    if weighted is not None:
        constants = [draft.constant(i) for i in operator.inputs[weighted.filter : weighted.filter + 1]]
        if len(operator.inputs) > weighted.bias and operator.inputs[weighted.bias] >= 0:
            constants.append(draft.constant(operator.inputs[weighted.bias]))
        if any(value is None for value in constants):
            return "its weights or bias are not constant"
    if not any(is_activation(draft, t) for t in operator.inputs):
        return "it has no float inputs"
    if any(
        is_activation(draft, t) and draft.source.tensors[t].is_variable for t in (*operator.inputs, *operator.outputs)
    ):
        return "it reads or writes a variable of floats"
    return None


def _touches_floats(draft: Draft, operator: Operator) -> bool:
    tensors = draft.source.tensors
    return any(t >= 0 and tensors[t].type is FLOAT for t in (*operator.inputs, *operator.outputs))


def _node(draft: Draft, position: int, operator: Operator) -> Node:
    tensors = draft.source.tensors
    floats = [t for t in operator.inputs if t >= 0 and tensors[t].type is FLOAT]
    inputs = tuple(
        t for t in floats if is_activation(draft, t) and operator.inputs.index(t) not in STATES.get(operator.name, ())
    )
    outputs = tuple(t for t in operator.outputs if t >= 0 and tensors[t].type is FLOAT)
    return Node(position, operator, inputs, outputs, len(floats))
