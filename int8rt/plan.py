"""A subgraph made ready to run: every operator prepared, every constant known, every tensor's lifetime."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from int8rt.errors import EvaluationError, ModelError, UnsupportedError
from int8rt.kernels.base import Array, Deferred, Kernel, Params, as_tuple, element_count
from int8rt.kernels.custom.table import find_kernel
from int8rt.kernels.runtime import Runtime
from int8rt.memory import MemoryBudget
from int8rt.model import Model, Operator, Shape, Subgraph
from int8rt.quantization.profiles import Profile
from int8rt.schema import constant_value
from int8rt.support import cannot_run, operator_context

# Operators on constants are evaluated while planning when their outputs are this small: shapes, axes, sizes.
_FOLD_ELEMENTS = 4096
# These stand before weights that are stored in fewer bytes: what they give is the weights, however many.
_UNPACKING = ("DEQUANTIZE", "DENSIFY")


@dataclass(frozen=True, slots=True)
class Step:
    """One operator. `params` is None where only running tells what it needs; it is then prepared at each run."""

    position: int
    operator: Operator
    kernel: Kernel
    params: Params | None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the operators of a subgraph are prepared with. index: the subgraph's. apart: see `Params.reads`."""

    index: int
    profile: Profile
    budget: MemoryBudget
    runtime: Runtime
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """shapes: tensor index to shape, where known before running. constants: tensor index to data.

    dead_after: position of a step to the tensors that nothing needs once it has run; no inputs, outputs or variables.
    """

    subgraph: Subgraph
    surroundings: Surroundings
    steps: tuple[Step, ...]
    shapes: Mapping[int, Shape]
    constants: Mapping[int, Array]
    dead_after: Mapping[int, tuple[int, ...]]

    def prepare(self, step: Step, values: Mapping[int, Array]) -> Params:
        """Prepare a step whose parameters were left open, now that all of its inputs have values."""
        inputs = {index: values[index] for index in step.operator.inputs if index >= 0}
        shapes = {index: value.shape for index, value in inputs.items()}
        known = ChainMap(inputs, dict(self.constants))
        return _prepare(self.subgraph, step, self.surroundings, shapes, known, running=True)

    def reads(self, step: Step, params: Params | None) -> tuple[int, ...]:
        """What `evaluate` takes: the operator's inputs, and `Params.reads` unless the operators are kept apart."""
        return step.operator.inputs + (params.reads if params is not None and not self.surroundings.apart else ())

    def known(self, step: Step) -> bool:
        """Whether there is nothing to run: all outputs are known, and nothing else changes."""
        return not step.kernel.reaches_out and all(index in self.constants for index in step.operator.outputs)


def make_plan(model: Model, surroundings: Surroundings, resized: Mapping[int, Shape]) -> Plan:
    """Prepare all operators of a subgraph, none of which is missing in int8rt (see `check_supported`).

    resized: shapes of input tensors that differ from the model's.
    Raises `UnsupportedError` that lists all operators that can't run, `ModelError` where the model contradicts itself.
    """
    subgraph, budget = model.subgraphs[surroundings.index], surroundings.budget
    missing: list[str] = []
    budget.restart(surroundings.index)
    constants = _constants(model, subgraph)
    shapes = {index: value.shape for index, value in constants.items()}
    shapes |= {index: tensor.shape for index, tensor in enumerate(subgraph.tensors) if tensor.is_variable}
    shapes |= {index: resized.get(index, subgraph.tensors[index].shape) for index in subgraph.inputs}
    for index, shape in shapes.items():
        budget.add(surroundings.index, index, subgraph.tensors[index], shape)

    written = set(shapes)
    stored = set(constants)
    steps: list[Step] = []
    for position, operator in enumerate(subgraph.operators):
        kernel = find_kernel(operator, surroundings.profile)
        assert kernel is not None  # there are no unsupported operators
        if _begins_variable(subgraph, position, operator, stored):
            step = Step(position, operator, kernel, None)
            steps.append(_begin_variable(subgraph, step, surroundings.profile, shapes, constants))
            continue
        _check_order(subgraph, position, operator, written)
        step = Step(position, operator, kernel, None)
        try:
            if all(index < 0 or index in shapes for index in operator.inputs):
                params = _prepare(subgraph, step, surroundings, shapes, constants)
                step = Step(position, operator, step.kernel, params)
                known = {i: s for i, s in zip(operator.outputs, params.output_shapes, strict=True) if s is not None}
                shapes.update(known)
                constants.update(_known_outputs(step, constants))
        except Deferred:
            pass
        except UnsupportedError as error:
            missing.append(str(error))
            if step.kernel.reaches_out:  # going on would prepare the same subgraphs again and again
                break
        written.update(operator.outputs)
        steps.append(step)
    if missing:
        raise cannot_run(missing)
    for index in subgraph.outputs:
        if index not in written:
            raise ModelError(f"output tensor {index} {subgraph.tensors[index].label!r} is never written")
    return Plan(subgraph, surroundings, tuple(steps), shapes, constants, _dead_after(subgraph, steps, constants))


