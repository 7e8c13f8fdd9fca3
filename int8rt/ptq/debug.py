"""What quantization did to a model: every tensor beside the float model's, in real numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import InputError
from int8rt.interpreter import Backend, Interpreter
from int8rt.model import Model, Tensor
from int8rt.ptq.difference import Codes, Difference, has_codes, real_values
from int8rt.ptq.rules import RULES
from int8rt.quantization.affine import quantize
from int8rt.verify.teacher import Teacher

Array = npt.NDArray[Any]

_ENDINGS = ("_int8", "_uint8", "_int16", "_float32", "_requantized")


@dataclass(frozen=True, slots=True)
class TensorReport:
    """One tensor that an operator of the quantized model writes, beside the float model's tensor of that name.

    local: the operator alone, fed the float model's values in its inputs' codes; None where that is not possible.
    accumulated: with all that went wrong before it. codes: None for float tensors. reasons: why it is off, if plain.
    """

    position: int
    operator: str
    tensor: str
    type: str
    step: float
    local: Difference | None
    accumulated: Difference
    codes: Codes | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Debugged:
    """tensors: worst first, by the local error where there is one. unmatched: names of the quantized model's tensors
    that the float model has none for.
    """

    tensors: tuple[TensorReport, ...]
    outputs: tuple[TensorReport, ...]
    unmatched: tuple[str, ...]
    samples: int


def debug_quantization(
    float_model: Model, quantized: Model, samples: Iterable[Mapping[str, Array]], *, backend: Backend = "auto"
) -> Debugged:
    """Compares tensors of equal name over samples (float inputs of the float model, by their tensors' names).

    Raises `InputError` without samples, and where no tensor of the two models goes by the same name.
    """
    comparison = _Comparison(float_model, quantized, backend)
    count = 0
    for sample in samples:
        comparison.feed(sample)
        count += 1
    if not count:
        raise InputError("there are no samples to compare with")
    return comparison.report(count)


class _Comparison:
    def __init__(self, float_model: Model, quantized: Model, backend: Backend) -> None:
        self.models = float_model, quantized
        self.runners = tuple(Interpreter(model_content=model, backend=backend) for model in self.models)
        for runner in self.runners:
            runner.allocate_tensors()
        self.graph = quantized.subgraphs[0]
        known = {tensor.name: index for index, tensor in enumerate(float_model.subgraphs[0].tensors)}
        self.twins = {
            index: known[name]
            for index, tensor in enumerate(self.graph.tensors)
            for name in [_plain(tensor.name, known)]
            if name is not None
        }
        self.writer = {t: i for i, operator in enumerate(self.graph.operators) for t in operator.outputs}
        self.accumulated: dict[int, Difference] = {}
        self.local: dict[int, Difference] = {}
        self.codes: dict[int, Codes] = {}
        self.teacher: Teacher | None = None

    def feed(self, sample: Mapping[str, Array]) -> None:
        real = self._run(0, sample)
        found = self._run(1, sample)
        inputs = [found[t] for t in self.graph.inputs]
        if self.teacher is None:
            self.teacher = Teacher(self.models[1], inputs, "tflite-ref")
        for position, operator in enumerate(self.graph.operators):
            alone = self._alone(position, real)
            for t in operator.outputs:
                if t not in self.twins or t not in found or found[t].dtype.kind not in "iuf":
                    continue
                self._see(t, real[self.twins[t]], found[t], alone.get(t))

    def _see(self, t: int, expected: Array, found: Array, alone: Array | None) -> None:
        tensor = self.graph.tensors[t]
        if expected.shape != found.shape or expected.dtype.kind != "f" or not expected.size:
            return
        if has_codes(tensor):
            self.codes.setdefault(t, Codes(tensor)).see(expected, found)
        elif found.dtype.kind != "f":
            return
        self.accumulated.setdefault(t, Difference(tensor.quantization)).see(expected, real_values(tensor, found))
        if alone is not None:
            self.local.setdefault(t, Difference(tensor.quantization)).see(expected, real_values(tensor, alone))

    def _alone(self, position: int, real: Mapping[int, Array]) -> dict[int, Array]:
        """What the operator writes when its inputs are the float model's values."""
        assert self.teacher is not None
        values = {}
        for t in self.graph.operators[position].inputs:
            if t in self.twins and self.twins[t] in real:
                values[t] = _as_codes(self.graph.tensors[t], real[self.twins[t]])
        inputs = self.teacher.inputs(position, values)
        return {} if inputs is None else self.teacher.outputs(position, inputs)

    def _run(self, which: int, sample: Mapping[str, Array]) -> dict[int, Array]:
        graph, runner = self.models[which].subgraphs[0], self.runners[which]
        floats = self.models[0].subgraphs[0]
        found: dict[int, Array] = {}
        for place, t in enumerate(graph.inputs):
            name = floats.tensors[floats.inputs[place]].name
            if name not in sample:
                raise InputError(f"a sample has the inputs {list(sample)}, the model takes {name!r}")
            value = _as_codes(graph.tensors[t], np.asarray(sample[name]))
            runner.set_tensor(t, value)
            found[t] = value
        keep: Callable[[int, int, Array], None] = lambda _, t, value: found.__setitem__(t, np.array(value))  # noqa: E731
        runner.invoke(keep)
        return found

    def report(self, count: int) -> Debugged:
        if not self.accumulated:
            raise InputError("no tensor that an operator of the quantized model writes has the name of a float tensor")
        reports = [self._report(t) for t in self.accumulated]
        reports.sort(key=lambda item: (item.local or item.accumulated).sqnr)
        outputs = [item for t in self.graph.outputs for item in reports if item.tensor == self.graph.tensors[t].name]
        names = [self.graph.tensors[t].name for t in self.writer if t not in self.accumulated]
        return Debugged(tuple(reports), tuple(outputs), tuple(names), count)

    def _report(self, t: int) -> TensorReport:
        tensor, position = self.graph.tensors[t], self.writer[t]
        local, accumulated, codes = self.local.get(t), self.accumulated[t], self.codes.get(t)
        reasons = tuple(self._reasons(t, local or accumulated, codes)) if codes is not None else ()
        label = self.graph.operators[position].label
        return TensorReport(
            position, label, tensor.name, tensor.type.label, accumulated.step, local, accumulated, codes, reasons
        )

    def _reasons(self, t: int, difference: Difference, codes: Codes) -> Iterable[str]:
        assert codes.extremes is not None
        low, high = min(float(codes.extremes[0].min()), 0.0), max(float(codes.extremes[1].max()), 0.0)
        reach = codes.reach[1] - codes.reach[0]
        if codes.saturated > 0.001:
            yield f"{codes.saturated:.1%} of the values lie outside of the range of the codes"
        if high > low and reach > 2 * (high - low):
            yield self._too_wide(t, reach / (high - low))
        usual = float(np.median([part[0] for part in codes.magnitudes]))
        most = float(np.max([part[1] for part in codes.magnitudes]))
        if usual > 0 and most > 4 * usual:
            yield f"outliers: 99.9 % of the values are within a {most / usual:.0f}th of the largest"
        widths = codes.extremes[1] - codes.extremes[0]
        middle = float(np.median(widths))
        if widths.size > 2 and middle > 0 and float(widths.max()) > 4 * middle:
            channel = int(widths.argmax())
            yield f"channel {channel} alone has {float(widths.max()) / middle:.0f} times the range of the others"
        if difference.spread > 8:
            yield f"the error of one channel is {difference.spread:.0f} times that of the middle one"

    def _too_wide(self, t: int, factor: float) -> str:
        """A range that the values do not fill: merged with others', or wrongly recorded."""
        seen, pending = {t}, [t]
        while pending:
            now = pending.pop()
            for position, operator in enumerate(self.graph.operators):
                rule = RULES.get(operator.name)
                if rule is None or not rule.same or now not in (*operator.inputs, *operator.outputs):
                    continue
                several = sum(has_codes(self.graph.tensors[i]) for i in operator.inputs if i >= 0) > 1
                if several and now in operator.inputs:
                    label = f"{operator.label} (operator {position})"
                    return f"it shares the scale of {label}: {factor:.1f} times as wide as its own values"
                for other in operator.outputs:
                    if other not in seen:
                        seen.add(other)
                        pending.append(other)
        return f"its range is {factor:.1f} times as wide as its values: wrongly recorded, or from other samples"


def _plain(name: str, known: Mapping[str, int]) -> str | None:
    while name not in known:
        shorter = next((name[: -len(ending)] for ending in _ENDINGS if name.endswith(ending)), None)
        if shorter is None:
            return None
        name = shorter
    return name


def _as_codes(tensor: Tensor, value: Array) -> Array:
    if has_codes(tensor) and value.dtype.kind == "f":
        assert tensor.quantization is not None
        parameters = tensor.quantization
        return quantize(value, parameters.scale[0], parameters.zero_point[0], tensor.type.dtype)
    return np.asarray(value, tensor.type.dtype) if value.dtype.kind == "f" else value
