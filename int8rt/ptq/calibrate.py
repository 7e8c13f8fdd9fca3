"""Runs a float model over samples and writes the range of every activation into the file's own place for it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import InputError
from int8rt.interpreter import Backend, Interpreter
from int8rt.model import Model, Quantization, Signature, Subgraph, Tensor, TensorType
from int8rt.ptq.ranges import METHODS, Method, Ranges
from int8rt.schema.constant import constant_value

Array = npt.NDArray[Any]
# One array, one for each input, or by their names.
Sample = Array | Sequence[Array] | Mapping[str, Array]

# Where TensorFlow's interpreter may write the output over an input of the same size that nobody else reads.
_IN_PLACE = ("ADD", "SUB", "MUL")


def calibrate(
    model: Model,
    samples: Iterable[Sample],
    *,
    method: Method = "minmax",
    signature: str | None = None,
    tf_compatible: bool = False,
    backend: Backend = "auto",
) -> Model:
    """`model` with the ranges of its float activations over `samples`, in the tensors' min and max.

    samples: for each, the model's input, its inputs in their order, or by their names in the signature (or the names of
    the tensors); real values, in the inputs' own shapes. Variables live on from one sample to the next; their ranges
    are of what they hold after each. signature: which of several entry points to run; the ranges of other subgraphs
    stay. method: see `ranges`. tf_compatible: as TensorFlow 2.21's calibrator, which takes what an operator wrote over
    its input for the input's own values.
    Raises `InputError` without samples, where one does not fit, and where a tensor is not finite: it names it.
    """
    calibration = Calibration(model, method=method, signature=signature, tf_compatible=tf_compatible, backend=backend)
    for sample in samples:
        calibration.feed(sample)
    return calibration.model()


class Calibration:
    """`calibrate`, one sample at a time. count: how many it has seen.

    Raises `InputError` for an unknown method or signature and for a model that is quantized already.
    """

    def __init__(
        self,
        model: Model,
        *,
        method: Method = "minmax",
        signature: str | None = None,
        tf_compatible: bool = False,
        backend: Backend = "auto",
    ) -> None:
        if method not in METHODS:
            raise InputError(f"unknown method {method!r}; known: {', '.join(METHODS)}")
        self._source = model
        self._signature = entry_point(model, signature)
        self._position = self._signature.subgraph
        self._subgraph = model.subgraphs[self._position]
        self._interpreter = Interpreter(model_content=model, backend=backend)
        self._executor = self._interpreter._executor(self._position)
        self._tf_compatible = tf_compatible
        self._states = [i for i, tensor in enumerate(self._subgraph.tensors) if tensor.is_variable]
        self._resumed: dict[int, Array] = {}
        self._new = METHODS[method]
        self._ranges: dict[int, Ranges] = {}
        self._overwritten = _overwritten(model, self._subgraph) if tf_compatible else {}
        self.count = 0
        for tensor in self._subgraph.tensors:
            if tensor.quantization is not None and tensor.quantization.scale.size and tensor.type.bits <= 16:
                raise InputError(f"the model is quantized already: tensor '{tensor.label}' is {tensor.type.label}")

    def feed(self, sample: Sample) -> None:
        """Run the model on one sample, as `calibrate` takes them; `InputError` where it does not fit or is not real."""
        values = self._values(sample)
        for index, value in values.items():
            self._interpreter._resize(self._position, index, value.shape, False)
        self._executor.allocate()
        for index, value in self._resumed.items():
            if self._executor.shape(index) == value.shape:
                self._interpreter._set(self._position, index, value)
        self._resumed = {}
        for index, value in values.items():
            self._interpreter._set(self._position, index, value)
            self._see(index, value, "input")
        self._executor.invoke(self._observe)
        for index in self._states:
            self._see(index, self._interpreter._get(self._position, index), "a state")
        self.count += 1

    def model(self) -> Model:
        """The model with the ranges found. Raises `InputError` where there was no sample."""
        if not self.count:
            raise InputError("there are no samples to calibrate with")
        tensors = list(self._subgraph.tensors)
        for index, ranges in self._ranges.items():
            low, high = (np.array([end], np.float32) for end in ranges.range())
            if self._tf_compatible:
                high = np.maximum(high, np.finfo(np.float32).tiny)  # where TensorFlow's search for the largest begins
            empty = Quantization(np.zeros(0, np.float32), np.zeros(0, np.int64), min=low, max=high)
            tensors[index] = dataclasses.replace(tensors[index], quantization=empty)
        subgraphs = list(self._source.subgraphs)
        subgraphs[self._position] = dataclasses.replace(self._subgraph, tensors=tuple(tensors))
        return dataclasses.replace(self._source, subgraphs=tuple(subgraphs))

    def state(self) -> dict[str, Array]:
        """All that is known so far, to go on from with `resume`."""
        known = {"count": np.array(self.count)} | {str(i): ranges.state() for i, ranges in self._ranges.items()}
        variables = self._resumed
        if self.count and not variables:
            variables = {i: self._interpreter._get(self._position, i).copy() for i in self._states}
        return known | {f"variable {i}": value for i, value in variables.items()}

    def resume(self, state: Mapping[str, Array]) -> None:
        """Go on from the state of a calibration of the same model with the same method."""
        self.count = int(state["count"])
        for name, value in state.items():
            if name.isdecimal():
                self._ranges[int(name)] = self._new()
                self._ranges[int(name)].resume(value)
            elif name.startswith("variable "):
                self._resumed[int(name.split()[1])] = value

    def _values(self, sample: Sample) -> dict[int, Array]:
        inputs = self._subgraph.inputs
        if isinstance(sample, Mapping):
            names = {self._subgraph.tensors[t].name: t for t in inputs} | dict(self._signature.inputs)
            unknown = [name for name in sample if name not in names]
            if unknown or len({names[name] for name in sample}) != len(inputs):
                raise InputError(f"sample {self.count} has the inputs {list(sample)}, the model takes {list(names)}")
            given = {names[name]: np.asarray(value) for name, value in sample.items()}
        else:
            several = list(sample) if isinstance(sample, (list, tuple)) else [sample]
            if len(several) != len(inputs):
                raise InputError(f"sample {self.count} has {len(several)} arrays, the model takes {len(inputs)} inputs")
            given = {t: np.asarray(value) for t, value in zip(inputs, several, strict=True)}
        return {t: self._fit(self._subgraph.tensors[t], value) for t, value in given.items()}

    def _fit(self, tensor: Tensor, value: Array) -> Array:
        if value.ndim == len(tensor.shape) - 1 and tensor.shape[:1] == (1,):
            value = value[None]
        sizes = tensor.shape_signature or tensor.shape
        if value.ndim != len(sizes) or any(w not in (-1, v) for w, v in zip(sizes, value.shape, strict=True)):
            raise InputError(
                f"sample {self.count}: input '{tensor.label}' has the shape {list(sizes)}, found {list(value.shape)}"
            )
        if tensor.type is TensorType.FLOAT32 and value.dtype.kind in "fiub":
            return np.asarray(value, np.float32)
        if value.dtype != tensor.type.dtype:
            raise InputError(f"sample {self.count}: input '{tensor.label}' is {tensor.type.label}, found {value.dtype}")
        return value

    def _observe(self, position: int, index: int, value: Array) -> None:
        label = f"operator {position} ({self._subgraph.operators[position].label})"
        self._see(index, value, label)
        if self._tf_compatible and (position, index) in self._overwritten:
            self._see(self._overwritten[position, index], value, label)

    def _see(self, index: int, value: Array, where: str) -> None:
        tensor = self._subgraph.tensors[index]
        if tensor.type is not TensorType.FLOAT32 or not value.size:
            return
        if not np.isfinite(value).all():
            raise InputError(f"sample {self.count}: {where}: tensor '{tensor.label}' is not finite")
        if index not in self._ranges:
            self._ranges[index] = self._new()
        self._ranges[index].see(value)


def entry_point(model: Model, key: str | None) -> Signature:
    """The signature of that name, or what stands for the first subgraph. `InputError` lists the names."""
    if key is None:
        found = [signature for signature in model.signatures if signature.subgraph == 0]
        return found[0] if found else Signature("", 0, {}, {})
    for signature in model.signatures:
        if signature.key == key:
            return signature
    raise InputError(f"the model has no signature {key!r}; it has {[s.key for s in model.signatures]}")


def _overwritten(model: Model, subgraph: Subgraph) -> dict[tuple[int, int], int]:
    """(operator, its output) to the input whose memory the output takes in TensorFlow's interpreter."""
    uses = Counter(t for operator in subgraph.operators for t in operator.inputs)
    kept = {*subgraph.inputs, *subgraph.outputs}
    found = {}
    for i, operator in enumerate(subgraph.operators):
        if operator.name not in _IN_PLACE:
            continue
        output = operator.outputs[0]
        for t in operator.inputs:
            tensor = subgraph.tensors[t]
            free = uses[t] == 1 and t not in kept and constant_value(model, tensor) is None
            if free and tensor.shape == subgraph.tensors[output].shape:
                found[i, output] = t
                break
    return found
