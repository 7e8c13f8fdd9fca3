"""Each mode of post-training quantization on digits: int8rt's files beside those of TensorFlow's converter.

The networks read 16 x 16 digits. int8rt calibrates them on the 100 images that TensorFlow's converter saw, and all
files are judged on 500 others. int8rt computes them; LiteRT must give the same bits of every output.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from conformance.quantizers_identity import RECIPES
from int8rt.errors import UnsupportedError
from int8rt.interpreter import Interpreter
from int8rt.model import Model, TensorType
from int8rt.ptq import Recipe, calibrate, quantize
from int8rt.quantization.affine import quantize as quantize_values
from int8rt.schema import load_model, read_model
from int8rt.verify.oracle import Oracle, OracleError

Array = npt.NDArray[Any]

# Samples for profiles that are not compiled.
_FEW = 50
_MODES = {**RECIPES, "int4": Recipe("int4")}
_MADE = {
    "int8, float ends": ("int8_floatio",),
    "int8": ("int8_only_int8",),
    "int8, uint8 ends": ("int8_only_uint8",),
    "int8 per tensor": ("int8_pertensor",),
    "16x8": ("i16x8", "i16x8_fallback"),
    "16x8, int16 ends": ("i16x8_int16io",),
    "dynamic": ("dynamic",),
    "float16": ("float16",),
}


def inputs_of(model: Model, samples: Array) -> list[Array]:
    """Samples as the model's only input takes them: float32 [n, ...] to arrays of its type, one for each run."""
    graph = model.subgraphs[0]
    tensor = graph.tensors[graph.inputs[0]]
    if tensor.type is TensorType.FLOAT32:
        return [sample[None] for sample in samples]
    assert tensor.quantization is not None
    scale, zero_point = tensor.quantization.scale[0], tensor.quantization.zero_point[0]
    return [quantize_values(sample[None], scale, zero_point, tensor.type.dtype) for sample in samples]


def run(model: Model, inputs: list[Array], profile: str = "tflite-ref") -> list[Array]:
    """The first output of each run."""
    interpreter, graph = Interpreter(model_content=model, profile=profile), model.subgraphs[0]
    interpreter.allocate_tensors()
    found = []
    for value in inputs:
        interpreter.set_tensor(graph.inputs[0], value)
        interpreter.invoke()
        found.append(interpreter.get_tensor(graph.outputs[0]))
    return found


def accuracy(outputs: list[Array], labels: Array) -> float:
    """Share of right answers."""
    return float(np.mean([int(output.argmax()) == label for output, label in zip(outputs, labels, strict=True)]))


def report(made: Path, oracle: Oracle | None) -> Iterator[str]:
    """Of the page, line by line."""
    digits = np.load(made / "ptq" / "digits.npz")
    images = {key: np.kron(digits[key], np.ones((1, 2, 2, 1))).astype(np.float32) for key in ("xtr", "xte")}
    yield "| network | mode | bytes | of TensorFlow's | accuracy | of TensorFlow's | points apart | as in LiteRT |"
    yield "|---|---|---|---|---|---|---|---|"
    for name in ("dcnn", "opzoo"):
        model = load_model(made / f"{name}_float32.tflite")
        truth = accuracy(run(model, inputs_of(model, images["xte"])), digits["yte"])
        yield f"| {name} | float | {(made / f'{name}_float32.tflite').stat().st_size:,} |  | {truth:.1%} |  |  |  |"
        ranged = calibrate(model, (image[None] for image in images["xtr"][:100]))
        for mode, recipe in _MODES.items():
            if mode == "int8 per tensor, int8 ends":
                continue
            result = quantize(ranged, recipe)
            values = inputs_of(result.model, images["xte"])
            outputs = run(result.model, values)
            share = accuracy(outputs, digits["yte"])
            theirs = _theirs(made, name, mode, images["xte"], digits["yte"])
            equal = "" if oracle is None else _equal(oracle, result.content, values, outputs)
            if theirs is None:
                beside = f" | {share:.1%} |  | "
            else:
                beside = f"{theirs[0]:,} | {share:.1%} | {theirs[1]:.1%} | {_points(share, theirs[1])}"
            yield f"| {name} | {mode} | {len(result.content):,} | {beside} | {equal} |"


def _points(ours: float, theirs: float) -> str:
    return f"{100 * (ours - theirs):+.1f}"


def _theirs(made: Path, name: str, mode: str, images: Array, labels: Array) -> tuple[int, float] | None:
    """Bytes and accuracy of TensorFlow's file of that mode, if there is one."""
    for ending in _MADE.get(mode, ()):
        path = made / f"{name}_{ending}.tflite"
        if path.exists():
            model = load_model(path)
            return path.stat().st_size, accuracy(run(model, inputs_of(model, images)), labels)
    return None


def _equal(oracle: Oracle, content: bytes, inputs: list[Array], outputs: list[Array]) -> str:
    """On how many samples LiteRT gives the same bits: its reference interpreter, or where that lacks an operator the
    one with optimized kernels, beside the profile that stands for it, on some of the samples.
    """
    try:
        found, expected, added = outputs, oracle.run_in_a_row(content, [[value] for value in inputs]), ""
    except OracleError:
        few = inputs[:_FEW]
        expected = oracle.run_in_a_row(content, [[value] for value in few], resolver="opt")
        try:
            found, added = run(read_model(content), few, "tflite-opt"), " (tflite-opt)"
        except UnsupportedError:
            return "it runs; tflite-opt is not done"
    same = sum(np.array_equal(a, b.outputs[0]) for a, b in zip(found, expected, strict=True))
    return f"{same} of {len(found)}{added}"
