"""The process in which `dtypes` runs LiteRT: models of wrong types may end it."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

_SECONDS = 30


def serve(connection: Connection) -> None:
    """Answer requests (model, inputs by tensor, tensors to read) with a status and, of what ran, values."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    while True:
        content, inputs, read = connection.recv()
        try:
            interpreter = Interpreter(
                model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_REF, num_threads=1
            )
            declared = [_type(interpreter, index) for index in read]
            interpreter.allocate_tensors()
            if declared != [_type(interpreter, index) for index in read]:
                connection.send(("retyped", None))
                continue
            for index, value in inputs:
                interpreter.set_tensor(index, value)
            interpreter.invoke()
        except (RuntimeError, ValueError):
            connection.send(("refused", None))
            continue
        connection.send(("runs", None))  # reading what it wrote may still end the process
        connection.send(("read", [_value(interpreter, index) for index in read]))


def _type(interpreter: Any, index: int) -> Any:
    try:
        return interpreter._interpreter.TensorType(index, 0)
    except ValueError:  # NumPy has no such type
        return None


def _value(interpreter: Any, index: int) -> Any:
    try:
        return np.array(interpreter.get_tensor(index))
    except ValueError:
        return None


class Child:
    """Starts the process when it is needed, and again after it died. crashes: how often it did."""

    def __init__(self) -> None:
        self.crashes = 0
        self._process: Any = None
        self._connection: Any = None

    def run(self, content: bytes, inputs: Sequence[tuple[int, Any]], read: Sequence[int]) -> tuple[str, Any]:
        """("runs", the values read or None), ("retyped", None), ("refused", None) or ("crashes", None)."""
        if self._process is None:
            context = multiprocessing.get_context("spawn")
            self._connection, other = context.Pipe()
            self._process = context.Process(target=serve, args=(other,), daemon=True)
            self._process.start()
            other.close()
        status = "crashes"
        try:
            self._connection.send((content, inputs, list(read)))
            status, _ = self._receive()
            return (status, self._receive()[1]) if status == "runs" else (status, None)
        except (EOFError, OSError):
            self.close()
            self.crashes += 1
            return status, None

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None

    def _receive(self) -> Any:
        if not self._connection.poll(_SECONDS):
            raise EOFError
        return self._connection.recv()
