"""A subgraph made ready to run: every operator prepared, every constant known, every tensor's lifetime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from int8rt.errors import ModelError, UnsupportedError
from int8rt.kernels.base import (
    Array,
    Deferred,
    Kernel,
    OperatorContext,
    Params,
    TensorInfo,
    as_tuple,
    element_count,
)
from int8rt.kernels.registry import KERNELS
from int8rt.model import Model, Operator, Shape, Subgraph, Tensor
from int8rt.quantization.profiles import Profile
from int8rt.schema import constant_value

# Operators on constants are evaluated while planning when their outputs are this small: shapes, axes, sizes.
_FOLD_ELEMENTS = 4096


@dataclass(frozen=True, slots=True)
class MemoryLimits:
    """Bytes that one tensor, and all tensors of a subgraph together, may take. A model that asks for more is refused."""

    tensor: int = 2 << 30
    total: int = 8 << 30


@dataclass(frozen=True, slots=True)
class Step:
    """One operator. `params` is None where only running tells what it needs; it is then prepared at each run."""

    position: int
    operator: Operator
    kernel: Kernel
    params: Params | None


@dataclass(frozen=True, slots=True)
class Plan:
    """shapes: tensor index to shape, where known before running. constants: tensor index to data.

    last_use: tensor index to the position of the last step that reads it.
    """

    subgraph: Subgraph
    profile: Profile
    limits: MemoryLimits
    steps: tuple[Step, ...]
    shapes: Mapping[int, Shape]
    constants: Mapping[int, Array]
    last_use: Mapping[int, int]

    def prepare(self, step: Step, values: Mapping[int, Array]) -> Params:
        """Prepare a step whose parameters were left open, now that all of its inputs have values."""
        inputs = tuple(
            None if index < 0 else _info(self.subgraph.tensors[index], index, values[index].shape, values[index])
            for index in step.operator.inputs
        )
        params = step.kernel.prepare(_context(self.subgraph, step.operator, inputs, self.profile, step.position))
        _check_memory(self.subgraph, step.operator, params, self.limits)
        return params


def make_plan(
    model: Model,
    subgraph_index: int,
    profile: Profile,
    resized: Mapping[int, Shape],
    limits: MemoryLimits,
) -> Plan:
    """Prepare all operators of a subgraph.

    resized: shapes of input tensors that differ from the model's.
    Raises `UnsupportedError` that lists every operator that can't run, `ModelError` for a model that contradicts itself.
    """
    subgraph = model.subgraphs[subgraph_index]
    constants: dict[int, Array] = {}
    for index, tensor in enumerate(subgraph.tensors):
        value = constant_value(model, tensor)
        if value is not None:
            constants[index] = value
    shapes: dict[int, Shape] = {index: value.shape for index, value in constants.items()}
    for index, tensor in enumerate(subgraph.tensors):
        if tensor.is_variable:
            shapes[index] = tensor.shape
    for index in subgraph.inputs:
        shapes[index] = resized.get(index, subgraph.tensors[index].shape)

    kernels = _select_kernels(subgraph, profile)
    written = set(shapes)
    steps: list[Step] = []
    missing: list[str] = []
    total = 0
    for position, (operator, kernel) in enumerate(zip(subgraph.operators, kernels, strict=True)):
        for index in operator.inputs:
            if index >= 0 and index not in written:
                name = subgraph.tensors[index].name
                raise ModelError(
                    f"operator {position} ({operator.label}): reads tensor {index} {name!r}, which nothing has written"
                )
        written.update(operator.outputs)
        params: Params | None = None
        try:
            if all(index < 0 or index in shapes for index in operator.inputs):
                params = _prepare(subgraph, position, operator, kernel, profile, shapes, constants)
        except Deferred:
            pass
        except UnsupportedError as error:
            missing.append(str(error))
        if params is not None:
            total += _check_memory(subgraph, operator, params, limits)
            if total > limits.total:
                raise ModelError(f"the tensors take more than {limits.total} bytes together, the limit")
            for index, shape in zip(operator.outputs, params.output_shapes, strict=True):
                if shape is not None:
                    shapes[index] = shape
            constants.update(_known_outputs(operator, kernel, params, constants))
        steps.append(Step(position, operator, kernel, params))
    if missing:
        raise _cannot_run(missing)
    for index in subgraph.outputs:
        if index not in written:
            raise ModelError(f"output tensor {index} {subgraph.tensors[index].name!r} is never written")
    return Plan(subgraph, profile, limits, tuple(steps), shapes, constants, _last_uses(subgraph))


def check_operators(subgraph: Subgraph, profile: Profile) -> list[str]:
    """One line for each operator that int8rt lacks, or lacks for these types; empty where all can run."""
    missing: list[str] = []
    for position, operator in enumerate(subgraph.operators):
        inputs = tuple(
            None if i < 0 else _info(subgraph.tensors[i], i, subgraph.tensors[i].shape, None) for i in operator.inputs
        )
        context = _context(subgraph, operator, inputs, profile, position)
        kernel = KERNELS.get(operator.name)
        if kernel is None:
            types = ", ".join("none" if tensor is None else tensor.type.label for tensor in inputs)
            outputs = ", ".join(tensor.type.label for tensor in context.outputs)
            missing.append(f"{context.where}: no such operator in int8rt; types {types} -> {outputs}")
            continue
        try:
            kernel.check_types(context)
        except UnsupportedError as error:
            missing.append(str(error))
    return missing


def _select_kernels(subgraph: Subgraph, profile: Profile) -> list[Kernel]:
    missing = check_operators(subgraph, profile)
    if missing:
        raise _cannot_run(missing)
    return [KERNELS[operator.name] for operator in subgraph.operators]


def _cannot_run(missing: list[str]) -> UnsupportedError:
    count = f"{len(missing)} operator" + ("s" if len(missing) != 1 else "")
    return UnsupportedError(f"int8rt cannot run {count} of this model:\n  " + "\n  ".join(missing))


def _prepare(
    subgraph: Subgraph,
    position: int,
    operator: Operator,
    kernel: Kernel,
    profile: Profile,
    shapes: Mapping[int, Shape],
    constants: Mapping[int, Array],
) -> Params:
    inputs = tuple(
        None if index < 0 else _info(subgraph.tensors[index], index, shapes[index], constants.get(index))
        for index in operator.inputs
    )
    params = kernel.prepare(_context(subgraph, operator, inputs, profile, position))
    if len(params.output_shapes) != len(operator.outputs):
        raise ModelError(
            f"operator {position} ({operator.label}): has {len(operator.outputs)} outputs, "
            f"expected {len(params.output_shapes)}"
        )
    return params


def _info(tensor: Tensor, index: int, shape: Shape, value: Array | None) -> TensorInfo:
    return TensorInfo(tensor.name, tensor.type, shape, tensor.quantization, value, tensor.is_variable, index)


def _context(
    subgraph: Subgraph,
    operator: Operator,
    inputs: tuple[TensorInfo | None, ...],
    profile: Profile,
    position: int,
) -> OperatorContext:
    outputs = tuple(
        _info(subgraph.tensors[index], index, subgraph.tensors[index].shape, None) for index in operator.outputs
    )
    return OperatorContext(operator, inputs, outputs, profile, position)


def _check_memory(subgraph: Subgraph, operator: Operator, params: Params, limits: MemoryLimits) -> int:
    total = 0
    for index, shape in zip(operator.outputs, params.output_shapes, strict=True):
        if shape is None:
            continue
        tensor = subgraph.tensors[index]
        size = element_count(shape) * tensor.type.dtype.itemsize
        if size > limits.tensor:
            raise ModelError(
                f"{operator.label} makes tensor {index} {tensor.name!r} with shape {list(shape)}: "
                f"{size} bytes, the limit is {limits.tensor}"
            )
        total += size
    return total


def _known_outputs(
    operator: Operator, kernel: Kernel, params: Params, constants: Mapping[int, Array]
) -> dict[int, Array]:
    known = {
        index: value
        for index, value in zip(operator.outputs, params.known_outputs, strict=False)
        if value is not None
    }
    if known or not kernel.pure or not operator.inputs:
        return known
    if not all(index < 0 or index in constants for index in operator.inputs):
        return known
    if any(shape is None or element_count(shape) > _FOLD_ELEMENTS for shape in params.output_shapes):
        return known
    inputs = [None if index < 0 else constants[index] for index in operator.inputs]
    return dict(zip(operator.outputs, as_tuple(kernel.evaluate(params, *inputs)), strict=True))


def _last_uses(subgraph: Subgraph) -> dict[int, int]:
    last_use: dict[int, int] = {}
    for position, operator in enumerate(subgraph.operators):
        last_use.update((index, position) for index in operator.inputs if index >= 0)
    return last_use
