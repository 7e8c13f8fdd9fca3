"""Any program as a runtime: a command line that reads a model and an .npz file, and writes another."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from int8rt.errors import InputError
from int8rt.model import Model
from int8rt.verify.runtimes.base import Answer, Array, Capabilities, Fault, FaultKind, UnavailableError
from int8rt.verify.runtimes.child import end_group, ending, last_line
from int8rt.verify.runtimes.names import named_answer, tensor_keys
from int8rt.verify.runtimes.npz import read_npz, write_npz
from int8rt.verify.runtimes.patience import Patience

# Bytes of a program's messages that are looked at.
_LOG_READ = 1 << 16


class CommandRuntime:
    """command: as typed into a shell, with {model}, {inputs} and {outputs} for the paths of the files.

    Both .npz files have their arrays under the tensors' names; what else is found under the name of a tensor is taken
    for an intermediate one. No shell runs it. timeout: seconds for one run.
    """

    def __init__(self, command: str, *, timeout: float = 120.0) -> None:
        try:
            self._parts = shlex.split(command)
        except ValueError as error:
            raise InputError(f"cannot read the command line {command!r}: {error}") from None
        if not self._parts or "{outputs}" not in command:
            raise InputError(f"the command line {command!r} needs {{outputs}} where the path of the answer goes")
        self._timeout = timeout
        self._patience = Patience()
        self._folder = tempfile.TemporaryDirectory(prefix="int8rt-", ignore_cleanup_errors=True)
        self._path = Path(self._folder.name)
        self._model: Model | None = None
        self._content = b""

    def capabilities(self) -> Capabilities:
        """The program's name; whether it gives intermediate tensors shows in its answers."""
        return Capabilities(f"command {os.path.basename(self._parts[0])}", intermediates=True, any_model=True)

    def prepare(self, model: Model, content: bytes) -> None:
        """Remember the model; every run gets files of its own, since programs may change what they find."""
        self._model, self._content = model, content

    def run(self, inputs: Sequence[Array], read: Sequence[int] = ()) -> Answer:
        """Run the program once."""
        assert self._model is not None
        with tempfile.TemporaryDirectory(dir=self._path, ignore_cleanup_errors=True) as folder:
            files = {name: str(Path(folder, f"{name}.npz")) for name in ("inputs", "outputs")}
            files["model"] = str(Path(folder, "model.tflite"))
            keys = tensor_keys(self._model, self._model.subgraphs[0].inputs)
            write_npz(Path(files["inputs"]), dict(zip(keys, inputs, strict=True)))
            Path(files["model"]).write_bytes(self._content)
            start = time.perf_counter()
            with self._patience.asking(answer=True):
                self._call([_fill(part, files) for part in self._parts])
            seconds = time.perf_counter() - start
            return named_answer(self._model, _outputs(Path(files["outputs"])), seconds)

    def close(self) -> None:
        """Remove the files."""
        self._folder.cleanup()

    def _call(self, arguments: list[str]) -> None:
        with tempfile.TemporaryFile() as log:
            try:
                process = subprocess.Popen(
                    arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
            except OSError as error:
                raise UnavailableError(f"cannot run {arguments[0]}: {error.strerror}") from None
            try:
                code = process.wait(self._timeout)
            except subprocess.TimeoutExpired:
                raise Fault("timeout", f"no answer within {self._timeout:g} s") from None
            finally:
                end_group(process)  # with what it has started, which may outlive it
                process.wait()
            if code:
                kind: FaultKind = "crashed" if code < 0 else "refused"
                raise Fault(kind, f"it ended with {ending(code)}{last_line(_end(log))}")


def _outputs(path: Path) -> dict[str, Array]:
    """What the program wrote, whatever that is; `Fault` where it is no .npz file."""
    if not path.is_file():  # a pipe would be waited for
        raise Fault("answer", f"the program wrote {'no outputs' if not path.exists() else 'no file for its outputs'}")
    try:
        return read_npz(path)
    except OSError as error:
        raise Fault("answer", f"its outputs can't be read: {error.strerror}") from None
    except InputError as error:
        raise Fault("answer", str(error)) from None


def _end(log: IO[bytes]) -> bytes:
    """The last part of what a program printed, which may be very much."""
    log.seek(max(0, log.seek(0, os.SEEK_END) - _LOG_READ))
    return log.read()


def _fill(part: str, files: dict[str, str]) -> str:
    for name, path in files.items():
        part = part.replace(f"{{{name}}}", path)
    return part
