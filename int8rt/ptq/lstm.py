"""UNIDIRECTIONAL_SEQUENCE_LSTM in int8: 8-bit weights and activations, a 16-bit cell state.

Positions of tensors: TensorFlow Lite kernels/unidirectional_sequence_lstm.cc. Parameters: what TensorFlow 2.21's
converter writes (quantization_lib, `PrepareLstmOutputScale`; lite/tools/optimize/operator_property.cc).
"""

from __future__ import annotations

import dataclasses
import math

from int8rt.model import Operator, Quantization, Shape, Tensor, TensorType
from int8rt.ptq.draft import Draft
from int8rt.ptq.weights import Weights

INPUT, OUTPUT_STATE, CELL_STATE = 0, 18, 19
_WEIGHTS = range(1, 9)
# Biases of the input, forget, cell and output gate, by the weights from the input with whose scale they go.
_BIASES = {12: 1, 13: 2, 14: 3, 15: 4}
_PEEPHOLES, _PROJECTION, _NORMALIZATION = range(9, 12), range(16, 18), range(20, 24)
_HIDDEN, _INTERMEDIATES = 4, 5


def why_not_lstm(draft: Draft, operator: Operator, type: TensorType) -> str | None:
    """Why an LSTM stays float, or None."""

    def there(position: int) -> bool:
        return len(operator.inputs) > position and operator.inputs[position] >= 0

    if type is not TensorType.INT8:
        return "no resolver runs it with int16 activations"
    for positions, what in ((_PEEPHOLES, "peepholes"), (_PROJECTION, "a projection"), (_NORMALIZATION, "layer norms")):
        if any(there(position) for position in positions):
            return f"LSTMs with {what} are not quantized"
    if not all(there(position) for position in (*_WEIGHTS, *_BIASES, OUTPUT_STATE, CELL_STATE)):
        return "LSTMs without an input gate or a bias are not quantized"
    if any(draft.constant(operator.inputs[position]) is None for position in (*_WEIGHTS, *_BIASES)):
        return "its weights or biases are not constant"
    return None


def quantized_lstm(
    draft: Draft, weights: Weights, operator: Operator, codes: int, output: Quantization, cell: tuple[float, float]
) -> Operator:
    """The operator, reading `codes` as its input.

    output: the parameters of its output, which the output state shares. cell: the range of the cell state, whose scale
    is a power of two.
    """
    inputs = list(operator.inputs)
    source = draft.tensors[codes].quantization
    assert source is not None
    inputs[INPUT] = codes
    for position in _WEIGHTS:
        inputs[position] = weights.symmetric(operator.inputs[position])
    for position, gate in _BIASES.items():
        scale = draft.tensors[inputs[gate]].quantization
        assert scale is not None
        inputs[position] = weights.bias(operator.inputs[position], float(source.scale[0]), scale.scale)
    draft.change(inputs[OUTPUT_STATE], type=TensorType.INT8, quantization=output)
    draft.change(inputs[CELL_STATE], type=TensorType.INT16, quantization=Quantization.per_tensor(cell_scale(*cell)))
    return dataclasses.replace(
        operator, inputs=tuple(inputs), intermediates=_intermediates(draft, operator.intermediates, output)
    )


def cell_scale(low: float, high: float) -> float:
    """The power of two that [low, high] fits under, over 2^15; at least 2^-15.

    Below that the kernel leaves out the TANH of the cell state (PortableApplyTanh of reference/portable_tensor_utils.cc
    knows none with less than 0 integer bits), though TensorFlow's converter goes below.
    """
    largest = max(abs(low), abs(high), 1.0)
    return float(2.0 ** math.ceil(math.log2(largest))) / 2**15


def _intermediates(draft: Draft, old: Shape, output: Quantization) -> Shape:
    """Four float placeholders, which only layer norms would use, and the hidden state before a projection."""
    known = list(old)
    while len(known) < _INTERMEDIATES:
        name = f"lstm_intermediate_{len(draft.tensors)}"
        known.append(draft.add(name, TensorType.FLOAT32, Tensor(name, TensorType.FLOAT32, (0,)), None))
    for index in known[:_HIDDEN]:
        draft.change(index, quantization=None)
    draft.change(known[_HIDDEN], type=TensorType.INT8, quantization=output)
    return tuple(known)
