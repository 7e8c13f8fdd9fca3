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


def with_integer_weights(
    draft: Draft, weights: Weights, operator: Operator, treatment: Treatment, smallest: int
) -> Operator:
    """The operator with int8 (or int4) weights, or as it was: where it takes none, or has less than `smallest`."""
    if operator.name in _SEVERAL:
        places = [i for i in _SEVERAL[operator.name] if i < len(operator.inputs) and operator.inputs[i] >= 0]
    elif operator.name in DYNAMIC:
        weighted = RULES[operator.name].weighted
        assert weighted is not None
        places = [weighted.filter]
    else:
        return operator
    if not all(_is_large(draft, operator.inputs[place], smallest) for place in places):
        return operator
    inputs = list(operator.inputs)
    for place in places:
        inputs[place] = (
            weights.symmetric(inputs[place])
            if operator.name in _SEVERAL
            else weights.dynamic(operator, place, treatment)
        )
    options = operator.options
    if hasattr(options, "asymmetric_quantize_inputs"):
        options = dataclasses.replace(options, asymmetric_quantize_inputs=True)
    version = max(operator.version, DYNAMIC[operator.name])
    return dataclasses.replace(operator, inputs=tuple(inputs), options=options, version=version)


def _is_large(draft: Draft, t: int, smallest: int) -> bool:
    values = draft.constant(t) if draft.is_float_constant(t) else None
    return values is not None and values.size >= smallest
