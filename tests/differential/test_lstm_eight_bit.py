"""The kernel of LSTM with twelve intermediate tensors, as in kernels/lstm/eight_bit.py."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.kernels.lstm.tensors import SINGLE
from int8rt.model import ActivationFunctionType, Quantization, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import LSTMOptions
from tests.differential.cases import examples, random_data
from tests.differential.convolutions import generator, weights
from tests.differential.stateful import Rounds, check_rounds

pytestmark = pytest.mark.litert


def q(scale: float, zero_point: int = 0) -> Quantization:
    return Quantization.per_tensor(scale, zero_point)


@st.composite
def cells(draw: st.DrawFn) -> Rounds:
    batch, n_input, n_cell = draw(st.integers(1, 3)), draw(st.integers(1, 20)), draw(st.integers(1, 37))
    cifg, peephole, complete = draw(st.booleans()), draw(st.booleans()), draw(st.integers(0, 9)) > 0
    n_output = draw(st.integers(1, 20)) if not peephole else draw(st.integers(1, n_cell))
    rng = generator(draw, batch, n_input, n_cell, n_output)
    input_scale, state_scale = rng.choice([0.5, 1 / 128, 0.0039]), rng.choice([1 / 128, 0.0078, 1 / 64])
    specs: list[TensorSpec | None] = [None] * 24
    for gate in range(1, 4) if cifg else range(4):
        for index, terms in ((SINGLE.input_weights[gate], n_input), (SINGLE.recurrent_weights[gate], n_output)):
            specs[index] = TensorSpec.constant(
                weights(rng, (n_cell, terms), TensorType.INT8), q(rng.choice([0.002, 0.01, 0.05]))
            )
        bias = rng.integers(-20000, 20000, n_cell) * int(rng.choice([1, 100, 10000]))
        specs[SINGLE.bias[gate]] = TensorSpec.constant(bias.astype(np.int32), q(1e-4))
        index = SINGLE.peephole_weights[gate]
        if peephole and index is not None:
            specs[index] = TensorSpec.constant(rng.integers(-99, 99, n_cell).astype(np.int16), q(2.0**-15))
        values = rng.integers(-32767, 32768, n_cell).astype(np.int16)
        specs[SINGLE.layer_norm[gate] or 0] = TensorSpec.constant(values, q(rng.choice([3e-5, 2e-4, 1e-3, 0.1, 100])))
    projection_scale = rng.choice([0.01, 0.002, 0.1])
    specs[16] = TensorSpec.constant(weights(rng, (n_output, n_cell), TensorType.INT8), q(projection_scale))
    if complete:
        specs[17] = TensorSpec.constant(rng.integers(-500000, 500000, n_output).astype(np.int32), q(1e-5))
    zero_points = [int(rng.choice([0, -128, 127, 5, -1])) for _ in range(2 + 12)]
    specs[0] = TensorSpec(TensorType.INT8, (batch, n_input), q(input_scale, zero_points[0]))
    specs[18] = TensorSpec(TensorType.INT8, (batch, n_output), q(state_scale, zero_points[1]), is_variable=True)
    cell_scale = 2.0 ** int(rng.choice([-15, -15, -11]))
    specs[19] = TensorSpec(TensorType.INT16, (batch, n_cell), q(cell_scale), is_variable=True)
    # Sums in steps around 2^-12, products around 2^-5; where steps are far apart, shifts of several bits follow.
    scales = [2.0 ** rng.uniform(-13, -11) if i % 3 == 0 else 2.0 ** rng.uniform(-9, -1) for i in range(12)]
    intermediates = [
        TensorSpec(TensorType.INT8, (0,), q(scale, zero_point))
        for scale, zero_point in zip(scales, zero_points[2:], strict=True)
    ]
    clips = float(rng.choice([0, 0, 10, 0.5])), float(rng.choice([0, 0, 0.3]))
    model = single_operator_model(
        "LSTM",
        specs,
        [TensorSpec(TensorType.INT8, (), q(state_scale, zero_points[1]))],
        LSTMOptions(ActivationFunctionType.TANH, *clips),
        intermediates=intermediates,
    )
    inputs = [[random_data(rng, specs[0])] for _ in range(2)]
    return Rounds(model, [inputs[0], inputs[1], inputs[0]])


@examples
def test_lstm_with_products_of_8_bits(examples: int) -> None:
    check_rounds(cells(), examples)
