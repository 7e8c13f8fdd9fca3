"""The delegate: ctypes callbacks that hand an interpreter's tensors to int8rt and its answers back."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from int8rt.errors import InputError, Int8rtError, UnsupportedError
from int8rt.model import Model, Shape
from int8rt.quantization.profiles import get_profile
from int8rt.schema import read_model
from int8rt.verify.delegate import abi
from int8rt.verify.delegate.chosen import Chosen, choose
from int8rt.verify.identify.mutants import Mutation, find_mutation

Array = npt.NDArray[Any]
Which = str | int


class Int8rtDelegate:
    """int8rt's NumPy kernels in place of an interpreter's own, for chosen operators of one model.

        delegate = Int8rtDelegate("model.tflite", operators=["CONV_2D"], mutate={"CONV_2D": "no bias"})
        interpreter = Interpreter("model.tflite", experimental_delegates=[delegate])

    model: path or bytes of the file that the interpreter runs. operators: names, or positions in the first subgraph; by
    default all. profile: their arithmetic. mutate: operator (name or position) to a mistake that it is to make, one of
    `int8rt.verify.identify.mutants`.
    taken: positions of the operators that int8rt computes; left: of those asked for that stay with the interpreter, and
    why (they have variables, call subgraphs, shapes follow from values). calls: how many operators have been run.
    error: the last exception inside a callback, which the interpreter reports as a failure.

    A delegate is for one interpreter, of a release in `abi.KNOWN`: others get an `UnsupportedError`. Raises
    `InputError` for an unknown operator or mistake, and whatever reading the model raises.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | bytes,
        operators: Iterable[Which] | None = None,
        profile: str = "tflite-ref",
        mutate: Mapping[Which, str] | None = None,
    ) -> None:
        self._model = read_model(model if isinstance(model, bytes) else Path(model).read_bytes())
        names = [operator.name for operator in self._model.subgraphs[0].operators]
        wanted = range(len(names)) if operators is None else _positions(names, operators)
        mutations: dict[int, Mutation] = {}
        for which, wrong in (mutate or {}).items():
            for position in _positions(names, [which]):
                mutations[position] = find_mutation(names[position], wrong)
        self._chosen, self.left = choose(self._model, sorted(wanted), get_profile(profile).name, mutations)
        missing = [position for position in mutations if position not in self._chosen]
        if missing:
            raise InputError(f"operator {missing[0]} ({names[missing[0]]}) cannot make a mistake: it is not taken")
        self.taken = tuple(self._chosen)
        self.calls = 0
        self.error: BaseException | None = None
        self._kernels: list[_Kernel] = []
        self._used = False
        # The callbacks must live as long as the interpreter, which holds this object.
        self._registration = abi.Registration(
            init=abi.InitFunction(self._init),
            prepare=abi.NodeFunction(self._callback(_Kernel.prepare)),
            invoke=abi.NodeFunction(self._callback(_Kernel.invoke)),
            builtin_code=abi.DELEGATE,
            custom_name=b"int8rt",
            version=1,
        )
        self._native = abi.Delegate(prepare=abi.DelegatePrepare(self._prepare), flags=abi.ALLOW_DYNAMIC_TENSORS)

    def _get_native_delegate_pointer(self) -> int:
        """What an interpreter asks of a delegate."""
        abi.check_release(sys._getframe(1).f_globals.get("__name__", ""))
        if self._used:
            raise InputError("a delegate is for one interpreter: make another one")
        self._used = True
        return ctypes.addressof(self._native)

    def _prepare(self, address: int, delegate: int) -> int:
        """Replace the chosen nodes of the first subgraph; the delegate is offered the others after it."""
        context = abi.Context.from_address(address)
        try:
            if len(self._model.subgraphs) > 1 and not _is_first(self._model, context):
                return abi.OK
            _check(self._model, context)
            plan = ctypes.c_void_p()
            if context.get_execution_plan(address, ctypes.byref(plan)) != abi.OK:
                return abi.ERROR
            present = set(abi.integers(plan.value))  # another delegate may have taken some
            nodes = abi.int_array([position for position in self.taken if position in present])
            return int(context.replace_nodes(address, self._registration, ctypes.addressof(nodes), delegate))
        except BaseException as error:
            return self._failed(address, error)

    def _init(self, address: int, buffer: int, length: int) -> int | None:
        """A kernel for the nodes that it replaces; its number is what the interpreter keeps."""
        try:
            nodes = abi.KernelNodes.from_address(buffer)
            chosen = [self._chosen[position] for position in abi.integers(nodes.nodes)]
            inputs, outputs = abi.integers(nodes.input_tensors), abi.integers(nodes.output_tensors)
            self._kernels.append(_Kernel(self, chosen, inputs, outputs))
            return len(self._kernels)
        except BaseException as error:
            self._failed(address, error)
            return None

    def _callback(self, method: Callable[[_Kernel, abi.Context, int], None]) -> Callable[[int, Any], int]:
        """A function of C's kind: whatever is raised becomes a status, since nothing may leave a callback."""

        @wraps(method)
        def call(address: int, node: Any) -> int:
            try:
                number = node.contents.user_data
                if not number:
                    return abi.ERROR
                method(self._kernels[number - 1], abi.Context.from_address(address), address)
                return abi.OK
            except BaseException as error:
                return self._failed(address, error)

        return call

    def _failed(self, address: int, error: BaseException) -> int:
        self.error = error
        text = f"int8rt: {type(error).__name__}: {error}".replace("%", "%%")
        abi.Context.from_address(address).report_error(address, text.encode())
        return abi.ERROR


