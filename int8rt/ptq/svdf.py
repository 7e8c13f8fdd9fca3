"""SVDF in int8: 8-bit feature weights, time weights of 10 bits and a state of 16.

Parameters: what TensorFlow 2.21's converter writes (lite/tools/optimize/operator_property.cc).
"""

from __future__ import annotations

import dataclasses

from int8rt.model import ActivationFunctionType, Operator, Quantization, TensorType
from int8rt.ptq.draft import Draft
from int8rt.ptq.weights import Weights
from int8rt.quantization.from_ranges import activation_parameters

INPUT, FEATURE, TIME, BIAS, STATE = range(5)


def why_not_svdf(draft: Draft, operator: Operator) -> str | None:
    """Why an SVDF stays float, or None."""
    if getattr(operator.options, "fused_activation_function", None) is not ActivationFunctionType.RELU:
        return "in integers it is only run with RELU"
    if len(operator.inputs) <= STATE or operator.inputs[STATE] < 0:
        return "it has no state"
    constants = [t for t in operator.inputs[FEATURE:STATE] if t >= 0]
    if any(draft.constant(t) is None for t in constants):
        return "its weights or bias are not constant"
    return None


def quantized_svdf(
    draft: Draft, weights: Weights, operator: Operator, codes: int, state: tuple[float, float]
) -> Operator:
    """The operator, reading `codes` as its input. state: the range of its state."""
    inputs = list(operator.inputs)
    inputs[INPUT] = codes
    inputs[FEATURE] = weights.symmetric(inputs[FEATURE])
    inputs[TIME] = weights.ten_bits(inputs[TIME])
    memory = activation_parameters(*state, TensorType.INT16)
    if inputs[BIAS] >= 0:
        time = draft.tensors[inputs[TIME]].quantization
        assert time is not None
        inputs[BIAS] = weights.bias(inputs[BIAS], float(memory.scale[0]), time.scale)
    draft.change(inputs[STATE], type=TensorType.INT16, quantization=Quantization.per_tensor(float(memory.scale[0])))
    return dataclasses.replace(operator, inputs=tuple(inputs))
