"""A runtime whose answers are kept in a folder: a killed run goes on, and judging again asks it nothing."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from int8rt.model import Model
from int8rt.verify.runtimes.base import Answer, Array, Capabilities, Fault, Runtime
from int8rt.verify.runtimes.npz import read_npz, write_npz
from int8rt.verify.runtimes.patience import HangingError


class LostError(Exception):
    """The runtime does nothing but hang."""


class Remembering:
    """open: makes the runtime, when it is first needed. folder: of its answers, one file each, written at once.

    An answer is found by the model's bytes, the inputs and what was to be read. Faults are kept too, but not that the
    runtime is not there. Raises `LostError` where the runtime is not asked any more.
    """

    def __init__(self, open: Callable[[], Runtime], folder: Path) -> None:
        self._runtime = open()
        self._folder = folder
        self._content, self._prepared = b"", b""
        self._model: Model | None = None
        self.asked = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._about = folder / "runtime.json"

    def capabilities(self) -> Capabilities:
        """Those of the runtime, with the description that it gave when it last ran."""
        own = self._runtime.capabilities()
        if not self._prepared and self._about.exists():
            description = json.loads(self._about.read_text(encoding="utf-8"))["description"]
            return Capabilities(description, own.intermediates, own.any_model, own.reading_matters)
        return own

    def prepare(self, model: Model, content: bytes) -> None:
        """Remember the model; the runtime gets it when there is something to run."""
        self._model, self._content = model, content

    def run(self, inputs: Sequence[Array], read: Sequence[int] = ()) -> Answer:
        """The answer from the folder, or else the runtime's. Raises `Fault` as it did."""
        file = self._folder / f"{self._key(inputs, read)}.npz"
        if not file.exists():
            self._keep(file, *self._ask(inputs, read))
        return self._kept(file)

    def close(self) -> None:
        """Close the runtime."""
        self._runtime.close()

    def _key(self, inputs: Sequence[Array], read: Sequence[int]) -> str:
        digest = hashlib.sha256(hashlib.sha256(self._content).digest())
        for value in inputs:
            digest.update(f"{value.dtype.str}{value.shape}".encode())
            digest.update(np.ascontiguousarray(value).tobytes() if value.dtype != object else repr(value).encode())
        digest.update(repr(list(read)).encode())
        return digest.hexdigest()[:24]

    def _ask(self, inputs: Sequence[Array], read: Sequence[int]) -> tuple[Answer, Fault | None]:
        assert self._model is not None
        self.asked += 1
        try:
            if self._prepared != self._content:
                self._prepared = b""
                self._runtime.prepare(self._model, self._content)
                self._prepared = self._content
                self._about.write_text(json.dumps({"description": self.capabilities().description}), encoding="utf-8")
            answer = self._runtime.run(inputs, read)
        except HangingError as fault:
            raise LostError(str(fault)) from None
        except Fault as fault:
            return Answer(()), fault
        return answer, None

    def _keep(self, file: Path, answer: Answer, fault: Fault | None) -> None:
        arrays = {f"o{i}": value for i, value in enumerate(answer.outputs) if value is not None}
        arrays |= {f"t{i}": value for i, value in answer.tensors.items()}
        about = {"outputs": len(answer.outputs), "fault": None if fault is None else [fault.kind, str(fault)]}
        text = np.frombuffer(json.dumps(about).encode(), np.uint8)
        part = file.with_suffix(f".{os.getpid()}")
        write_npz(part, arrays | {"about": text})
        part.replace(file)

    def _kept(self, file: Path) -> Answer:
        arrays = read_npz(file)
        about = json.loads(arrays.pop("about").tobytes())
        if about["fault"] is not None:
            raise Fault(*about["fault"])
        outputs = tuple(arrays.get(f"o{i}") for i in range(about["outputs"]))
        return Answer(outputs, {int(name[1:]): value for name, value in arrays.items() if name[0] == "t"})
