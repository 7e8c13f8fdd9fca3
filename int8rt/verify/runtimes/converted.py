"""Adapters for runtimes that convert a model first: TOSA, IREE, OpenVINO, ONNX Runtime, Arm NN."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from int8rt.model import Model
from int8rt.schema import write_model
from int8rt.verify.runtimes.base import Fault
from int8rt.verify.runtimes.interpreters import ChildRuntime

# How to get what a name stands for.
PACKAGES = {
    "tosa": "python3.11 -m venv V, V/bin/pip install tosa-tools tosa-converter-for-tflite, then --python V/bin/python",
    "iree": "python3 -m venv V, V/bin/pip install iree-base-compiler iree-base-runtime tosa-converter-for-tflite, "
    "then --python V/bin/python",
    "openvino": "python3 -m venv V, V/bin/pip install openvino, then --python V/bin/python",
    "onnxruntime": "python3.11 -m venv V, V/bin/pip install onnxruntime tf2onnx tensorflow-cpu==2.18.1, "
    "then --python V/bin/python",
    "armnn": "on Debian 12, apt install python3-pyarmnn libarmnn-cpuref-backend22 libarmnntfliteparser22, "
    "then --python /usr/bin/python3",
}


class ConvertedRuntime(ChildRuntime):
    """A key of `PACKAGES` in a worker process. settings: "precision" of OpenVINO, "f32" or "bf16".

    Converters get the model with static shapes and plain names ("t0", "t1", ...), since some find neither their way
    through dynamic shapes nor through names that stand twice. No intermediate tensors are shown: operators are cut out.
    """

    intermediates = False

    def __init__(
        self,
        package: str,
        settings: Mapping[str, Any] | None = None,
        *,
        python: str | None = None,
        timeout: float = 120.0,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="int8rt-")
        own = {"package": package, "folder": self._folder.name}
        super().__init__(own | dict(settings or {}), PACKAGES[package], python, timeout)

    def prepare(self, model: Model, content: bytes) -> None:
        """Convert the model. Raises `Fault` for one with several subgraphs, which no converter here takes."""
        if len(model.subgraphs) > 1:
            raise Fault("refused", "a model with several subgraphs is not converted")
        plain = plain_model(model)
        super().prepare(plain, write_model(plain))

    def close(self) -> None:
        """End the process and remove the files."""
        super().close()
        self._folder.cleanup()

    def _request(self, model: Model) -> dict[str, Any]:
        tensors = model.subgraphs[0].tensors

        def described(indices: tuple[int, ...]) -> list[dict[str, Any]]:
            return [
                {"name": tensors[i].name, "shape": tensors[i].shape, "dtype": tensors[i].type.dtype.str}
                for i in indices
            ]

        graph = model.subgraphs[0]
        return super()._request(model) | {"inputs": described(graph.inputs), "outputs": described(graph.outputs)}


def plain_model(model: Model) -> Model:
    """The same model with static shapes, plain names and no signatures."""
    graph = model.subgraphs[0]
    tensors = tuple(replace(t, name=f"t{i}", shape_signature=None) for i, t in enumerate(graph.tensors))
    return replace(model, subgraphs=(replace(graph, tensors=tensors),), signatures=())
