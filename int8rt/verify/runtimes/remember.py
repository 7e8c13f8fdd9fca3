"""A runtime whose answers are kept in a folder: a killed run goes on, and judging again asks it nothing."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from int8rt.errors import InputError
from int8rt.files import parse_json
from int8rt.model import Model
from int8rt.verify.runtimes.base import Answer, Array, Capabilities, Fault, Runtime
from int8rt.verify.runtimes.choose import open_runtime
from int8rt.verify.runtimes.modules import module_files
from int8rt.verify.runtimes.npz import read_npz, write_npz
from int8rt.verify.runtimes.patience import HangingError


class Remembering:
    """open: makes the runtime. folder: of its answers, one file each, written at once.

    An answer is found by the model's bytes, the inputs and what was to be read. Faults are kept too, but not that the
    runtime is not there, nor that it is not asked any more; nor, with a longer `timeout`, that it gave no answer in
    time. Raises `InputError` where the folder has answers of a runtime that calls itself otherwise.
    """

    def __init__(self, open: Callable[[], Runtime], folder: Path, timeout: float = 0) -> None:
        self._runtime = open()
        self.folder, self._timeout = folder, timeout
        self._content, self._prepared = b"", b""
        self._model: Model | None = None
        self.asked = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._about = folder / "runtime.json"

    def capabilities(self) -> Capabilities:
        """Those of the runtime, with the description that it gave when it last ran."""
        own, known = self._runtime.capabilities(), self._known()
        if self._prepared or not known:
            return own
        return Capabilities(known, own.intermediates, own.any_model, own.reading_matters)

    def prepare(self, model: Model, content: bytes) -> None:
        """Remember the model; the runtime gets it when there is something to run."""
        self._model, self._content = model, content

    def run(self, inputs: Sequence[Array], read: Sequence[int] = ()) -> Answer:
        """The answer from the folder, or else the runtime's. Raises `Fault` as it did."""
        file = self.folder / f"{inputs_digest(self._content, inputs, repr(list(read)))[:24]}.npz"
        answer = self._kept(file)
        if answer is None:
            answer = self._ask(inputs, read)
            self._keep(file, *answer)
        if answer[1] is not None:
            raise answer[1]
        return answer[0]

    def close(self) -> None:
        """Close the runtime."""
        self._runtime.close()

    def _known(self) -> str:
        """The description that is kept; empty without one."""
        try:
            return str(parse_json(self._about.read_bytes(), self._about)["description"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def _ask(self, inputs: Sequence[Array], read: Sequence[int]) -> tuple[Answer, Fault | None]:
        assert self._model is not None
        self.asked += 1
        try:
            if self._prepared != self._content:
                self._prepared = b""
                self._runtime.prepare(self._model, self._content)
                self._introduce(self._runtime.capabilities().description)
                self._prepared = self._content
            return self._runtime.run(inputs, read), None
        except HangingError:
            raise
        except Fault as fault:
            return Answer(()), fault

    def _introduce(self, description: str) -> None:
        known = self._known()
        if known and known != description:
            raise InputError(f"{self.folder} has answers of {known}, and this is {description}: take another folder")
        part = self._about.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps({"description": description}), encoding="utf-8")
        part.replace(self._about)

    def _keep(self, file: Path, answer: Answer, fault: Fault | None) -> None:
        arrays = {f"o{i}": value for i, value in enumerate(answer.outputs) if value is not None}
        arrays |= {f"t{i}": value for i, value in answer.tensors.items()}
        strings = {name: arrays.pop(name) for name in list(arrays) if arrays[name].dtype.kind == "O"}
        about = {
            "strings": {name: _packed(value) for name, value in strings.items()},
            "outputs": len(answer.outputs),
            "seconds": answer.seconds,
            "fault": None if fault is None else [fault.kind, str(fault)],
            "timeout": self._timeout,
        }
        part = file.with_suffix(f".{os.getpid()}")
        write_npz(part, arrays | {"about": np.frombuffer(json.dumps(about).encode(), np.uint8)})
        part.replace(file)

    def _kept(self, file: Path) -> tuple[Answer, Fault | None] | None:
        """None where there is no such file, or one that can't be read."""
        try:
            arrays = read_npz(file)
            about = parse_json(arrays.pop("about").tobytes(), file)
            fault = None if about["fault"] is None else Fault(*about["fault"])
            if fault is not None and fault.kind == "timeout" and self._timeout > about.get("timeout", 0):
                return None
            arrays |= {name: _unpacked(packed) for name, packed in about.get("strings", {}).items()}
            outputs = tuple(arrays.get(f"o{i}") for i in range(about["outputs"]))
            tensors = {int(name[1:]): value for name, value in arrays.items() if name[0] == "t"}
            return Answer(outputs, tensors, about.get("seconds", 0.0)), fault
        except (FileNotFoundError, InputError, KeyError, TypeError, ValueError):
            return None


def remembered(folder: Path, sut: str, *, timeout: float = 120.0, **options: Any) -> Remembering:
    """`choose.open_runtime`, with its answers in a folder of its own in `folder`.

    Which one it is follows from the arguments, the version of int8rt and the content of the files that the arguments
    name: the delegate, programs and their files, a Python function's module and what it imports from the current
    folder. So a new build is asked anew.
    """
    from int8rt import __version__

    runtime = open_runtime(sut, timeout=timeout, **options)
    identity = [__version__, sut, sorted(options.items()), files_of(sut, options.get("delegate"))]
    name = re.sub(r"\W+", "-", sut)[:40].strip("-")
    place = folder / f"{name}-{hashlib.sha256(repr(identity).encode()).hexdigest()[:12]}"
    return Remembering(lambda: runtime, place, timeout)


def inputs_digest(content: bytes, inputs: Sequence[Array], *more: str) -> str:
    """Of a model's bytes, its inputs and further words."""
    digest = hashlib.sha256(hashlib.sha256(content).digest())
    for value in inputs:
        digest.update(f"{value.dtype.str}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).tobytes() if value.dtype != object else repr(value.tolist()).encode())
    for text in more:
        digest.update(text.encode())
    return digest.hexdigest()


def _packed(value: Array) -> list[Any]:
    """An array of bytes objects for JSON."""
    return [value.shape, [item.decode("latin-1") for item in value.ravel().tolist()]]


def _unpacked(packed: list[Any]) -> Array:
    return np.array([item.encode("latin-1") for item in packed[1]], object).reshape(packed[0])


def files_of(sut: str, delegate: str | None = None) -> list[str]:
    """SHA-256 of each file that stands for a runtime: the delegate, a program and its files, a function's modules."""
    kind, _, rest = sut.partition(":")
    names = [delegate] if delegate else []
    if kind == "command":
        with contextlib.suppress(ValueError):  # no command line: opening the runtime says so
            names += shlex.split(rest)
    elif kind == "python":
        # Looked up from the current folder, as the worker does; not imported.
        names += sorted(map(str, module_files(rest.partition(":")[0], Path())))
    return [file_digest(name) for name in names if os.path.isfile(name)]


def file_digest(name: str) -> str:
    """SHA-256 of a file's content, which is not read at once."""
    with open(name, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
