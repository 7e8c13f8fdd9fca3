"""Measurements that need a process of their own."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class ChildError(Exception):
    """The process crashed, or what it ran raised; the message is the last line that it wrote."""


def child(*arguments: str, timeout: float = 600, environment: dict[str, str] | None = None) -> dict[str, Any]:
    """What `python -m benchmarks.child` answers."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.child", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=timeout,
        check=False,
        env=os.environ | (environment or {}),
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise ChildError(f"exit status {done.returncode}: {lines[-1] if lines else ''}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def memory(model: Path, runtimes: Sequence[str], threads: int = 1) -> dict[str, int]:
    """Bytes at most beyond the import, for each runtime; kernels come from the disk."""
    if "int8rt" in runtimes:
        child("start", str(model))
    options = ("--threads", str(threads))
    return {name: int(child("memory", str(model), "--runtime", name, *options)["bytes"]) for name in runtimes}


def start(model: Path, runtime: str, repeats: int = 5) -> float:
    """Median seconds from starting a process to its first result and end; kernels come from the disk."""
    child("start", str(model), "--runtime", runtime)
    return statistics.median(_seconds(model, runtime, {}) for _ in range(repeats))


def cold_start(model: Path) -> float:
    """Seconds of the first start ever: every kernel has to be compiled."""
    with tempfile.TemporaryDirectory() as folder:
        return _seconds(model, "int8rt", {"INT8RT_CACHE_DIR": folder})


def _seconds(model: Path, runtime: str, environment: dict[str, str]) -> float:
    begin = time.perf_counter()
    child("start", str(model), "--runtime", runtime, environment=environment)
    return time.perf_counter() - begin
