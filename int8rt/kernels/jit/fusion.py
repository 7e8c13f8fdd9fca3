"""Operators on several tensors that are all functions of one: together they are one look-up by its codes.

Such as x · LOGISTIC(x), and what HARD_SWISH is made of. The tables are the operators' NumPy definitions, one after the
other, on the 256 codes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from int8rt.errors import EvaluationError
from int8rt.kernels.base import Array, element_count
from int8rt.kernels.jit.isa.levels import Level
from int8rt.kernels.jit.lowering import Item, Lowered, NumpyStep, to_arena
from int8rt.kernels.jit.tables import EIGHT_BITS, all_codes, lower_table
from int8rt.plan import Plan, Step

_ELEMENTWISE = frozenset(
    [
        "ADD",
        "SUB",
        "MUL",
        "MAXIMUM",
        "MINIMUM",
        "LOGISTIC",
        "TANH",
        "HARD_SWISH",
        "RELU",
        "RELU6",
        "RELU_N1_TO_1",
        "RELU_0_TO_1",
        "LEAKY_RELU",
        "QUANTIZE",
    ]
)


@dataclass(frozen=True, slots=True)
class _Function:
    """A tensor that depends on tensor `root` code by code. values: for each of its codes, as `all_codes` has them."""

    root: int
    values: Array


def fuse(plan: Plan, items: Sequence[Item], level: Level) -> tuple[Mapping[int, Lowered], frozenset[int]]:
    """(steps by position that become one look-up, positions of the steps that nobody needs then)."""
    functions: dict[int, _Function] = {}
    fused: dict[int, Lowered] = {}
    for step, item in zip(plan.steps, items, strict=True):
        if item is None or isinstance(item, NumpyStep) or step.operator.label not in _ELEMENTWISE:
            continue
        function = _function(plan, step, functions)
        if function is None:
            continue
        output = step.operator.outputs[0]
        functions[output] = function
        # The root must be an input, or its memory might be another's by now.
        if function.root in step.operator.inputs and len(set(_variable_inputs(plan, step))) > 1:
            table, count = to_arena(function.values), element_count(plan.shapes[output])
            fused[step.position] = lower_table(level, table, function.root, output, count)
    return fused, _unneeded(plan, functions, fused)


def _variable_inputs(plan: Plan, step: Step) -> list[int]:
    return [index for index in step.operator.inputs if index not in plan.constants]


def _function(plan: Plan, step: Step, functions: Mapping[int, _Function]) -> _Function | None:
    """What the step's output is a function of, if its inputs are functions of one tensor and constants."""
    operator, tensors = step.operator, plan.subgraph.tensors
    inputs = _variable_inputs(plan, step)
    involved = (*inputs, *operator.outputs)
    if not inputs or min(involved) < 0 or len({plan.shapes.get(index) for index in involved}) > 1:
        return None
    if any(tensors[index].type not in EIGHT_BITS or tensors[index].is_variable for index in involved):
        return None
    roots = {functions[index].root if index in functions else index for index in inputs}
    if len(roots) > 1:
        return None
    root = roots.pop()
    arguments: list[npt.NDArray[np.generic]] = []
    for index in operator.inputs:
        value = plan.constants.get(index)
        if value is not None and (value.size != 1 or tensors[index].type not in EIGHT_BITS):
            return None
        if value is not None:
            arguments.append(np.full(256, value.reshape(())))
        else:
            arguments.append(functions[index].values if index in functions else all_codes(tensors[root].type))
    try:
        values = step.kernel.evaluate(step.params, *arguments)
    except EvaluationError:
        return None
    assert isinstance(values, np.ndarray)
    return _Function(root, values)


def _unneeded(plan: Plan, functions: Mapping[int, _Function], fused: Mapping[int, Lowered]) -> frozenset[int]:
    """Steps whose output only look-ups by its root's codes would read, or other such steps."""
    needed = set(plan.subgraph.outputs)
    unneeded = set()
    for step in reversed(plan.steps):
        output = step.operator.outputs[0] if step.operator.outputs else -1
        if output in functions and output not in needed and step.operator.label in _ELEMENTWISE:
            unneeded.add(step.position)
        elif step.position in fused:
            needed.add(functions[output].root)
        else:
            needed.update(step.operator.inputs)
    return frozenset(unneeded)
