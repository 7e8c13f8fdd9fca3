"""Accuracy of several models on labelled samples, side by side, and how often they agree."""

from __future__ import annotations

import functools
import math
import os
import threading
from collections.abc import Container, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import InputError
from int8rt.interpreter import Backend, Interpreter
from int8rt.model import Model
from int8rt.ptq.samples import Samples, images_in, input_value, is_hidden, levels_of
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
        names = tuple(sorted(item.name for item in path.iterdir() if item.is_dir() and not is_hidden(item.name)))
        places = [file.relative_to(path).parts for file in images_in(path)]
        if not places or not all(len(place) > 1 for place in places):
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
    if labels is None:
        raise InputError(f"{path} has no array {array!r} of labels; it has {known}: --labels names it")
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        found = f"{labels.dtype}{list(labels.shape)}"
        raise InputError(f"{path}: the array {array!r} is {found}, not one integer, the class, for each sample")
    if labels.size and int(labels.min()) < 0:
        raise InputError(f"{path}: a label is {int(labels.min())}; classes count from 0")
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


def answers(
    model: Model, samples: Samples, interpreter: Interpreter, places: Sequence[int], k: int, classes: int = 0
) -> Array:
    """int64[n,k]: the k largest elements of the model's first output, best first; equal ones in their order.

    Each sample is an input of its own: variables are reset before it. classes: how many the labels tell of at least.
    Raises `InputError` where a sample does not fit, and where the output has fewer elements than `k` or `classes`.
    """
    graph = model.subgraphs[0]
    found = np.empty((len(places), k), np.int64)
    for row, place in enumerate(places):
        sample = samples[place]
        interpreter.reset_all_variables()
        for t in graph.inputs:
            interpreter.set_tensor(t, input_value(graph.tensors[t], sample[graph.tensors[t].name], place))
        interpreter.invoke()
        scores = interpreter.get_tensor(graph.outputs[0]).reshape(-1)
        if scores.size < k:
            raise InputError(f"the model has {scores.size} classes, the top {k} were asked for")
        if scores.size < classes:
            raise InputError(f"the model has {scores.size} classes, 0 to {scores.size - 1}; a label is {classes - 1}")
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
    classes = 1 + int(data.labels.max(initial=0))
    sources = {
        path: _Source(path, data.path, data.array, len(data.labels), classes, by_path[path] or told, backend)
        for path in paths
    }
    calls = [(sources[path], range(i, min(i + _CHUNK, total)), k) for path, i in jobs]
    if processes == 1:
        _prepared.cache_clear()  # files may have changed since
        for (path, first), call in zip(jobs, calls, strict=True):
            yield str(path), first, _chunk(*call)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_end_with_parent) as pool:
        waiting = {pool.submit(_chunk, *call): job for job, call in zip(jobs, calls, strict=True)}
        for done in as_completed(waiting):
            path, first = waiting[done]
            yield str(path), first, done.result()


def count_chunks(paths: Sequence[Path], total: int, known: Container[tuple[str, int]]) -> int:
    """How many chunks `evaluate` yields."""
    return sum((str(path), first) not in known for path in paths for first in range(0, total, _CHUNK))


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for its next chunk for ever."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@dataclass(frozen=True, slots=True)
class _Source:
    """What a chunk is computed from: a model, and the samples that `Labelled` has `count` labels of."""

    model: Path
    data: Path
    array: str
    count: int
    classes: int
    levels: tuple[float, float] | None
    backend: Backend


def _chunk(source: _Source, places: range, k: int) -> Array:
    model, samples, interpreter = _prepared(source)
    return answers(model, samples, interpreter, places, k, source.classes)


@functools.lru_cache(maxsize=2)
def _prepared(source: _Source) -> tuple[Model, Samples, Interpreter]:
    """A process keeps what it has read for the next chunk."""
    model = load_model(source.model)
    samples = Samples(model, source.data, source.levels, labels=source.array)
    if len(samples) != source.count:
        raise InputError(f"{source.data} holds {len(samples)} samples and {source.count} labels")
    interpreter = Interpreter(model_content=model, backend=source.backend)
    interpreter.allocate_tensors()
    return model, samples, interpreter


def agreement(found: Sequence[Array]) -> Array:
    """float64[m,m]: the share of samples on which two models give the same best class."""
    return np.array([[float((a[:, 0] == b[:, 0]).mean()) for b in found] for a in found])
