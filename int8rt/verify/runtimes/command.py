"""Any program as a runtime: a command line that reads a model and an .npz file, and writes another."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from int8rt.errors import InputError
from int8rt.model import Model
from int8rt.verify.runtimes.base import Answer, Array, Capabilities, Fault, UnavailableError
from int8rt.verify.runtimes.child import ending, last_line
from int8rt.verify.runtimes.names import answer_by_name, tensor_keys
from int8rt.verify.runtimes.npz import read_npz, write_npz
from int8rt.verify.runtimes.patience import Patience


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
        self._folder = tempfile.TemporaryDirectory(prefix="int8rt-")
        self._path = Path(self._folder.name)
        self._model: Model | None = None

    def capabilities(self) -> Capabilities:
        """The program's name; whether it gives intermediate tensors shows in its answers."""
        return Capabilities(f"command {os.path.basename(self._parts[0])}", intermediates=True, any_model=True)

    def prepare(self, model: Model, content: bytes) -> None:
        """Write the model to a file."""
        self._model = model
        (self._path / "model.tflite").write_bytes(content)

    def run(self, inputs: Sequence[Array], read: Sequence[int] = ()) -> Answer:
        """Run the program once."""
        assert self._model is not None
        files = {name: str(self._path / f"{name}.npz") for name in ("inputs", "outputs")}
        files["model"] = str(self._path / "model.tflite")
        keys = tensor_keys(self._model, self._model.subgraphs[0].inputs)
        write_npz(Path(files["inputs"]), dict(zip(keys, inputs, strict=True)))
        outputs = Path(files["outputs"])
        outputs.unlink(missing_ok=True)
        start = time.perf_counter()
        with self._patience.asking(answer=True):
            self._call([_fill(part, files) for part in self._parts])
        seconds = time.perf_counter() - start
        if not outputs.exists():
            raise Fault("answer", "the program wrote no outputs")
        try:
            return answer_by_name(self._model, read_npz(outputs), seconds)
        except InputError as error:
            raise Fault("answer", str(error)) from None

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
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise Fault("timeout", f"no answer within {self._timeout:g} s") from None
            log.seek(0)
            if code:
                raise Fault(
                    "crashed" if code < 0 else "refused", f"it ended with {ending(code)}{last_line(log.read())}"
                )


def _fill(part: str, files: dict[str, str]) -> str:
    for name, path in files.items():
        part = part.replace(f"{{{name}}}", path)
    return part
