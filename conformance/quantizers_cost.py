"""Seconds and memory of calibrating and quantizing, int8rt beside ai-edge-quantizer, each run in a process of its own.

The runs of one and the other take turns, so that whatever else the machine does meets both alike. What is measured,
of either: the process imports NumPy and loads the samples; it loads its packages; then it reads the float file,
calibrates, quantizes and writes the int8 file. Memory is what the process holds, as Linux counts it (VmRSS, and VmHWM
for the peak, which is reset before the work begins): code counts like data, and nothing is taken off but what is said.
int8rt's kernels are compiled before, as they are after the first use of a model.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.model import Model, TensorType
from int8rt.schema import load_model, write_model
from int8rt.schema.builder import ModelBuilder
from int8rt.schema.constant import constant_value

Array = npt.NDArray[Any]
ROUNDS = 3

_MEMORY = """
def memory(field):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(field)) * 1024

def forget_peak():
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
"""
_AROUND = """
import json, sys, time
import numpy as np
{memory}
source, data, output, update = sys.argv[1:]
samples = np.load(data)
empty, start = memory("VmRSS"), time.perf_counter()
{imports}
loaded, loading = memory("VmRSS"), time.perf_counter() - start
forget_peak()
start, busy = time.perf_counter(), time.process_time()
{work}
seconds, processor = time.perf_counter() - start, time.process_time() - busy
peak = memory("VmHWM") - loaded
times = {{"loading": loading, "seconds": seconds, "processor": processor}}
print(json.dumps(times | {{"packages": loaded - empty, "peak": peak}}))
"""
# The compiler's library is part of the packages; Numba itself is not loaded where the kernels are compiled.
_OWN = (
    """
from pathlib import Path
import int8rt.kernels.jit.executor
from int8rt.ptq import Recipe, calibrate, quantize
from int8rt.schema import load_model
""",
    """
ranged = calibrate(load_model(source), (sample[None] for sample in samples), method=update)
Path(output).write_bytes(quantize(ranged, Recipe(inputs="int8", outputs="int8")).content)
""",
)
_PEER = (
    """
from ai_edge_quantizer import algorithm_manager, quantizer, recipe
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer.utils import qsv_utils
""",
    """
q = quantizer.Quantizer(source)
q.load_quantization_recipe(recipe.static_wi8_ai8())
signature, names = next(iter(Interpreter(source).get_signature_list().items()))
inputs = {signature: [{names["inputs"][0]: sample[None]} for sample in samples]}
if update == "minmax":
    algorithm_manager.get_update_qsv_func = lambda *_: qsv_utils.min_max_update
with open(output, "wb") as file:
    file.write(q.quantize(q.calibrate(inputs)).quantized_model)
""",
)


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds and bytes: of loading packages, and of the work beyond them. processor: seconds of computing."""

    loading: float
    packages: int
    seconds: float
    processor: float
    peak: int


def run(python: str, own: bool, source: Path, data: Path, output: Path, update: str) -> Cost:
    """One run of int8rt or of the peer. `SystemExit` where it fails."""
    imports, work = _OWN if own else _PEER
    script = _AROUND.format(memory=_MEMORY, imports=imports, work=work)
    command = [python, "-c", script, str(source), str(data), str(output), update]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{python} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return Cost(**json.loads(done.stdout.strip().splitlines()[-1]))


def compared(source: Path, data: Path, folder: Path, peer: str | None, rounds: int = ROUNDS) -> dict[str, Cost]:
    """The medians of runs in turns, after one of int8rt that is not counted. "int8rt" and, with a peer, its name."""
    output = folder / "cost.tflite"
    run(sys.executable, True, source, data, output, "minmax")
    found: dict[str, list[Cost]] = {}
    for _ in range(rounds):
        found.setdefault("int8rt", []).append(run(sys.executable, True, source, data, output, "minmax"))
        if peer is not None:
            found.setdefault("ai-edge-quantizer 0.10", []).append(run(peer, False, source, data, output, ""))
    return {name: _median(costs) for name, costs in found.items()}


def _median(costs: Sequence[Cost]) -> Cost:
    middle = statistics.median
    return Cost(
        middle(cost.loading for cost in costs),
        int(middle(cost.packages for cost in costs)),
        middle(cost.seconds for cost in costs),
        middle(cost.processor for cost in costs),
        int(middle(cost.peak for cost in costs)),
    )


def activation_set(model: Model) -> int:
    """Bytes of all activations for one sample: inputs, and whatever operators compute, as float32."""
    graph = model.subgraphs[0]
    written = {*graph.inputs, *(t for operator in graph.operators for t in operator.outputs)}
    computed = (graph.tensors[t] for t in written if constant_value(model, graph.tensors[t]) is None)
    return sum(4 * int(np.prod(tensor.shape, dtype=np.int64)) for tensor in computed)


def next_to_nothing() -> Model:
    """A RELU of eight numbers: what it takes is what any model takes."""
    float32 = TensorType.FLOAT32
    builder = ModelBuilder().input("x", float32, (1, 8)).output("y", float32, (1, 8)).operator("RELU", ["x"], ["y"])
    return builder.signature("serving_default", {"x": "x"}, {"y": "y"}).build()


def report(models: Sequence[tuple[str, Path, Array]], folder: Path, peer: str | None) -> Iterator[str]:
    """Of the page, line by line. models: name, float file, samples."""
    small = folder / "relu.tflite"
    small.write_bytes(write_model(next_to_nothing()))
    samples = np.random.default_rng(0).uniform(-1, 1, (10, 8)).astype(np.float32)
    yield "| float model | quantizer | packages | work | its processor time | packages | peak beyond | in float files |"
    yield "|---|---|---|---|---|---|---|---|"
    allowed = []
    for name, source, data in (("one RELU", small, samples), *models):
        np.save(folder / "cost.npy", data)
        size, activations = source.stat().st_size, activation_set(load_model(source))
        for who, cost in compared(source, folder / "cost.npy", folder, peer).items():
            memory = f"{_mib(cost.packages)} | {_mib(cost.peak)} | {cost.peak / size:,.1f}"
            times = f"{cost.loading:.2f} s | {cost.seconds:.3f} s | {cost.processor:.3f} s"
            yield f"| {name} | {who} | {times} | {memory} |"
        sizes = f"| {name} | {_mib(size)} | {_mib(activations)} | {_mib(3 * size + activations)} |"
        allowed.append(sizes)
    yield ""
    yield f"{os.getloadavg()[0]:.0f} processes wanted the machine's {os.cpu_count()} processors at the end."
    yield ""
    yield "| float model | its file | activations of one sample | three files and one set |"
    yield "|---|---|---|---|"
    yield from allowed


def _mib(count: int) -> str:
    return f"{count / 2**20:.1f} MiB"
