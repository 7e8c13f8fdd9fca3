"""The TensorFlow Lite interpreter's Python interface, over int8rt.

A script written for `ai_edge_litert.interpreter.Interpreter` runs with only its import changed.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from int8rt.details import operator_details, tensor_details
from int8rt.errors import InputError, UnsupportedError
from int8rt.executor import Observer, SubgraphExecutor
from int8rt.model import Model, Tensor, TensorType
from int8rt.plan import MemoryLimits
from int8rt.quantization.profiles import get_profile
from int8rt.schema import load_model, read_model

__all__ = ["Interpreter", "OpResolverType", "SignatureRunner"]

Array = npt.NDArray[Any]
Backend = Literal["auto", "numpy"]


class OpResolverType(enum.Enum):
    """LiteRT's choice of kernels. int8rt's arithmetic is chosen by `profile`; these are here for scripts that pass one.

    AUTO and BUILTIN_REF mean the profile given. The others name arithmetics that int8rt has no profile for.
    """

    AUTO = 0
    BUILTIN = 1
    BUILTIN_REF = 2
    BUILTIN_WITHOUT_DEFAULT_DELEGATES = 3


class Interpreter:
    """Runs a .tflite model, bit for bit as the profile's runtime does.

    model_path, model_content: a file's path, or its bytes (or a `Model` read before); one of them.
    num_threads: at least 1; accepted for compatibility, the NumPy backend runs on one thread.
    experimental_preserve_all_tensors: keep every intermediate tensor readable with `get_tensor`.
    profile: the arithmetic, see `int8rt.quantization.profiles`. backend: "numpy" (the definition) or "auto".
    limits: what the model may allocate.

    Raises `ModelError` for a malformed file; `allocate_tensors` raises `UnsupportedError` that lists all operators
    which int8rt can't run. Both are int8rt errors and, as in LiteRT, a ValueError or a RuntimeError.
    """

    def __init__(
        self,
        model_path: str | os.PathLike[str] | None = None,
        model_content: bytes | bytearray | memoryview | Model | None = None,
        experimental_delegates: Sequence[Any] | None = None,
        num_threads: int | None = None,
        experimental_op_resolver_type: Any = OpResolverType.AUTO,
        experimental_preserve_all_tensors: bool = False,
        *,
        profile: str = "tflite-ref",
        backend: Backend = "auto",
        limits: MemoryLimits | None = None,
    ) -> None:
        if (model_path is None) == (model_content is None):
            given = "both were given" if model_path is not None else "none was given"
            raise InputError(f"one of model_path and model_content must be specified, {given}")
        if num_threads is not None and (not isinstance(num_threads, int) or num_threads < 1):
            raise InputError(f"num_threads must be an integer of at least 1, found {num_threads!r}")
        if experimental_delegates:
            raise UnsupportedError("int8rt runs no delegates")
        if getattr(experimental_op_resolver_type, "name", "") not in ("AUTO", "BUILTIN_REF"):
            raise UnsupportedError(f"{experimental_op_resolver_type} is not available; choose the arithmetic by profile")
        if backend not in ("auto", "numpy"):
            raise InputError(f"unknown backend {backend!r}; known: 'auto', 'numpy'")
        if isinstance(model_content, Model):
            self._model = model_content
        elif model_content is not None:
            self._model = read_model(model_content)
        else:
            assert model_path is not None
            self._model = load_model(model_path)
        self._profile = get_profile(profile)
        self._limits = limits or MemoryLimits()
        self._preserve = experimental_preserve_all_tensors
        self._executors: dict[int, SubgraphExecutor] = {}

    @property
    def model(self) -> Model:
        """What the file says."""
        return self._model

    def num_subgraphs(self) -> int:
        """Number of subgraphs in the model."""
        return len(self._model.subgraphs)

    def allocate_tensors(self) -> None:
        """Prepare every operator for the inputs' current shapes."""
        self._executor(0).allocate()

    def invoke(self, observer: Observer | None = None) -> None:
        """Run the model.

        observer: called with (operator index, tensor index, value) for every tensor that an operator writes, in the
        order in which they are written. The value is the array itself: copy what is to be kept.
        """
        self._executor(0).invoke(observer)

    def resize_tensor_input(self, input_index: int, tensor_size: npt.ArrayLike, strict: bool = False) -> None:
        """Give input tensor `input_index` another shape, before `allocate_tensors`.

        strict: allow it only where the model's shape_signature has -1.
        """
        self._resize(0, input_index, tensor_size, strict)

    def set_tensor(self, tensor_index: int, value: npt.ArrayLike) -> None:
        """Copy `value` into an input or variable tensor; its type and shape must be the tensor's own."""
        self._set(0, tensor_index, value)

    def get_tensor(self, tensor_index: int, subgraph_index: int = 0) -> Array:
        """A copy of a tensor's value."""
        self._tensor(subgraph_index, tensor_index)
        return np.array(self._executor(subgraph_index).get(tensor_index), order="C")

    def tensor(self, tensor_index: int) -> Callable[[], Array]:
        """A function that returns the tensor's own array, without a copy; writing to an input's array sets it."""
        self._tensor(0, tensor_index)
        executor = self._executor(0)
        return lambda: executor.get(tensor_index)

    def get_input_details(self) -> list[dict[str, Any]]:
        """Name, index, shape, dtype and quantization of each input, as LiteRT's dictionaries."""
        return [self._details(0, index) for index in self._subgraph(0).inputs]

    def get_output_details(self) -> list[dict[str, Any]]:
        """Name, index, shape, dtype and quantization of each output, as LiteRT's dictionaries."""
        return [self._details(0, index) for index in self._subgraph(0).outputs]

    def get_tensor_details(self, subgraph_index: int = 0) -> list[dict[str, Any]]:
        """The same for every tensor of a subgraph."""
        if not 0 <= subgraph_index < self.num_subgraphs():
            raise InputError(f"subgraph_index {subgraph_index} is not in [0, {self.num_subgraphs()})")
        return [self._details(subgraph_index, index) for index in range(len(self._subgraph(subgraph_index).tensors))]

    def reset_all_variables(self) -> None:
        """Set all variable tensors back to their start: zero, or the zero point."""
        for executor in self._executors.values():
            executor.reset_variables()

    def get_signature_list(self) -> dict[str, dict[str, list[str]]]:
        """Signature key to the names of its inputs and outputs."""
        return {
            signature.key: {"inputs": sorted(signature.inputs), "outputs": sorted(signature.outputs)}
            for signature in self._model.signatures
        }

    def get_signature_runner(self, signature_key: str | None = None) -> SignatureRunner:
        """A callable for one signature; the key may be left out where the model has a single signature."""
        signatures = {signature.key: signature for signature in self._model.signatures}
        if signature_key is None:
            if len(signatures) != 1:
                raise InputError(f"signature_key is needed: the model has {len(signatures)} signatures")
            signature_key = next(iter(signatures))
        if signature_key not in signatures:
            raise InputError(f"no signature {signature_key!r}; the model has {sorted(signatures)}")
        return SignatureRunner(self, signature_key)

    def _get_ops_details(self) -> list[dict[str, Any]]:
        return [operator_details(operator, index) for index, operator in enumerate(self._subgraph(0).operators)]

    def _subgraph(self, index: int) -> Any:
        return self._model.subgraphs[index]

    def _executor(self, subgraph_index: int) -> SubgraphExecutor:
        if subgraph_index not in self._executors:
            self._executors[subgraph_index] = SubgraphExecutor(
                self._model, subgraph_index, self._profile, self._limits, self._preserve
            )
        return self._executors[subgraph_index]

    def _details(self, subgraph_index: int, index: int) -> dict[str, Any]:
        return tensor_details(
            self._tensor(subgraph_index, index), index, self._executor(subgraph_index).shape(index)
        )

    def _tensor(self, subgraph_index: int, index: int) -> Tensor:
        tensors = self._model.subgraphs[subgraph_index].tensors
        if not 0 <= index < len(tensors):
            raise InputError(f"tensor index {index} is not in [0, {len(tensors)})")
        return tensors[index]

    def _resize(self, subgraph_index: int, index: int, size: npt.ArrayLike, strict: bool) -> None:
        tensor = self._tensor(subgraph_index, index)
        if index not in self._subgraph(subgraph_index).inputs:
            raise InputError(f"tensor {index} {tensor.name!r} is no input of the model")
        shape = tuple(int(dimension) for dimension in np.asarray(size).ravel())
        if any(dimension < 0 for dimension in shape):
            raise InputError(f"input {tensor.name!r}: the shape {list(shape)} has a negative dimension")
        signature = tensor.shape_signature or tensor.shape
        if strict and not (
            len(shape) == len(signature) and all(s in (-1, d) for s, d in zip(signature, shape, strict=True))
        ):
            raise InputError(
                f"input {tensor.name!r} has the shape signature {list(signature)}; strict resizing changes only "
                f"dimensions that are -1, found {list(shape)}"
            )
        self._executor(subgraph_index).resize(index, shape)

    def _set(self, subgraph_index: int, index: int, value: npt.ArrayLike) -> None:
        tensor = self._tensor(subgraph_index, index)
        executor = self._executor(subgraph_index)
        if executor.plan is None:
            raise InputError("the tensors are not allocated: call allocate_tensors() first")
        if index not in self._subgraph(subgraph_index).inputs and not tensor.is_variable:
            raise InputError(f"tensor {index} {tensor.name!r} is no input or variable, it cannot be set")
        array = np.asarray(value)
        if tensor.type == TensorType.STRING:
            array = array.astype(object)
        if array.dtype != tensor.type.dtype:
            raise InputError(
                f"cannot set tensor: got a value of type {array.dtype} but expected {tensor.type.label} "
                f"for tensor {index}, name: {tensor.name}"
            )
        if array.shape != executor.shape(index):
            raise InputError(
                f"cannot set tensor: got a value of shape {list(array.shape)} but expected "
                f"{list(executor.shape(index))} for tensor {index}, name: {tensor.name}"
            )
        executor.set(index, array)


