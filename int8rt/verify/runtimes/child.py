"""Runtimes in a process of their own: some models crash them, some hang, and other Pythons hold other versions."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from int8rt.errors import InputError
from int8rt.verify.runtimes import worker
from int8rt.verify.runtimes.base import Array, Fault, UnavailableError


class Child:
    """One `worker` process; started when first needed, and gone after a crash or a timeout.

    python: the interpreter that runs it. timeout: seconds for one reply.
    """

    def __init__(self, python: str | None = None, timeout: float = 120.0) -> None:
        self._python = python or sys.executable
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as this object

    @property
    def running(self) -> bool:
        """Whether there is a process with what it was told before."""
        return self._process is not None

    def ask(self, header: dict[str, Any], arrays: Sequence[Array] = ()) -> tuple[dict[str, Any], list[Array]]:
        """The reply to one request.

        Raises `Fault`, `UnavailableError` where the runtime can't be imported, `InputError` for a delegate that can't
        be loaded.
        """
        process = self._start()
        timed_out = threading.Event()

        def give_up() -> None:
            timed_out.set()
            end_group(process)

        timer = threading.Timer(self._timeout, give_up)
        timer.start()
        try:
            worker.send(process.stdin, header, arrays)
            reply = worker.receive(process.stdout)
        except (OSError, ValueError, KeyError, MemoryError):  # it died while writing: what arrived is no message
            reply = None
        finally:
            timer.cancel()
        if reply is None:
            raise self._died(process, timed_out.is_set())
        answer, values = reply
        if "unusable" in answer:
            raise InputError(answer["unusable"])
        if "missing" in answer:
            raise UnavailableError(answer["missing"])
        for kind in ("refused", "crashed"):
            if kind in answer:
                raise Fault(kind, answer[kind])
        return answer, values

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            end_group(self._process)
            self._process.communicate()
            self._process = None
        self._log.close()

    def _start(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._log.seek(0)
            self._log.truncate()
            try:
                self._process = subprocess.Popen(
                    [self._python, str(Path(worker.__file__))],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._log,
                    start_new_session=True,
                )
            except OSError as error:
                raise InputError(f"cannot start {self._python}: {error.strerror}") from None
        return self._process

    def _died(self, process: subprocess.Popen[bytes], timed_out: bool) -> Fault:
        try:
            process.wait(0 if timed_out else 5)  # it may still be about to end
        except subprocess.TimeoutExpired:
            end_group(process)
        process.communicate()
        self._process = None
        self._log.seek(0)
        last = last_line(self._log.read())
        if timed_out:
            return Fault("timeout", f"no answer within {self._timeout:g} s{last}")
        return Fault("crashed", f"its process ended with {ending(process.returncode)}{last}")


def ending(code: int) -> str:
    """How a process ended: "signal SIGABRT", "status 1"."""
    if code >= 0:
        return f"status {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


def last_line(log: bytes) -> str:
    """The last line of what a process printed, with a colon before it; "" if there is none."""
    lines = log.decode(errors="replace").strip().splitlines()
    return f": {lines[-1][:500]}" if lines else ""


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and those that it has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (AttributeError, OSError):  # no process groups here, or it is gone already
        process.kill()
