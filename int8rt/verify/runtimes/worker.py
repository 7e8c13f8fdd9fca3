"""The child process of a runtime: `python worker.py`, by any Python with NumPy, so nothing of int8rt is imported here.

A message is a JSON header, 8 bytes with its length before it, and behind it the arrays that its "arrays" describe.
Requests have an "action": "prepare" makes an engine for the model, "run" runs it. See `child` for the other end.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    del sys.path[0]  # the folder of this file, whose modules are not meant

import importlib
import importlib.metadata
import importlib.util
import json
import os
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

INTERPRETERS = {
    "litert": ("ai_edge_litert.interpreter", "ai-edge-litert"),
    "tflite_runtime": ("tflite_runtime.interpreter", "tflite-runtime"),
    "tensorflow": ("tensorflow.lite.python.interpreter", "tensorflow", "tensorflow-cpu"),
}
RESOLVERS = {"ref": "BUILTIN_REF", "opt": "BUILTIN_WITHOUT_DEFAULT_DELEGATES", "xnnpack": "BUILTIN", "default": "AUTO"}


def receive(stream: Any) -> tuple[dict[str, Any], list[Any]] | None:
    """The next message; None at the end of the stream."""
    size = stream.read(8)
    if len(size) < 8:
        return None
    header = json.loads(stream.read(int.from_bytes(size, "little")))
    arrays = []
    for form in header["arrays"]:
        data = stream.read(form["bytes"])
        if form["dtype"] == "strings":
            texts = [bytes.fromhex(text) for text in json.loads(data)]
            array = np.empty(len(texts), object)
            array[:] = texts
        else:
            array = np.frombuffer(bytearray(data), np.dtype(form["dtype"]))
        arrays.append(array.reshape(form["shape"]))
    return header, arrays


def send(stream: Any, header: dict[str, Any], arrays: Any = ()) -> None:
    """Write one message."""
    forms: list[dict[str, Any]] = []
    parts: list[Any] = []  # all made before anything is written, since values may be what can't be sent
    for value in arrays:
        array = np.ascontiguousarray(value).reshape(np.shape(value))
        if array.dtype.kind in "OS":
            part: Any = json.dumps([bytes(text).hex() for text in array.ravel().tolist()]).encode()
            name = "strings"
        else:
            part = array.reshape(-1).view(np.uint8).data if array.size else b""
            name = array.dtype.str
        forms.append({"dtype": name, "shape": list(array.shape), "bytes": len(part)})
        parts.append(part)
    encoded = json.dumps(dict(header, arrays=forms)).encode()
    stream.write(len(encoded).to_bytes(8, "little") + encoded)
    for part in parts:
        stream.write(part)
    stream.flush()


class DelegateError(Exception):
    """The delegate can't be loaded, or refuses its options."""


def version(*distributions: str) -> str:
    """Name and version of the first of these that is installed."""
    for name in distributions:
        try:
            return f"{name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            continue
    return distributions[0]


def overwritten(spans: dict[int, tuple[int, int]]) -> list[int]:
    """Keys of the (address, bytes) of which a later one takes a part."""
    lost = []
    later: list[tuple[int, int]] = []
    for index, (start, size) in reversed(list(spans.items())):
        if any(start < other + more and other < start + size for other, more in later):
            lost.append(index)
        later.append((start, size))
    return lost


