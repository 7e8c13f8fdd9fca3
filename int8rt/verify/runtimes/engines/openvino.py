"""OpenVINO on the CPU."""

from __future__ import annotations

import importlib
import importlib.metadata
import time
from typing import Any

import numpy as np


class OpenVino:
    """request: "precision" is the inference precision, "f32" or "bf16".

    Without it OpenVINO takes bfloat16 where the processor has it.
    """

    def __init__(self, request: dict[str, Any], content: bytes) -> None:
        module = importlib.import_module("openvino")
        precision = request["precision"]
        self.description = f"OpenVINO {importlib.metadata.version('openvino')}, CPU, {precision}"
        path = "model.tflite"
        with open(path, "wb") as file:
            file.write(content)
        core = module.Core()
        options = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": 1}
        self.compiled = core.compile_model(core.read_model(path), "CPU", options)
        self.inputs, self.outputs = request["inputs"], request["outputs"]

    def run(self, inputs: list[Any], read: list[int]) -> tuple[list[Any], dict[int, Any], float]:
        """Outputs and the seconds of the run; intermediate tensors are not read."""
        feed = {tensor["name"]: value for tensor, value in zip(self.inputs, inputs)}  # noqa: B905
        start = time.perf_counter()
        answer = self.compiled(feed)
        seconds = time.perf_counter() - start
        by_name = {name: value for port, value in answer.items() for name in port.get_names()}
        return [np.array(by_name[tensor["name"]]) for tensor in self.outputs], {}, seconds
