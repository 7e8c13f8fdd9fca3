"""Whether the tile registers of AMX compute right here: asked once, and the answer kept beside the compiled kernels.

`python -m int8rt.kernels.jit.proof LEVEL` compares a convolution with its definition; where it crashes, that process
does.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from int8rt.executor import SubgraphExecutor
from int8rt.kernels.jit import disk
from int8rt.kernels.jit.conv import conv_kernel
from int8rt.kernels.jit.executor import JitExecutor
from int8rt.kernels.jit.isa.levels import Level, choose_level
from int8rt.memory import MemoryLimits
from int8rt.model import Model, Padding, Quantization, TensorType
from int8rt.quantization.profiles import TFLITE_REF
from int8rt.schema import ModelBuilder
from int8rt.schema.options import Conv2DOptions

_SAME, _DIFFERENT = "same bits", "other bits than by definition"
_SECONDS = 120


def fault(level: Level) -> str:
    """What speaks against kernels of that level on this processor; "" where they compute right."""
    # As kernels have: other sources, another processor or another LLVM ask again.
    key = conv_kernel(level.name, "double_right", 0).key
    kept = disk.load(key, disk.PROOF_SUFFIX)
    if kept is None:
        answer, lasting = _ask(level)
        if lasting:
            disk.save(key, answer.encode(), disk.PROOF_SUFFIX)
    else:
        answer = kept.decode()
    return "" if answer == _SAME else f"the check of {level.name} {answer}"


def _ask(level: Level) -> tuple[str, bool]:
    """The answer of a process of its own; and whether it says something about the processor."""
    if not Path(sys.executable or "").name.startswith("python"):
        return "needs a Python to run in: any command of int8rt makes it", False
    command = [sys.executable, "-P", "-m", __name__, level.name]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        child = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_SECONDS
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"did not come to an end: {error}", False
    if child.returncode < 0:
        return f"was ended by signal {-child.returncode}", True
    if child.returncode or child.stdout.strip() not in (_SAME, _DIFFERENT):
        return f"failed: {' '.join(child.stderr.split()[-40:])}", False
    answer = child.stdout.strip()
    return answer if answer == _SAME else f"found {answer}", True


def model() -> Model:
    """A 1 x 1 convolution with 49 rows of 80 bytes, for 112 channels: each way of dividing them into tiles."""
    generator = np.random.default_rng(0)
    scales, zeros = generator.uniform(0.001, 0.02, 112).astype(np.float32), np.zeros(112, np.int64)
    builder = ModelBuilder().input("x", TensorType.INT8, (1, 7, 7, 80), Quantization.per_tensor(0.5, -3))
    weights = generator.integers(-127, 128, (112, 1, 1, 80)).astype(np.int8)
    builder.constant("w", weights, Quantization.per_axis(scales, zeros, 0))
    bias = generator.integers(-2000, 2000, 112).astype(np.int32)
    builder.constant("b", bias, Quantization.per_axis(scales / 2, zeros, 0))
    builder.output("y", TensorType.INT8, (1, 7, 7, 112), Quantization.per_tensor(2.0, 5))
    options = Conv2DOptions(padding=Padding.SAME, stride_w=1, stride_h=1)
    return builder.operator("CONV_2D", ["x", "w", "b"], ["y"], options, version=3).build()


def same(level: Level) -> bool:
    """Whether kernels of that level, run in this process, have the bits of the definition."""
    convolution = model()
    x = np.random.default_rng(1).integers(-128, 128, (1, 7, 7, 80)).astype(np.int8)
    results = []
    for executor in (
        SubgraphExecutor(convolution, 0, TFLITE_REF, MemoryLimits()),
        JitExecutor(convolution, 0, TFLITE_REF, MemoryLimits(), level=level),
    ):
        executor.allocate()
        executor.set(convolution.subgraphs[0].inputs[0], x)
        executor.invoke()
        results.append(executor.get(convolution.subgraphs[0].outputs[0]))
    return bool(np.array_equal(results[0], results[1]))


if __name__ == "__main__":
    print(_SAME if same(choose_level(sys.argv[1])) else _DIFFERENT)
