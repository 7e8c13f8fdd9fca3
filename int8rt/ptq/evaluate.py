"""Accuracy of several models on labelled samples, side by side, and how often they agree."""

from __future__ import annotations

import functools
import math
from collections.abc import Container, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import InputError
from int8rt.interpreter import Backend, Interpreter
from int8rt.model import Model
from int8rt.ptq.samples import IMAGES, Samples, levels_of
from int8rt.quantization.affine import quantize
from int8rt.schema import load_model

Array = npt.NDArray[Any]

# Of a normal distribution: 95 % lie within so many standard deviations.
_95 = 1.959963984540054
_CHUNK = 32


@dataclass(frozen=True, slots=True)
class Labelled:
    """Samples and their classes: int64[n]. names: of the classes, where folders gave them."""

    path: Path
    labels: Array
    array: str
    names: tuple[str, ...] = ()


def labelled(path: Path, array: str = "labels") -> Labelled:
    """The labels of an .npz file (the array of that name), or of a folder with a subfolder of images for each class:
    their names if all are numbers, else counted in the order of the names. Raises `InputError` where there are none.
    """
    if path.is_dir():
        names = tuple(sorted(folder.name for folder in path.iterdir() if folder.is_dir()))
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in IMAGES)
        places = [file.relative_to(path).parts for file in files]
        if not files or not all(len(place) > 1 for place in places):
            raise InputError(f"{path} is no folder of labelled images: a subfolder for each class")
        # Folders named by numbers are those classes, though some may be missing.
        classes = {name: int(name) if all(map(str.isdecimal, names)) else names.index(name) for name in names}
        return Labelled(path, np.array([classes[place[0]] for place in places]), "", names)
    if path.suffix != ".npz":
        raise InputError(f"{path} is no .npz file with labels, and no folder of labelled images")
    try:
        with np.load(path, allow_pickle=False) as content:
            labels = content[array] if array in content.files else None
            known = content.files
    except (OSError, ValueError, EOFError, AttributeError, TypeError) as error:
        raise InputError(f"cannot read labelled samples from {path}: {error}") from None
    if labels is None or labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise InputError(f"{path} has no array {array!r} of integer labels; it has {known}")
    return Labelled(path, labels.astype(np.int64), array)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """right: how many of `total` samples had their class among the top k. low, high: the 95 % interval of the share."""

    name: str
    right: int
    total: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """Of right answers."""
        return self.right / self.total


def accuracy(name: str, answers: Array, labels: Array) -> Accuracy:
    """answers: int64[n,k], the k best classes of each sample. The interval is Wilson's."""
    right, total = int((answers == labels[:, None]).any(axis=1).sum()), len(labels)
    low, high = wilson(right, total)
    return Accuracy(name, right, total, low, high)


def wilson(right: int, total: int) -> tuple[float, float]:
    """The 95 % confidence interval of a share, by Wilson's score."""
    share, squared = right / total, _95**2
    middle = share + squared / (2 * total)
    half = _95 * math.sqrt(share * (1 - share) / total + squared / (4 * total**2))
    return max(0.0, (middle - half) / (1 + squared / total)), min(1.0, (middle + half) / (1 + squared / total))


def answers(model: Model, samples: Samples, interpreter: Interpreter, places: Sequence[int], k: int) -> Array:
    """int64[n,k]: the k largest elements of the model's first output, best first; equal ones in their order."""
    graph = model.subgraphs[0]
    found = np.empty((len(places), k), np.int64)
    for row, place in enumerate(places):
        sample = samples[place]
        for t in graph.inputs:
            tensor, value = graph.tensors[t], sample[graph.tensors[t].name]
            if value.dtype.kind == "f" and tensor.type.dtype.kind in "iu" and tensor.quantization is not None:
                value = quantize(
                    value, tensor.quantization.scale[0], tensor.quantization.zero_point[0], tensor.type.dtype
                )
            interpreter.set_tensor(t, value.astype(tensor.type.dtype))
        interpreter.invoke()
        scores = interpreter.get_tensor(graph.outputs[0]).reshape(-1)
        if scores.size < k:
            raise InputError(f"the model has {scores.size} classes, the top {k} were asked for")
        found[row] = np.argsort(-scores.astype(np.float64), kind="stable")[:k]
    return found


def evaluate(
    paths: Sequence[Path],
    data: Labelled,
    k: int = 1,
    *,
    known: Container[tuple[str, int]] = (),
    processes: int = 1,
    limit: int | None = None,
    levels: tuple[float, float] | None = None,
    backend: Backend = "auto",
) -> Iterator[tuple[str, int, Array]]:
    """(model, first sample, its answers) for chunks of samples, as they come, in so many processes at once.

    levels: of images, for all models; without them a model that does not tell its own takes those of the first that
    does. known: chunks that are there already, by (model, first sample), and are left out.
    """
    total = len(data.labels) if limit is None else min(limit, len(data.labels))
    own = [levels_of(load_model(path).subgraphs[0]) for path in paths] if data.path.is_dir() and not levels else []
    by_path = dict.fromkeys(paths, levels) | dict(zip(paths, own, strict=bool(own)))
    told = next((found for found in own if found is not None), None)
    jobs = [(path, first) for path in paths for first in range(0, total, _CHUNK) if (str(path), first) not in known]
    calls = [
        (path, data.path, data.array, range(i, min(i + _CHUNK, total)), k, by_path[path] or told, backend)
        for path, i in jobs
    ]
    if processes == 1:
        for (path, first), call in zip(jobs, calls, strict=True):
            yield str(path), first, _chunk(*call)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(_chunk, *call): job for job, call in zip(jobs, calls, strict=True)}
        for done in as_completed(waiting):
            path, first = waiting[done]
            yield str(path), first, done.result()


def count_chunks(paths: Sequence[Path], total: int, known: Container[tuple[str, int]]) -> int:
    """How many chunks `evaluate` yields."""
    return sum((str(path), first) not in known for path in paths for first in range(0, total, _CHUNK))


def _chunk(
    path: Path, data: Path, array: str, places: range, k: int, levels: tuple[float, float] | None, backend: Backend
) -> Array:
    model, samples, interpreter = _prepared(path, data, array, levels, backend)
    return answers(model, samples, interpreter, places, k)


@functools.lru_cache(maxsize=2)
def _prepared(
    path: Path, data: Path, array: str, levels: tuple[float, float] | None, backend: Backend
) -> tuple[Model, Samples, Interpreter]:
    """A process keeps what it has read for the next chunk."""
    model = load_model(path)
    interpreter = Interpreter(model_content=model, backend=backend)
    interpreter.allocate_tensors()
    return model, Samples(model, data, levels, labels=array), interpreter


def agreement(found: Sequence[Array]) -> Array:
    """float64[m,m]: the share of samples on which two models give the same best class."""
    return np.array([[float((a[:, 0] == b[:, 0]).mean()) for b in found] for a in found])