class _Kernel:
    """Operators that follow one another, as one node of the interpreter."""

    def __init__(
        self, delegate: Int8rtDelegate, chosen: list[Chosen], inputs: tuple[int, ...], outputs: tuple[int, ...]
    ) -> None:
        self._delegate, self._chosen = delegate, chosen
        read = {index for operator in chosen for index in operator.inputs}
        written = {index for operator in chosen for index in operator.outputs}
        self._inputs = [index for index in inputs if index in read - written]
        self._outputs = [index for index in outputs if index in written]

    def prepare(self, context: abi.Context, address: int) -> None:
        """Give the outputs the shapes that follow from the inputs'."""
        shapes = {index: abi.integers(context.tensors[index].dims) for index in self._inputs}
        for operator in self._chosen:
            shapes |= operator.shapes([shapes[index] for index in operator.inputs])
        for index in self._outputs:
            if abi.integers(context.tensors[index].dims) != shapes[index]:
                tensor = ctypes.pointer(context.tensors[index])
                if context.resize_tensor(address, tensor, abi.owned_int_array(shapes[index])) != abi.OK:
                    raise UnsupportedError(f"tensor {index} cannot have the shape {list(shapes[index])}")

    def invoke(self, context: abi.Context, address: int) -> None:
        """Run the operators, and write what others read."""
        tensors = self._delegate._model.subgraphs[0].tensors
        values = {index: _value(context.tensors[index], tensors[index].type.dtype) for index in self._inputs}
        for operator in self._chosen:
            values |= operator.run(values)
            self._delegate.calls += 1
        for index in self._outputs:
            value, tensor = np.ascontiguousarray(values[index]), context.tensors[index]
            if (not tensor.data and value.size) or tensor.bytes != value.nbytes:
                raise Int8rtError(
                    f"tensor {index} has {tensor.bytes} bytes of memory, {value.nbytes} are to be written"
                )
            if value.size:
                ctypes.memmove(tensor.data, value.ctypes.data, value.nbytes)


def _value(tensor: abi.Tensor, dtype: np.dtype[Any]) -> Array:
    """A copy of what a tensor holds."""
    shape: Shape = abi.integers(tensor.dims)
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if size and (not tensor.data or tensor.bytes < size):
        raise Int8rtError(f"an input of {size} bytes has {tensor.bytes} bytes of memory")
    data = ctypes.string_at(tensor.data, size) if size else b""
    return np.frombuffer(data, dtype).reshape(shape)


def _positions(names: list[str], operators: Iterable[Which]) -> list[int]:
    """Positions of operators given by name or position."""
    found: list[int] = []
    for which in operators:
        places = [which] if isinstance(which, int) else [place for place, name in enumerate(names) if name == which]
        if not places or not 0 <= places[0] < len(names):
            raise InputError(f"the first subgraph has no operator {which!r}; it has {', '.join(dict.fromkeys(names))}")
        found += places
    return list(dict.fromkeys(found))


def _is_first(model: Model, context: abi.Context) -> bool:
    try:
        _check(model, context)
    except UnsupportedError:
        return False
    return True


def _check(model: Model, context: abi.Context) -> None:
    """Compare every tensor's name, type and shape: it is the model's first subgraph, and memory is laid out as said."""
    tensors = model.subgraphs[0].tensors
    if context.tensors_size < len(tensors):
        raise UnsupportedError("the interpreter runs another model than the delegate was made for")
    for index, tensor in enumerate(tensors):
        own = context.tensors[index]
        name = (own.name or b"").decode(errors="backslashreplace")  # as the reader has it
        same = own.type == abi.TYPES.get(tensor.type, own.type) and abi.integers(own.dims) == tuple(tensor.shape)
        if not same or name != tensor.name.partition("\0")[0]:
            raise UnsupportedError(
                f"the interpreter's tensor {index} is {name!r}, the model's {tensor.name!r}, or their types or shapes "
                "differ: the delegate was made for another model, or comes after resize_tensor_input"
            )