class Interpreters:
    """LiteRT, or an older TensorFlow Lite: one interpreter for the outputs, another that keeps every tensor."""

    def __init__(self, request: dict[str, Any], content: bytes) -> None:
        module, *distributions = INTERPRETERS[request["package"]]
        self.module = importlib.import_module(module)
        self.description = version(*distributions)
        self.request, self.content = request, content
        self.interpreters: dict[bool, Any] = {}
        self.interpreter(False)

    def interpreter(self, keep: bool) -> Any:
        """The interpreter that keeps all tensors, or the other; made when first asked for."""
        if keep not in self.interpreters:
            delegates = []
            if self.request["delegate"]:
                delegates = [self.delegate()]
            self.interpreters[keep] = self.module.Interpreter(
                model_content=self.content,
                num_threads=self.request["threads"],
                experimental_delegates=delegates or None,
                experimental_op_resolver_type=self.module.OpResolverType[RESOLVERS[self.request["resolver"]]],
                experimental_preserve_all_tensors=keep,
            )
            self.interpreters[keep].allocate_tensors()
        return self.interpreters[keep]

    def delegate(self) -> Any:
        """The delegate, loaded; interpreters can't share one."""
        if self.request["delegate"] == "int8rt":  # the one that is no library: the int8rt that has this file
            sys.path.append(str(Path(__file__).resolve().parents[3]))
            from int8rt.errors import InputError
            from int8rt.verify.delegate.options import delegate_from_options

            try:
                return delegate_from_options(self.content, self.request["delegate_options"])
            except InputError as error:
                raise DelegateError(str(error)) from error
        try:
            return self.module.load_delegate(self.request["delegate"], self.request["delegate_options"])
        except (OSError, ValueError, AttributeError) as error:
            raise DelegateError(f"the delegate can't be loaded: {error}") from error

    def run(self, inputs: list[Any], read: list[int]) -> tuple[list[Any], dict[int, Any], float]:
        """Outputs, the tensors to be read, and the seconds of the run."""
        interpreter = self.interpreter(bool(read))
        details = interpreter.get_input_details()
        if len(details) != len(inputs):
            raise ValueError(f"the model has {len(details)} inputs, {len(inputs)} were given")
        resized = [(d["index"], v.shape) for d, v in zip(details, inputs) if tuple(d["shape"]) != v.shape]  # noqa: B905
        for index, shape in resized:
            interpreter.resize_tensor_input(index, shape)
        if resized:
            interpreter.allocate_tensors()
        interpreter.reset_all_variables()
        for detail, value in zip(details, inputs):  # noqa: B905 - Python 3.9 has no `strict`
            interpreter.set_tensor(detail["index"], value)
        start = time.perf_counter()
        interpreter.invoke()
        seconds = time.perf_counter() - start
        outputs = [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]
        tensors, spans = {}, {}
        for index in read:
            try:
                tensors[index] = interpreter.get_tensor(index)
            except ValueError:  # a tensor without memory, such as one inside of a delegate
                continue
            try:
                view = interpreter.tensor(index)()
                spans[index] = (view.__array_interface__["data"][0], view.nbytes)
                del view  # the interpreter does not run while there is one
            except (ValueError, AttributeError):  # strings, for example
                continue
        for index in overwritten(spans):  # TensorFlow Lite 2.14 computes in place, even if it is to keep all tensors
            del tensors[index]
        return outputs, tensors, seconds


class Compiled:
    """LiteRT's CompiledModel, with the kernels that it chooses; the model's first signature, in the model's shapes."""

    def __init__(self, request: dict[str, Any], content: bytes) -> None:
        module = importlib.import_module("ai_edge_litert.compiled_model")
        self.description = f"CompiledModel of {version('ai-edge-litert')}"
        self.model = module.CompiledModel.from_buffer(content)
        key = next(iter(self.model.get_signature_list()))
        self.inputs = list(self.model.get_input_tensor_details(key).values())
        self.outputs = list(self.model.get_output_tensor_details(key).values())
        self.input_indices, self.output_indices = request["input_indices"], request["output_indices"]
        if {d["index"] for d in self.inputs} != set(self.input_indices) or not self.output_indices:
            raise ValueError(f"the signature {key!r} has other inputs than the first subgraph")

    def run(self, inputs: list[Any], read: list[int]) -> tuple[list[Any], dict[int, Any], float]:
        """Outputs and the seconds of the run; intermediate tensors can't be read."""
        given, taken = self.model.create_input_buffers(0), self.model.create_output_buffers(0)
        for detail, buffer in zip(self.inputs, given):  # noqa: B905
            value = inputs[self.input_indices.index(detail["index"])]
            if list(value.shape) != list(detail["shape"]):
                raise ValueError(f"a CompiledModel is compared in its own shapes only, found {list(value.shape)}")
            buffer.write(np.ascontiguousarray(value).reshape(-1))
        start = time.perf_counter()
        self.model.run_by_index(0, given, taken)
        seconds = time.perf_counter() - start
        values = {}
        for detail, buffer in zip(self.outputs, taken):  # noqa: B905
            flat = buffer.read(int(np.prod(detail["shape"])), np.dtype(detail["dtype"]).type)
            values[detail["index"]] = np.array(flat).reshape(detail["shape"])
        return [values[index] for index in self.output_indices], {}, seconds


