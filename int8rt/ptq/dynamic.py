"""Integer weights beside float activations, which the kernels quantize while they run.

What is quantized: TensorFlow's converter/ir/tfl_ops.td, `DynamicRangeQuantizedOpInterface`; when:
prepare_quantize_dynamic_range.cc.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from int8rt.model import Operator
from int8rt.ptq.draft import Draft
from int8rt.ptq.recipe import Treatment
from int8rt.ptq.rules import DYNAMIC, LSTM, RULES, SVDF
from int8rt.ptq.weights import Weights

# Positions of the weights of operators that have several, each with one scale; the kernels take all of them or none.
_SEVERAL: Mapping[str, tuple[int, ...]] = {
    LSTM: (*range(1, 12), 16),
    "BIDIRECTIONAL_SEQUENCE_LSTM": (*range(1, 12), 16, *range(18, 29), 33, *range(40, 48)),
    "UNIDIRECTIONAL_SEQUENCE_RNN": (1, 2),
    SVDF: (1, 2),
}
# Positions of weights that meet no bias, and the axis of their scales: None where all share one.
_ALONE: Mapping[str, tuple[int, int | None]] = {
    "BATCH_MATMUL": (1, None),
    "EMBEDDING_LOOKUP": (1, 0),
    "GATHER": (0, None),
}


def with_integer_weights(
    draft: Draft, weights: Weights, operator: Operator, treatment: Treatment, smallest: int
) -> tuple[Operator, ...]:
    """The operator with int8 (or int4) weights, or as it was: where it takes none, or has less than `smallest`.

    After a GATHER, whose codes stay codes, there is a DEQUANTIZE.
    """
    places = _places(operator)
    if not places or not all(_is_large(draft, operator, place, smallest) for place in places):
        return (operator,)
    if operator.name == "BATCH_MATMUL" and not _finds_its_scales(draft, operator):
        return (operator,)
    inputs = list(operator.inputs)
    for place in places:
        inputs[place] = _quantized(weights, operator, place, treatment)
    options = operator.options
    if hasattr(options, "asymmetric_quantize_inputs"):
        options = dataclasses.replace(options, asymmetric_quantize_inputs=True)
    # One scale is all that the first version of EMBEDDING_LOOKUP knows.
    plain = operator.name == "EMBEDDING_LOOKUP" and treatment.granularity == "tensor"
    version = max(operator.version, 1 if plain else DYNAMIC[operator.name])
    changed = dataclasses.replace(operator, inputs=tuple(inputs), options=options, version=version)
    return (changed,) if operator.name != "GATHER" else _and_dequantize(draft, changed)


def _places(operator: Operator) -> list[int]:
    """Positions of the inputs that can be integers beside float activations."""
    if operator.name in _SEVERAL:
        return [i for i in _SEVERAL[operator.name] if i < len(operator.inputs) and operator.inputs[i] >= 0]
    if operator.name in _ALONE:
        return [_ALONE[operator.name][0]] if len(operator.outputs) == 1 else []
    if operator.name in DYNAMIC:
        weighted = RULES[operator.name].weighted
        assert weighted is not None
        return [weighted.filter]
    return []


def _quantized(weights: Weights, operator: Operator, place: int, treatment: Treatment) -> int:
    t = operator.inputs[place]
    if operator.name in _SEVERAL:
        return weights.symmetric(t)
    if operator.name in _ALONE:
        axis = _ALONE[operator.name][1]
        return weights.dynamic(t, axis if treatment.granularity == "channel" else None)
    weighted = RULES[operator.name].weighted
    assert weighted is not None
    # The weights of DEPTHWISE_CONV_2D must have a scale for each channel.
    by_channel = treatment.granularity == "channel" or operator.name == "DEPTHWISE_CONV_2D"
    return weights.dynamic(t, weighted.axis if by_channel else None, treatment.bits)


def _and_dequantize(draft: Draft, operator: Operator) -> tuple[Operator, ...]:
    """The operator with an output of codes, which have the scale of its first input, and what makes them real."""
    output, table = operator.outputs[0], draft.tensors[operator.inputs[0]]
    real = draft.tensors[output]
    codes = draft.add(f"{real.name}_{table.type.label}", table.type, real, table.quantization)
    return dataclasses.replace(operator, outputs=(codes,)), Operator("DEQUANTIZE", (codes,), (output,), 2)


def _finds_its_scales(draft: Draft, operator: Operator) -> bool:
    """Whether LiteRT's kernel takes the scales of the right rows, and the sums of the right weights.

    With two dimensions of a batch above 1 it does not. What is not known yet counts as above 1.
    """
    activations, weights = (draft.source.tensors[t] for t in operator.inputs[:2])
    batches = [(t.shape_signature or t.shape)[:-2] for t in (activations, weights)]
    if len(activations.shape) < 2 or any(sum(size != 1 for size in batch) > 1 for batch in batches):
        return False
    # It sums up the weights along two dimensions of a batch, and three there can be.
    return len(batches[1]) < 3 or batches[1][0] == 1


def _is_large(draft: Draft, operator: Operator, place: int, smallest: int) -> bool:
    t = operator.inputs[place] if place < len(operator.inputs) else -1
    values = draft.constant(t) if draft.is_float_constant(t) else None
    return values is not None and values.size >= smallest
