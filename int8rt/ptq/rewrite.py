"""One subgraph, quantized: its operators written anew, and the QUANTIZE and DEQUANTIZE at their borders."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from int8rt.errors import InputError
from int8rt.model import Model, Operator, Quantization, Subgraph, TensorType
from int8rt.ptq.choice import FLOAT, activation_type, choose, is_activation, range_of
from int8rt.ptq.draft import Draft
from int8rt.ptq.dynamic import with_integer_weights
from int8rt.ptq.lstm import CELL_STATE, quantized_lstm
from int8rt.ptq.recipe import Ends, Recipe, Treatment
from int8rt.ptq.rules import LSTM, RULES, SVDF, takes_int4, version, with_options
from int8rt.ptq.scales import Range
from int8rt.ptq.svdf import STATE, quantized_svdf
from int8rt.ptq.values import Values
from int8rt.ptq.weights import Weights
from int8rt.quantization.from_ranges import activation_parameters


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
    def __init__(self, draft: Draft, recipe: Recipe) -> None:
        self.draft = draft
        self.recipe = recipe
        self.type = activation_type(recipe)
        self.weights = Weights(draft)
        self.operators = draft.source.operators
        self.treatments = [recipe.treatment(operator, draft.source) for operator in self.operators]
        self.choice = choose(draft, recipe, self.treatments)
        self.scales = self.choice.scales
        self.values = Values(draft, self.scales, self.type)

    def run(self) -> Rewritten:
        source = self.draft.source
        inputs = [self._input(t) for t in source.inputs]
        for position, operator in enumerate(self.operators):
            if position in self.choice.integer:
                self._integer(position, operator)
            else:
                self._float(position, operator)
        outputs = [self._output(t) for t in source.outputs]
        return Rewritten(
            self.draft.done(inputs, outputs),
            dict(zip(source.inputs, inputs, strict=True)),
            dict(zip(source.outputs, outputs, strict=True)),
            self.choice.left_float,
        )

    # Operators.

    def _integer(self, position: int, operator: Operator) -> None:
        bits = 8
        if operator.name == LSTM:
            output = operator.outputs[0]
            written = self.scales.written.get(output, self.scales.chosen[output])
            codes, cell = self.values.read(position, operator.inputs[0]), self._state(position, CELL_STATE)
            operator = quantized_lstm(self.draft, self.weights, operator, codes, written, cell)
        elif operator.name == SVDF:
            codes, state = self.values.read(position, operator.inputs[0]), self._state(position, STATE)
            operator = quantized_svdf(self.draft, self.weights, operator, codes, state)
        else:
            treatment = self.treatments[position]
            if treatment.bits == 4 and not takes_int4(operator.name):
                treatment = Treatment(treatment.mode, 8, treatment.granularity)
            bits = treatment.bits if RULES[operator.name].weighted is not None else 8
            operator = dataclasses.replace(operator, inputs=tuple(self._inputs(position, operator, treatment)))
            operator = with_options(operator, self.type)
        self.draft.operators.append(dataclasses.replace(operator, version=version(operator, self.type, bits)))
        for t in operator.outputs:
            if t >= 0 and self.draft.source.tensors[t].type is FLOAT:
                self.values.write(t)

    def _inputs(self, position: int, operator: Operator, treatment: Treatment) -> list[int]:
        """What an operator of integers reads."""
        rule, inputs = RULES[operator.name], list(operator.inputs)
        weighted = rule.weighted
        for i, t in enumerate(operator.inputs):
            if is_activation(self.draft, t):
                inputs[i] = self.values.read(position, t)
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
        return inputs

    def _state(self, position: int, place: int) -> Range:
        operator = self.operators[position]
        state = operator.inputs[place]
        found = range_of(self.draft, state)
        if found is None:
            label = self.draft.source.tensors[state].label
            raise InputError(
                f"operator {position} ({operator.label}): the state '{label}' has no range; calibrate the model"
            )
        return found

    def _shared(self, position: int, operator: Operator) -> Quantization:
        t = next(t for t in (*operator.inputs, *operator.outputs) if is_activation(self.draft, t))
        return self.scales.read.get((position, t), self.scales.chosen[t])

    def _float(self, position: int, operator: Operator) -> None:
        inputs = [self.values.real(t) if is_activation(self.draft, t) else t for t in operator.inputs]
        operator = dataclasses.replace(operator, inputs=tuple(inputs))
        treatment = self.treatments[position]
        if treatment.mode == "dynamic":
            smallest = self.recipe.smallest
            self.draft.operators += with_integer_weights(self.draft, self.weights, operator, treatment, smallest)
        elif treatment.mode == "float16":
            halves = tuple(self.weights.half(t) if self.draft.is_float_constant(t) else t for t in inputs)
            self.draft.operators.append(dataclasses.replace(operator, inputs=halves))
        else:
            self.draft.operators.append(operator)
        for t in operator.outputs:
            self.values.floats[t] = t

    # The ends.

    def _input(self, t: int) -> int:
        tensor = self.draft.source.tensors[t]
        ends = self.recipe.inputs
        if ends == "float" or tensor.type is not FLOAT:
            self.values.floats[t] = t
            return t
        parameters = self._end_parameters(t)
        self.scales.chosen.setdefault(t, parameters)
        if ends == "uint8":
            self.draft.change(t, type=TensorType.UINT8, quantization=_as_uint8(parameters))
            self.values.integers[t] = self.values.convert(t, "int8", self.type, parameters)
        else:
            self.draft.change(t, type=self.type, quantization=parameters)
            self.values.integers[t] = t
        return t

    def _output(self, t: int) -> int:
        tensor = self.draft.source.tensors[t]
        ends: Ends = self.recipe.outputs
        if tensor.type is not FLOAT or self.draft.constant(t) is not None:
            return t
        if ends == "float":
            return self._with_name(self.values.real(t), tensor.name)
        parameters = self._end_parameters(t)
        self.scales.chosen.setdefault(t, parameters)
        codes = self.values.codes(t)
        if ends == "uint8":
            codes = self.values.convert(codes, "uint8", TensorType.UINT8, _as_uint8(parameters))
        return self._with_name(codes, tensor.name)

    def _end_parameters(self, t: int) -> Quantization:
        if t in self.scales.chosen:
            return self.scales.chosen[t]
        ends = range_of(self.draft, t)
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
