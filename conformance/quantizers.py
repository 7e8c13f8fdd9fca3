"""int8rt's quantizer beside others: `python -m conformance.quantizers --made FOLDER --peer PYTHON --write`.

FOLDER holds TensorFlow's models of some networks and their float originals with samples (`ptq/`). PYTHON has
ai-edge-quantizer 0.10 installed, that of `--tensorflow` TensorFlow 2.21. How far files by TensorFlow's converter,
int8rt and the peer are from the float model; what making them takes (`quantizers_cost`); where int8rt's numbers are
TensorFlow's (`quantizers_identity`); how accurate each mode is (`quantizers_modes`). Linux only.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from conformance import quantizers_cost as cost
from conformance import quantizers_identity as identity
from conformance import quantizers_modes as modes
from conformance.pages import DOCS, put
from conformance.quantizers_modes import inputs_of, run
from int8rt.model import Model
from int8rt.ptq import Recipe, calibrate, quantize
from int8rt.ptq.difference import real_values
from int8rt.ptq.ranges import Method
from int8rt.schema import load_model
from int8rt.verify.oracle import Oracle, available

Array = npt.NDArray[Any]

_ABOUT = """<!-- Written by `python -m conformance.quantizers --write`; do not edit. -->
# Quantizers side by side

int8 files and others by int8rt, by TensorFlow 2.21's converter and by ai-edge-quantizer 0.10, from the same float
models. `python -m conformance.quantizers --made FOLDER --peer PYTHON --tensorflow PYTHON` prints this page.
"""
_ERRORS = """
## How far from the float model

The root mean square of the difference to the float model's output, over samples that no calibration saw, in the
arithmetic of `tflite-ref`, and how often the largest output is the same one. The three calibrate with the least and the
largest value by default, but for ai-edge-quantizer, whose default is a moving average. efficientnetb0_224 has
random weights, and sees the smaller network's photos, enlarged; held out are four and their mirror images.
"""
_COSTS = """
## What it takes

Calibrating and quantizing to int8, from the float file to the written one: medians of {rounds} runs in processes of
their own, int8rt and ai-edge-quantizer (its default) taking turns. "Packages" is what importing takes, for int8rt with
LLVM, its compiler, though nothing is compiled: the kernels are on disk from a run before. "Peak beyond" is the most
that the process held while it worked, less what it held before: file, weights as the kernels want them, activations,
the new file, and machine code that is first touched then. That last part is the same for any model: see the RELU. What
was asked for is three float files and the activations of one sample; models smaller than the fixed part exceed it.
"""
_IDENTITY = """
## The same numbers as TensorFlow's

From the ranges that TensorFlow's own calibrator recorded, int8rt's file beside the converter's: operators in their
order, scale and zero point of each activation, scales of constants, and constants (weights, biases, axes and shapes)
element by element. "(small)": the networks of `tests/models`. Where TensorFlow has no file of a mode (its converter
crashes on GRU layers in int8, and refuses LSTM layers in 16x8) there is no line.
"""
_STATES = """
BIDIRECTIONAL_SEQUENCE_LSTM stays float, as TensorFlow's older quantizer leaves it (the newer one crashes), and is an
error with `--integer-only`; mode dynamic gives it int8 weights. SVDF becomes int8 with RELU; without, TensorFlow writes
a file that the interpreter refuses, and int8rt leaves the layer float. In mode dynamic the layers with several weights
(LSTM, RNN, SVDF) get int8 weights where all of them are large enough: TensorFlow mixes types in RNN and SVDF layers,
for which there is no kernel.

Mode dynamic also stores the constant tables of GATHER (read as int8, with a DEQUANTIZE behind) and EMBEDDING_LOOKUP
(one scale a row) as int8, and the second matrices of BATCH_MATMUL (one scale), as TensorFlow does. A BATCH_MATMUL stays
float where the activations or the matrices have two batch dimensions above 1 (or the matrices the first of three):
LiteRT's reference and optimized kernels take the scales of other rows there, so TensorFlow's file gives wrong results.
Of a table that several GATHER read, TensorFlow makes the whole real first, and it hands the codes of a GATHER on to one
that reads its result; int8rt writes a DEQUANTIZE behind each GATHER of the table, which gives the same bits.