class Micro:
    """TensorFlow Lite Micro by its wheel `tflite-micro`."""

    def __init__(self, request: dict[str, Any], content: bytes) -> None:
        self.module = importlib.import_module("tflite_micro").runtime
        self.description = version("tflite-micro")
        self.outputs, self.content = request["outputs"], content
        self.arena, self.largest_arena = request["arena"]
        self.make(False)

    def make(self, keep: bool) -> Any:
        """A fresh interpreter: its variables are new. Where its memory does not suffice, it gets more."""
        configuration = self.module.InterpreterConfig
        kind = configuration.kPreserveAllTensors if keep else configuration.kAllocationRecording
        while True:
            try:
                return self.module.Interpreter.from_bytes(self.content, arena_size=self.arena, intrepreter_config=kind)
            except RuntimeError:
                if self.arena >= self.largest_arena:
                    raise
                self.arena = min(8 * self.arena, self.largest_arena)

    def run(self, inputs: list[Any], read: list[int]) -> tuple[list[Any], dict[int, Any], float]:
        """Outputs, the tensors to be read, and the seconds of the run."""
        interpreter = self.make(bool(read))
        for position, value in enumerate(inputs):
            interpreter.set_input(value, position)
        start = time.perf_counter()
        interpreter.invoke()
        seconds = time.perf_counter() - start
        outputs = [interpreter.get_output(position) for position in range(self.outputs)]
        return outputs, {index: interpreter.GetTensor(index, 0)["tensor_data"] for index in read}, seconds


class Function:
    """A Python function (model: bytes, inputs: dict of name to array) -> arrays, in order or by the tensors' names."""

    def __init__(self, request: dict[str, Any], content: bytes) -> None:
        sys.path.insert(0, os.getcwd())
        module, _, name = request["function"].partition(":")
        self.function: Any = getattr(importlib.import_module(module), name, None)
        if not callable(self.function):
            raise ImportError(f"module {module!r} has no function {name!r}")
        self.description = f"python {request['function']}"
        self.names, self.content = request["inputs"], content

    def run(self, inputs: list[Any], read: list[int]) -> tuple[list[Any], dict[str, Any], float]:
        """What the function returns: values in order, or values by name."""
        start = time.perf_counter()
        answer = self.function(self.content, dict(zip(self.names, inputs)))  # noqa: B905
        seconds = time.perf_counter() - start
        if isinstance(answer, dict):
            return [], {str(key): np.asarray(value) for key, value in answer.items()}, seconds
        values = answer if isinstance(answer, (list, tuple)) else [answer]
        return [np.asarray(value) for value in values if value is not None], {}, seconds


ENGINES = {"compiled": Compiled, "tflm": Micro, "python": Function}

FOLDER = os.path.dirname(os.path.abspath(__file__))

# Those with a file of their own in the folder `engines`: (file, class).
ENGINE_FILES = {
    "tosa": ("tosa", "Tosa"),
    "iree": ("tosa", "Iree"),
    "openvino": ("openvino", "OpenVino"),
    "onnxruntime": ("onnxruntime", "OnnxRuntime"),
    "armnn": ("armnn", "ArmNN"),
}


def engine_class(package: str) -> Any:
    """The class of the engine for a package."""
    if package not in ENGINE_FILES:
        return ENGINES.get(package, Interpreters)
    file, name = ENGINE_FILES[package]
    path = os.path.join(FOLDER, "engines", f"{file}.py")
    specification: Any = importlib.util.spec_from_file_location(f"engine_of_{package}", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return getattr(module, name)


def serve(request: dict[str, Any], arrays: list[Any], engine: Any) -> tuple[dict[str, Any], list[Any], Any]:
    """The reply (header and arrays) to one request, and the engine."""
    if request["action"] == "prepare":
        if "folder" in request:
            os.chdir(request["folder"])
        engine = engine_class(request["package"])(request, arrays[0].tobytes())
        return {"description": engine.description}, [], engine
    outputs, tensors, seconds = engine.run(arrays, request["read"])
    return (
        {"outputs": len(outputs), "tensors": list(tensors), "seconds": seconds},
        [*outputs, *tensors.values()],
        engine,
    )


def main() -> None:
    """Serve requests until stdin ends."""
    # A runtime may print to file descriptor 1; the replies keep a private copy of it.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    engine = None
    while True:
        message = receive(sys.stdin.buffer)
        if message is None:
            return
        try:
            header, arrays, engine = serve(*message, engine)
            send(replies, header, arrays)
        except Exception as error:
            if isinstance(error, DelegateError):
                header = {"unusable": str(error)}
            elif getattr(error, "crashed", False):  # a program that the engine started
                header = {"crashed": str(error)}
            else:
                missing = isinstance(error, ImportError) and message[0]["action"] == "prepare"
                header = {"missing" if missing else "refused": f"{type(error).__name__}: {error}"}
            send(replies, header)


if __name__ == "__main__":
    main()
