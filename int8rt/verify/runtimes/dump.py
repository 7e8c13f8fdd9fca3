"""What a device has recorded, as a runtime: outputs, and intermediate tensors if there are any.

A dump is an .npz file, a folder of .npy, .npz and raw files, or one raw file with all outputs in order, as TensorFlow
Lite's `benchmark_model --output_filepath` writes it. With several runs: a folder or a file for each by the run's label,
or names that begin with "label/". Raw data is little-endian, without a header.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from int8rt.errors import InputError
from int8rt.files import load_arrays
from int8rt.model import Model, Tensor
from int8rt.schema.sizes import element_count
from int8rt.verify.runtimes.base import Answer, Array, Capabilities, Fault
from int8rt.verify.runtimes.names import find_tensor, tensor_keys, what_fits
from int8rt.verify.runtimes.npz import read_npz

_RAW = (".bin", ".raw")
_WHY = "it ran on another one, or used its memory again, and then this tensor does not belong into the dump"


class DumpRuntime:
    """labels: of the runs, in the order in which `run` will be called. names: what the dump calls a tensor (without the
    suffix of a file) to a key of `names.find_tensor`; names that are keys, or keys made fit for a file's name, need no
    entry. "output_0" is the first output in the model's order, also where a signature calls another one so.
    """

    def __init__(self, path: Path, labels: Sequence[str], names: Mapping[str, str] | None = None) -> None:
        if not path.exists():
            raise InputError(f"there is no dump {path}")
        self._path = path
        self._labels = tuple(labels)
        self._names = dict(names or {})
        self._calls = 0
        self._model: Model | None = None

    def capabilities(self) -> Capabilities:
        """A dump is of one model; which intermediate tensors it has shows when it is read."""
        return Capabilities(f"dump {self._path.name}", intermediates=True, any_model=False)

    def prepare(self, model: Model, content: bytes) -> None:
        """Remember the model. Raises `InputError` where a name stands for no tensor of it."""
        for name, key in self._names.items():
            if self._find(model, name) is None:
                raise InputError(f"{name!r} is to be {key!r}, which is no tensor of the model, or several")
        self._model = model

    def run(self, inputs: Sequence[Array], read: Sequence[int] = ()) -> Answer:
        """What was recorded in the next run."""
        assert self._model is not None
        label = self._labels[self._calls]
        self._calls += 1
        subgraph = self._model.subgraphs[0]
        arrays: dict[int, Array] = {}
        names: dict[int, str] = {}
        unknown: list[str] = []
        try:
            for name, value in self._recorded(self._model, label):
                index = self._find(self._model, name)
                if index is None:
                    unknown.append(name)
                else:
                    value = _raw(subgraph.tensors[index], value) if isinstance(value, bytes) else value
                    if index in arrays and not _same(arrays[index], value):
                        raise InputError(f"{names[index]!r} and {name!r} are one tensor, and differ")
                    arrays[index], names[index] = value, name
        except (InputError, OSError) as error:
            raise Fault("answer", str(error)) from None
        for index, given in zip(subgraph.inputs, inputs, strict=False):
            # Whoever judged that would blame the first operators for it.
            if index in arrays and index not in subgraph.outputs and _other(arrays[index], given):
                raise Fault("answer", f"{names[index]!r} of the run {label!r} is not the input that was given: {_WHY}")
        if not (set(arrays) - set(subgraph.inputs) or set(arrays) & set(subgraph.outputs)):
            raise Fault("answer", _unnamed(self._model, label, [*unknown, *names.values()]))
        return Answer(tuple(arrays.get(index) for index in subgraph.outputs), arrays)

    def close(self) -> None:
        """Nothing is held."""

    def _recorded(self, model: Model, label: str) -> Iterator[tuple[str, Array | bytes]]:
        path, runs = self._path, len(self._labels)
        if path.is_dir():
            alone = [path / f"{label}{suffix}" for suffix in (".npz", *_RAW)]
            own = next((file for file in alone if file.is_file()), None)
            if own is not None:  # the run's own file
                path, runs = own, 1
        if path.is_dir():
            folder = path / label
            files = folder if folder.is_dir() else path if runs == 1 else None
            if files is None:
                inner = f"; is {path / 'outputs'} meant?" if (path / "outputs").is_dir() else ""
                no_file = f"nor a file {label}.npz, {label}.bin or {label}.raw"
                raise InputError(f"the dump has no folder {label}, {no_file}{inner}")
            for file in sorted(files.iterdir()):
                yield from _from_file(file, "", runs)
        elif path.suffix in _RAW:
            yield from _outputs_in_order(model, path.read_bytes())
        else:
            yield from _from_file(path, label, runs)

    def _find(self, model: Model, name: str) -> int | None:
        place = re.fullmatch(r"output_(\d+)", name)
        if name not in self._names and place is not None and int(place[1]) < len(model.subgraphs[0].outputs):
            return model.subgraphs[0].outputs[int(place[1])]  # whatever a signature calls so, in another order
        key = self._names.get(name, name)
        index = find_tensor(model, key)
        if index is not None:
            return index
        tensors = model.subgraphs[0].tensors
        alike = [i for i, own in enumerate(tensor_keys(model, range(len(tensors)))) if file_name(own) == key]
        return alike[0] if len(alike) == 1 else None


def _same(one: Array, other: Array) -> bool:
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def _other(found: Array, given: Array) -> bool:
    """Whether these are other numbers; of another form they may be the same ones."""
    return found.dtype == given.dtype and found.shape == given.shape and not _same(found, given)


def _unnamed(model: Model, label: str, found: Sequence[str]) -> str:
    """What to say where no name fits."""
    message = f"the dump has nothing that is named as a tensor which the model computes, for the run {label!r}"
    if not found:
        return f"{message}: names begin with '{label}/' where there are several runs"
    return f"{message}: {what_fits(model, found)}; --names says what is which"


def file_name(key: str) -> str:
    """A tensor's name as the name of a file: whatever is no letter, digit, dot, hyphen or underline becomes "_"."""
    return re.sub(r"[^\w.-]", "_", key)