On other graphs these differences from TensorFlow's files are known:

- TensorFlow leaves float what its quantizer does not come back to: an operator that shares its input with others before
  the input's scale is known (then even an output of an int8 model is float), and comparisons, ARG_MAX and ARG_MIN of a
  tensor that is also an output, or that a float operator reads. int8rt makes them integer: they give the same codes.
- int8rt leaves DIV (its integer kernel fails where a divisor is 0), SUM (the reference kernel's result is wrong), TILE
  and DEPTH_TO_SPACE (the reference resolver has no integer kernel) float, and in 16x8 SQUARED_DIFFERENCE and PADV2,
  whose TensorFlow files the interpreter refuses. TensorFlow gives all inputs of a float ADD_N the scale of its output.
  Operators that read nothing but constants as floats stay as they are: GATHER of a table, ONE_HOT.
- In 16x8 a float operator that reads an input of the model reads it as it is; TensorFlow makes it integer and real
  again. Constants of CONCATENATION are rounded once, by TensorFlow twice: one step apart. A range of zeros gets a scale
  of 1e-6 / 32767, by TensorFlow a denormal number.
- int8rt makes a QUANTIZE or DEQUANTIZE once, where TensorFlow's older quantizer writes it for each reader; where in the
  order it stands is not compared, nor is the version of QUANTIZE (1 or 2, for the same kernel).
"""
_MODES = """
## Accuracy on digits, mode by mode

Two networks of digits, calibrated by int8rt on the 100 images that TensorFlow's converter saw, and judged on 500
others: one image is 0.2 points. "As in LiteRT": on how many of them LiteRT's reference interpreter gives the same bits;
that one has no ELU, which opzoo needs, so there it is the interpreter with optimized kernels, beside the profile
`tflite-opt`.
"""


@dataclass(frozen=True, slots=True)
class Network:
    """source: the float model. made: TensorFlow's int8 file of the same samples, if it was kept. calibration, held_out:
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
    places = np.arange(224) * 128 // 224
    larger = {key: ((photos[key] + 1) * 127.5)[:, places][:, :, places].astype(np.float32) for key in ("cal", "xt")}
    yield Network(
        "efficientnetb0_224",
        folder / "ptq" / "efficientnetb0_224_calibrate_only.tflite",
        None,
        larger["cal"],
        np.concatenate([larger["xt"][:, ::down, ::right] for down in (1, -1) for right in (1, -1)]),
    )


def outputs(model: Model, samples: Array) -> Array:
    """float64[n, classes]: the first output, in real numbers."""
    graph = model.subgraphs[0]
    tensor = graph.tensors[graph.outputs[0]]
    return np.array([real_values(tensor, value).reshape(-1) for value in run(model, inputs_of(model, samples))])


# What TensorFlow's own Python runs, where its file was not kept: from file to file, as its converter ends.
_TENSORFLOW = """
import sys
import numpy as np
import tensorflow as tf
from tensorflow.lite.python.convert import mlir_quantize
from tensorflow.lite.python.optimize.calibrator import Calibrator

source, data, output = sys.argv[1:]
with open(source, "rb") as file:
    calibrated = Calibrator(file.read()).calibrate(lambda: ([sample[None]] for sample in np.load(data)))
with open(output, "wb") as file:
    file.write(mlir_quantize(bytes(calibrated), input_data_type=tf.int8, output_data_type=tf.int8))
"""


def contenders(network: Network, peer: str | None, tensorflow: str | None, folder: Path) -> Iterator[tuple[str, Model]]:
    """Who made an int8 file of a network, and the file."""
    data, output = folder / "samples.npy", folder / "other.tflite"
    np.save(data, network.calibration)
    if network.made is not None:
        yield "TensorFlow 2.21", load_model(network.made)
    elif tensorflow is not None:
        command = [tensorflow, "-c", _TENSORFLOW, str(network.source), str(data), str(output)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{tensorflow} ended with {done.returncode}:\n{done.stderr[-2000:]}")
        yield "TensorFlow 2.21", load_model(output)
    source, ends = load_model(network.source), Recipe(inputs="int8", outputs="int8")
    methods: tuple[tuple[str, Method, bool], ...] = (
        ("int8rt", "minmax", False),
        ("int8rt --tf-compatible", "minmax", True),
        ("int8rt --method ema", "ema", False),
        ("int8rt --method percentile", "percentile", False),
        ("int8rt --method mse", "mse", False),
    )
    for label, method, compatible in methods:
        samples = (sample[None] for sample in network.calibration)
        yield label, quantize(calibrate(source, samples, method=method, tf_compatible=compatible), ends).model
    for label, update in (("ai-edge-quantizer 0.10, min/max", "minmax"), ("ai-edge-quantizer 0.10, default", "")):
        if peer is not None:
            cost.run(peer, False, network.source, data, output, update)
            yield label, load_model(output)


def errors(network: Network, peer: str | None, tensorflow: str | None, folder: Path) -> Iterator[str]:
    """A table of the page, line by line."""
    expected = outputs(load_model(network.source), network.held_out)
    yield ""
    yield f"{network.name}: {len(network.calibration)} samples to calibrate with, {len(network.held_out)} held out."
    yield ""
    yield "| quantizer | RMSE | same class as float |"
    yield "|---|---|---|"
    for label, model in contenders(network, peer, tensorflow, folder):
        got = outputs(model, network.held_out)
        error = float(np.sqrt(np.mean((got - expected) ** 2)))
        same = float((got.argmax(axis=1) == expected.argmax(axis=1)).mean())
        yield f"| {label} | {error:.3g} | {same:.1%} |"


def report(made: Path, peer: str | None, tensorflow: str | None, parts: Sequence[str]) -> Iterator[str]:
    """Some parts of the page, or all, line by line."""
    found = list(networks(made))
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if "errors" in parts:
            yield _ERRORS.rstrip()
            for network in found:
                yield from errors(network, peer, tensorflow, folder)
        if "costs" in parts:
            yield _COSTS.format(rounds=cost.ROUNDS)
            yield from cost.report([(n.name, n.source, n.calibration) for n in found], folder, peer)
        if "identity" in parts:
            yield _IDENTITY
            yield from identity.report(made, Path(__file__).resolve().parents[1] / "tests" / "models")
            yield _STATES.rstrip()
        if "modes" in parts:
            yield _MODES
            yield from modes.report(made, stack.enter_context(Oracle()) if available() else None)


_PARTS = ("errors", "costs", "identity", "modes")


def main() -> int:
    """See the module's description."""
    parser = argparse.ArgumentParser(prog="python -m conformance.quantizers", description=__doc__)
    parser.add_argument("--made", type=Path, required=True)
    parser.add_argument("--peer", help="a Python that has ai-edge-quantizer")
    parser.add_argument("--tensorflow", help="a Python that has TensorFlow 2.21")
    parser.add_argument("--part", choices=_PARTS, help="print this part of the page alone")
    parser.add_argument("--write", action="store_true", help="write docs/quantizers.md")
    arguments = parser.parse_args()
    if arguments.part:
        for line in report(arguments.made, arguments.peer, arguments.tensorflow, [arguments.part]):
            print(line, flush=True)
        return 0
    lines = [_ABOUT.rstrip(), *report(arguments.made, arguments.peer, arguments.tensorflow, _PARTS)]
    put("\n".join(lines) + "\n", DOCS / "quantizers.md" if arguments.write else None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
