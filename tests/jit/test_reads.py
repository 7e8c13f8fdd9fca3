"""Kernels read no further than the slack behind what is theirs, and nothing before it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from int8rt.kernels.jit.warm import common_models
from int8rt.memory import MemoryLimits
from int8rt.model import Model
from int8rt.quantization.profiles import TFLITE_REF
from int8rt.verify.inputs import make_inputs
from tests.jit.guarded import GuardedExecutor
from tests.jit.models import convolutions

CHILD = "from tests.jit.test_reads import run_all; run_all({models!r})"


def models(which: str) -> list[Model]:
    if which == "kernels":
        from benchmarks.kernels import cases

        return [model for _, model in cases()]
    return [*common_models(), convolutions(size=15, channels=37)]


def run_all(which: str) -> None:
    for model in models(which):
        executor = GuardedExecutor(model, 0, TFLITE_REF, MemoryLimits(), threads=2)
        executor.allocate()
        for index, value in zip(model.subgraphs[0].inputs, make_inputs(model, "random"), strict=True):
            executor.set(index, value)
        executor.invoke()


def child(script: str, flush: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"INT8RT_PAGED": flush}
    return subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False, timeout=600
    )


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="needs mprotect")
@pytest.mark.parametrize("flush", ["end", "start"])
@pytest.mark.parametrize("which", ["layers", pytest.param("kernels", marks=pytest.mark.slow)])
def test_nobody_reads_too_far(which: str, flush: str) -> None:
    done = child(CHILD.format(models=which), flush)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="needs mprotect")
@pytest.mark.parametrize(("flush", "offset", "ends"), [("end", 127, 0), ("end", 128, -11), ("start", -1, -11)])
def test_who_reads_too_far_ends(flush: str, offset: int, ends: int) -> None:
    script = (
        "import ctypes\n"
        "from tests.jit.paged import PagedStore\n"
        f"store = PagedStore(1 << 20, {flush!r})\n"
        "block = store.block(1000)\n"
        f"ctypes.string_at(block.ctypes.data + {offset if flush == 'start' else 1000 + offset}, 1)\n"
    )
    assert child(script, flush).returncode == ends