def _from_file(file: Path, label: str, runs: int) -> Iterator[tuple[str, Array | bytes]]:
    if file.suffix == ".npz":
        arrays = read_npz(file)
        own = {name.removeprefix(f"{label}/"): value for name, value in arrays.items() if name.startswith(f"{label}/")}
        yield from (own if own or (label and runs > 1) else arrays).items()
    elif file.suffix == ".npy":
        array = load_arrays(file, file.name)
        if not isinstance(array, np.ndarray):
            raise InputError(f"{file.name} holds several arrays, expected an .npy file")
        yield file.stem, array
    elif file.suffix in _RAW:
        yield file.stem, file.read_bytes()


def _raw(tensor: Tensor, data: bytes) -> Array:
    dtype, count = tensor.type.dtype, element_count(tensor)
    if dtype.kind == "O" or len(data) != count * dtype.itemsize:
        raise InputError(
            f"tensor {tensor.label!r} is {tensor.type.label} {list(tensor.shape)}, its raw data has {len(data)} bytes"
        )
    return np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype).reshape(tensor.shape)


def _outputs_in_order(model: Model, data: bytes) -> Iterator[tuple[str, bytes]]:
    subgraph = model.subgraphs[0]
    sizes = [element_count(subgraph.tensors[i]) * subgraph.tensors[i].type.dtype.itemsize for i in subgraph.outputs]
    if sum(sizes) != len(data):
        raise InputError(f"the outputs have {sum(sizes)} bytes, the file has {len(data)}")
    start = 0
    for index, size in zip(subgraph.outputs, sizes, strict=True):
        yield f"#{index}", data[start : start + size]
        start += size
