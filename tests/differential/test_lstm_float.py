from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from int8rt.kernels.lstm.tensors import SINGLE, LstmLayout
from int8rt.model import Shape, TensorType
from int8rt.schema.builder import TensorSpec, single_operator_model
from int8rt.schema.options import UnidirectionalSequenceLSTMOptions
from tests.differential.cases import examples
from tests.differential.convolutions import generator
from tests.differential.hybrids import activation_values, all_activations, hybrid_filter
from tests.differential.stateful import Rounds, check_rounds

pytestmark = pytest.mark.litert

FLOAT32 = TensorType.FLOAT32


class Cell:
    """Draws the tensors of one LSTM into `specs`. type: of the weights."""

    def __init__(self, draw: st.DrawFn, rng: np.random.Generator, type: TensorType, n_cell: int, n_output: int) -> None:
        self.draw, self.rng, self.type, self.n_cell, self.n_output = draw, rng, type, n_cell, n_output
        self.projection = n_cell != n_output or draw(st.booleans())
        self.cifg, self.peephole, self.layer_norm = (draw(st.booleans()) for _ in range(3))

    def add(
        self, specs: list[TensorSpec | None], layout: LstmLayout, batch: int, n_input: int, n_aux: int, diagonal: bool
    ) -> None:
        rng, n_cell, n_output = self.rng, self.n_cell, self.n_output
        for gate in range(1, 4) if self.cifg else range(4):
            specs[layout.input_weights[gate]] = self.weights((n_cell, n_input))
            if diagonal and not self.projection and self.draw(st.booleans()):
                specs[layout.recurrent_weights[gate]] = self.floats((n_cell,))
            else:
                specs[layout.recurrent_weights[gate]] = self.weights((n_cell, n_output))
            specs[layout.bias[gate]] = self.floats((n_cell,))
            index = layout.peephole_weights[gate]
            if self.peephole and index is not None:
                specs[index] = self.weights((n_cell,))
            index = layout.layer_norm[gate]
            if self.layer_norm and index is not None:
                specs[index] = self.floats((n_cell,))
            index = layout.aux_weights[gate]
            if n_aux and index is not None:
                specs[index] = self.weights((n_cell, n_aux))
        if self.projection:
            specs[layout.projection_weights] = self.weights((n_output, n_cell))
            if self.draw(st.booleans()):
                specs[layout.projection_bias] = self.floats((n_output,))
        specs[layout.output_state] = TensorSpec(FLOAT32, (batch, n_output), is_variable=True)
        specs[layout.cell_state] = TensorSpec(FLOAT32, (batch, n_cell), is_variable=True)
        rng.random()

    def weights(self, shape: Shape) -> TensorSpec:
        if self.type == FLOAT32:
            values = self.rng.normal(0, self.rng.choice([1, 0.3]), shape)
            return TensorSpec.constant(np.where(self.rng.random(shape) < 0.05, -0.0, values).astype(np.float32))
        return hybrid_filter(self.rng, self.type, shape, shape[0], 0, per_axis=False)

    def floats(self, shape: Shape) -> TensorSpec:
        return TensorSpec.constant(self.rng.choice([0, -0.0, *self.rng.normal(0, 1, 6)], shape).astype(np.float32))


def sequence(rng: np.random.Generator, shape: Shape) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    # What overflows float32 on its way is another matter.
    values = np.clip(activation_values(rng, shape), np.float32(-1e12), np.float32(1e12))
    # Some steps of nothing but zeros, which are left out.
    values[rng.random(shape[:2]) < rng.choice([0, 0.3])] = rng.choice([0.0, -0.0])
    return values


@st.composite
def cells(draw: st.DrawFn, weights: TensorType) -> Rounds:
    time, batch, n_input = draw(st.integers(1, 4)), draw(st.integers(1, 6)), draw(st.integers(1, 40))
    n_cell = draw(st.integers(1, 24)) if draw(st.booleans()) else draw(st.sampled_from([16, 32, 37]))
    n_output = draw(st.sampled_from([n_cell, max(1, n_cell // 2), n_cell + 3]))
    rng = generator(draw, time, batch, n_input, n_cell, n_output)
    cell, time_major = Cell(draw, rng, weights, n_cell, n_output), draw(st.booleans())
    specs: list[TensorSpec | None] = [None] * 24
    shape = (time, batch, n_input) if time_major else (batch, time, n_input)
    specs[0] = TensorSpec(FLOAT32, shape)
    cell.add(specs, SINGLE, batch, n_input, 0, diagonal=draw(st.booleans()))
    options = UnidirectionalSequenceLSTMOptions(
        draw(all_activations),
        cell_clip=float(rng.choice([0, 0, 10, 0.5])),
        proj_clip=float(rng.choice([0, 0, 0.3])),
        time_major=time_major,
        asymmetric_quantize_inputs=draw(st.booleans()),
    )
    model = single_operator_model(
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        specs if cell.layer_norm or draw(st.booleans()) else specs[:20],
        [TensorSpec(FLOAT32, ())],
        options,
    )
    first, second = ([sequence(rng, shape)] for _ in range(2))
    return Rounds(model, [first, second, first])


@examples
def test_unidirectional_sequence_lstm(examples: int) -> None:
    check_rounds(cells(FLOAT32), examples)


@examples
@pytest.mark.parametrize("weights", [TensorType.INT8, TensorType.UINT8], ids=lambda t: t.label)
def test_unidirectional_sequence_lstm_hybrid(examples: int, weights: TensorType) -> None:
    check_rounds(cells(weights), examples)
