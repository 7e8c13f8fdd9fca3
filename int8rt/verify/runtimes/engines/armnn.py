"""Arm NN by pyarmnn, with its reference backend for CPUs."""

from __future__ import annotations

import importlib
import time
from typing import Any

import numpy as np


class ArmNN:
    """The backend CpuRef: the one that is there on every processor."""

    def __init__(self, request: dict[str, Any], content: bytes) -> None:
        self.module = ann = importlib.import_module("pyarmnn")
        self.description = f"Arm NN {ann.ARMNN_VERSION}, CpuRef"
        path = "model.tflite"
        with open(path, "wb") as file:
            file.write(content)
        parser = ann.ITfLiteParser()
        network = parser.CreateNetworkFromBinaryFile(path)
        self.runtime = ann.IRuntime(ann.CreationOptions())
        spec = self.runtime.GetDeviceSpec()
        optimized, messages = ann.Optimize(network, [ann.BackendId("CpuRef")], spec, ann.OptimizerOptions())
        self.network, error = self.runtime.LoadNetwork(optimized)
        if error:
            raise ValueError(f"{error} {' '.join(messages)}")
        self.inputs = [parser.GetNetworkInputBindingInfo(0, tensor["name"]) for tensor in request["inputs"]]
        self.outputs = [parser.GetNetworkOutputBindingInfo(0, tensor["name"]) for tensor in request["outputs"]]

    def run(self, inputs: list[Any], read: list[int]) -> tuple[list[Any], dict[int, Any], float]:
        """Outputs and the seconds of the run; intermediate tensors are not read."""
        given = self.module.make_input_tensors(self.inputs, inputs)
        taken = self.module.make_output_tensors(self.outputs)
        start = time.perf_counter()
        self.runtime.EnqueueWorkload(self.network, given, taken)
        seconds = time.perf_counter() - start
        values = self.module.workload_tensors_to_ndarray(taken)
        return [np.array(value) for value in values], {}, seconds
