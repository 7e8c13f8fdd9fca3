"""What quantization did to a model: every tensor beside the float model's, in real numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import InputError
from int8rt.interpreter import Backend, Interpreter
from int8rt.model import Model, Subgraph, Tensor
from int8rt.ptq.difference import Codes, Difference, has_codes, real_values
from int8rt.ptq.matching import activations, match_tensors
from int8rt.ptq.reasons import Reasons
from int8rt.quantization.affine import quantize
from int8rt.verify.teacher import Teacher

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class TensorReport:
    """One tensor that an operator of the quantized model writes, beside the float model's.

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
    """tensors: worst first, by the local error where there is one. unmatched: names of the quantized model's
    activations that the float model has none for.
    """

    tensors: tuple[TensorReport, ...]
    outputs: tuple[TensorReport, ...]
    unmatched: tuple[str, ...]
    samples: int


def debug_quantization(
    float_model: Model, quantized: Model, samples: Iterable[Mapping[str, Array]], *, backend: Backend = "auto"
) -> Debugged:
    """Compares the tensors that `match_tensors` finds over samples: inputs of the float model, by name.

    States live on from one sample to the next. Raises `InputError` without samples, where the float model is quantized,
    for inputs that are not finite, and where no two tensors match.
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
        _require_float(float_model.subgraphs[0])
        self.models = float_model, quantized
        self.runners = tuple(Interpreter(model_content=model, backend=backend) for model in self.models)
        for runner in self.runners:
            runner.allocate_tensors()
        self.graph = quantized.subgraphs[0]
        self.twins = match_tensors(float_model, quantized)
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
        """What the operator writes when its inputs and states are the float model's values."""
        assert self.teacher is not None
        values = {
            t: _as_codes(self.graph.tensors[t], real[self.twins[t]])
            for t in self.graph.operators[position].inputs
            if t in self.twins and self.twins[t] in real
        }
        values = {t: value for t, value in values.items() if value.dtype == self.graph.tensors[t].type.dtype}
        inputs = self.teacher.inputs(position, values)
        if inputs is None:
            return {}
        states = {t: values[t].copy() for t in inputs if t in values and self.graph.tensors[t].is_variable}
        return self.teacher.outputs(position, inputs | states)

    def _run(self, which: int, sample: Mapping[str, Array]) -> dict[int, Array]:
        """Every tensor that operators write, the inputs, and what states were before."""
        graph, runner = self.models[which].subgraphs[0], self.runners[which]
        floats = self.models[0].subgraphs[0]
        found = {t: np.array(runner.get_tensor(t)) for t, tensor in enumerate(graph.tensors) if tensor.is_variable}
        for place, t in enumerate(graph.inputs):
            tensor = floats.tensors[floats.inputs[place]]
            if tensor.name not in sample:
                raise InputError(f"a sample has the inputs {list(sample)}, the model takes {tensor.name!r}")
            value = np.asarray(sample[tensor.name])
            if tensor.type.dtype.kind == "f":
                value = value.astype(tensor.type.dtype)
                if not np.isfinite(value).all():
                    raise InputError(f"a sample's input {tensor.label!r} is not finite")
            value = _as_codes(graph.tensors[t], value)
            runner.set_tensor(t, value)
            found[t] = value
        keep: Callable[[int, int, Array], None] = lambda _, t, value: found.__setitem__(t, np.array(value))  # noqa: E731
        runner.invoke(keep)
        return found

    def report(self, count: int) -> Debugged:
        computed = {t for operator in self.models[0].subgraphs[0].operators for t in operator.outputs}
        if computed.isdisjoint(self.twins[t] for t in self.accumulated):
            raise InputError("no tensor that an operator of the quantized model writes matches one of the float model")
        reasons = Reasons(self.models[1], self.codes)
        reports = [self._report(t, reasons) for t in self.accumulated]
        reports.sort(key=lambda item: _rank((item.local or item.accumulated).sqnr))
        outputs = [item for t in self.graph.outputs for item in reports if item.tensor == self.graph.tensors[t].name]
        written = [t for t in activations(self.graph) if t in self.writer]
        names = [self.graph.tensors[t].name for t in written if t not in self.twins]
        return Debugged(tuple(reports), tuple(outputs), tuple(names), count)

    def _report(self, t: int, reasons: Reasons) -> TensorReport:
        tensor, position = self.graph.tensors[t], self.writer[t]
        local, accumulated, codes = self.local.get(t), self.accumulated[t], self.codes.get(t)
        said = tuple(reasons.of(t, local or accumulated))
        label = self.graph.operators[position].label
        return TensorReport(
            position, label, tensor.name, tensor.type.label, accumulated.step, local, accumulated, codes, said
        )


def _require_float(graph: Subgraph) -> None:
    """Not more codes than real numbers; models that were trained with fake quantization have some."""
    written = [graph.tensors[t] for t in activations(graph)]
    codes = [tensor for tensor in written if has_codes(tensor)]
    if 2 * len(codes) > sum(tensor.type.dtype.kind == "f" for tensor in written) + len(codes):
        tensor = codes[0]
        raise InputError(f"the float model comes first; {tensor.label!r} of the first one is {tensor.type.label}")


def _rank(sqnr: float) -> float:
    return -math.inf if math.isnan(sqnr) else sqnr


def _as_codes(tensor: Tensor, value: Array) -> Array:
    if has_codes(tensor) and value.dtype.kind == "f":
        assert tensor.quantization is not None
        parameters = tensor.quantization
        return quantize(value, parameters.scale[0], parameters.zero_point[0], tensor.type.dtype)
    return np.asarray(value, tensor.type.dtype) if value.dtype.kind == "f" else value
