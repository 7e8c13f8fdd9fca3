"""How one element of an operator's output comes about, from its quantized inputs to the last clamp.

`explain(model, 3, (0, 1, 2, 3))` gives a `Derivation`: `print` it, or show it in a notebook.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from int8rt.explain.derivation import Derivation, Line

if TYPE_CHECKING:
    import numpy.typing as npt

    from int8rt.explain.subject import Subject
    from int8rt.kernels.base import Params
    from int8rt.model import Model, Operator
    from int8rt.plan import Plan

    Array = npt.NDArray[Any]
    Explainer = Callable[[Subject], tuple[list[Line], int | float]]

__all__ = ["Derivation", "Line", "explain", "explain_step", "explainers"]


def explainers() -> Mapping[str, Explainer]:
    """The operators that can be explained."""
    from int8rt.explain import elementwise, products, reductions

    return {
        "ADD": elementwise.explain_sum,
        "AVERAGE_POOL_2D": reductions.explain_average_pool,
        "CONV_2D": products.explain_conv,
        "DEPTHWISE_CONV_2D": products.explain_depthwise,
        "DEQUANTIZE": elementwise.explain_dequantize,
        "FULLY_CONNECTED": products.explain_fully_connected,
        "LOGISTIC": elementwise.explain_table,
        "MEAN": reductions.explain_mean,
        "MUL": elementwise.explain_mul,
        "QUANTIZE": elementwise.explain_quantize,
        "SOFTMAX": reductions.explain_softmax,
        "SUB": elementwise.explain_sum,
        "TANH": elementwise.explain_table,
        "TRANSPOSE_CONV": products.explain_transpose_conv,
    }


def explain(
    model: Model,
    position: int,
    at: Sequence[int] | None = None,
    inputs: Sequence[Array] | None = None,
    *,
    profile: str = "tflite-ref",
) -> Derivation:
    """The derivation of one element of what the operator at `position` of the first subgraph writes.

    at: the element, the first one by default. inputs: of the model, in its order; random codes by default.
    Raises `InputError` for an operator or element that isn't there, `UnsupportedError` for an operator that can't be
    explained, and whatever running the model raises.
    """
    from int8rt.errors import InputError, UnsupportedError
    from int8rt.verify.compare import run_int8rt
    from int8rt.verify.inputs import make_inputs
    from int8rt.verify.teacher import Teacher

    subgraph = model.subgraphs[0]
    if not 0 <= position < len(subgraph.operators):
        raise InputError(f"the model has operators 0 to {len(subgraph.operators) - 1}, found {position}")
    _explainer(subgraph.operators[position], position)
    given = make_inputs(model, "random") if inputs is None else inputs
    values, _ = run_int8rt(model, given, profile, "numpy", keep=True)
    teacher = Teacher(model, given, profile)
    own = teacher.inputs(position, {**values, **dict(zip(subgraph.inputs, given, strict=True))})
    if own is None:
        label = subgraph.operators[position].label
        raise UnsupportedError(f"operator {position} ({label}) computes nothing but what a variable begins with")
    return explain_step(teacher.plan, position, own, at)


def explain_step(
    plan: Plan,
    position: int,
    inputs: Mapping[int, Array],
    at: Sequence[int] | None = None,
    *,
    params: Params | None = None,
) -> Derivation:
    """As `explain`, of a planned operator. inputs: by tensor index. params: instead of the operator's own."""
    from int8rt.errors import InputError
    from int8rt.explain.blocks import BLOCKS, explain_blocks
    from int8rt.explain.subject import Subject
    from int8rt.model import shown

    step, subgraph = plan.steps[position], plan.subgraph
    operator = step.operator
    explainer = _explainer(operator, position)
    if params is None:
        params = step.params if step.params is not None else plan.prepare(step, inputs)
    if isinstance(params, BLOCKS):
        explainer = explain_blocks
    else:
        _require_known(params, operator, position)
    (shape,) = params.output_shapes
    assert shape is not None
    element = tuple(int(i) for i in at) if at is not None else (0,) * len(shape)
    if len(element) != len(shape) or not all(0 <= i < size for i, size in zip(element, shape, strict=True)):
        raise InputError(f"there is no element {list(element)} in an output of shape {list(shape)}")
    (index,) = operator.outputs
    subject = Subject(
        operator,
        position,
        params,
        tuple(subgraph.tensors[i] if i >= 0 else None for i in operator.inputs),
        tuple(inputs[i] if i >= 0 else None for i in operator.inputs),
        subgraph.tensors[index],
        element,
    )
    lines, result = explainer(subject)
    return Derivation(
        operator.label,
        position,
        index,
        shown(subgraph.tensors[index].name),
        element,
        plan.surroundings.profile.name,
        tuple(lines),
        result,
        lines[-1].real,
        step.kernel.source,
    )


# Whose kernels' parameters mean another arithmetic than the reference's, though they may be made of its parameters.
_OTHERS = {"xnnpack": "XNNPACK's own", "opt": "the optimized kernels' own", "tosa": "TOSA's own"}


def _require_known(params: Params, operator: Operator, position: int) -> None:
    from int8rt.errors import UnsupportedError

    _, _, folder, *_ = (*type(params).__module__.split("."), "", "")
    if folder in _OTHERS:
        said = f"{_OTHERS[folder]} arithmetic is not explained"
        raise UnsupportedError(f"operator {position} ({operator.label}): {said}")


def _explainer(operator: Operator, position: int) -> Explainer:
    from int8rt.errors import UnsupportedError

    found = explainers().get(operator.name)
    if found is None:
        known = ", ".join(explainers())
        raise UnsupportedError(f"operator {position} ({operator.label}) can't be explained; those that can: {known}")
    return found
