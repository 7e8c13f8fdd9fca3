"""Runs the model of a bundle with LiteRT, tflite-runtime or TensorFlow, and records what it gives.

A copy of this file stands in each bundle as run.py; it needs NumPy and one of the three.
"""

from __future__ import annotations

import argparse
import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np

MODULES = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter", "tensorflow.lite.python.interpreter")


def find_module() -> Any:
    """The interpreter's module that is there."""
    for name in MODULES:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise SystemExit("none of ai-edge-litert, tflite-runtime and tensorflow is installed")


def main() -> None:
    """Run every run of the manifest beside this file."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--delegate", help="the shared library of a delegate")
    parser.add_argument("--delegate-option", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--tensors", action="store_true", help="record intermediate tensors, too")
    parser.add_argument("--outputs", type=Path, help="the folder to write to; `outputs` beside this file by default")
    arguments = parser.parse_args()
    folder = Path(__file__).resolve().parent
    outputs = arguments.outputs or folder / "outputs"
    outputs.mkdir(exist_ok=True)
    module = find_module()
    delegates = None
    if arguments.delegate:
        options = dict(option.split("=", 1) for option in arguments.delegate_option)
        delegates = [module.load_delegate(arguments.delegate, options)]
    for run in json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["runs"]:
        interpreter = module.Interpreter(
            model_path=str(folder / "model.tflite"),
            experimental_delegates=delegates,
            experimental_preserve_all_tensors=arguments.tensors,
        )
        recorded = invoke(interpreter, [np.load(folder / entry["npy"]["file"]) for entry in run["inputs"]])
        if arguments.tensors:
            recorded.update(every_tensor(interpreter))
        np.savez(outputs / f"{run['label']}.npz", **recorded)
        expected = [np.load(folder / entry["npy"]["file"]) for entry in run["outputs"]]
        equal = sum(np.array_equal(recorded[f"output_{i}"], value) for i, value in enumerate(expected))
        print(f"{run['label']}: {equal} of {len(expected)} outputs as expected")


def invoke(interpreter: Any, inputs: Any) -> dict[str, Any]:
    """The outputs: output_0, output_1, ..."""
    details = interpreter.get_input_details()
    for detail, value in zip(details, inputs):  # noqa: B905 - for older Pythons
        interpreter.resize_tensor_input(detail["index"], value.shape)
    interpreter.allocate_tensors()
    for detail, value in zip(details, inputs):  # noqa: B905
        interpreter.set_tensor(detail["index"], value)
    interpreter.invoke()
    return {f"output_{i}": interpreter.get_tensor(d["index"]) for i, d in enumerate(interpreter.get_output_details())}


def every_tensor(interpreter: Any) -> dict[str, Any]:
    """What can be read of the model's tensors: "#7" and so on."""
    values, spans = {}, {}
    for detail in interpreter.get_tensor_details():
        key = f"#{detail['index']}"
        try:
            values[key] = interpreter.get_tensor(detail["index"])
            view = interpreter.tensor(detail["index"])()
            spans[key] = (view.__array_interface__["data"][0], view.nbytes)
        except (ValueError, AttributeError):  # inside of a delegate, a handle, strings
            continue
    for key in shared(spans):  # TensorFlow Lite 2.14 computes in place, even if it is to keep all tensors
        del values[key]
    return values


def shared(spans: dict[str, tuple[int, int]]) -> list[str]:
    """Keys of the (address, bytes) that have bytes in common with another one."""
    return [
        key
        for key, (start, size) in spans.items()
        if any(key != other and start < at + more and at < start + size for other, (at, more) in spans.items())
    ]


if __name__ == "__main__":
    main()
