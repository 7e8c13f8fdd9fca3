"""VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE: variables outside of all tensors, shared by all subgraphs of a model.

A variable is known by its container and shared name, or by its number (see `Runtime.variable_handle`): an int32 in
place of a handle, which no converter writes. It takes type and shape of what is assigned to it, and keeps its value
from one run to the next; `reset_all_variables` leaves it alone, as LiteRT does.

VAR_HANDLE      output: resource, one element
READ_VARIABLE   input: resource|int32, output: T; where it has no dimensions in the file, only running tells its shape
ASSIGN_VARIABLE input: resource|int32, value T; no output
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Array, Kernel, OperatorContext, Params, element_count
from int8rt.kernels.runtime import Handle, Runtime
from int8rt.kernels.signature import signatures
from int8rt.model import Shape, TensorType
from int8rt.schema.options import VarHandleOptions

# All but strings and handles.
_VALUES = "|".join(type.label for type in TensorType if type.bits)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadVariableParams(Params):
    """shape, type: what is read; shape None: the variable's own."""

    shape: Shape | None
    type: TensorType


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignVariableParams(Params):
    """type: what the variable will hold."""

    type: TensorType


def prepare_handle(context: OperatorContext) -> Params:
    """The handle, which is known before anything runs."""
    options, shape = context.options(VarHandleOptions), context.output().shape
    if element_count(shape) != 1:
        raise context.invalid(f"output {context.output().name!r} has the shape {list(shape)}, expected one handle")
    value = np.empty(shape, object)
    value.fill(Handle(options.container, options.shared_name))
    return Params(output_shapes=(shape,), known_outputs=(value,))


def evaluate_handle(params: Params) -> Array:
    """The value found by `prepare_handle`."""
    (value,) = params.known_outputs
    assert value is not None
    return value


def prepare_read(context: OperatorContext) -> ReadVariableParams:
    """The shape is that of the file, and the variable's own where the file says "no dimensions", or nothing."""
    _check_handle(context)
    output = context.output()
    shape = output.shape or None
    return ReadVariableParams(output_shapes=(shape,), shape=shape, type=output.type)


def evaluate_read(params: ReadVariableParams, runtime: Runtime, resource: Array) -> Array:
    """A copy of the variable's value; `EvaluationError` where it has none yet, or another type, or too few elements.

    Of more elements, the first ones are taken, as LiteRT does.
    """
    handle = _handle(runtime, resource)
    variable = runtime.read_variable(handle)
    if variable is None:
        raise EvaluationError(f"variable {handle.shared_name!r} has no value yet")
    if variable.type != params.type:
        found, expected = variable.type.label, params.type.label
        raise EvaluationError(f"variable {handle.shared_name!r} holds {found}, expected {expected}")
    value = variable.value
    if params.shape is None or params.shape == value.shape:
        return value.copy()
    count = element_count(params.shape)
    if count > value.size:
        sizes = f"the shape {list(value.shape)}, too small for {list(params.shape)}"
        raise EvaluationError(f"variable {handle.shared_name!r} has {sizes}")
    return value.reshape(-1)[:count].reshape(params.shape).copy()


def prepare_assign(context: OperatorContext) -> AssignVariableParams:
    """There is no output."""
    _check_handle(context)
    return AssignVariableParams(output_shapes=(), type=context.input(1).type)


def evaluate_assign(params: AssignVariableParams, runtime: Runtime, resource: Array, value: Array) -> tuple[Array, ...]:
    """The variable becomes a copy of `value`."""
    runtime.assign_variable(_handle(runtime, resource), params.type, value)
    return ()


def _check_handle(context: OperatorContext) -> None:
    resource = context.input(0)
    if element_count(resource.shape) != 1:
        raise context.invalid(f"input {resource.name!r} has the shape {list(resource.shape)}, expected one handle")


def _handle(runtime: Runtime, resource: Array) -> Handle:
    handle = resource.item()
    if isinstance(handle, int):
        return runtime.variable_handle(handle)
    if not isinstance(handle, Handle):
        raise EvaluationError("the resource tensor holds no variable's handle")
    return handle


VAR_HANDLE = Kernel(
    name="VAR_HANDLE",
    signatures=signatures("-> resource"),
    prepare=prepare_handle,
    evaluate=evaluate_handle,
    source="kernels/var_handle.cc",
    max_version=1,
)

READ_VARIABLE = Kernel(
    name="READ_VARIABLE",
    signatures=signatures(f"resource|int32 -> {_VALUES}"),
    prepare=prepare_read,
    evaluate=evaluate_read,
    source="kernels/read_variable.cc, experimental/resource/resource_variable.cc",
    max_version=1,
    pure=False,
    reaches_out=True,
)

ASSIGN_VARIABLE = Kernel(
    name="ASSIGN_VARIABLE",
    signatures=signatures(f"resource|int32,{_VALUES} ->"),
    prepare=prepare_assign,
    evaluate=evaluate_assign,
    source="kernels/assign_variable.cc, experimental/resource/resource_variable.cc",
    max_version=1,
    pure=False,
    reaches_out=True,
)
