"""Adapters in a worker process: LiteRT, its older releases and TensorFlow Lite, TensorFlow Lite Micro, functions."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from int8rt.errors import InputError
from int8rt.model import Model
from int8rt.verify.runtimes.base import Answer, Array, Capabilities, Fault, UnavailableError
from int8rt.verify.runtimes.child import Child
from int8rt.verify.runtimes.names import named_answer, tensor_keys
from int8rt.verify.runtimes.patience import Patience

# How to get what a package name stands for.
PACKAGES = {
    "litert": "pip install 'int8rt[litert]'",
    "tflite_runtime": "python3.11 -m venv V, V/bin/pip install tflite-runtime 'numpy<2', then --python V/bin/python",
    "tensorflow": "python3 -m venv V, V/bin/pip install tensorflow, then --python V/bin/python",
    "tflm": "python3 -m venv V, V/bin/pip install tflite-micro, then --python V/bin/python",
}

# Memory for TensorFlow Lite Micro's tensors: at first, and at most.
_ARENA, _LARGEST_ARENA = 8 << 20, 2000 << 20


class ChildRuntime:
    """A runtime in a worker process. python: which interpreter runs it. timeout: seconds for one answer.

    settings: what the worker's engine takes. how_to_get: what a missing one is answered with.
    """

    intermediates = True
    reading_matters = False

    def __init__(
        self, settings: Mapping[str, Any], how_to_get: str, python: str | None = None, timeout: float = 120.0
    ) -> None:
        self._settings = dict(settings)
        self._how_to_get = how_to_get
        self._child = Child(python, timeout)
        self._patience = Patience()
        self._model: Model | None = None
        self._content = b""
        self.description = str(settings["package"])

    def capabilities(self) -> Capabilities:
        """What this runtime is; its version is known once a model has been prepared."""
        return Capabilities(self.description, self.intermediates, any_model=True, reading_matters=self.reading_matters)

    def prepare(self, model: Model, content: bytes) -> None:
        """Load the model in the process."""
        import numpy as np

        self._model, self._content = model, content
        try:
            with self._patience.asking(answer=False):
                reply, _ = self._child.ask(self._request(model), [np.frombuffer(content, np.uint8)])
        except UnavailableError as error:
            raise UnavailableError(f"{self.description} is not there ({error}): {self._how_to_get}") from None
        except Fault as fault:
            if fault.kind == "crashed" and "ModuleNotFoundError" in str(fault):
                raise UnavailableError(f"{self.description} cannot start ({fault}): {self._how_to_get}") from None
            raise
        self.description = self._describe(reply["description"])

    def run(self, inputs: Sequence[Array], read: Sequence[int] = ()) -> Answer:
        """Run the model; after a crash, in a new process."""
        assert self._model is not None
        if not self._child.running:
            self.prepare(self._model, self._content)
        with self._patience.asking(answer=True):
            reply, values = self._child.ask({"action": "run", "read": list(read)}, inputs)
        return self._answer(self._model, reply, values)

    def close(self) -> None:
        """End the process."""
        self._child.close()

    def _request(self, model: Model) -> dict[str, Any]:
        subgraph = model.subgraphs[0]
        own = {"inputs": tensor_keys(model, subgraph.inputs), "outputs": len(subgraph.outputs)}
        return {"action": "prepare"} | self._settings | own

    def _describe(self, version: str) -> str:
        return version

    def _answer(self, model: Model, reply: dict[str, Any], values: list[Array]) -> Answer:
        count = reply["outputs"]
        tensors = {int(index): value for index, value in zip(reply["tensors"], values[count:], strict=True)}
        return Answer(_in_place(model, values[:count]), tensors, reply["seconds"])


class InterpreterRuntime(ChildRuntime):
    """An interpreter of TensorFlow Lite's: LiteRT, tflite_runtime or TensorFlow.

    package: a key of `PACKAGES`. resolver: "ref", "opt", "xnnpack" or "default" (the interpreter's own choice).
    delegate: a shared library of an external delegate, or "int8rt" (see `int8rt.verify.delegate`), with its options.
    """

    reading_matters = True

    def __init__(
        self,
        package: str = "litert",
        resolver: str = "ref",
        *,
        delegate: str | os.PathLike[str] | None = None,
        delegate_options: Mapping[str, str] | None = None,
        threads: int = 1,
        python: str | None = None,
        timeout: float = 120.0,
    ) -> None:
        self._resolver = resolver
        own = delegate is None or delegate == "int8rt"
        self._delegate = delegate if own else os.path.abspath(str(delegate))
        if not own and not os.path.exists(str(self._delegate)):
            raise InputError(f"there is no delegate {self._delegate}")
        settings = {
            "package": package,
            "resolver": resolver,
            "delegate": self._delegate,
            "delegate_options": dict(delegate_options or {}),
            "threads": threads,
        }
        super().__init__(settings, PACKAGES[package], python, timeout)
        self.description = f"{package}:{resolver}"

    def _describe(self, version: str) -> str:
        kernels = {"ref": "BUILTIN_REF", "opt": "BUILTIN_WITHOUT_DEFAULT_DELEGATES", "xnnpack": "XNNPACK"}
        own = f"{kernels.get(self._resolver, 'default kernels')} of {version}"
        return own if self._delegate is None else f"delegate {os.path.basename(str(self._delegate))} over {own}"


class CompiledRuntime(ChildRuntime):
    """LiteRT's CompiledModel, as it runs a model by default. It shows no intermediate tensors."""

    intermediates = False

    def __init__(self, *, python: str | None = None, timeout: float = 120.0) -> None:
        super().__init__({"package": "compiled"}, PACKAGES["litert"], python, timeout)
        self.description = "litert:compiled"

    def _request(self, model: Model) -> dict[str, Any]:
        subgraph = model.subgraphs[0]
        return super()._request(model) | {"input_indices": subgraph.inputs, "output_indices": subgraph.outputs}


class MicroRuntime(ChildRuntime):
    """TensorFlow Lite Micro's Python wheel. arena: bytes for tensors; by default as many as it takes."""

    reading_matters = True

    def __init__(self, *, arena: int | None = None, python: str | None = None, timeout: float = 120.0) -> None:
        super().__init__({"package": "tflm"}, PACKAGES["tflm"], python, timeout)
        self._arena = arena

    def _request(self, model: Model) -> dict[str, Any]:
        from int8rt.schema.sizes import memory_bytes

        # It says only that allocating failed, not why: so what fails is tried with more memory, up to a limit.
        tensors = sum(memory_bytes(tensor) for tensor in model.subgraphs[0].tensors)
        sizes = (_ARENA, max(_ARENA, min(4 * tensors + (64 << 20), _LARGEST_ARENA)))
        return super()._request(model) | {"arena": sizes if self._arena is None else (self._arena, self._arena)}


class FunctionRuntime(ChildRuntime):
    """A Python function "module:function", looked up from the current folder too.

    It is called with the model's bytes and a dict of name to array, and returns the outputs in order, or a dict by the
    names of tensors (intermediate ones too); see `names.find_tensor`.
    """

    def __init__(self, function: str, *, python: str | None = None, timeout: float = 120.0) -> None:
        settings = {"package": "python", "function": function}
        super().__init__(settings, "it is looked for in the current folder first", python, timeout)
        self.description = f"python {function}"

    def _answer(self, model: Model, reply: dict[str, Any], values: list[Array]) -> Answer:
        wanted = len(model.subgraphs[0].outputs)
        if reply["outputs"] > wanted:
            raise Fault("answer", f"it returned {reply['outputs']} arrays, the model has {wanted} outputs")
        if not reply["tensors"]:
            return Answer(_in_place(model, values), {}, reply["seconds"])
        return named_answer(model, dict(zip(reply["tensors"], values, strict=True)), reply["seconds"])


def _in_place(model: Model, outputs: Sequence[Array]) -> tuple[Array | None, ...]:
    wanted = len(model.subgraphs[0].outputs)
    return tuple([*outputs, *[None] * wanted][:wanted])
