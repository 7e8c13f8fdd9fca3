"""One subgraph, quantized: which operators become integer, and the QUANTIZE and DEQUANTIZE at their borders."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from int8rt.errors import InputError
from int8rt.model import Model, Operator, Quantization, Subgraph, TensorType
from int8rt.ptq.draft import Draft
from int8rt.ptq.lstm import CELL_STATE, quantized_lstm, why_not_lstm
from int8rt.ptq.recipe import Ends, Recipe, Treatment
from int8rt.ptq.rules import DYNAMIC, LSTM, RULES, takes_int4, version, why_not
from int8rt.ptq.scales import Graph, Node, Range, Scales, choose_int8, choose_int16, same
from int8rt.ptq.weights import Weights
from int8rt.quantization.from_ranges import activation_parameters

FLOAT = TensorType.FLOAT32
_STATIC = ("int8", "int4", "int16x8")


@dataclass(frozen=True, slots=True)
class Rewritten:
    """inputs, outputs: the tensor that stands for an old one at the ends, where it is another.
    left_float: (position, label, reason).
    """

    subgraph: Subgraph
    inputs: dict[int, int] = field(default_factory=dict)
    outputs: dict[int, int] = field(default_factory=dict)
    left_float: tuple[tuple[int, str, str], ...] = ()


def rewrite(model: Model, index: int, recipe: Recipe, buffers: list[bytes | memoryview | None]) -> Rewritten:
    """The subgraph after the recipe; `buffers` grows. Raises `InputError` where it cannot be done."""
    return _Rewriting(Draft(model, index, buffers), recipe).run()


class _Rewriting:
    """`codes`, `floats`: the tensors that hold an old tensor's value as integers and as floats, as far as there are."""

    def __init__(self, draft: Draft, recipe: Recipe) -> None:
        self.draft = draft
        self.recipe = recipe
        self.type = TensorType.INT16 if recipe.mode == "int16x8" else TensorType.INT8
        self.weights = Weights(draft)
        self.codes: dict[int, int] = {}
        self.floats: dict[int, int] = {}
        self.requantized: dict[tuple[int, float, int], int] = {}
        self.operators = draft.source.operators
        self.treatments = [recipe.treatment(operator, draft.source) for operator in self.operators]
        self.left: list[tuple[int, str, str]] = []
        self.scales = Scales()
        self.integer: set[int] = set()

    def run(self) -> Rewritten:
        if any(treatment.mode in _STATIC for treatment in self.treatments):
            self._choose()
        inputs = [self._input(t) for t in self.draft.source.inputs]
        for position, operator in enumerate(self.operators):
            if position in self.integer:
                self._integer(position, operator)
            else:
                self._float(position, operator)
        outputs = [self._output(t) for t in self.draft.source.outputs]
        source = self.draft.source
        return Rewritten(
            self.draft.done(inputs, outputs),
            dict(zip(source.inputs, inputs, strict=True)),
            dict(zip(source.outputs, outputs, strict=True)),
            tuple(self.left),
        )

    # Which operators become integer, with which scales.

    def _choose(self) -> None:
        nodes: list[Node] = []
        ranges: dict[int, Range | None] = {}
        for position, operator in enumerate(self.operators):
            reason = self._why_float(position, operator)
            if reason is None:
                node = self._node(position, operator)
                nodes.append(node)
                ranges |= {t: self._range(t) for t in (*node.inputs, *node.outputs)}
            elif self._touches_floats(operator):
                self.left.append((position, operator.label, reason))
        graph = Graph(nodes, {t: ends for t, ends in ranges.items() if ends is not None})
        self.scales = choose_int16(graph) if self.type is TensorType.INT16 else choose_int8(graph)
        for node in nodes:
            missing = [t for t in (*node.inputs, *node.outputs) if t not in self.scales.chosen]
            if missing:
                raise InputError(
                    f"operator {node.position} ({node.operator.label}): tensor "
                    f"'{self.draft.source.tensors[missing[0]].label}' has no range; calibrate the model"
                )
            self.integer.add(node.position)
        self._check_bias_inputs(nodes)

    def _why_float(self, position: int, operator: Operator) -> str | None:
        treatment = self.treatments[position]
        if treatment.mode not in _STATIC:
            return f"the recipe leaves it {treatment.mode}"
        reason = why_not(operator, self.type)
        if reason is not None:
            return reason
        if operator.name == LSTM:
            return why_not_lstm(self.draft, operator, self.type)
        weighted = RULES[operator.name].weighted
        if weighted is not None:
            constants = [self.draft.constant(i) for i in operator.inputs[weighted.filter : weighted.filter + 1]]
            if len(operator.inputs) > weighted.bias and operator.inputs[weighted.bias] >= 0:
                constants.append(self.draft.constant(operator.inputs[weighted.bias]))
            if any(value is None for value in constants):
                return "its weights or bias are not constant"
        if not any(self._activation(t) for t in operator.inputs):
            return "it has no float inputs"
        return None

    def _touches_floats(self, operator: Operator) -> bool:
        tensors = self.draft.source.tensors
        return any(t >= 0 and tensors[t].type is FLOAT for t in (*operator.inputs, *operator.outputs))

    def _activation(self, t: int) -> bool:
        if t < 0:
            return False
        tensor = self.draft.source.tensors[t]
        return tensor.type is FLOAT and self.draft.constant(t) is None

    def _node(self, position: int, operator: Operator) -> Node:
        tensors = self.draft.source.tensors
        floats = [t for t in operator.inputs if t >= 0 and tensors[t].type is FLOAT]
        inputs = tuple(t for t in floats if self._activation(t))
        if operator.name == LSTM:
            inputs = inputs[:1]  # the others are its states
        outputs = tuple(t for t in operator.outputs if t >= 0 and tensors[t].type is FLOAT)
        return Node(position, operator, inputs, outputs, len(floats))

    def _range(self, t: int) -> Range | None:
        tensor = self.draft.source.tensors[t]
        quantization = tensor.quantization
        if quantization is None or quantization.min is None or quantization.max is None:
            return None
        if not quantization.min.size or not quantization.max.size:
            return None
        low, high = float(quantization.min.min()), float(quantization.max.max())
        if not (np.isfinite(low) and np.isfinite(high) and low <= high):
            raise InputError(f"tensor '{tensor.label}' has the range [{low}, {high}]")
        return low, high

    def _check_bias_inputs(self, nodes: list[Node]) -> None:
        """Operators of integers must not read a variable of floats."""
        for node in nodes:
            for t in (*node.inputs, *node.outputs):
                if self.draft.source.tensors[t].is_variable:
                    self.integer.discard(node.position)

    # Operators.

    def _integer(self, position: int, operator: Operator) -> None:
        if operator.name == LSTM:
            self._lstm(position, operator)
            return
        rule, treatment = RULES[operator.name], self.treatments[position]
        if treatment.bits == 4 and not takes_int4(operator.name):
            treatment = Treatment(treatment.mode, 8, treatment.granularity)
        inputs = list(operator.inputs)
        weighted = rule.weighted
        for i, t in enumerate(operator.inputs):
            if self._activation(t):
                inputs[i] = self._read(position, t)
            elif t >= 0 and self.draft.source.tensors[t].type is FLOAT and weighted is None:
                shared = self._shared(position, operator) if rule.same else None
                inputs[i] = (
                    self.weights.symmetric(t) if i in rule.weights else self.weights.activation(t, self.type, shared)
                )
        if weighted is not None:
            parameters = self.draft.tensors[inputs[weighted.input]].quantization
            assert parameters is not None
            bias_type = TensorType.INT64 if self.type is TensorType.INT16 else TensorType.INT32
            made = self.weights.with_bias(operator, weighted, treatment, float(parameters.scale[0]), bias_type)
            inputs[weighted.filter] = made[0]
            if len(inputs) > weighted.bias:
                inputs[weighted.bias] = made[1]
        bits = treatment.bits if weighted is not None else 8
        self._append(operator, inputs, version(operator, self.type, bits))
        for t in operator.outputs:
            if t >= 0 and self.draft.source.tensors[t].type is FLOAT:
                self._write(t)

    def _lstm(self, position: int, operator: Operator) -> None:
        output, state = operator.outputs[0], operator.inputs[CELL_STATE]
        cell = self._range(state)
        if cell is None:
            label = self.draft.source.tensors[state].label
            raise InputError(f"operator {position} ({operator.label}): the cell state '{label}' has no range")
        parameters = self.scales.written.get(output, self.scales.chosen[output])
        codes = self._read(position, operator.inputs[0])
        new = quantized_lstm(self.draft, self.weights, operator, codes, parameters, cell)
        self._append(new, list(new.inputs), version(operator, self.type))
        self._write(output)

    def _shared(self, position: int, operator: Operator) -> Quantization:
        t = next(t for t in (*operator.inputs, *operator.outputs) if self._activation(t))
        return self.scales.read.get((position, t), self.scales.chosen[t])

    def _float(self, position: int, operator: Operator) -> None:
        inputs = [self._real(t) if self._activation(t) else t for t in operator.inputs]
        treatment = self.treatments[position]
        if treatment.mode == "dynamic" and operator.name in DYNAMIC and self._large(operator):
            weighted = RULES[operator.name].weighted
            assert weighted is not None
            inputs[weighted.filter] = self.weights.dynamic(operator, weighted, treatment)
            operator = dataclasses.replace(operator, version=max(operator.version, DYNAMIC[operator.name]))
            if hasattr(operator.options, "asymmetric_quantize_inputs"):
                options = dataclasses.replace(operator.options, asymmetric_quantize_inputs=True)
                operator = dataclasses.replace(operator, options=options)
        elif treatment.mode == "float16":
            inputs = [self.weights.half(t) if self._float_constant(t) else t for t in inputs]
        self._append(operator, inputs, operator.version)
        for t in operator.outputs:
            self.floats[t] = t

    def _float_constant(self, t: int) -> bool:
        known = 0 <= t < len(self.draft.source.tensors)
        return known and self.draft.source.tensors[t].type is FLOAT and self.draft.constant(t) is not None

    def _large(self, operator: Operator) -> bool:
        weighted = RULES[operator.name].weighted
        assert weighted is not None
        weights = operator.inputs[weighted.filter]
        values = self.draft.constant(weights) if self._float_constant(weights) else None
        return values is not None and values.size >= self.recipe.smallest

    def _append(self, operator: Operator, inputs: list[int], version: int) -> None:
        self.draft.operators.append(dataclasses.replace(operator, inputs=tuple(inputs), version=version))

    # Tensors as integers and as floats.

    def _write(self, t: int) -> None:
        chosen = self.scales.chosen[t]
        written = self.scales.written.get(t, chosen)
        self.draft.change(t, type=self.type, quantization=written)
        self.codes[t] = t
        if written is not chosen:
            self.codes[t] = self._convert(t, "requantized", self.type, chosen)

    def _read(self, position: int, t: int) -> int:
        codes = self._codes(t)
        wanted = self.scales.read.get((position, t))
        if wanted is None or same(wanted, self.scales.chosen[t]):
            return codes
        key = (t, float(wanted.scale[0]), int(wanted.zero_point[0]))
        if key not in self.requantized:
            self.requantized[key] = self._convert(codes, "requantized", self.type, wanted)
        return self.requantized[key]

    def _codes(self, t: int) -> int:
        if t not in self.codes:
            if t not in self.scales.chosen:
                label = self.draft.source.tensors[t].label
                raise InputError(f"tensor '{label}' has no range; calibrate the model")
            self.codes[t] = self._convert(self.floats[t], self.type.label, self.type, self.scales.chosen[t])
        return self.codes[t]

    def _real(self, t: int) -> int:
        if t not in self.floats:
            if t in self.codes:
                self.floats[t] = self._convert(self.codes[t], "float32", FLOAT, None)
            else:
                self.floats[t] = t
        return self.floats[t]

    def _convert(self, t: int, suffix: str, type: TensorType, parameters: Quantization | None) -> int:
        return self.draft.convert(t, f"{self.draft.tensors[t].name}_{suffix}", type, parameters)

    # The ends.

    def _input(self, t: int) -> int:
        tensor = self.draft.source.tensors[t]
        ends = self.recipe.inputs
        if ends == "float" or tensor.type is not FLOAT:
            self.floats[t] = t
            return t
        parameters = self._end_parameters(t)
        self.scales.chosen.setdefault(t, parameters)
        if ends == "uint8":
            self.draft.change(t, type=TensorType.UINT8, quantization=_as_uint8(parameters))
            self.codes[t] = self._convert(t, "int8", self.type, parameters)
        else:
            self.draft.change(t, type=self.type, quantization=parameters)
            self.codes[t] = t
        return t

    def _output(self, t: int) -> int:
        tensor = self.draft.source.tensors[t]
        ends: Ends = self.recipe.outputs
        if tensor.type is not FLOAT or self.draft.constant(t) is not None:
            return t
        if ends == "float":
            return self._with_name(self._real(t), tensor.name)
        parameters = self._end_parameters(t)
        self.scales.chosen.setdefault(t, parameters)
        codes = self._codes(t)
        if ends == "uint8":
            codes = self._convert(codes, "uint8", TensorType.UINT8, _as_uint8(parameters))
        return self._with_name(codes, tensor.name)

    def _end_parameters(self, t: int) -> Quantization:
        if t in self.scales.chosen:
            return self.scales.chosen[t]
        ends = self._range(t)
        if ends is None:
            raise InputError(f"tensor '{self.draft.source.tensors[t].label}' has no range; calibrate the model")
        return activation_parameters(*ends, self.type)

    def _with_name(self, t: int, name: str) -> int:
        """`t` under the name that the model's users know; whoever had it gets another."""
        if self.draft.tensors[t].name != name:
            for other, tensor in enumerate(self.draft.tensors):
                if tensor.name == name:
                    self.draft.change(other, name=f"{name}_{tensor.type.label}")
            self.draft.change(t, name=name)
        return t


def _as_uint8(parameters: Quantization) -> Quantization:
    return Quantization.per_tensor(float(parameters.scale[0]), int(parameters.zero_point[0]) + 128)
