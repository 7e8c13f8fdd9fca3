"""Models of the recurrent operators other than LSTMs."""

from __future__ import annotations

import numpy as np

from int8rt.model import ActivationFunctionType, Model, Quantization, Shape, TensorType
from int8rt.schema import TensorSpec, single_operator_model
from int8rt.schema import options as o

_TANH, _RELU = ActivationFunctionType.TANH, ActivationFunctionType.RELU
_INPUT, _UNITS = 3, 4


def _q(scale: float, zero_point: int = 0) -> Quantization:
    return Quantization.per_tensor(scale, zero_point)


def _matrix(rows: int, columns: int, dtype: type = np.int8) -> TensorSpec:
    return TensorSpec.constant((np.arange(rows * columns).reshape(rows, columns) - 5).astype(dtype), _q(0.01))


def _float(shape: Shape, is_variable: bool = False) -> TensorSpec:
    return TensorSpec(TensorType.FLOAT32, shape, is_variable=is_variable)


def _cell() -> list[TensorSpec | None]:
    bias = TensorSpec.constant(np.arange(_UNITS, dtype=np.float32))
    return [_matrix(_UNITS, _INPUT), _matrix(_UNITS, _UNITS), bias, _float((1, _UNITS), True)]


def recurrent_models() -> dict[str, Model]:
    """Cells with integer weights, and SVDF in integers too."""
    rank, memory = 2, 3
    filters = rank * _UNITS
    integers = [
        TensorSpec(TensorType.INT8, (1, _INPUT), _q(0.05, 3)),
        _matrix(filters, _INPUT),
        _matrix(filters, memory, np.int16),
        TensorSpec.constant(np.arange(_UNITS, dtype=np.int32), _q(1e-4)),
        TensorSpec(TensorType.INT16, (1, memory * filters), _q(0.001), is_variable=True),
    ]
    hybrid = [_float((1, _INPUT)), _matrix(filters, _INPUT), _matrix(filters, memory), None]
    state, sequence, output = _float((1, memory * filters), True), _float((1, 2, _INPUT)), _float((1, 2, _UNITS))
    codes = TensorSpec(TensorType.INT8, (1, _UNITS), _q(0.1, -128))
    both = o.BidirectionalSequenceRNNOptions(False, _TANH)
    return {
        "SVDF.0": single_operator_model("SVDF", integers, [codes], o.SVDFOptions(rank, _RELU), 3),
        "SVDF.1": single_operator_model("SVDF", [*hybrid, state], [_float((1, _UNITS))], o.SVDFOptions(rank, _TANH), 4),
        "RNN.0": single_operator_model(
            "RNN", [_float((1, _INPUT)), *_cell()], [_float((1, _UNITS))], o.RNNOptions(_TANH), 3
        ),
        "UNIDIRECTIONAL_SEQUENCE_RNN.0": single_operator_model(
            "UNIDIRECTIONAL_SEQUENCE_RNN", [sequence, *_cell()], [output], o.SequenceRNNOptions(False, _TANH), 3
        ),
        "BIDIRECTIONAL_SEQUENCE_RNN.0": single_operator_model(
            "BIDIRECTIONAL_SEQUENCE_RNN", [sequence, *_cell(), *_cell(), None, None, None], [output] * 2, both, 3
        ),
    }
