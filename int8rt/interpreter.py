"""The TensorFlow Lite interpreter's Python interface, over int8rt.

A script written for `ai_edge_litert.interpreter.Interpreter` runs with only its import changed. Where LiteRT's tests
look for the words of a message, the words are the same.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from int8rt.details import operator_details, tensor_details
from int8rt.errors import InputError, StateError, UnsupportedError
from int8rt.executor import Observer, SubgraphExecutor
from int8rt.loans import Loans
from int8rt.memory import MemoryLimits
from int8rt.model import Model, Subgraph, TensorType
from int8rt.opening import OpResolverType, check_resolver, load_delegate, open_model
from int8rt.quantization.profiles import get_profile
from int8rt.schema import check_loadable
from int8rt.signature_runner import SignatureRunner
from int8rt.tensor_values import checked_value

__all__ = ["Interpreter", "OpResolverType", "SignatureRunner", "load_delegate"]

Array = npt.NDArray[Any]
Backend = Literal["auto", "numpy", "jit"]


class Interpreter:
    """Runs a .tflite model, bit for bit as the profile's runtime does.

    model_path, model_content: a file's path, or its bytes (or a `Model` read before); one of them.
    num_threads: at least 1, the default; the results do not depend on it. No more are used than there are processors,
    and the NumPy backend runs on one.
    experimental_preserve_all_tensors: keep every intermediate tensor readable with `get_tensor`. The other experimental
    switches are about delegates, which int8rt has not: they are accepted and have no effect.
    profile: the arithmetic, see `int8rt.quantization.profiles`. backend: "numpy" is the definition, "jit" runs compiled
    kernels with the same results, and NumPy for the operators that have none; "auto" is "jit".
    limits: what the model may allocate.

    Raises `ModelError` for a malformed file; `allocate_tensors` raises `UnsupportedError` that lists all operators
    which int8rt can't run. Every error is an `Int8rtError`, and also of the type that LiteRT raises for it (ValueError
    or RuntimeError).
    """

    def __init__(
        self,
        model_path: str | os.PathLike[str] | None = None,
        model_content: bytes | bytearray | memoryview | Model | None = None,
        experimental_delegates: Sequence[Any] | None = None,
        num_threads: int | None = None,
        experimental_op_resolver_type: Any = OpResolverType.AUTO,
        experimental_preserve_all_tensors: bool = False,
        experimental_disable_delegate_clustering: bool = False,
        experimental_default_delegate_latest_features: bool = False,
        experimental_compress_quantization_zero_points: bool = False,
        experimental_disable_delegate_node_fusion: bool = False,
        experimental_force_delegate_node_profiling: bool = False,
        *,
        profile: str = "tflite-ref",
        backend: Backend = "auto",
        limits: MemoryLimits | None = None,
    ) -> None:
        check_resolver(experimental_op_resolver_type, profile)
        if num_threads is not None and not isinstance(num_threads, int):
            raise InputError(f"type of num_threads should be int, found {num_threads!r}")
        if num_threads is not None and num_threads < 1:
            raise InputError(f"num_threads should >= 1, found {num_threads}")
        if experimental_delegates:
            raise UnsupportedError("int8rt runs no delegates")
        if backend not in ("auto", "numpy", "jit"):
            raise InputError(f"unknown backend {backend!r}; known: 'auto', 'numpy', 'jit'")
        self._model = open_model(model_path, model_content)
        check_loadable(self._model)
        self._profile = get_profile(profile)
        self._limits = limits or MemoryLimits()
        self._preserve = experimental_preserve_all_tensors
        self._backend = backend
        self._threads = num_threads or 1
        self._first: SubgraphExecutor | None = None
        self._loans = Loans()

    @property
    def model(self) -> Model:
        """What the file says."""
        return self._model

    def num_subgraphs(self) -> int:
        """Number of subgraphs in the model."""
        return len(self._model.subgraphs)

    def allocate_tensors(self) -> None:
        """Prepare every operator for the inputs' current shapes.

        Raises `UnsupportedError` for what can't run, `ModelError` where the file contradicts itself or asks for more
        memory than the limits, `StateError` while an array of `tensor` is held.
        """
        self._loans.ensure_none()
        self._executor(0).allocate()

    def invoke(self, observer: Observer | None = None) -> None:
        """Run the model.

        observer: called with (operator index, tensor index, value) for every tensor that an operator writes, in the
        order in which they are written. The value is the array itself: copy what is to be kept.
        Raises `StateError` before `allocate_tensors` and while an array of `tensor` is held, `EvaluationError` for
        values outside of an operator's domain.
        """
        self._loans.ensure_none()
        (self._first or self._executor(0)).invoke(observer)

    def resize_tensor_input(self, input_index: int, tensor_size: npt.ArrayLike, strict: bool = False) -> None:
        """Give input tensor `input_index` another shape; `allocate_tensors` must follow.

        tensor_size: one integer for each dimension. strict: allow it only where the model's shape_signature has -1.
        Raises `InputError` for what is no vector of int32, `StateError` for other tensors and sizes that do not fit.
        """
        self._loans.ensure_none()
        self._resize(0, input_index, tensor_size, strict)

    def set_tensor(self, tensor_index: int, value: npt.ArrayLike) -> None:
        """Copy `value` into a tensor that is no constant; its type and shape must be the tensor's own.

        Quantized tensors take codes, not real numbers. Raises `InputError` for another type, shape or index, and before
        `allocate_tensors`.
        """
        self._set(0, tensor_index, value)

    def get_tensor(self, tensor_index: int, subgraph_index: int = 0) -> Array:
        """A copy of a tensor's value, of quantized ones the codes; a NumPy scalar where the tensor has no dimensions.

        Raises `InputError` for a wrong index, before `allocate_tensors`, and for an intermediate tensor not kept.
        """
        value = np.array(self._get(subgraph_index, tensor_index), order="C")
        return value if value.dtype == object else value[()]

    def tensor(self, tensor_index: int) -> Callable[[], Array]:
        """A function that returns the tensor's own array, without a copy; writing to an input's array sets it.

        No array may be held during `invoke`, `allocate_tensors` and `resize_tensor_input`: they raise `StateError`.
        """
        return lambda: self._loans.lend(self._get(0, tensor_index))

    def get_input_details(self) -> list[dict[str, Any]]:
        """Name, index, shape, dtype and quantization of each input, as LiteRT's dictionaries."""
        return [self._get_tensor_details(index, 0) for index in self._subgraph(0).inputs]

    def get_output_details(self) -> list[dict[str, Any]]:
        """Name, index, shape, dtype and quantization of each output, as LiteRT's dictionaries."""
        return [self._get_tensor_details(index, 0) for index in self._subgraph(0).outputs]

    def get_tensor_details(self, subgraph_index: int = 0) -> list[dict[str, Any]]:
        """The same for every tensor of a subgraph."""
        tensors = self._subgraph(subgraph_index).tensors
        return [self._get_tensor_details(index, subgraph_index) for index in range(len(tensors))]

    def reset_all_variables(self) -> None:
        """Set all variable tensors back to their start: zero, or the zero point.

        What ASSIGN_VARIABLE has stored outside of tensors stays, as in LiteRT.
        """
        if self._first is not None:
            for executor in self._first.subgraphs.executors():
                executor.reset_variables()

    def get_signature_list(self) -> dict[str, dict[str, list[str]]]:
        """Signature key to the names of its inputs and outputs, each sorted."""
        full = self._get_full_signature_list()
        return {key: {role: list(names) for role, names in signature.items()} for key, signature in full.items()}

    def get_signature_runner(self, signature_key: str | None = None) -> SignatureRunner:
        """A callable for one signature; the key may be left out where the model has a single signature.

        Raises `InputError` where there is none of that key, or the key is needed.
        """
        if signature_key is None:
            if len(self._model.signatures) != 1:
                raise InputError(f"signature_key is needed: the model has {len(self._model.signatures)} signatures")
            signature_key = self._model.signatures[0].key
        return SignatureRunner(self, signature_key)

    def _get_full_signature_list(self) -> dict[str, dict[str, dict[str, int]]]:
        return {
            signature.key: {
                "inputs": dict(sorted(signature.inputs.items())),
                "outputs": dict(sorted(signature.outputs.items())),
            }
            for signature in self._model.signatures
        }

    def _get_tensor_details(self, tensor_index: int, subgraph_index: int = 0) -> dict[str, Any]:
        index = self._check_index(subgraph_index, tensor_index)
        return tensor_details(self._model, subgraph_index, index, self._executor(subgraph_index).shape(index))

    def _get_op_details(self, op_index: int) -> dict[str, Any]:
        if not 0 <= op_index < len(self._subgraph(0).operators):
            raise InputError(
                f"Invalid node index {op_index}, the model has {len(self._subgraph(0).operators)} operators"
            )
        return operator_details(self._subgraph(0), op_index)

    def _get_ops_details(self) -> list[dict[str, Any]]:
        return [operator_details(self._subgraph(0), index) for index in range(len(self._subgraph(0).operators))]

    def _safe_to_run(self) -> bool:
        return not self._loans.held

    def _subgraph(self, index: int) -> Subgraph:
        if not 0 <= index < self.num_subgraphs():
            raise InputError(f"subgraph_index is out of range: {index}, the model has {self.num_subgraphs()} subgraphs")
        return self._model.subgraphs[index]

    def _executor(self, subgraph_index: int) -> SubgraphExecutor:
        if self._first is None:
            self._first = self._make_executor()
        return self._first.subgraphs.executor(subgraph_index)

    def _make_executor(self) -> SubgraphExecutor:
        """The first subgraph's; it makes those of the others."""
        arguments = self._model, 0, self._profile, self._limits, self._preserve
        if self._backend == "numpy":
            return SubgraphExecutor(*arguments)
        from int8rt.kernels.jit.executor import JitExecutor  # imports LLVM
        from int8rt.kernels.jit.pool import processors

        return JitExecutor(*arguments, threads=min(self._threads, processors()))

    def _check_index(self, subgraph_index: int, index: int) -> int:
        index, count = operator.index(index), len(self._subgraph(subgraph_index).tensors)
        if not 0 <= index < count:
            raise InputError(f"Invalid tensor index {index} exceeds max tensor index {count}")
        return index

    def _resize(self, subgraph_index: int, index: int, size: npt.ArrayLike, strict: bool) -> None:
        subgraph = self._subgraph(subgraph_index)
        try:
            sizes = np.array(size, np.int32)
        except (OverflowError, TypeError, ValueError):
            raise InputError(f"shape {size!r} is no vector of int32") from None
        if sizes.ndim != 1:
            raise InputError(f"shape should be 1D instead of {sizes.ndim}D")
        shape = tuple(sizes.tolist())
        if index not in subgraph.inputs:
            raise StateError(f"cannot resize tensor {index}: it is no input of the model")
        tensor = subgraph.tensors[index]
        signature = tensor.shape_signature or self._executor(subgraph_index).shape(index)
        fits = len(shape) == len(signature) and all(s in (-1, d) for s, d in zip(signature, shape, strict=True))
        if min(shape, default=0) < 0 or (strict and not fits):
            only = (
                f", of which only dimensions that are -1 change with strict=True: {list(signature)}" if strict else ""
            )
            raise StateError(f"cannot resize input {tensor.label!r} to {list(shape)}{only}")
        self._executor(subgraph_index).resize(index, shape)

    def _get(self, subgraph_index: int, index: int) -> Array:
        index = self._check_index(subgraph_index, index)
        return self._executor(subgraph_index).get(self._with_data(subgraph_index, index))

    def _with_data(self, subgraph_index: int, index: int) -> int:
        tensor = self._subgraph(subgraph_index).tensors[index]
        if tensor.type in (TensorType.RESOURCE, TensorType.VARIANT):
            raise InputError(f"tensor {index} {tensor.label!r} is of the type {tensor.type.label}: it has no data")
        return index

    def _set(self, subgraph_index: int, index: int, value: npt.ArrayLike) -> None:
        index = self._with_data(subgraph_index, self._check_index(subgraph_index, index))
        executor = self._executor(subgraph_index)
        tensor = self._subgraph(subgraph_index).tensors[index]
        executor.set(index, checked_value(tensor, index, executor.shape(index), value))
