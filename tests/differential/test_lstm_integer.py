from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.kernels.lstm.tensors import SINGLE
from int8rt.model import ActivationFunctionType, Quantization, Shape, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import LSTMOptions, UnidirectionalSequenceLSTMOptions
from tests.differential.cases import examples, random_data
from tests.differential.convolutions import generator, weights
from tests.differential.stateful import Rounds, check_rounds

pytestmark = pytest.mark.litert


def q(scale: float, zero_point: int = 0) -> Quantization:
    return Quantization.per_tensor(scale, zero_point)


@st.composite
def cells(draw: st.DrawFn, single_step: bool) -> Rounds:
    time, batch, n_input = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 20))
    n_cell = draw(st.integers(1, 20)) if draw(st.booleans()) else draw(st.sampled_from([16, 32, 37]))
    cifg, peephole, layer_norm, projection = (draw(st.booleans()) for _ in range(4))
    n_output = draw(st.integers(1, n_cell)) if projection else n_cell
    rng = generator(draw, time, batch, n_input, n_cell, n_output)
    time_major = draw(st.booleans())
    input_scale, state_scale = rng.choice([0.5, 1 / 128, 0.0039]), rng.choice([1 / 128, 0.0078, 1 / 64])
    hidden_scale = rng.choice([1 / 128, 0.0078, 0.02])
    cell_log2 = int(rng.choice([-15, -12, -11, -11, -11, -10, -9, -9 if cifg or single_step else -7]))
    input_zero_point, state_zero_point, hidden_zero_point = (int(rng.choice([0, -128, 127, 5, -1])) for _ in range(3))
    specs: list[TensorSpec | None] = [None] * 24
    gates = range(1, 4) if cifg else range(4)
    scale = 1 / 4096
    for gate in gates:
        # Sums of about 16 bits, so that gates are between their ends.
        for index, terms, factor in (
            (SINGLE.input_weights[gate], n_input, input_scale),
            (SINGLE.recurrent_weights[gate], n_output, state_scale),
        ):
            real = 2.0 ** rng.uniform(-8, 1) / (74 * 74 * np.sqrt(terms)) * 8 / factor
            specs[index] = TensorSpec.constant(weights(rng, (n_cell, terms), TensorType.INT8), q(real))
        bias = rng.integers(-20000, 20000, n_cell).astype(np.int32)
        specs[SINGLE.bias[gate]] = TensorSpec.constant(bias, q(1e-4))
        index = SINGLE.peephole_weights[gate]
        if peephole and index is not None:
            values = rng.integers(-32767, 32768, n_cell).astype(np.int16)
            specs[index] = TensorSpec.constant(values, q(rng.choice([1e-5, 3e-5, 2.0**-15])))
        if layer_norm:
            values = rng.integers(-32767, 32768, n_cell).astype(np.int16)
            specs[SINGLE.layer_norm[gate] or 0] = TensorSpec.constant(values, q(rng.choice([3e-5, 2e-4, 1e-3])))
    if projection:
        specs[16] = TensorSpec.constant(weights(rng, (n_output, n_cell), TensorType.INT8), q(rng.choice([0.01, 0.002])))
        if draw(st.booleans()):
            specs[17] = TensorSpec.constant(rng.integers(-5000, 5000, n_output).astype(np.int32), q(1e-5))
    shape: Shape = (time, batch, n_input) if time_major else (batch, time, n_input)
    shape = (batch, n_input) if single_step else shape
    specs[0] = TensorSpec(TensorType.INT8, shape, q(input_scale, input_zero_point))
    specs[18] = TensorSpec(TensorType.INT8, (batch, n_output), q(state_scale, state_zero_point), is_variable=True)
    specs[19] = TensorSpec(TensorType.INT16, (batch, n_cell), q(2.0**cell_log2), is_variable=True)
    intermediates = [TensorSpec(TensorType.INT16, (0,), q(rng.choice([scale, 1e-4, 1e-3]))) for _ in range(4)] + [
        TensorSpec(TensorType.INT8, (0,), q(hidden_scale, hidden_zero_point))
    ]
    cell_clip, proj_clip = float(rng.choice([0, 0, 10, 0.5])), float(rng.choice([0, 0, 0.3]))
    tanh = ActivationFunctionType.TANH
    model = single_operator_model(
        "LSTM" if single_step else "UNIDIRECTIONAL_SEQUENCE_LSTM",
        specs if layer_norm or draw(st.booleans()) else specs[:20],
        [TensorSpec(TensorType.INT8, (), q(state_scale, state_zero_point))],
        LSTMOptions(tanh, cell_clip, proj_clip)
        if single_step
        else UnidirectionalSequenceLSTMOptions(tanh, cell_clip, proj_clip, time_major),
        intermediates=intermediates,
    )
    inputs = [[random_data(rng, specs[0])] for _ in range(2)]
    return Rounds(model, [inputs[0], inputs[1], inputs[0]])


@examples
@pytest.mark.parametrize("single_step", [False, True], ids=["UNIDIRECTIONAL_SEQUENCE_LSTM", "LSTM"])
def test_lstm(examples: int, single_step: bool) -> None:
    check_rounds(cells(single_step), examples)
