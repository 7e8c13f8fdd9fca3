"""int8rt's quantizer beside others: `python -m conformance.quantizers --made FOLDER --peer PYTHON --write FILE`.

FOLDER holds TensorFlow's models of some networks and their float originals with samples (`ptq/`). PYTHON has
ai-edge-quantizer 0.10 installed. For each network: the error of the output to the float model's, on samples that no
calibration saw, of files by TensorFlow's converter, int8rt and the peer, all run by int8rt in `tflite-ref`; then
seconds and peak memory of calibrating and quantizing, each in a process of its own. Linux only.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.interpreter import Interpreter
from int8rt.model import Model, TensorType
from int8rt.ptq.difference import real_values
from int8rt.quantization.affine import quantize as quantize_values
from int8rt.schema import load_model

Array = npt.NDArray[Any]

# What the peer's own Python runs: calibrate and quantize with its usual recipe, print seconds and peak memory.
_PEER = """
import json, sys, time
import numpy as np
from ai_edge_quantizer import algorithm_manager, quantizer, recipe
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer.utils import qsv_utils

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024

source, data, output, update = sys.argv[1:]
samples = np.load(data)
before = peak()
start = time.perf_counter()
q = quantizer.Quantizer(source)
q.load_quantization_recipe(recipe.static_wi8_ai8())
signature, names = next(iter(Interpreter(source).get_signature_list().items()))
inputs = {signature: [{names["inputs"][0]: sample[None]} for sample in samples]}
if update == "minmax":
    algorithm_manager.get_update_qsv_func = lambda *_: qsv_utils.min_max_update
result = q.calibrate(inputs)
content = q.quantize(result).quantized_model
seconds = time.perf_counter() - start
open(output, "wb").write(content)
print(json.dumps({"seconds": seconds, "memory": peak() - before}))
"""


_ABOUT = """Written by `python -m conformance.quantizers`: int8 models made of the same float model and samples. The
error is the root mean square of the difference to the float model's output, over samples that no calibration saw, in
the arithmetic of `tflite-ref`. Seconds and peak memory are those of calibrating and quantizing, each in a process of
its own, without what loading the packages takes."""


@dataclass(frozen=True, slots=True)
class Network:
    """source: the float model. made: TensorFlow's int8 file of the same samples, or None. calibration, held_out:
    float32[n, ...].
    """

    name: str
    source: Path
    made: Path | None
    calibration: Array
    held_out: Array


def networks(folder: Path) -> Iterator[Network]:
    """Those whose calibration samples are known."""
    digits = np.load(folder / "ptq" / "digits.npz")
    doubled = {key: np.kron(digits[key], np.ones((1, 2, 2, 1))).astype(np.float32) for key in ("xtr", "xte")}
    yield Network(
        "dcnn",
        folder / "ptq" / "dcnn_calibrate_only.tflite",
        folder / "dcnn_int8_only_int8.tflite",
        doubled["xtr"][:100],
        doubled["xte"],
    )
    photos = np.load(folder / "ptq" / "cal_mobilenet_v1_025_128.npz")
    yield Network(
        "mobilenet_v1_025_128",
        folder / "ptq" / "mobilenet_v1_025_128_calibrate_only.tflite",
        folder / "mobilenet_v1_025_128_int8_only_int8.tflite",
        photos["cal"],
        photos["xt"],
    )
    noise = np.random.default_rng(0).uniform(0, 255, (14, 224, 224, 3)).astype(np.float32)
    yield Network(
        "efficientnetb0_224 (random images)",
        folder / "ptq" / "efficientnetb0_224_calibrate_only.tflite",
        None,
        noise[:10],
        noise[10:],
    )


def outputs(model: Model, samples: Array) -> Array:
    """float64[n, classes]: the first output, in real numbers."""
    interpreter = Interpreter(model_content=model)
    interpreter.allocate_tensors()
    graph, found = model.subgraphs[0], []
    tensor = graph.tensors[graph.inputs[0]]
    for sample in samples:
        value = sample[None]
        if tensor.type is not TensorType.FLOAT32:
            assert tensor.quantization is not None
            parameters = tensor.quantization
            value = quantize_values(value, parameters.scale[0], parameters.zero_point[0], tensor.type.dtype)
        interpreter.set_tensor(graph.inputs[0], value)
        interpreter.invoke()
        found.append(real_values(graph.tensors[graph.outputs[0]], interpreter.get_tensor(graph.outputs[0])).reshape(-1))
    return np.array(found)


def ours(source: Path, samples: Array, output: Path, method: str, tf_compatible: bool) -> dict[str, float]:
    """Calibrates and quantizes in this process: seconds, and peak memory beyond what there was before."""
    from int8rt.ptq import Recipe, calibrate, quantize

    before = peak_memory()
    start = time.perf_counter()
    model = load_model(source)
    ranged = calibrate(model, (s[None] for s in samples), method=method, tf_compatible=tf_compatible)  # type: ignore[arg-type]
    output.write_bytes(quantize(ranged, Recipe(inputs="int8", outputs="int8")).write())
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "memory": peak_memory() - before}


def peak_memory() -> int:
    """Bytes that this process has taken at most so far; Linux says it for the program alone."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024