class SignatureRunner:
    """Runs one signature of a model: `runner(name=array, ...)` returns a dictionary of output arrays.

    Inputs are resized to the arrays given. Made by `Interpreter.get_signature_runner`.
    """

    def __init__(self, interpreter: Interpreter, signature_key: str) -> None:
        self._interpreter = interpreter
        self._signature = next(s for s in interpreter.model.signatures if s.key == signature_key)

    def __call__(self, **inputs: npt.ArrayLike) -> dict[str, Array]:
        """Run with these inputs; `InputError` where a name is missing or unknown."""
        signature, interpreter = self._signature, self._interpreter
        if set(inputs) != set(signature.inputs):
            raise InputError(
                f"signature {signature.key!r} takes the inputs {sorted(signature.inputs)}, found {sorted(inputs)}"
            )
        executor = interpreter._executor(signature.subgraph)
        for name, value in inputs.items():
            interpreter._resize(signature.subgraph, signature.inputs[name], np.shape(value), False)
        executor.allocate()
        for name, value in inputs.items():
            interpreter._set(signature.subgraph, signature.inputs[name], value)
        executor.invoke()
        return {name: np.array(executor.get(index), order="C") for name, index in signature.outputs.items()}

    def get_input_details(self) -> dict[str, dict[str, Any]]:
        """Input name to its dictionary of details."""
        return self._details(self._signature.inputs)

    def get_output_details(self) -> dict[str, dict[str, Any]]:
        """Output name to its dictionary of details."""
        return self._details(self._signature.outputs)

    def _details(self, names: Any) -> dict[str, dict[str, Any]]:
        return {name: self._interpreter._details(self._signature.subgraph, index) for name, index in names.items()}
