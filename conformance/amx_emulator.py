"""The level `amx` on an emulated processor: `python -m conformance.amx_emulator BOCHS [MODEL.tflite ...]`.

For machines without AMX-INT8. Models are compiled for a Sapphire Rapids, loaded but not run here, and run on the
emulated one, on one thread; every tensor must have the bits of NumPy's definitions. Without models: convolutions and
matrix products of shapes on both sides of the tiles' edges. The exit status is 0 if all of them are equal.

BOCHS is the program of that name, built from github.com/bochs-emu/Bochs (this was written with commit 783b58f) after

    ./configure --enable-x86-64 --enable-cpu-level=6 --enable-avx --enable-evex --enable-amx --disable-a20-pin \\
        --with-nogui --disable-docbook

(with the A20 pin, that commit loses what it is told to load into memory) and with one line of cpu/avx/amx.cc put right:
in `DPBDUS`, which is TDPBUSD's product, `ybyte` must be `Bit8s`; it takes signed bytes for unsigned ones. A C compiler
is needed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

# Read when Numba is imported.
os.environ |= {"NUMBA_CPU_NAME": "sapphirerapids", "NUMBA_CPU_FEATURES": ""}

import numpy as np
from llvmlite import binding

from conformance import bare_metal
from int8rt.executor import SubgraphExecutor
from int8rt.kernels.base import Array
from int8rt.kernels.jit.executor import JitExecutor
from int8rt.kernels.jit.isa.levels import AMX
from int8rt.kernels.jit.program import read
from int8rt.kernels.jit.run import alone
from int8rt.memory import MemoryLimits
from int8rt.model import Model
from int8rt.quantization.profiles import TFLITE_REF
from int8rt.schema import read_model
from int8rt.verify.inputs import make_inputs


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m conformance.amx_emulator", description=__doc__.splitlines()[0])
    parser.add_argument("bochs", type=Path)
    parser.add_argument("models", type=Path, nargs="*")
    parser.add_argument("--timeout", type=float, default=600, help="seconds a model (600)")
    options = parser.parse_args()
    different = 0
    for name, model in models(options.models):
        lines = check(options.bochs.resolve(), model, options.timeout)
        different += bool(lines)
        print(f"{name}: {'; '.join(lines) or 'same'}", flush=True)
    return int(different > 0)


def models(paths: list[Path]) -> Iterator[tuple[str, Model]]:
    """Names and models: those at the paths, or else those of the tests."""
    if paths:
        yield from ((path.name, read_model(path.read_bytes())) for path in paths)
        return
    from conformance.amx_models import MODELS

    yield from ((name, make()) for name, make in MODELS.items())


def check(bochs: Path, model: Model, timeout: float) -> list[str]:
    """What differs: tensors, or what went wrong."""
    inputs = make_inputs(model, "random")
    expected = by_definition(model, inputs)
    executor = JitExecutor(model, 0, TFLITE_REF, MemoryLimits(), True, level=AMX)
    with (
        mock.patch.object(binding, "get_host_cpu_name", return_value="sapphirerapids"),
        mock.patch.object(binding, "get_host_cpu_features", return_value=binding.FeatureMap()),
    ):
        executor.allocate()
        loop = alone.address
    for index, value in zip(model.subgraphs[0].inputs, inputs, strict=True):
        executor.set(index, value)
    program = executor.program
    assert program is not None
    if "numpy" in executor.step_backends():
        return ["some operator has no kernel"]
    arrays = [*program.store._kept, program.table, program.status]
    pages = bare_metal.process_pages([(array.ctypes.data, array.nbytes) for array in arrays if array.nbytes])
    tensors = [index for index in expected if index in program.views]
    regions = [(int(program.views[index].ctypes.data), program.views[index].nbytes) for index in tensors]
    arguments = int(program.table.ctypes.data), 0, len(program.table)
    with tempfile.TemporaryDirectory() as folder:
        found = bare_metal.run(bochs, Path(folder), pages, loop, arguments, regions, timeout)
    lines = [] if tensors else ["nothing is computed"]
    for index, data in zip(tensors, found, strict=True):
        program.views[index].reshape(-1).view(np.uint8)[:] = np.frombuffer(data, np.uint8)
        value = read(program, executor.plan, index)
        if value.tobytes() != expected[index].tobytes():
            lines.append(f"tensor {index}: {np.count_nonzero(value != expected[index])} of {value.size} elements")
    return lines


def by_definition(model: Model, inputs: list[Array]) -> dict[int, Array]:
    """Every tensor that an operator writes, computed by NumPy."""
    executor = SubgraphExecutor(model, 0, TFLITE_REF, MemoryLimits(), True)
    executor.allocate()
    for index, value in zip(model.subgraphs[0].inputs, inputs, strict=True):
        executor.set(index, value)
    written: dict[int, Array] = {}
    executor.invoke(lambda _, index, value: written.__setitem__(index, np.array(value)))
    return written


if __name__ == "__main__":
    sys.exit(main())
