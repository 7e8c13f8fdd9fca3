"""LiteRT's interpreter as the oracle, in a process of its own: some models abort it, and that must not end ours.

Nothing here computes anything for int8rt; it only fetches what there is to compare with. Needs the extra `litert`.
"""

from __future__ import annotations

import importlib.util
import pickle
import selectors
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from int8rt.errors import Int8rtError

Resolver = Literal["ref", "opt", "xnnpack"]


class OracleError(Int8rtError):
    """The interpreter refused the model or its inputs; the message is the interpreter's own."""


class OracleCrashError(OracleError):
    """The interpreter killed its process, or did not answer in time."""


@dataclass(frozen=True, slots=True)
class OracleResult:
    """outputs: in the order of the subgraph's outputs. tensors: index to value, for the tensors asked for.

    seconds: what one invocation took, without loading and preparing the model.
    """

    outputs: tuple[npt.NDArray[Any], ...]
    tensors: dict[int, npt.NDArray[Any]]
    seconds: float


def available() -> bool:
    """Whether the package ai_edge_litert can be imported here."""
    return importlib.util.find_spec("ai_edge_litert") is not None


class Oracle:
    """A child process that runs models in LiteRT; started when first needed, and again after a crash.

    Use as a context manager, or call `close`.
    """

    def __init__(self, timeout: float = 120.0) -> None:
        self._timeout = timeout
        self._child: subprocess.Popen[bytes] | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as this object

    def run(
        self,
        model: bytes,
        inputs: Sequence[npt.NDArray[Any]] | None,
        *,
        resolver: Resolver = "ref",
        read: Sequence[int] = (),
        num_threads: int = 1,
    ) -> OracleResult:
        """Run the first subgraph of `model` once.

        inputs: in the order of the subgraph's inputs; an input whose shape differs from the model's is resized. None
        stands for zeros.
        read: indices of the tensors whose values are wanted (all tensors are preserved where there are any).
        Raises `OracleError` where the interpreter refuses, `OracleCrashError` where it dies.
        """
        (result,) = self.run_in_a_row(
            model, None if inputs is None else [inputs], resolver=resolver, read=read, num_threads=num_threads
        )
        return result

    def run_in_a_row(
        self,
        model: bytes,
        rounds: Sequence[Sequence[npt.NDArray[Any]]] | None,
        *,
        resolver: Resolver = "ref",
        read: Sequence[int] = (),
        num_threads: int = 1,
        resets: Collection[int] = (),
    ) -> list[OracleResult]:
        """As `run`, one interpreter for all rounds: variables keep their values from one to the next.

        rounds: the inputs of each, of the same shapes; None stands for one round of zeros. resets: numbers of the
        rounds before which `reset_all_variables` is called.
        """
        request = {
            "model": bytes(model),
            "rounds": None if rounds is None else [[np.asarray(v, order="C") for v in inputs] for inputs in rounds],
            "resolver": resolver,
            "read": list(read),
            "num_threads": num_threads,
            "resets": list(resets),
        }
        reply = self._exchange(pickle.dumps(request, protocol=5))
        if "error" in reply:
            raise OracleError(reply["error"])
        return [OracleResult(tuple(r["outputs"]), r["tensors"], r["seconds"]) for r in reply["rounds"]]

    def close(self) -> None:
        """End the child process."""
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None
        self._log.close()

    def __enter__(self) -> Oracle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _exchange(self, request: bytes) -> dict[str, Any]:
        child = self._start()
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(struct.pack("<Q", len(request)) + request)
            child.stdin.flush()
            deadline = time.monotonic() + self._timeout
            payload, *arrays = [self._frame(deadline) for _ in range(self._number(deadline))]
        except (OSError, EOFError, TimeoutError) as error:
            raise OracleCrashError(self._explain(child, error)) from None
        reply: dict[str, Any] = pickle.loads(payload, buffers=arrays)
        return reply

    def _number(self, deadline: float) -> int:
        (number,) = struct.unpack("<Q", self._read(8, deadline))
        return int(number)

    def _frame(self, deadline: float) -> bytearray:
        return self._read(self._number(deadline), deadline)

    def _read(self, size: int, deadline: float) -> bytearray:
        assert self._child is not None
        stream: Any = self._child.stdout.raw  # type: ignore[union-attr] # select() does not see what a buffer holds
        content = bytearray(size)
        rest = memoryview(content)
        with selectors.DefaultSelector() as selector:
            selector.register(stream, selectors.EVENT_READ)
            while rest:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise TimeoutError
                count = stream.readinto(rest)
                if not count:
                    raise EOFError
                rest = rest[count:]
        return content

    def _start(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            self._log.seek(0)
            self._log.truncate()
            self._child = subprocess.Popen(
                [sys.executable, "-m", "int8rt.verify.oracle_worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
            )
        return self._child

    def _explain(self, child: subprocess.Popen[bytes], error: Exception) -> str:
        timed_out = isinstance(error, TimeoutError)
        child.kill()
        child.communicate()
        self._child = None
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        last = f": {lines[-1]}" if lines else ""
        if timed_out:
            return f"the interpreter did not answer within {self._timeout:g} s{last}"
        return f"the interpreter's process ended with code {child.returncode}{last}"
