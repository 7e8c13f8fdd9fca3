"""Rules on the inputs and outputs of operators: types, granularity, fixed and equal parameters."""

from __future__ import annotations

from collections.abc import Iterator

from int8rt.lint.rule import Found, Operand, OperatorView, Severity, number, operator_rule
from int8rt.lint.specification import (
    ACTIVATIONS,
    ALL_INPUTS,
    COPIES,
    FIXED_OUTPUTS,
    OTHER_OUTPUT,
    QUANTIZED,
    SAME_PARAMETERS,
)
from int8rt.model import TensorType


def activations_have_one_type(view: OperatorView) -> Iterator[Found]:
    """Where one activation of an operator of the specification is int8, so are all its inputs and its output.

    The same holds for uint8 and int16. QUANTIZE goes from any type to any other.
    """
    if view.operator.name == "QUANTIZE":
        return
    activations = _activations(view)
    quantized = [operand for operand in activations if operand.tensor.type in QUANTIZED]
    if not quantized:
        return
    expected = quantized[0].tensor.type
    for operand in activations:
        if operand.tensor.type != expected:
            yield Found(operand, operand.tensor.type.label, f"{expected.label}, as {quantized[0].name}")


def activations_are_quantized(view: OperatorView) -> Iterator[Found]:
    """int8 and uint8 activations have a scale and a zero point, unless the operator only copies them."""
    if view.operator.name in SAME_PARAMETERS:
        return
    for operand in _activations(view):
        if operand.tensor.type in (TensorType.INT8, TensorType.UINT8) and operand.scales.size == 0:
            yield Found(operand, "no quantization parameters", "a scale and a zero point")


def activations_are_per_tensor(view: OperatorView) -> Iterator[Found]:
    """Activations have one scale and one zero point for the whole tensor."""
    # QUANTIZE of float constants may be what gives weights their scales.
    source = view.input(0)
    weights = view.operator.name == "QUANTIZE" and source is not None and source.tensor.type not in QUANTIZED
    for operand in _activations(view):
        if operand.tensor.type in QUANTIZED and operand.scales.size > 1 and not weights:
            yield Found(operand, f"{operand.scales.size} scales", "one scale for the whole tensor")


def fixed_output_parameters(view: OperatorView) -> Iterator[Found]:
    """Operators whose results have a known range have a fixed scale and zero point.

    LOGISTIC and SOFTMAX: (1/256, -128) for int8, (1/256, 0) for uint8, (1/32768, 0) for int16. TANH: (1/128, 0),
    (1/128, 128) and (1/32768, 0). L2_NORMALIZATION: (1/128, 0) and (1/128, 128). LOG_SOFTMAX: (16/256, 127) and
    (16/256, 255).
    """
    source = view.input(0)
    for operand in view.outputs[:1]:
        fixed = FIXED_OUTPUTS.get(view.operator.name, {}).get(operand.tensor.type)
        # Another type than the input's is a finding of its own.
        if source is None or source.tensor.type != operand.tensor.type:
            continue
        if fixed is not None and operand.scales.size == 1 and (operand.scale, operand.zero_point) != fixed:
            yield Found(operand, operand.parameters, f"scale {number(fixed[0])}, zero point {fixed[1]}")


def equal_parameters(view: OperatorView) -> Iterator[Found]:
    """Operators that only move, choose or interpolate int8 codes have one scale and zero point for inputs and output.

    These are the operators of which the specification says so: AVERAGE_POOL_2D, BATCH_TO_SPACE_ND, CONCATENATION,
    GATHER, MAXIMUM, MAX_POOL_2D, MINIMUM, PAD, PADV2, RESHAPE, RESIZE_BILINEAR, SLICE, SPACE_TO_BATCH_ND,
    SPACE_TO_DEPTH, SQUEEZE and TRANSPOSE.
    """
    if view.operator.name in SAME_PARAMETERS and view.outputs and view.outputs[0].tensor.type == TensorType.INT8:
        yield from _unequal(view, _activations(view)[: len(_activations(view)) - 1])


def copied_codes_keep_their_meaning(view: OperatorView) -> Iterator[Found]:
    """An operator that copies codes without rescaling them has an output with the scale and zero point of its inputs.

    Here for operators of which the specification says nothing: among others DEPTH_TO_SPACE, EXPAND_DIMS, GATHER_ND,
    MIRROR_PAD, PACK, REDUCE_MAX, RESIZE_NEAREST_NEIGHBOR, REVERSE_V2, SELECT_V2, SPLIT, STRIDED_SLICE, TILE, UNPACK,
    and for uint8 and int16 tensors of the operators that `equal-parameters` is about.
    """
    name = view.operator.name
    if name not in COPIES or not view.outputs or view.outputs[0].tensor.type not in QUANTIZED:
        return
    if name in SAME_PARAMETERS and view.outputs[0].tensor.type == TensorType.INT8:
        return
    positions = COPIES[name]
    inputs = view.inputs if positions is None else [view.input(position) for position in positions]
    yield from _unequal(view, [operand for operand in inputs if operand is not None])


def requantization_changes_something(view: OperatorView) -> Iterator[Found]:
    """A QUANTIZE from integers has another type, scale or zero point at its output than at its input."""
    if view.operator.name != "QUANTIZE" or not view.outputs:
        return
    source, output = view.input(0), view.outputs[0]
    if source is not None and source.tensor.type == output.tensor.type and _same(source, output):
        yield Found(output, f"{output.parameters}, as {source.name}", "another scale or zero point, or no QUANTIZE")


def _activations(view: OperatorView) -> list[Operand]:
    """The activations among the inputs, then the output; of operators of the specification only."""
    name = view.operator.name
    if name in ALL_INPUTS:
        operands = list(view.inputs)
    elif name in ACTIVATIONS:
        operands = [view.input(position) for position in ACTIVATIONS[name]]
    else:
        return []
    found = [operand for operand in operands if operand is not None]
    return found + [output for output in view.outputs[:1] if name not in OTHER_OUTPUT]


def _unequal(view: OperatorView, inputs: list[Operand]) -> Iterator[Found]:
    output = view.outputs[0]
    for operand in inputs:
        if operand.tensor.type == output.tensor.type and not _same(operand, output):
            yield Found(operand, operand.parameters, f"{output.parameters}, as the output {output.name}")


def _same(operand: Operand, other: Operand) -> bool:
    """Whether two tensors have the same parameters; tensors that lack them are not compared."""
    if not operand.scales.size and not other.scales.size:
        return True
    return operand.scale == other.scale and operand.zero_point == other.zero_point


RULES = (
    operator_rule(Severity.ERROR, activations_have_one_type),
    operator_rule(Severity.ERROR, activations_are_quantized),
    operator_rule(Severity.ERROR, activations_are_per_tensor),
    operator_rule(Severity.ERROR, fixed_output_parameters),
    operator_rule(Severity.ERROR, equal_parameters),
    operator_rule(Severity.WARNING, copied_codes_keep_their_meaning),
    operator_rule(Severity.NOTE, requantization_changes_something),
)