def _constants(model: Model, subgraph: Subgraph) -> dict[int, Array]:
    values = ((index, constant_value(model, tensor)) for index, tensor in enumerate(subgraph.tensors))
    constants = {index: value for index, value in values if value is not None}
    # A vector without elements can be read though nothing wrote it: the shape of a scalar may have no buffer.
    computed = {*subgraph.inputs, *(index for operator in subgraph.operators for index in operator.outputs)}
    for index, tensor in enumerate(subgraph.tensors):
        if tensor.shape == (0,) and index not in constants and index not in computed and not tensor.is_variable:
            constants[index] = np.zeros(tensor.shape, tensor.type.dtype)
    return constants


def _check_order(subgraph: Subgraph, position: int, operator: Operator, written: set[int]) -> None:
    """Every tensor is written before it is read, and once: constants, inputs and variables count as written."""
    for index in operator.inputs:
        if index >= 0 and index not in written:
            name = subgraph.tensors[index].label
            raise ModelError(
                f"operator {position} ({operator.label}) reads tensor {index} {name!r}, which nothing has written"
            )
    for index in operator.outputs:
        if index in written:
            name = subgraph.tensors[index].label
            raise ModelError(
                f"operator {position} ({operator.label}) writes tensor {index} {name!r}, which already has a value"
            )


def _begins_variable(subgraph: Subgraph, position: int, operator: Operator, stored: set[int]) -> bool:
    """Whether this is the DEQUANTIZE of a constant into a variable that no operator has used yet.

    Converters make these of float16 models. TensorFlow Lite runs them in the first run only.
    """
    if operator.name != "DEQUANTIZE" or len(operator.inputs) != 1 or len(operator.outputs) != 1:
        return False
    (index,) = operator.outputs
    return (
        operator.inputs[0] in stored
        and subgraph.tensors[index].is_variable
        and not any(index in earlier.inputs for earlier in subgraph.operators[:position])
    )


def _begin_variable(
    subgraph: Subgraph, step: Step, profile: Profile, shapes: Mapping[int, Shape], constants: Mapping[int, Array]
) -> Step:
    """A step without outputs, since the variable begins with zeros anyway. `UnsupportedError` for other values."""
    operator = step.operator
    context = operator_context(subgraph, operator, profile, step.position, shapes, constants)
    params = step.kernel.prepare(context)
    (value,) = as_tuple(step.kernel.evaluate(params, constants[operator.inputs[0]]))
    tensor = subgraph.tensors[operator.outputs[0]]
    if value.shape != tensor.shape:
        raise context.invalid(f"variable {tensor.label!r} has shape {list(tensor.shape)}, not {list(value.shape)}")
    if np.any(value) or np.any(np.signbit(value)):
        raise context.unsupported(f"a variable {tensor.label!r} that begins with other values than 0")
    return replace(step, operator=replace(operator, outputs=()))


def _prepare(
    subgraph: Subgraph,
    step: Step,
    surroundings: Surroundings,
    shapes: Mapping[int, Shape],
    values: Mapping[int, Array],
    running: bool = False,
) -> Params:
    operator = step.operator
    profile, runtime = surroundings.profile, surroundings.runtime
    context = operator_context(subgraph, operator, profile, step.position, shapes, values, runtime)
    params = step.kernel.prepare(context)
    if len(params.output_shapes) != len(operator.outputs):
        raise context.invalid(f"has {len(operator.outputs)} outputs, expected {len(params.output_shapes)}")
    for index, shape in zip(operator.outputs, params.output_shapes, strict=True):
        if shape is not None:
            try:
                surroundings.budget.add(surroundings.index, index, subgraph.tensors[index], shape, running)
            except ModelError as error:
                raise context.invalid(str(error)) from None
    return params


def _known_outputs(step: Step, constants: Mapping[int, Array]) -> dict[int, Array]:
    """Outputs whose values are known already: the operator says so, or it is pure and small and has constant inputs."""
    operator, params = step.operator, step.params
    assert params is not None
    given = zip(operator.outputs, params.known_outputs, strict=False)
    known = {index: value for index, value in given if value is not None}
    foldable = step.kernel.pure and operator.inputs and all(i < 0 or i in constants for i in operator.inputs)
    if known or not foldable or params.reads:
        return known
    many = any(shape is None or element_count(shape) > _FOLD_ELEMENTS for shape in params.output_shapes)
    if many and operator.name not in _UNPACKING:
        return known
    inputs = (None if index < 0 else constants[index] for index in operator.inputs)
    try:
        return dict(zip(operator.outputs, as_tuple(step.kernel.evaluate(params, *inputs)), strict=True))
    except EvaluationError:
        return known  # invoke() will say so


def _dead_after(
    subgraph: Subgraph, steps: Sequence[Step], constants: Mapping[int, Array]
) -> dict[int, tuple[int, ...]]:
    last_use: dict[int, int] = {}
    for position, (operator, step) in enumerate(zip(subgraph.operators, steps, strict=True)):
        reads = step.params.reads if step.params is not None else ()
        last_use |= dict.fromkeys((*operator.inputs, *operator.outputs, *reads), position)
    lasting = {*subgraph.inputs, *subgraph.outputs, *constants, -1}
    lasting |= {index for index, tensor in enumerate(subgraph.tensors) if tensor.is_variable}
    dead: dict[int, list[int]] = {}
    for index, position in last_use.items():
        if index not in lasting:
            dead.setdefault(position, []).append(index)
    return {position: tuple(indices) for position, indices in dead.items()}
