"""ONNX Runtime on the CPU, with the model converted by tf2onnx (which needs TensorFlow)."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import time
from typing import Any

_OPSET = 17


class OnnxRuntime:
    """A graph of QuantizeLinear and DequantizeLinear, as ONNX Runtime fuses it by default."""

    def __init__(self, request: dict[str, Any], content: bytes) -> None:
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        runtime = importlib.import_module("onnxruntime")
        convert = importlib.import_module("tf2onnx.convert")
        names = ("onnxruntime", "tf2onnx")
        self.description = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
        source, target = "model.tflite", "model.onnx"
        with open(source, "wb") as file:
            file.write(content)
        convert.from_tflite(source, opset=_OPSET, output_path=target)
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        self.session = runtime.InferenceSession(target, options, providers=["CPUExecutionProvider"])
        self.inputs, self.outputs = request["inputs"], request["outputs"]

    def run(self, inputs: list[Any], read: list[int]) -> tuple[list[Any], dict[int, Any], float]:
        """Outputs and the seconds of the run; intermediate tensors are not read."""
        feed = {tensor["name"]: value for tensor, value in zip(self.inputs, inputs)}  # noqa: B905
        start = time.perf_counter()
        values = self.session.run([tensor["name"] for tensor in self.outputs], feed)
        return values, {}, time.perf_counter() - start
