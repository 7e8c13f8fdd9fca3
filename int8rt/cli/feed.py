"""Inputs for a model from the files that a user names: .npy, .npz and images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import InputError
from int8rt.files import load_arrays
from int8rt.image import Levels, read_image
from int8rt.model import Model, Tensor
from int8rt.quantization.affine import quantize

Array = npt.NDArray[Any]


def read_inputs(model: Model, arguments: Sequence[str], levels: Levels | None = None) -> list[Array]:
    """A value for each input of the first subgraph, in its order.

    arguments: "file" (in the order of the inputs) or "name=file", with the name of a tensor or of a signature's input.
    An .npz file gives arrays by name if all its names are inputs, else in its order.
    levels: the real values of black and white pixels. Raises `InputError` where files and inputs do not fit.
    """
    subgraph = model.subgraphs[0]
    names = input_names(model)
    found: dict[int, Array | Path] = {}
    for name, value in _named_values(arguments, names):
        position = names[name] if name else next(i for i in range(len(found) + 1) if i not in found)
        if position in found:
            raise InputError(f"input {name!r} is given twice")
        found[position] = value
    if sorted(found) != list(range(len(subgraph.inputs))):
        wanted = ", ".join(repr(subgraph.tensors[index].name) for index in subgraph.inputs)
        raise InputError(f"the model has {len(subgraph.inputs)} inputs ({wanted}), {len(found)} were given")
    values = []
    for position, index in enumerate(subgraph.inputs):
        value = found[position]
        if isinstance(value, Path):
            value = read_image(value, subgraph, index, levels)
        values.append(fit(subgraph.tensors[index], value))
    return values


def input_names(model: Model) -> dict[str, int]:
    """Names of the first subgraph's inputs, of the tensors and in the signatures, to their positions."""
    subgraph = model.subgraphs[0]
    names = {subgraph.tensors[index].name: position for position, index in enumerate(subgraph.inputs)}
    for signature in model.signatures:
        if signature.subgraph == 0:
            known = {name: index for name, index in signature.inputs.items() if index in subgraph.inputs}
            names |= {name: subgraph.inputs.index(index) for name, index in known.items()}
    return names


def fit(tensor: Tensor, value: Array) -> Array:
    """`value` in the tensor's dtype, with its rank.

    A missing first dimension of 1 is added; another size is left as it is (the input is resized). Real values are
    quantized with the tensor's parameters, integers must be in the type's range. `InputError` otherwise.
    """
    if value.ndim == len(tensor.shape) - 1 and tensor.shape[0] == 1:
        value = value[None]
    if value.ndim != len(tensor.shape):
        raise InputError(f"input {tensor.label!r} has the shape {list(tensor.shape)}, found {list(value.shape)}")
    dtype, kind = tensor.type.dtype, value.dtype.kind
    quantization = tensor.quantization
    if value.dtype == dtype or (dtype.kind in "fc" and kind in "biuf"):
        return np.asarray(value, dtype)
    if dtype.kind in "iu" and kind == "f" and quantization is not None and quantization.scale.size == 1:
        return quantize(value, quantization.scale[0], quantization.zero_point[0], dtype)
    converted = value.astype(dtype) if dtype.kind in "iub" and kind in "iub" else None
    if converted is None or not np.array_equal(converted, value):
        raise InputError(
            f"input {tensor.label!r} is {tensor.type.label}, found {value.dtype} values that do not fit it"
        )
    return converted


def _named_values(arguments: Sequence[str], names: Mapping[str, int]) -> Iterator[tuple[str, Array | Path]]:
    for argument in arguments:
        name, separator, file = argument.rpartition("=")
        if not separator or (name not in names and Path(argument).exists()):
            yield from _values(Path(argument), names)
            continue
        if name not in names:
            raise InputError(f"the model has no input {name!r}; its inputs are {', '.join(map(repr, names))}")
        values = [value for _, value in _values(Path(file), names)]
        if len(values) != 1:
            raise InputError(f"{file} holds {len(values)} arrays, input {name!r} takes one")
        yield name, values[0]


def _values(path: Path, names: Mapping[str, int]) -> Iterator[tuple[str, Array | Path]]:
    """(name or "", value) of what a file holds; an image stays a path, it is read for its input's size."""
    if path.suffix.lower() not in (".npy", ".npz"):
        yield "", path
        return
    loaded = load_arrays(path, path)
    if isinstance(loaded, np.ndarray):
        yield "", loaded
        return
    by_name = set(loaded) <= set(names)
    for key, value in loaded.items():
        yield key if by_name else "", value