def contenders(network: Network, peer: str | None, folder: Path) -> Iterator[tuple[str, Path, dict[str, float] | None]]:
    """(who, the file that he made, seconds and memory)."""
    if network.made is not None:
        yield "TensorFlow 2.21", network.made, None
    data = folder / f"{network.name}.npy"
    np.save(data, network.calibration)
    for label, method, compatible in (
        ("int8rt", "minmax", False),
        ("int8rt --tf-compatible", "minmax", True),
        ("int8rt --method ema", "ema", False),
        ("int8rt --method percentile", "percentile", False),
        ("int8rt --method mse", "mse", False),
    ):
        output = folder / f"{network.name} {label}.tflite"
        arguments = [str(network.source), str(data), str(output), method, "tf" if compatible else ""]
        for _ in range(2):  # the second time the kernels are there
            figures = _child([sys.executable, "-m", "conformance.quantizers", "--own", *arguments])
        yield label, output, figures
    for label, update in (("ai-edge-quantizer 0.10, min/max", "minmax"), ("ai-edge-quantizer 0.10, default", "")):
        if peer is not None:
            output = folder / f"{network.name} {label.replace('/', ' ')}.tflite"
            yield label, output, _child([peer, "-c", _PEER, str(network.source), str(data), str(output), update])


def _child(command: Sequence[str]) -> dict[str, float]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command[0]} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def report(found: Sequence[Network], peer: str | None) -> Iterator[str]:
    """The page, line by line."""
    yield "# Quantizers side by side"
    yield ""
    yield _ABOUT
    with tempfile.TemporaryDirectory() as name:
        for network in found:
            expected = outputs(load_model(network.source), network.held_out)
            size = network.source.stat().st_size
            yield ""
            yield f"## {network.name}"
            yield ""
            counts = f"{len(network.calibration)} samples to calibrate with, {len(network.held_out)} held out"
            yield f"{counts}; the float file has {size:,} bytes."
            yield ""
            yield "| quantizer | RMSE | same class as float | seconds | memory / float file |"
            yield "|---|---|---|---|---|"
            for label, path, figures in contenders(network, peer, Path(name)):
                got = outputs(load_model(path), network.held_out)
                error = float(np.sqrt(np.mean((got - expected) ** 2)))
                same = float((got.argmax(axis=1) == expected.argmax(axis=1)).mean())
                cost = f"{figures['seconds']:.2f} | {figures['memory'] / size:.1f}" if figures else " | "
                yield f"| {label} | {error:.3g} | {same:.1%} | {cost} |"


def main() -> int:
    """See the module's description."""
    parser = argparse.ArgumentParser(prog="python -m conformance.quantizers", description=__doc__)
    parser.add_argument("--made", type=Path)
    parser.add_argument("--peer", help="a Python that has ai-edge-quantizer")
    parser.add_argument("--write", type=Path, help="the page to write; standard output if not given")
    parser.add_argument("--own", nargs=5, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.own:
        source, data, output, method, compatible = arguments.own
        print(json.dumps(ours(Path(source), np.load(data), Path(output), method, bool(compatible))))
        return 0
    if arguments.made is None:
        parser.error("--made is needed")
    page = "\n".join(report(list(networks(arguments.made)), arguments.peer)) + "\n"
    if arguments.write is None:
        print(page, end="")
    else:
        arguments.write.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
