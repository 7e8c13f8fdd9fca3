"""Samples from files: what `--data` of the commands names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import InputError
from int8rt.files import load_arrays
from int8rt.model import Model, Signature, Subgraph, Tensor
from int8rt.ptq.calibrate import entry_point
from int8rt.quantization.affine import quantize

Array = npt.NDArray[Any]

IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".tif", ".tiff")


class Samples:
    """The samples of a file or a folder, one dictionary of the model's inputs by name each; `len` counts them.

    .npy: one input, the samples along the first axis. .npz: an array for each input, by its name in the signature or
    its tensor's name (any name where there is one input and one array); labels under `labels` are left out.
    A folder: its images, in the order of their names, scaled to what the input takes; levels: the real values of black
    and white, where the model does not tell. signature: whose inputs they are, of several entry points.
    Raises `InputError` where it holds no samples or they do not fit the model.
    """

    def __init__(
        self,
        model: Model,
        path: Path,
        levels: tuple[float, float] | None = None,
        labels: str = "",
        signature: str | None = None,
    ) -> None:
        entry = entry_point(model, signature)
        self.subgraph = model.subgraphs[entry.subgraph]
        self.levels = levels
        self.files: list[Path] = []
        self.arrays: dict[str, Array] = {}
        names = _names(self.subgraph, entry)
        if path.is_dir():
            self.files = images_in(path)
            if len(self.subgraph.inputs) != 1:
                raise InputError(f"{path} is a folder of images, but the model has {len(names)} inputs")
            self.levels = levels or levels_of(self.subgraph)
            if self.levels is None:
                raise InputError(
                    "the model does not say which real values black and white pixels have: give them, as --levels 0 1"
                )
        else:
            self.arrays = _by_input(_read(path), names, labels, path)
        if not len(self):
            raise InputError(f"{path} holds no samples")

    def __len__(self) -> int:
        return len(self.files) or min((len(array) for array in self.arrays.values()), default=0)

    def digest(self) -> bytes:
        """What tells these samples from others: the data, or the files' names, sizes and times."""
        total = hashlib.sha256(digest_of(self.files))
        for name, array in self.arrays.items():
            total.update(f"{name} {array.dtype} {array.shape}\n".encode())
            total.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
        return total.digest()

    def __iter__(self) -> Iterator[dict[str, Array]]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, i: int) -> dict[str, Array]:
        subgraph = self.subgraph
        if self.files:
            from int8rt.image import read_image

            index = subgraph.inputs[0]
            return {subgraph.tensors[index].name: read_image(self.files[i], subgraph, index, self.levels)}
        shapes = {subgraph.tensors[t].name: subgraph.tensors[t].shape for t in subgraph.inputs}
        sample = {}
        for name, array in self.arrays.items():
            value = array[i]
            sample[name] = value[None] if value.ndim == len(shapes[name]) - 1 else value
        return sample


def images_in(folder: Path) -> list[Path]:
    """The images of a folder and of its subfolders in the order of their names, but for what is hidden."""
    found = (file for file in folder.rglob("*") if file.suffix.lower() in IMAGES)
    return sorted(file for file in found if not any(map(is_hidden, file.relative_to(folder).parts)))


def is_hidden(name: str) -> bool:
    """Whether a file or folder is none that a user has put there: .ipynb_checkpoints, and what macOS leaves behind."""
    return name.startswith(".") or name == "__MACOSX"


def digest_of(files: Sequence[Path]) -> bytes:
    """What tells these files from others: names, sizes and times."""
    total = hashlib.sha256()
    for file in files:
        status = file.stat()
        total.update(f"{file} {status.st_size} {status.st_mtime_ns}\n".encode())
    return total.digest()


def input_value(tensor: Tensor, value: Array, place: int) -> Array:
    """What a model's input takes of sample number `place`: real numbers as codes where it is quantized.

    Integers are codes already where the input has that type; real numbers where it is float. Raises `InputError` for
    NaN, and for integers of another type that the input cannot hold or that are codes of another type.
    """
    dtype, quantization = tensor.type.dtype, tensor.quantization
    if value.dtype.kind == "f" and np.isnan(value).any():
        raise InputError(f"sample {place}: what is given for input {tensor.label!r} holds NaN")
    if dtype.kind not in "iu" or value.dtype == dtype:
        return value.astype(dtype)
    if value.dtype.kind == "f" and quantization is not None and quantization.scale.size:
        return quantize(value, quantization.scale[0], quantization.zero_point[0], dtype)
    quantized = quantization is not None and quantization.scale.size > 0
    with np.errstate(invalid="ignore"):
        converted = value.astype(dtype)
    if quantized or not np.array_equal(converted, value):
        raise InputError(
            f"sample {place}: input {tensor.label!r} takes {tensor.type.label}, which the {value.dtype} given are not"
            + ("; real numbers are quantized for it" if quantized else "")
        )
    return converted


def levels_of(subgraph: Subgraph) -> tuple[float, float] | None:
    """The real values of black and white that the first input tells: by its quantization, or its calibrated range."""
    from int8rt.image import told_levels

    return told_levels(subgraph, subgraph.inputs[0]) if subgraph.inputs else None


def _names(subgraph: Subgraph, entry: Signature) -> dict[str, str]:
    """What an input may be called, to its tensor's name."""
    tensors = {t: subgraph.tensors[t].name for t in subgraph.inputs}
    names = {name: name for name in tensors.values()}
    return names | {name: tensors[t] for name, t in entry.inputs.items() if t in tensors}


def _read(path: Path) -> dict[str, Array]:
    """An .npy file stays where it is, and is read sample by sample; the arrays of an .npz file are loaded."""
    try:
        arrays = _mapped(path) if path.suffix.lower() == ".npy" else None
        content = load_arrays(path, path) if arrays is None else arrays
    except OSError as error:
        raise InputError(f"cannot read samples from {path}: {error}") from None
    return content if isinstance(content, dict) else {"data": content}


def _mapped(path: Path) -> Array | None:
    """None for what cannot be mapped: arrays without elements, and what is damaged, which `load_arrays` then names."""
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except (ValueError, EOFError, MemoryError, RecursionError, SyntaxError):
        return None


def _by_input(arrays: dict[str, Array], names: dict[str, str], labels: str, path: Path) -> dict[str, Array]:
    wanted = set(names.values())
    found = {names[name]: array for name, array in arrays.items() if name in names}
    if not found and len(wanted) == 1:
        others = [array for name, array in arrays.items() if name != labels]
        found = {next(iter(wanted)): others[0]} if len(others) == 1 else {}
    if set(found) != wanted:
        raise InputError(f"{path} has the arrays {list(arrays)}, the model's inputs are {sorted(names)}")
    if any(array.ndim == 0 for array in found.values()) or len({len(array) for array in found.values()}) != 1:
        raise InputError(f"{path}: the inputs' arrays do not hold equally many samples along their first axis")
    return found
